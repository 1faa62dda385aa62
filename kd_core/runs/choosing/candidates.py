"""Who may be the best student: what the registry of architectures offers for the data at hand, in the order it is tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kd_core.distill import loss_of
from kd_core.errors import SpecError
from kd_core.models import ARCHS, by_rounds
from kd_core.models.base import GIVES
from kd_core.registry import Situation
from kd_core.specs import Choice, RunSpec, StudentSpec

MOST = 12  # students of a run


@dataclass(frozen=True)
class Candidates:
    """Students to try, first those that win most often. `beyond`: further ones, for which a run has no room."""

    students: tuple[StudentSpec, ...]
    beyond: tuple[StudentSpec, ...] = ()


def candidates(fits: Situation, objective: Choice) -> Candidates:
    """List every architecture's candidates that can read the rows and learn by the losses.

    Errors: SpecError `no_candidates`; UnknownName for a loss that nobody registered.
    """
    loss = loss_of(objective)
    turns: list[tuple[int, StudentSpec]] = []
    for entry in ARCHS.entries():
        if entry.why_not(fits) or "student" not in entry.facts["roles"]:
            continue
        own = replace(fits, students_give=entry.facts.get("gives", GIVES), by_rounds=by_rounds(entry.name))
        if loss.why_not(own):
            continue
        for size, turn in entry.facts.get("candidates", {}).items():
            settings = entry.facts.get("named", {}).get(size, {"size": size} if size else {})
            arch = Choice(name=entry.name, settings=settings)
            turns.append((turn, StudentSpec(name=f"{entry.name} {size}" if size else entry.name, arch=arch)))
    if not turns:
        raise SpecError(
            "There is no candidate for the best student: none reads these rows ({views}) and learns by the loss '{loss}'.",
            "Choose another loss, or name the students.",
            "no_candidates",
            loss=" + ".join(loss.facts.get("terms", (loss.name,))),
            views=", ".join(sorted(fits.views)),
        )
    ordered = [student for _, student in sorted(turns, key=lambda pair: pair[0])]
    return Candidates(tuple(ordered[:MOST]), tuple(ordered[MOST:]))


def run_of(spec: RunSpec, student: StudentSpec) -> RunSpec:
    """Return the ordinary run of one of the candidates."""
    return spec.model_copy(update={"students": (student,), "choose": None})
