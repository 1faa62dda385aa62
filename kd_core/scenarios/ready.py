"""A scenario made ready to run from a terminal: its sample where there is none yet, or a small one for a hasty run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kd_core.data.library import DataLibrary
from kd_core.scenarios.base import SCENARIOS, default_spec, smoke
from kd_core.scenarios.samples import write_sample
from kd_core.specs import RunSpec
from kd_core.workspace import samples, workspace

SMALL = 300  # rows of a hasty run's sample, where a scenario does not ask for more


def ready(name: str, hasty: bool = False) -> tuple[str, RunSpec]:
    """Return a scenario's story and its run, whose file is there. Errors: UnknownName with the nearest one; OSError."""
    entry = SCENARIOS.get(name)
    story: str = entry.facts["story"]
    if hasty:
        return story, _hasty(name)
    shipped = samples()
    if not any(file.name.split(".")[0] == entry.facts["sample"] for file in shipped.glob(f"{entry.facts['sample']}.*")):
        shipped.mkdir(parents=True, exist_ok=True)
        write_sample(name, shipped)
    return story, default_spec(name)


def small_rows(name: str) -> int:
    """Count the rows of a hasty run's sample."""
    return int(SCENARIOS.get(name).facts.get("small", SMALL))


def _hasty(name: str) -> RunSpec:
    """Keep a small sample in the workspace and point a hasty run at it."""
    spec = smoke(default_spec(name))
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        path = write_sample(name, Path(folder), small_rows(name))
        with path.open("rb") as file:
            kept = DataLibrary(workspace()).add(file, path.name)
    data = spec.dataset.model_copy(update={"source": kept.source, "sha256": kept.sha256})
    return spec.model_copy(update={"dataset": data})
