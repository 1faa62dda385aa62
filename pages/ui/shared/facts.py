"""What the frame and the forms need of a dataset, kept beside its draft so that the file is not read again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from kd_core import safe_io
from kd_core.data.input_spec import InputSpec
from kd_core.workspace import workspace


@dataclass(frozen=True)
class Facts:
    """What later pages need of a dataset without reading it again.

    `inputs` says how rows look in every view, `names` the columns, `parts` how many rows of training, validation and test there are,
    `read` the columns that students read, `texts` how many columns are free text,
    `labels` the bytes of names of category values in columns with many.
    """

    rows: int
    columns: int
    inputs: dict[str, InputSpec]
    outputs: int
    classes: tuple[str, ...]
    task: str
    names: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()
    read: tuple[str, ...] = ()
    texts: int = 0
    labels: int = 0


def _path(dataset_id: str) -> Path:
    return safe_io.inside(workspace() / "drafts", f"{dataset_id}.facts.json")


def keep(dataset_id: str, found: Facts) -> None:
    """Keep the facts of a dataset beside its draft."""
    _path(dataset_id).parent.mkdir(parents=True, exist_ok=True)
    safe_io.write_json(_path(dataset_id), asdict(found))


def kept(dataset_id: str) -> Facts | None:
    """Return the kept facts, or None when the dataset has not been looked at on this machine."""
    try:
        values = safe_io.read_json(_path(dataset_id))
        inputs = {kind: InputSpec.of(spec) for kind, spec in values["inputs"].items()}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return Facts(**{**values, **lists, "inputs": inputs})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
