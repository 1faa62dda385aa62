"""Which runtime answers fastest: chosen by a short probe in which all take turns, and checked by the session that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.errors import KDError
from kd_core.machine.rounds import Times, Turn, in_rounds
from kd_core.runs.timing.asked import Form
from kd_core.runs.timing.models import Timed
from kd_core.runs.timing.ways import Way, ready

BATCHES = (1, 256)
RUNTIMES = ("onnxruntime", "torch")
ROUNDS, SECONDS = 7, 0.02
ALIKE = 1.02  # a way this near the fastest is as fast; of several the file before torch, and fewer threads


def counts(cores: int) -> tuple[int, ...]:
    """List the numbers of threads to try: 1, 2, 4 and so on, and all cores.

    Example:
        >>> counts(6)
        (1, 2, 4, 6)
    """
    doubled = [2**n for n in range(cores.bit_length()) if 2**n <= cores]
    return tuple(dict.fromkeys([*doubled, cores]))


def simplest(times: Mapping[Way, float]) -> Way:
    """Choose of the ways that are alike with the fastest the simplest. Units: milliseconds. Errors: ValueError where there are none."""
    best = min(times.values())
    alike = [way for way, taken in times.items() if taken <= ALIKE * best]
    return min(alike, key=lambda way: (RUNTIMES.index(way.runtime), way.threads))


def probe(
    model: Timed,
    batch: int,
    threads: Sequence[int],
    form: Form = "network",
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[Way, Times]:
    """Let the ways to run a model on the CPU take a few short turns. A way that can't be is left out; none at all gives nothing."""
    turns: dict[Way, Turn] = {}
    for runtime in RUNTIMES:
        for count in threads:
            way = Way(runtime, count)
            try:
                turns[way] = ready(model, way, form).turn(batch)
            except KDError:
                break
    found = in_rounds(turns, ROUNDS, SECONDS, should_stop=should_stop)
    return {way: times for way, times in found.items() if times.rounds}


def chosen(model: Timed, batch: int, found: Mapping[Way, Times]) -> dict[str, Any]:
    """Tell the way that was chosen, with what the probe found of each. Units: milliseconds. Errors: ValueError where nothing was found."""
    told = {way: times.told(batch) for way, times in found.items()}
    best = simplest({way: one["p50"] for way, one in told.items()})
    probed = [{**way.told(), **{name: one[name] for name in ("p50", "low", "high")}} for way, one in told.items()]
    return {"model": model.listed.id, "batch": batch, **best.told(), "probe": probed}


def behind(first: Sequence[float], second: Sequence[float]) -> float:
    """Say how many times as long the first takes, round by round: the median of the ratios, which no busy minute moves.

    Example:
        >>> behind([2.0, 4.0, 2.0], [1.0, 2.0, 1.0])
        2.0
    """
    return float(np.median(np.asarray(first) / np.asarray(second)))
