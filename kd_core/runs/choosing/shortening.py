"""What a file takes before its student has learned anything, and how many names of category values fit beside the student."""

from __future__ import annotations

from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.data.views.table import TableView
from kd_core.models import ARCHS
from kd_core.models.building import build_for, cpu_state, deployed_state, reading_of, start_weights, viewed
from kd_core.models.shape import NamingSpec
from kd_core.runs.deployment import deploy
from kd_core.specs import Choice

TRIES = 4  # files that are written until the names fit
ROOM = 0.99  # of what is left: names take a little more or less than is foreseen


def least_bytes(dataset: Dataset, arch: Choice) -> int | None:
    """Return the bytes of an architecture's file before it has learned anything, None where no file can be made.

    What it learns needs places that are there already, or adds some: no trained file was smaller. Errors: KDError.
    """
    with start_weights(0):
        module = build_for(dataset, arch)
    module.load_state_dict(deployed_state(dataset, arch, cpu_state(module)))
    data = deploy(module.eval(), dataset, arch, "validation").data
    return None if data is None else len(data)


def barest(dataset: Dataset, arch: Choice) -> Choice | None:
    """Leave all names out; None where that is no less, as no column has a table of them."""
    if not issubclass(ARCHS.get(arch.name).spec, NamingSpec):
        return None
    view = viewed(dataset, arch).view
    if not isinstance(view, TableView) or view.shortened(0) is None:
        return None
    return arch.model_copy(update={"settings": {**arch.settings, "label_bytes": 0}})


def names_of(dataset: Dataset, arch: Choice) -> dict[str, Any] | None:
    """Tell which names a shortened architecture knows, as `Vocabulary.told`; None for one that knows all."""
    view = viewed(dataset, arch).view
    return view.names.told() if isinstance(view, TableView) and view.names is not None else None


def shortened(dataset: Dataset, arch: Choice, most: int) -> Choice | None:
    """Leave so many names out that the file takes at most `most` bytes once the student has learned; None where even none is too many.

    Of what grows by rounds the most is reserved. Errors: KDError.
    """
    if barest(dataset, arch) is None:
        return None
    entry = ARCHS.get(arch.name)
    grown = entry.facts.get("file_bytes")
    room = most - (0 if grown is None else int(grown(entry.spec.parse(arch.settings), dataset.num_outputs)))

    def with_names(names: int, **least: Any) -> Choice:
        return arch.model_copy(update={"settings": {**arch.settings, "label_bytes": names, **least}})

    def taken(names: int) -> int | None:
        choice = with_names(names, **entry.facts.get("least", {}))
        found = least_bytes(dataset, choice)
        dataset.views.forget(reading_of(choice, dataset.views.kinds))
        return found

    bare = taken(0)
    if bare is None or bare > room:
        return None
    before, names = (0, bare), int(ROOM * (room - bare))
    for _ in range(TRIES):
        found = taken(names)
        if found is None or names < 1:
            break
        if found <= room:
            return with_names(names)
        a_byte = max(1.0, (found - before[1]) / (names - before[0])) if names != before[0] else 1.0
        before, names = (names, found), int(ROOM * (names - (found - room) / a_byte))
    return with_names(0)
