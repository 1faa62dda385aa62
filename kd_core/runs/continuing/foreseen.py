"""How long going on will take, before it is started: from the run's rows and the number of new ones."""

from __future__ import annotations

from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.data.readers.pictures import unsorted_pictures
from kd_core.errors import DataError
from kd_core.runs import estimate
from kd_core.runs.estimate import Estimate, Inputs
from kd_core.safe_io import shown_name
from kd_core.specs import RunSpec
from kd_core.workspace import workspace


def new_rows(spec: RunSpec) -> int:
    """Count the new rows, by reading their file as the run read its own. Errors: DataError of the reader."""
    assert spec.continues is not None
    path = DataLibrary(workspace()).resolve(spec.continues.source)
    name = spec.continues.name or shown_name(path.name)
    try:
        return len(read_table(path, spec.dataset.read, name).frame)
    except DataError as error:
        if error.code != "class_folders":
            raise
        return len(unsorted_pictures(path, spec.dataset.read, name, ()).frame)


def learned_rows(spec: RunSpec, old_train: int, new: int) -> int:
    """Foresee how many rows are learned from: the share of the run's training rows, and new ones that are neither kept apart nor chosen by."""
    assert spec.continues is not None
    share = 1.0 - spec.continues.held_out - spec.dataset.validation_share
    return max(1, round(spec.continues.old_share * old_train + max(0.0, share) * new))


def going(spec: RunSpec, old: int, old_train: int, inputs: Inputs, num_outputs: int, new: int) -> Estimate:
    """Estimate trainings, seconds and memory, as `estimate.foresee` does. `old`: rows of the run, `old_train` of its training part."""
    around = estimate.circumstances(spec, learned_rows(spec, old_train, new))
    return estimate.foresee(spec, old + new, inputs, num_outputs, around)
