"""Plain models beside a student on the test rows: the best of at most its size, and a smaller one that kept up with it on validation rows.

The smaller one is set beside the best one too: which of the two a person would take is decided by their own difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.evaluate.intervals import families
from kd_core.evaluate.intervals.compare import Gain, verdict
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.runs import assessment
from kd_core.runs.plain.references import Reference
from kd_core.runs.store.measured import write_gains

# What a gain over a plain model comes to.
WORDS = {"beats": "ahead", "hurts": "behind", "ties": "level", "inconclusive": "unclear"}


@dataclass
class Beside:
    """A student's entry in result.json, the arm that is taken home with its evidence, and the plain models chosen for it on validation rows."""

    entry: dict[str, Any]
    evidence: Evidence
    arm: str
    seeds: Sequence[int]
    margin: float
    best: Reference | None
    smallest: Reference | None

    @property
    def smaller(self) -> Reference | None:
        """Return the smallest that kept up, where it is another model than the best and takes fewer bytes than the student."""
        own = self.entry["deployed"]["bytes"]
        if self.smallest is None or not own or self.smallest.bytes >= own:
            return None
        return None if self.best is not None and self.smallest.name == self.best.name else self.smallest

    @property
    def statements(self) -> int:
        """Count what is said of the student: how it stands to its baseline, to each plain model, and these to each other."""
        best, smaller = self.best is not None, self.smaller is not None
        return 1 + best + smaller + (best and smaller)


class Judge:
    """Asks plain models about the test rows; the words of all students' statements hold together."""

    def __init__(self, dataset: Dataset, references: Any, metric: str, statements: int, latency: bool) -> None:
        self.dataset, self.references, self.metric = dataset, references, metric
        self.statements, self.latency = statements, latency

    def told(self, one: Beside) -> dict[str, Any]:
        """Return what result.json says of a student's plain models; one whose training was stopped is only named."""
        best = self._evidence(one, one.best)
        told: dict[str, Any] = {"best": None, "smallest": one.smallest.told() if one.smallest else None}
        if one.best is not None and best is not None:
            told["best"] = one.best.told() | self._judged(one, one.best, best)
        smaller = self._evidence(one, one.smaller)
        if one.smaller is not None and smaller is not None:
            told["smallest"] |= self._judged(one, one.smaller, smaller)
            if best is not None:
                pair = best.beside("reference", "smaller", smaller.sides["reference"])
                told["smallest"]["best"] = self._word(assessment.gains(pair, "reference", "smaller"), one.margin)
        return told

    def _evidence(self, one: Beside, model: Reference | None) -> Evidence | None:
        z = None if model is None else self.references.test_logits(model, one.seeds)
        if z is None:
            return None
        return one.evidence.beside(
            one.arm, "reference", [assessment.answers(self.dataset, "test", one_seed) for one_seed in z]
        )

    def _judged(self, one: Beside, model: Reference, found: Evidence) -> dict[str, Any]:
        return {
            **(model.times(self.dataset) if self.latency else {}),
            "metrics": {m: assessment.spread(found.values(m, "reference")) for m in found.metrics()},
            **self._word(assessment.gains(found, one.arm, "reference"), one.margin),
            "versus_teacher": write_gains(assessment.over_teacher(one.entry, one.evidence, found)),
        }

    def _word(self, gains: Mapping[str, Gain], margin: float) -> dict[str, Any]:
        wide = families.simultaneous(gains[self.metric], self.statements)
        word = WORDS[verdict(wide, margin).word]
        return {"gain": write_gains(gains), "ci_family": [wide.low, wide.high], "word": word}
