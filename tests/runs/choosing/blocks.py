"""Choices as result.json holds them, for tests of the words about them."""

from __future__ import annotations

from typing import Any

from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.choosing.against import Against, with_score
from kd_core.runs.choosing.rule import Candidate, decide
from kd_core.specs import ChooseSpec

TRIED = (
    Candidate("piecewise small", 15_000, 99.2, 0.8605, 0.8571, 4.0),
    Candidate("trees tiny", 5_800, 83.0, 0.8574, 0.8605, 1.0),
    Candidate("trees large", 55_000, 166.0, 0.8642, 0.8599, 5.0),
    Candidate("mlp small", seconds=0.1, left_out={"code": "too_large", "bytes": 9_000}),
    Candidate("tabm tiny", seconds=20.0, left_out={"code": "time_up", "begun": True}),
    Candidate("linear", left_out={"code": "time_up", "begun": False}),
    Candidate("cnn", left_out={"code": "failed", "reason": "It {can't}."}),
)


LEFT = ("cnn small", 87_422), ("cnn tiny", 24_211), ("trees tiny", 22_000), ("resnet tiny", 80_339)
PICTURES = (  # of which one was small enough; the trees are not of this kind of rows, but as large as the network
    Candidate("linear_pixels small", 2_700, 90.0, 0.9852, 0.9852, 1.0),
    *(Candidate(name, left_out={"code": "too_large", "bytes": size}) for name, size in LEFT),
)


def of_pictures(**goals: Any) -> dict[str, Any]:
    """Choose among candidates for pictures, most of which were too large to be trained."""
    found = block(PICTURES, **goals)
    for one in found["candidates"]:
        arch, size = one["name"].split()
        one["arch"] = {"name": arch, "settings": {"size": size}}
    return found


def block(
    found: tuple[Candidate, ...] = TRIED,
    longer: bool = False,
    better: Any = "higher",
    against: Against | None = None,
    **goals: Any,
) -> dict[str, Any]:
    """Choose among candidates as a run does, and lay it out."""
    asked = ChooseSpec(minutes=1, **goals)
    decision = decide(found, with_score(asked, against), Judge(better, 0.005, False))
    return {
        "goals": asked.model_dump(exclude={"minutes"}),
        **({"against": against.told()} if against else {}),
        "minutes": 1.0,
        "seconds": 30.0,
        "first_took_longer": longer,
        "candidates": [{**c.told(), "arch": {"name": "mlp", "settings": {}}} for c in found],
        "compared": sum(c.left_out is None for c in found),
        "judged_on_test": 1,
        **decision.told(),
    }
