"""What each layer costs when it alone is cut, and how a cut is dealt out by that. Legend: S shares, U units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kd_core.compress.base import Stage, Work
from kd_core.compress.cutting import number_cut
from kd_core.compress.taking_out import Layer, without
from kd_core.compress.validation import Validation
from kd_core.errors import Stopped

SHARES = (0.25, 0.5, 0.75)
Found = dict[str, Any]  # layer, kind, parameters, share, score, lost


def scan(stage: Stage, work: Work, layers: Sequence[Layer], shares: Sequence[float] = SHARES) -> list[Found]:
    """Cut one layer at a time by some shares and score what is left on validation rows. Units: points, above 0 where it is worse.

    Errors: Stopped when asked to stop.
    """
    judge = Validation.of(stage, work)
    before, found = judge.score(stage.module), list[Found]()
    state = stage.module.state_dict()
    for layer in layers:
        parameters = sum(state[name].numel() for name in {place.tensor for place in layer.units.places()})
        for share in shares:
            if work.should_stop():
                raise Stopped("Stopped while layers were tried one by one.")
            score = judge.score(without(stage.module, [(layer, number_cut(layer.count, share))]))
            of = {"layer": layer.units.layer, "kind": layer.units.kind, "parameters": parameters, "share": share}
            found.append({**of, "score": score, "lost": judge.lost(before, score)})
    return found


def dealt(layers: Sequence[Layer], scanned: Sequence[Found], share: float) -> list[int]:
    """Say how many units go from each layer so that a share of all goes where it costs least.

    Step by step the layer gives units next that loses least per unit by what was scanned; a layer gives no more than was tried, until
    nothing else is left.
    """
    total = round(share * sum(layer.count for layer in layers))
    going = [0] * len(layers)
    # What a unit costs at the next step of a layer, the layer, and how far that goes.
    steps = list[tuple[float, int, int]]()
    for number, layer in enumerate(layers):
        at, lost, worst = 0, 0.0, 0.0
        for one in sorted((s for s in scanned if s["layer"] == layer.units.layer), key=lambda s: s["share"]):
            to, now = number_cut(layer.count, one["share"]), max(lost, one["lost"])
            if to > at:
                worst = max(worst, (now - lost) / (to - at))  # a layer's later steps never come before its first
                steps.append((worst, number, to))
            at, lost = to, now
        steps.append((float("inf"), number, layer.count - 1))
    for _, number, to in sorted(steps):
        going[number] += max(0, min(to - going[number], total - sum(going)))
    return going


def dealt_by_rank(layers: Sequence[Layer], share: float) -> list[int]:
    """Say how many units go from each layer so that a share of all goes where units matter least, against their layer's mean."""
    ordered = list[tuple[float, int]]()
    for number, layer in enumerate(layers):
        together = np.mean([np.sort(lane) for lane in layer.importance], axis=0)
        mean = together.mean()
        ordered += [(float(value), number) for value in together / (mean if mean > 0 else 1.0)]
    going, left = [0] * len(layers), round(share * len(ordered))
    for _, number in sorted(ordered):
        if left and going[number] < layers[number].count - 1:
            going[number] += 1
            left -= 1
    return going
