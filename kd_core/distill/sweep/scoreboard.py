"""The best validation score of every training of a sweep, told at most twice a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from kd_core.training.loop import Notify

TELL_SECONDS = 0.5  # a page redraws no faster


class Scoreboard:
    """Keeps the best score per position in the list of variants and sends `scores` events."""

    def __init__(
        self, notify: Notify, better: Literal["higher", "lower"], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._notify, self._better, self._clock = notify, better, clock
        self._best: dict[int, float] = {}
        self._news: dict[str, float] = {}
        self._at = (0, 0)
        self._told = -TELL_SECONDS + clock()

    def take(self, position: int, score: float, epoch: int, epochs: int) -> None:
        """Note a score of one training; tell when the last telling is long enough ago."""
        before = self._best.get(position)
        if before is None or (score > before if self._better == "higher" else score < before):
            self._best[position] = self._news[str(position)] = score
        self._at = epoch, epochs
        if self._clock() - self._told >= TELL_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Send what is new since the last time, if anything is."""
        if self._news:
            epoch, epochs = self._at
            self._notify({"kind": "scores", "epoch": epoch, "epochs": epochs, "best": self._news})
            self._news, self._told = {}, self._clock()
