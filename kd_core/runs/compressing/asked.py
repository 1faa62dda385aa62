"""From a finished run and chains as they are typed to the recipe that makes its student smaller."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kd_core.compress.base import STEPS
from kd_core.errors import SpecError, raise_problems
from kd_core.runs.asked import setting
from kd_core.runs.cells import modes
from kd_core.runs.compressing import check
from kd_core.runs.continuing.earlier import Earlier, open_run
from kd_core.runs.outcome import read_outcome
from kd_core.specs import Choice, CompressSpec, RunSpec
from kd_core.workspace import workspace

SMALLER = " · smaller"  # after what a run was called


def spec_of(run: str, *, student: str | None = None, chains: Sequence[Sequence[Choice]] = (), **asked: Any) -> RunSpec:
    """Make the recipe. `student`: the one that the run would deploy when None; `asked`: further fields of `CompressSpec`.

    Errors: as `open_run`; SpecError for what can't be made smaller.
    """
    earlier = open_run(run)
    refuse(earlier)
    outcome = read_outcome(earlier.result)
    name = student or outcome.students[outcome.best].name
    done = modes.carried_out(earlier.spec)
    own = [s for s in done.students if s.name == name and name in earlier.students]
    if not own:
        raise SpecError(
            "Run {run} has no student '{name}'.",
            "Its students: {known}.",
            "no_such_student",
            run=earlier.folder.id,
            name=name,
            known=", ".join(earlier.students),
        )
    place = str(Path(run).resolve()) if Path(run).is_dir() else run
    small = CompressSpec.parse(
        {
            "run": place if earlier.folder.path.parent != workspace() / "runs" else earlier.folder.id,
            "weights": earlier.digest(),
            "student": name,
            "chains": [[step.model_dump() for step in chain] for chain in chains],
            **asked,
        },
        "the chains",
    )
    spec = earlier.spec.model_copy(
        update={
            "name": f"{earlier.spec.title()[: 120 - len(SMALLER)]}{SMALLER}",
            "students": tuple(own),
            "choose": None,
            "training": earlier.spec.training.model_copy(update={"seeds": len(earlier.seeds)}),
            "evaluation": earlier.spec.evaluation.model_copy(update={"splits": 1}),
            "compress": small,
        }
    )
    spec = RunSpec.parse(spec.model_dump(), "the chains")
    raise_problems(check.check(spec))
    return spec


def refuse(earlier: Earlier) -> None:
    """Refuse runs whose students can't be made smaller from here. Errors: SpecError `compress_continued`."""
    if earlier.spec.continues is not None:
        raise SpecError(
            "Run {run} went on from another run with new rows, which are not read anew for this.",
            "Make one run of old and new rows together, and make its student smaller.",
            "compress_continued",
            run=earlier.folder.id,
        )


def chains_of(steps: Sequence[str], chains: Sequence[str], settings: Sequence[str]) -> list[tuple[Choice, ...]]:
    """Read chains as they are typed: `prune_structured=0.5` names a step and its first setting; a chain has commas between its steps.

    Example: `chains_of(["prune_structured=0.5", "distill"], [], ["distill.epochs=1"])` is one chain of two steps.
    Errors: UnknownName, SpecError `bad_step`, `bad_setting`.
    """
    typed = [list(steps)] if steps else []
    typed += [[part for part in chain.split(",") if part.strip()] for chain in chains]
    named = [[_step(text) for text in chain] for chain in typed]
    for text in settings:
        part = text.partition(".")[0].strip()
        of = [step for chain in named for step in chain if step.name == part]
        key, value, _ = setting(text, part if of else "STEP", "epochs=1")
        for step in of:
            step.settings[key] = value
    return [tuple(chain) for chain in named]


def _step(text: str) -> Choice:
    name, equals, value = text.strip().partition("=")
    entry = STEPS.get(name)
    if not equals:
        return Choice(name=name)
    first = next(iter(entry.spec.model_fields), None)
    if first is None:
        raise SpecError(
            "The step '{name}' has no setting that '{value}' could be.",
            "Write {name} alone.",
            "bad_step",
            name=name,
            value=value,
        )
    return Choice(name=name, settings={first: setting(f"{name}.{first}={value}", name, f"{first}=0.5")[1]})
