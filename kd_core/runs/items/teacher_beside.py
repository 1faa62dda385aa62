"""A teacher of items beside plain models that take seconds: whether it is above popularity and above a table of followers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.evaluate.intervals import families
from kd_core.evaluate.intervals.compare import certified, verdict
from kd_core.evaluate.intervals.row_spread import row_spread
from kd_core.runs import assessment
from kd_core.runs.outcome import read_outcome
from kd_core.runs.plain.items import ItemReference, ItemReferences
from kd_core.runs.store.measured import read_gain, write_gain
from kd_core.runs.view.scale import Scale

WORDS = {"beats": "ahead", "hurts": "behind", "ties": "level", "inconclusive": "unclear"}
_SAID = {
    "ahead": "The teacher is better than {title}",
    "behind": "The teacher is not as good as {title}: that is the better model",
    "level": "The teacher is no better than {title}",
    "unclear": "Not clear whether the teacher is better than {title}",
}


def teacher_beside(dataset: Dataset, z_teacher: Array, plain: Any, metric: str, margin: float) -> dict[str, Any]:
    """Compare a teacher's test answers with popularity and with the best other table on validation; nothing of other references.

    The interval is over users, at 95 % for each; `word` is that of the interval which holds for both. Shape: z_teacher (N, W).
    """
    if not isinstance(plain, ItemReferences) or np.isnan(z_teacher[:, 0]).any():
        return {}
    tables = [r for r in plain.known if r.neighbours]
    asked = [*(r for r in plain.known if not r.neighbours), *sorted(tables, key=lambda r: -plain.rank(r.selected))[:1]]
    return {"teacher": [_told(dataset, z_teacher, plain, one, metric, margin) for one in asked]}


def _told(
    dataset: Dataset, z_teacher: Array, plain: ItemReferences, one: ItemReference, metric: str, margin: float
) -> dict[str, Any]:
    (z,) = plain.test_logits(one, [0])
    spread = row_spread(metric, [assessment.answers(dataset, "test", both) for both in (z_teacher, z)])
    assert spread is not None
    apart = float(spread.values_M[0] - spread.values_M[1]) * (1 if plain.better == "higher" else -1)
    gain = certified([apart, apart], spread.standard_error([1, -1]))  # neither has seeds
    word = WORDS[verdict(families.simultaneous(gain, 2), margin).word]
    return {**one.told(), "value": float(spread.values_M[1]), "gain": write_gain(gain), "word": word}


def lines(result: dict[str, Any]) -> list[str]:
    """Say how the teacher stands beside them; nothing where it was not compared."""
    if not (told := (result.get("references") or {}).get("teacher")):
        return []
    metric, said = read_outcome(result).metric, []
    for one in told:
        gain = read_gain(one["gain"])
        scale = Scale.of(metric, gain)
        away = f"{scale(gain.mean)} {scale.points}{metric.title} (95 %: {scale(gain.low or 0.0)} to {scale(gain.high or 0.0)})"
        said.append(f"{_SAID[one['word']].format(title=one['title'])}: {away}.")
    return said
