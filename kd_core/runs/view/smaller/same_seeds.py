"""Means that stand beside each other are over the same seeds: a stage that could be made for some is set beside the student on these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.runs.view import compress_words

Block = Mapping[str, Any]  # `compressed` of result.json
Stage = Mapping[str, Any]


def of(block: Block) -> dict[str, Any]:
    """Return the block with the student as it was over the seeds of the stages, where these are the same for all.

    Where they are not, a stage of other seeds than the student's holds the student on its own ones in `beside`.
    """
    whole = compress_words.student(block)
    shown = over(whole, seeds(block))
    stages = [
        shown
        if one is whole
        else one
        if one.get("reason") or _own(one, block) == _own(shown, block)
        else {**one, "beside": over(whole, _own(one, block))}
        for one in block["stages"]
    ]
    return {**block, "stages": stages}


def seeds(block: Block) -> list[int]:
    """Return the seeds over which the student as it was is told: those of the stages where all have the same, else all of its own."""
    sets = {tuple(_own(one, block)) for one in compress_words.made(block)}
    return list(sets.pop()) if len(sets) == 1 else _own(compress_words.student(block), block)


def over(stage: Stage, seeds: Sequence[int]) -> dict[str, Any]:
    """Return a stage with its values and means over some of its seeds."""
    own = list(stage.get("seeds") or ())
    if not set(seeds) < set(own):
        return dict(stage)
    at = [own.index(seed) for seed in seeds]
    values = {name: [each[i] for i in at] for name, each in (stage.get("values") or {}).items()}
    means = {name: _mean(values[name]) if name in values else mean for name, mean in stage["metrics"].items()}
    scores = [stage["scores"][i] for i in at]
    return {**stage, "seeds": list(seeds), "scores": scores, "values": values, "metrics": means}


def student(block: Block, stage: Stage) -> dict[str, Any]:
    """Return the student as it was over the seeds of a stage."""
    return over(compress_words.student(block), _own(stage, block))


def share(block: Block, stage: Stage) -> str | None:
    """Say for how many of the run's seeds a stage was made; None where it was for all. Example: `5 of 15 seeds`."""
    made, of = len(_own(stage, block)), len(block["seeds"])
    return f"{made} of {of} seeds" if made < of else None


def lines(block: Block) -> list[str]:
    """Say once over how many seeds the means are, and which stages could not be made for all of them."""
    few = [one for one in compress_words.made(block) if share(block, one)]
    if not few:
        number = len(block["seeds"])
        return [f"All means are over {number} seed{'s' if number > 1 else ''}."]
    said = []
    for one in few:
        why = f"; for the others not: {str(one['left']).rstrip('.')}" if one.get("left") else ""
        said.append(f"{one['name']} could be made for {share(block, one)}{why}.")
    shown = len(seeds(block))
    same = shown < len(block["seeds"])
    return [
        *said,
        f"All means and differences are over these {shown}, those of the student as it was, too."
        if same
        else f"Means are over {shown} seeds; beside a stage of fewer the student's mean over the same ones is told.",
    ]


def _own(stage: Stage, block: Block) -> list[int]:
    return list(stage.get("seeds") or block["seeds"])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None
