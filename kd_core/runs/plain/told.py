"""A plain model as result.json tells it, and which one is to be taken in a student's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.store.measured import Arm, read_gains

Standing = Literal["ahead", "behind", "level", "unclear"]


SMALLER = 0.5  # times the bytes of another: less apart is no reason to give away a part of the margin


@dataclass(frozen=True)
class Rule:
    """What models of a run are compared by. Units: `margin` of the metric."""

    metric: str
    better: str
    margin: float


@dataclass(frozen=True)
class Plain:
    """A plain model that was asked about the test rows: the best of at most the student's bytes, or the smallest that keeps up.

    `arm` holds its metrics over the student's seeds; `gain` is the student's over it; `family` its interval among all of a run;
    `versus_teacher` is empty where an older result does not say. `same`: it is the student's own kind and size, so nothing but the
    student without a teacher. `place`: which of the two it is. `best`: how the best of the
    student's size stands to the smallest, None of that one itself and where there is none. `raw` is what result.json says of it.
    """

    name: str
    title: str
    bytes: int
    arm: Arm
    gain: Mapping[str, Gain]
    family: tuple[float | None, float | None]
    standing: Standing
    versus_teacher: Mapping[str, Gain]
    same: bool
    place: Literal["plain", "smaller"]
    best: Standing | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[Any, ...]:
        """Tell it from others: two students may be set beside the same, and with other seeds it has other scores."""
        return self.name, self.bytes, *(self.arm.mean(m) for m in sorted(self.arm.metrics))

    def judged(self, metric: str) -> Gain:
        """Return the student's gain over it with the interval that its standing is decided by, whose parts are not told."""
        gain, (low, high) = self.gain[metric], self.family
        return gain if low is None else replace(gain, low=low, high=high, seeds_half=None, rows_half=None)


def read_plain(found: Mapping[str, Any], place: Literal["plain", "smaller"], *, same: bool = False) -> Plain:
    """Read a plain model that was asked about the test rows; `same`: it is the student's own kind and size."""
    low, high = found["ci_family"]
    return Plain(
        name=found["name"],
        title=found["title"],
        bytes=int(found["bytes"]),
        arm=Arm(found["metrics"]),
        gain=read_gains(found["gain"]),
        family=(low, high),
        standing=found["word"],
        versus_teacher=read_gains(found.get("versus_teacher") or {}),
        same=same,
        place=place,
        best=(found.get("best") or {}).get("word"),
        raw=found,
    )


def takes(plain: Plain, standing: Standing | None, other: Arm, other_bytes: int, rule: Rule) -> bool:
    """Say whether a plain model is to be taken rather than another, which stands to it as told.

    It is where it is better or as good; where that is not clear if it scores no lower, or clearly smaller and within the margin.
    """
    if standing is None or standing == "ahead":
        return False
    own, theirs = plain.arm.mean(rule.metric), other.mean(rule.metric)
    if standing != "unclear" or own is None or theirs is None:
        return True
    behind = theirs - own if rule.better == "higher" else own - theirs
    return behind <= (rule.margin if plain.bytes <= SMALLER * other_bytes else 0.0)
