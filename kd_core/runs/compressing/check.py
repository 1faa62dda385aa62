"""What of a recipe that makes a student smaller can't work, before anything is read or trained."""

from __future__ import annotations

from kd_core.compress.base import STEPS, learns
from kd_core.errors import KDError, Problem, Says
from kd_core.models import by_rounds
from kd_core.runs.cells import modes
from kd_core.runs.compressing.tree import order_error, tree_of
from kd_core.specs import RunSpec

MOST_STAGES = 60  # of all chains together: each is a file, and a row of a table that a person reads
_ORDINARY = Says(
    "compress_ordinary",
    "error",
    "One student of a finished run is made smaller as it is, and {what} {asks}.",
    "Leave {what} out.",
)
_MANY = Says(
    "compress_stages",
    "error",
    "The chains make {count} different stages, {most} at most.",
    "Leave some chains out, or let them share their beginnings.",
)
_TREES = Says(
    "compress_trees",
    "error",
    "The student '{name}' is made of trees. Its file is compact already (thresholds and leaves, no layers of weights), and no step here makes trees smaller.",
    "Ask for fewer or shallower trees in a run of their own, or make a network smaller.",
)
_MODE = Says(
    "compress_mode",
    "error",
    "The step '{step}' learns again, and in the mode '{name}' students never learn from the rows themselves.",
    "Leave the steps that learn out: pruning and rounding alone need no lesson.",
)


def check(spec: RunSpec) -> list[Problem]:
    """Find what does not go with making a student smaller. Nothing for a run that does something else."""
    if spec.compress is None:
        return []
    extras = (
        (spec.sweep is not None, "the what-if", "asks for many settings"),
        (spec.choose is not None, "the choice of a student", "asks for many students"),
        (spec.continues is not None, "going on with new rows", "changes what it knows"),
        (spec.evaluation.splits > 1, "the repetition on other splits", "asks for other test rows"),
        (len(spec.students) > 1, "a second student", "needs a run of its own"),
    )
    found = [_ORDINARY.problem(what=what, asks=asks) for asked, what, asks in extras if asked]
    student = spec.students[0]
    if by_rounds(student.arch.name):
        found.append(_TREES.problem(name=student.name))
    try:
        for chain in spec.compress.chains:
            if error := order_error(chain):
                found.append(error.problem())
        stages = len(tree_of(spec.compress.chains).nodes) - 1
        if stages > MOST_STAGES:
            found.append(_MANY.problem(count=stages, most=MOST_STAGES))
        if (learning := first_that_learns(spec)) and "rows" in modes.facts(spec):
            found.append(_MODE.problem(step=learning, name=spec.mode.name))
    except KDError as error:
        found.append(error.problem())
    return found


def first_that_learns(spec: RunSpec) -> str | None:
    """Name a step of the chains that trains the network, None where none does; a search tries them wherever students learn from rows."""
    assert spec.compress is not None
    if not spec.compress.chains:
        if "rows" in modes.facts(spec):
            return None
        return next((e.name for e in STEPS.entries() if e.facts.get("learns")), None)
    return next((step.name for chain in spec.compress.chains for step in chain if learns(step)), None)
