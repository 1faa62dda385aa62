"""From a run and a file of new rows to the recipe that goes on: the run's own, with the students and seeds it kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kd_core.data.library import DataLibrary
from kd_core.errors import raise_problems
from kd_core.runs.cells import modes
from kd_core.runs.continuing import check
from kd_core.runs.continuing.earlier import open_run, why_not
from kd_core.safe_io import sha256_file
from kd_core.specs import OFFLINE, Choice, ContinueSpec, RunSpec
from kd_core.workspace import workspace

NAMED = " + "  # between what a run was called and the rows it went on with


def spec_of(run: str, rows: str, *, name: str = "", epochs: int | None = None, **asked: Any) -> RunSpec:
    """Make the recipe. `rows`: a path, or 'sha256:<hash>' of a kept file with its `name`; `asked`: further fields of `ContinueSpec`.

    Errors: as `open_run`; SpecError for what can't go on; DataError `no_file`.
    """
    earlier = open_run(run)
    if error := why_not(earlier):
        raise error
    path = DataLibrary(workspace()).resolve(rows)
    own = run if not Path(run).is_dir() else str(Path(run).resolve())
    held = own if earlier.folder.path.parent != workspace() / "runs" else earlier.folder.id
    continues = ContinueSpec.parse(
        {
            "run": held,
            "weights": earlier.digest(),
            "source": rows if rows.startswith("sha256:") else str(path.resolve()),
            "sha256": sha256_file(path),
            "name": (name or path.name)[:120],
            **asked,
        },
        "the new rows",
    )
    done = modes.carried_out(earlier.spec)
    only_recipe = not modes.apart(done) and modes.once(done, 1) == 0 and "rows" not in modes.facts(done)
    spec = done.model_copy(
        update={
            "name": f"{earlier.spec.title()[:80]}{NAMED}{continues.name}"[:120],
            "students": tuple(s for s in done.students if s.name in earlier.students),
            "mode": Choice(name=OFFLINE) if only_recipe else done.mode,
            "choose": None,
            "training": done.training.model_copy(
                update={
                    "seeds": len(earlier.seeds),
                    "made_rows": 0,
                    **({"epochs": epochs} if epochs is not None else {}),
                }
            ),
            "evaluation": done.evaluation.model_copy(update={"splits": 1}),
            "continues": continues,
        }
    )
    spec = RunSpec.parse(spec.model_dump(), "going on")
    raise_problems(check.check(spec))
    return spec
