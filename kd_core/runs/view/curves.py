"""Learning curves of a run, kept whole and thinned for the screen."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

Number = float | None


@dataclass(frozen=True)
class Curve:
    """One training over its epochs; `best_epoch` is the one a stop would keep. Lists are of equal length.

    `shown` of `total` epochs are listed: the first, the last, the best and the extremes are always among them.
    """

    arm: str
    student: str | None
    seed: int | None
    fold: int | None
    epochs: tuple[int, ...]
    loss: tuple[Number, ...]
    hard: tuple[Number, ...]
    soft: tuple[Number, ...]
    score: tuple[Number, ...]
    best_epoch: int | None
    total: int
    done: bool

    @property
    def shown(self) -> int:
        """Return how many epochs are listed."""
        return len(self.epochs)


FIELDS = ("loss", "hard", "soft", "score")
SIZES_KEPT = 3  # numbers of points for which a curve is kept thinned: viewers of one run ask for a few


@dataclass
class Line:
    """A growing curve."""

    arm: str
    student: str | None
    seed: int | None
    fold: int | None
    epochs: list[int] = field(default_factory=list)
    values: dict[str, list[Number]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    best_epoch: int | None = None
    most: int = 0
    done: bool = False
    _thin: dict[int, tuple[tuple[int, int | None, bool], Curve]] = field(default_factory=dict)

    def add(self, event: dict[str, object]) -> None:
        """Add an epoch; a resumed training goes back to its checkpoint, and so does the curve."""
        epoch = int(event["epoch"])  # type: ignore[call-overload]
        if self.epochs and epoch <= self.epochs[-1]:
            keep = int(np.searchsorted(self.epochs, epoch))
            del self.epochs[keep:]
            for name in FIELDS:
                del self.values[name][keep:]
            self.done = False
            self._thin.clear()
        self.epochs.append(epoch)
        for name in FIELDS:
            self.values[name].append(event.get(name))  # type: ignore[arg-type]
        self.most = int(event.get("epochs") or self.most)  # type: ignore[call-overload]
        best = event.get("best")
        if best is True:
            self.best_epoch = epoch
        elif isinstance(best, int) and best is not False:
            self.best_epoch = best

    def fraction(self) -> float:
        """Return how much of the training is behind, 0 to 1."""
        if self.done:
            return 1.0
        return min(1.0, self.epochs[-1] / self.most) if self.epochs and self.most else 0.0

    def curve(self, most: int) -> Curve:
        """Return the curve with at most `most` points."""
        key = (len(self.epochs), self.best_epoch, self.done)
        found = self._thin.get(most)
        if found is None or found[0] != key:
            self._thin.pop(most, None)
            while len(self._thin) >= SIZES_KEPT:
                del self._thin[next(iter(self._thin))]
            found = self._thin[most] = (key, self._curve(most))
        return found[1]

    def _curve(self, most: int) -> Curve:
        picked = thin(self.values, self.epochs, self.best_epoch, most)
        chosen = {name: tuple(self.values[name][i] for i in picked) for name in FIELDS}
        return Curve(
            self.arm,
            self.student,
            self.seed,
            self.fold,
            tuple(self.epochs[i] for i in picked),
            **chosen,
            best_epoch=self.best_epoch,
            total=len(self.epochs),
            done=self.done,
        )


def thin(values: dict[str, list[Number]], epochs: list[int], best_epoch: int | None, most: int) -> list[int]:
    """Pick at most `most` positions, keeping first, last, best, and of each value the smallest and the largest.

    In between, equal stretches give the two positions where score is smallest and largest, so that no
    peak is lost. `most` below 12 is taken as 12.
    """
    total, most = len(epochs), max(12, most)
    if total <= most:
        return list(range(total))
    always = {0, total - 1}
    if best_epoch is not None:
        at = int(np.searchsorted(epochs, best_epoch))
        if at < total and epochs[at] == best_epoch:
            always.add(at)
    arrays = {name: np.array(values[name], float) for name in FIELDS}  # None becomes NaN
    holes = {name: np.isnan(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if not holes[name].any():  # the usual case, at a third of the cost
            always |= {int(array.argmin()), int(array.argmax())}
        elif not holes[name].all():
            always |= {int(np.nanargmin(array)), int(np.nanargmax(array))}
    told = next((name for name in ("score", "loss") if not holes[name].all()), None)
    guide = np.zeros(total) if told is None else arrays[told]
    stretches = max(1, (most - len(always)) // 2)
    edges = np.linspace(0, total, stretches + 1).astype(int)
    filled = np.where(holes[told], np.nanmean(guide), guide) if told and holes[told].any() else guide
    for low, high in itertools.pairwise(edges.tolist()):
        if high > low:
            part = filled[low:high]
            always |= {low + int(part.argmin()), low + int(part.argmax())}
    return sorted(always)
