"""Messages to a shop: which of twelve matters is it? (texts, multiclass)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.scenarios.phrases import messages
from kd_core.specs import Choice, TrainingSpec


@SCENARIOS.register(
    "service",
    title="Messages to intent",
    sample="messages",
    target="intent",
    task="multiclass",
    rows=4_000,
    story="Which of twelve matters a customer writes about, so that the message reaches the right desk.",
    teacher=Choice(name="sklearn", settings={"view": "tfidf"}),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.8}),
    students=("bag:tiny", "bag:small"),
    training=TrainingSpec(seeds=5),  # as many as the intervals ask for, 15, take more than two minutes on two cores
    tags=("customer service", "text"),
)
def make_messages(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make English messages; some mention another matter on the way, and some were filed wrongly."""
    return pd.DataFrame(messages(rng, rows, "service", aside=0.5, wrong=0.06), columns=["message", "intent"])
