"""What one setting does, over all others: the mean gain of each of its values, with its interval over seeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from kd_core.evaluate.intervals.compare import Interval, half_width

V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True)
class Tried(Generic[V]):
    """One variant: the setting's value, all its other settings, and its gain over its baseline by seed (above 0 is better)."""

    value: V
    others: Hashable
    gains: Mapping[int, float]


@dataclass(frozen=True)
class Marginal(Generic[V]):
    """The curve of one setting. `combinations`: of the other settings that the means are taken over; `left_out`: those that some value lacks."""

    curve: Mapping[V, Interval]
    combinations: int
    left_out: int


def marginal(tried: Iterable[Tried[V]], values: Sequence[V]) -> Marginal[V]:
    """Average the gain of each value over the other settings, seed by seed, with a 95 % t interval of the seeds.

    A mean is taken over the same combinations and seeds for every value, so that a training that is missing for one value
    can't lift or lower it. The interval speaks of the seeds alone, and of no value's difference to another.

    Example: `marginal([Tried(1.0, (0.5,), {0: 0.1}), Tried(4.0, (0.5,), {0: 0.3})], [1.0, 4.0]).curve[4.0].mean` is 0.3.
    """
    gains: dict[Hashable, dict[V, Mapping[int, float]]] = {}
    for one in tried:
        gains.setdefault(one.others, {})[one.value] = one.gains
    whole = {
        others: shared
        for others, held in gains.items()
        if all(v in held for v in values) and (shared := set.intersection(*(set(held[v]) for v in values)))
    }
    seeds = sorted(set().union(*whole.values()))
    curve = {}
    for value in values if seeds else ():
        means = [np.mean([gains[o][value][seed] for o, held in whole.items() if seed in held]) for seed in seeds]
        mean, half = float(np.mean(means)), half_width([float(m) for m in means])
        several = len(seeds) > 1
        curve[value] = Interval(mean, mean - half if several else None, mean + half if several else None, len(seeds))
    return Marginal(curve, len(whole), len(gains) - len(whole))
