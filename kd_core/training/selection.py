"""Which epoch is kept: the best one by the metric; of epochs that it can't tell apart the one of the lowest loss, then the earliest.

Accuracy on 27 rows has 28 values and an easy table an AUC of 1 after a few epochs, long before the network has learned what it could.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from kd_core.data.dataset import Array


class Score(Protocol):
    """Judges validation logits; see `scoring.Scoring`."""

    @property
    def metric(self) -> str: ...

    @property
    def better(self) -> Literal["higher", "lower"]: ...

    def __call__(self, z: Array) -> dict[str, float | None]: ...

    def selection(self, metrics: dict[str, float | None]) -> float: ...

    def loss(self, metrics: dict[str, float | None]) -> float | None: ...


class Judged(NamedTuple):
    """An epoch as validation saw it: the metric that decides, and the loss between equal ones where there is one."""

    score: float
    loss: float | None

    def beats(self, other: Judged, better: Literal["higher", "lower"]) -> bool:
        """Say whether this epoch is kept in place of an earlier one."""
        if self.score != other.score:
            return self.score > other.score if better == "higher" else self.score < other.score
        return self.loss is not None and other.loss is not None and self.loss < other.loss
