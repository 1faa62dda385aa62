"""What a step may know of a network's quality: its score on validation rows. No step sees test rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from kd_core.compress.base import Stage, Work
from kd_core.data.dataset import Array
from kd_core.distill.student import scoring
from kd_core.evaluate import METRICS
from kd_core.evaluate.base import better_of
from kd_core.training.predict import predict
from kd_core.training.scoring import Scoring


@dataclass(frozen=True)
class Validation:
    """Scores networks on the validation rows as a student reads them."""

    x: Array
    scoring: Scoring

    @classmethod
    def of(cls, stage: Stage, work: Work) -> Validation:
        """Take the rows that a stage is judged by while it is made."""
        return cls(work.rows(stage).parts["validation"], scoring(work.dataset, work.metric))

    def score(self, module: nn.Module) -> float:
        """Return the selection metric of a network. Errors: KDError `undefined_selection`."""
        return self.of_logits(predict(module, self.x))

    def of_logits(self, z: Array) -> float:
        """Return the selection metric of answers to the validation rows. Shape: (N, C). Errors: KDError `undefined_selection`."""
        return self.scoring.selection(self.scoring(z))

    def lost(self, before: float, after: float) -> float:
        """Return what was lost, as `points`."""
        return points(before, after, self.scoring.metric)


def points(before: float, after: float, metric: str) -> float:
    """Say how much worse a score got, above 0 where it did. Units: points; percent of what was before for errors."""
    worse = before - after if better_of(metric) == "higher" else after - before
    return 100 * worse / abs(before) if METRICS.get(metric).facts["relative"] and before else 100 * worse
