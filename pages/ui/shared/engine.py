"""The way from the screens to the engine: one library, one run store, one job service per process.

The heaviest part of the engine (torch) is imported by a background thread while the server starts to answer, so
that the first picture does not wait for it; who needs it sooner simply imports it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import sys
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kd_core import listing
from kd_core.workspace import workspace

if TYPE_CHECKING:
    from kd_core.data.library import DataLibrary
    from kd_core.runs.service.jobs import JobService
    from kd_core.runs.store.runs import RunStore
    from kd_core.specs import Spec

FIRST = ("plotly.graph_objects", "kd_core.evaluate")  # what the first picture needs
SOON = (
    "kd_core.scenarios",
    "kd_core.data.preparation",
    "kd_core.runs.predictor",
)  # what it needs as well, while the browser loads itself
HEAVY = (  # what the other pages need, in the order in which they are likely to be asked for
    "kd_core.runs.plan",
    "pyarrow.parquet",
    "kd_core.runs.estimate",
    "kd_core.distill.modes",
    "kd_core.evaluate.class_map",
    "kd_core.runs.timing.job",
    "kd_core.compress.steps",
    "kd_core.runs.compressing.asked",
    "kd_core.export.targets",
    "kd_core.runs.exporting.exporting",
)
FIRST_PAGE_SECONDS = 5.0  # how long the background waits for a first visitor
FREEZE_MODULES = 50  # newly imported modules from which freezing anew pays
_shown = threading.Event()
_freezing = threading.Lock()
_frozen_modules: int | None = None  # how many were loaded when the collector was last told to leave them alone
_LOG = logging.getLogger("kd_workbench.engine")


def uploads() -> DataLibrary:
    """Return the files of the workspace that belong to no dataset, such as an uploaded teacher."""
    from kd_core.data.library import UPLOADS, DataLibrary

    return DataLibrary(workspace(), UPLOADS)


def library() -> DataLibrary:
    """Return the files and datasets of the workspace."""
    from kd_core.data.library import DataLibrary

    return DataLibrary(workspace())


@functools.lru_cache(maxsize=4)
def _store(root: Path) -> RunStore:
    from kd_core.runs.store.runs import RunStore

    return RunStore(root)


def store() -> RunStore:
    """Return the runs of the workspace."""
    return _store(workspace())


def models(chosen: str, kind: str) -> list[str]:
    """Name the pretrained models of texts or pictures at hand, the chosen one among them even where it is gone."""
    from kd_core.teachers.pretrained import folders

    return list(dict.fromkeys([*folders.names(kind), *[chosen] * bool(chosen)]))


def finished_runs(chosen: str) -> dict[str, str]:
    """Name the newest finished runs whose models can teach, by their ids; the chosen one among them even where it is gone."""
    found = {
        row.id: f"{row.name} · {row.dataset_name} · {row.created_utc[:16].replace('T', ' ')}"
        for row in store().list(states=("done",))
        if models_of_run(row.id)
    }
    return found if chosen in found or not chosen else {chosen: chosen, **found}


def models_of_run(run: str) -> list[str]:
    """Name the models that a run kept, students first."""
    from kd_core.teachers import kept_models

    return kept_models.names(run)


def known_values(
    spec: type[Spec], held: Mapping[str, Any], names_of_data: Collection[str]
) -> dict[str, Collection[str]]:
    """List, by field, the values that can be chosen where they are known: columns, teachers, architectures, models of the run that is held.

    A list of names that nobody knows is empty: they are written.
    """
    found: dict[str, Collection[str]] = {}
    for name, info in spec.model_fields.items():
        hints = info.json_schema_extra
        if not isinstance(hints, dict):
            continue
        if hints.get("columns"):
            found[name] = names_of_data
        elif hints.get("teachers"):
            from kd_core.teachers import SOURCES

            found[name] = [e.name for e in SOURCES.entries() if not {"members", "missing"} & set(e.facts)]
        elif "archs" in hints:
            from kd_core.models import ARCHS

            found[name] = [e.name for e in ARCHS.entries() if hints["archs"] in e.facts["roles"]]
        elif "model_of" in hints:
            run = held.get(str(hints["model_of"]))
            found[name] = models_of_run(run) if run else ()
        elif hints.get("unit") == "names":
            found[name] = ()
    return found


def jobs() -> JobService:
    """Return the job service of this process; started when first asked for."""
    from kd_core.runs.service.jobs import service

    return service()


def part_title(kind: str, name: str) -> str:
    """Return what a part is called on screen; of a part that is no longer known, its plain name."""
    module, registry = {"teacher": ("kd_core.teachers", "SOURCES"), "loss": ("kd_core.distill", "LOSSES")}[kind]
    return listing.title_of(module, registry, name) or name.replace("_", " ")


def page_shown() -> None:
    """Say that a page has been drawn, so that the background may use the processor."""
    _shown.set()
    if _frozen_modules is not None and len(sys.modules) - _frozen_modules >= FREEZE_MODULES:
        _freeze()  # a part of the engine that nothing had asked for before


def _freeze() -> None:
    """Leave what is loaded now to itself: each page view ends in a full garbage collection, which scans all the rest.

    Unfrozen, torch and its parts cost ~80 ms a view, with every thread stopped. What is frozen is never collected, so this
    is done after imports only, of which there is an end.
    """
    global _frozen_modules
    with _freezing:
        _frozen_modules = len(sys.modules)
        gc.collect()
        gc.freeze()


def _import(names: Collection[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            _LOG.exception("could not load %s", name)


def warm_up() -> threading.Thread:
    """Import what the first picture needs at once and the rest in the background; then freeze it for the collector."""
    for name in FIRST:
        importlib.import_module(name)

    def load() -> None:
        _import(SOON)
        _shown.wait(FIRST_PAGE_SECONDS)
        _import(HEAVY)
        _freeze()

    thread = threading.Thread(target=load, name="engine-warm-up", daemon=True)
    thread.start()
    return thread
