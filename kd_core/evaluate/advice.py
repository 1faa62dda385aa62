"""TEMP"""

from __future__ import annotations

from dataclasses import dataclass

from kd_core.evaluate.compare import Gain


@dataclass(frozen=True)
class Advice:
    kind: str
    need: int | None


def advise(gain: Gain, margin: float, num_units: int, word: str) -> Advice:
    return Advice("none", None)


def more_seeds(seeds_half: float | None, rows_half: float | None, n: int) -> int:
    if seeds_half is None or rows_half is None or n >= 15 or seeds_half <= rows_half / 2:
        return 0
    return min(2, 15 - n)
