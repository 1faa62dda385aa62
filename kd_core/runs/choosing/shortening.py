"""What a file takes before its student has learned anything, and how a student that is too large comes to fit: names left out, or narrower."""

from __future__ import annotations

from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.data.views.table import TableView
from kd_core.models import ARCHS
from kd_core.models.building import build_for, cpu_state, deployed_state, reading_of, start_weights, viewed
from kd_core.models.shape import NamingSpec, SizedSpec
from kd_core.runs.deployment import deploy
from kd_core.specs import Choice

TRIES = 4  # files that are written until the names fit
NARROWER = (0.9, 0.8, 0.7, 0.6, 0.5)  # shares of a width that are tried; half of it is another size's business
ROOM = 0.99  # of what is left: names, and what is learned, take a little more or less than is foreseen


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


def fitted(dataset: Dataset, arch: Choice, most: int) -> Choice | None:
    """Change an architecture that is too large so that its file takes at most `most` bytes; None where it can't.

    Names of category values are left out first; where that is not enough, or there are none, hidden layers become narrower. Errors: KDError.
    """
    if (found := shortened(dataset, arch, most)) is not None:
        return found
    spec = ARCHS.get(arch.name).spec.parse(arch.settings)
    if not isinstance(spec, SizedSpec) or not isinstance(spec, NamingSpec):
        return None
    width, _ = spec.shape()
    for narrow in dict.fromkeys(max(1, round(share * width)) for share in NARROWER):
        choice = arch.model_copy(update={"settings": {**arch.settings, "width": narrow}})
        taken = least_bytes(dataset, choice if (bare := barest(dataset, choice)) is None else bare)
        if taken is not None and taken <= ROOM * most:
            return choice if bare is None else shortened(dataset, choice, most) or bare
    return None


def _grown(dataset: Dataset, arch: Choice) -> int:
    """Tell the most bytes that learning adds to a file."""
    entry = ARCHS.get(arch.name)
    told = entry.facts.get("file_bytes")
    return 0 if told is None else int(told(entry.spec.parse(arch.settings), dataset.num_outputs))


def _least(arch: Choice) -> Choice:
    return arch.model_copy(update={"settings": {**arch.settings, **ARCHS.get(arch.name).facts.get("least", {})}})


def shortened(dataset: Dataset, arch: Choice, most: int) -> Choice | None:
    """Leave so many names out that the file takes at most `most` bytes once the student has learned; None where even none is too many.

    Of what grows by rounds the most is reserved; where that leaves nothing, no name is known. Errors: KDError.
    """
    if barest(dataset, arch) is None:
        return None
    room = most - _grown(dataset, arch)

    def with_names(names: int) -> Choice:
        return arch.model_copy(update={"settings": {**arch.settings, "label_bytes": names}})

    def taken(names: int) -> int | None:
        choice = _least(with_names(names))
        found = least_bytes(dataset, choice)
        dataset.views.forget(reading_of(choice, dataset.views.kinds))
        return found

    bare = taken(0)
    if bare is None or bare > most:
        return None
    if bare > room:  # it may end after fewer rounds
        return with_names(0)
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
