"""Lists of variants trained in a named way, as the tests ask for them: results in the order of the list."""

from __future__ import annotations

from kd_core.distill.sweep.work import Hooks, SweepWork, forget
from kd_core.training.loop import ignore, never


def train(
    how,
    dataset,
    variants,
    lessons,
    training,
    *,
    metric=None,
    notify=ignore,
    should_stop=never,
    on_trained=forget,
    **more,
):
    """`how` is the `train` of a way; what is not of the work (lanes, mode) is handed to it. None: no epoch finished."""
    own = {name: more.pop(name) for name in ("lanes", "mode") if name in more}
    work = SweepWork.of(dataset, variants, lessons, training, metric, **more)
    found = how(work, Hooks(notify, should_stop, on_trained), **own)
    return [found.get(number) for number in work.variants]
