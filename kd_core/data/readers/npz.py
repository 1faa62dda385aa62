"""A NumPy archive (.npz) of pictures and labels, as Keras and MedMNIST publish them. Objects are never loaded."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.files.damage import damage_named
from kd_core.data.pictures.arrays import CLASS, Array, Labelled, table_of
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.part_column import PART, are_parts
from kd_core.errors import DataError
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

_PICTURES, _LABELS = frozenset({"x", "images", "pictures", "data"}), frozenset({"y", "labels", "targets", "label"})
_WHOLE = "all"  # of arrays that name no part
_MOST_HEAD = 4096  # bytes that an array may use to say what it is


def _sets(names: list[str]) -> dict[str, dict[str, str]]:
    """Sort arrays by set: `x_train`, `y_train`; `train_images`, `train_labels`; `x`, `y`."""
    found: dict[str, dict[str, str]] = {}
    for member in names:
        words = re.split(r"[_\W]+", member.removesuffix(".npy").casefold())
        kinds = [("pictures" if w in _PICTURES else "labels", w) for w in words if w in _PICTURES | _LABELS]
        if len(kinds) == 1 and len(words) <= 2:
            rest = [w for w in words if w != kinds[0][1]]
            found.setdefault(rest[0] if rest else _WHOLE, {})[kinds[0][0]] = member
    return found


def _is_npz(path: Path, head: bytes) -> bool:
    names = member_names(path, head)
    return bool(names) and all(n.endswith(".npy") for n in names)


def _part_in(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        return PART if are_parts(list(_sets(archive.namelist()))) else None


@READERS.register(
    "npz",
    title="NumPy arrays of pictures",
    extensions=(".npz",),
    recognises=_is_npz,
    noun="a NumPy archive",
    starts="PK",
    target=CLASS,
    part=_part_in,
)
def read_npz(path: Path, read: ReadSpec, name: str) -> Table:
    """Read pictures and labels; sets named train and test make a column `split_part`.

    Errors: DataError `npz_arrays`, `npz_objects`, those of `table_of`, an unsafe member's code or a limit's.
    """
    with damage_named(name), zipfile.ZipFile(path) as archive:
        checked_files(archive, name)
        sets = {part: files for part, files in sorted(_sets(archive.namelist()).items()) if len(files) == 2}
        if not sets:
            raise DataError(
                "{name} holds no pictures with labels; its arrays: {arrays}.",
                "Name them x_train and y_train, or train_images and train_labels, or x and y.",
                "npz_arrays",
                name=name,
                arrays=", ".join(shown_name(n.removesuffix(".npy")) for n in archive.namelist()[:20]),
            )
        found = {
            part: Labelled(_array(archive, files["pictures"]), _array(archive, files["labels"]))
            for part, files in sets.items()
        }
    return table_of(found, name, read.picture_side, path, "npz")


def _array(archive: zipfile.ZipFile, member: str) -> Array:
    """Read one array, if it holds plain values and as many as it says."""
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{member} is of another version of the format")
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(file, max_header_size=_MOST_HEAD)
        if kind.hasobject:
            raise DataError(
                "'{member}' holds Python objects, which can run code when they are loaded; they never are.",
                "Save plain numbers: numpy.savez(file, x_train=x, y_train=y).",
                "npz_objects",
                member=shown_name(member),
            )
        data = file.read()
    if int(np.prod(shape, dtype=object)) * kind.itemsize != len(data):
        raise ValueError(f"{member} says that it holds {shape} values, and holds {len(data):,} bytes")
    found: Array = np.frombuffer(data, kind).reshape(shape, order="F" if by_columns else "C")
    return found
