"""Chinese messages to a shop: which of twelve matters is it? (texts, multiclass)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.scenarios.phrases import messages
from kd_core.specs import Choice


@SCENARIOS.register(
    "service_chinese",
    title="Chinese messages to intent",
    sample="messages_chinese",
    target="intent",
    task="multiclass",
    rows=8_000,
    story="客服消息意图分类: the same twelve matters, written in Chinese.",
    teacher=Choice(name="sklearn", settings={"view": "tfidf"}),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.8}),
    students=("bag:tiny", "bag:small"),
    tags=("customer service", "Chinese text"),
)
def make_messages(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make Chinese messages; some mention another matter on the way, and some were filed wrongly."""
    return pd.DataFrame(messages(rng, rows, "service_chinese", aside=0.35, wrong=0.03), columns=["message", "intent"])
