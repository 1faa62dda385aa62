"""A zip of class folders: one row per picture, with the folder that it lies in as the target."""

from __future__ import annotations

import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core import limits
from kd_core.data.archives.class_folders import class_folders, gives_parts
from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.files import sandbox
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import damage_named
from kd_core.data.pictures.column import column_of, described, shape_of
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.base import per_class
from kd_core.data.types.part_column import PART
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import shown_name
from kd_core.specs import ColumnKind, ReadSpec

PICTURE, CLASS = "picture", "class"
_PICTURE = re.compile(r"\.(?:png|jpe?g|webp)$", re.IGNORECASE)
_NO_DATA = re.compile(r"(?:^|/)(?:readme|licen[cs]e|notice|citation)[^/]*$|\.(?:md|pdf|html?)$", re.IGNORECASE)

_SKIPPED = Says("skipped_members", "note", "{count} file(s) that are no pictures were skipped: {some}.")
_BROKEN = Says(
    "broken_pictures",
    "warning",
    "{count:,} of {of:,} pictures can't be read and were left out: {some}.",
    "Save them again as PNG or JPEG, of at most {limit} million pixels, if they matter.",
)
_TURNED = Says("turned_pictures", "note", "{count:,} picture(s) were turned as their camera says.")
_SCALED = Says(
    "scaled_pictures",
    "note",
    "{count:,} of {of:,} pictures of {sizes:,} size(s) were stretched to {shape}.",
    "The longest side is at most {side} pixels; change it under how the file is read.",
)


def _is_pictures(path: Path, head: bytes) -> bool:
    """Say whether most files of a zip, apart from notes about it, are pictures."""
    names = [n for n in member_names(path, head) if not n.endswith("/") and not _NO_DATA.search(n)]
    return 2 * sum(bool(_PICTURE.search(n)) for n in names) > len(names)


def _part_in(path: Path) -> str | None:
    """Name the column of parts that a zip gives, by its folders alone."""
    with zipfile.ZipFile(path) as archive:
        return PART if gives_parts([n for n in archive.namelist() if _PICTURE.search(n)]) else None


@READERS.register(
    "pictures",
    title="Zip of class folders",
    extensions=(".zip",),
    recognises=_is_pictures,
    noun="a zip of pictures",
    starts="PK",
    target=CLASS,
    part=_part_in,
)
def read_pictures(path: Path, read: ReadSpec, name: str) -> Table:
    """Read pictures sorted into folders: PNG, JPEG or WebP, brought to one size in a child process.

    Folders train and test make a column `split_part`.
    Errors: DataError with code `class_folders`, `no_pictures`, `pictures_take_long`, an unsafe member's code or a limit's.
    """
    with damage_named(name), zipfile.ZipFile(path) as archive:
        files, junk = checked_files(archive, name)
    pictures = sorted(i.filename for i in files if _PICTURE.search(i.filename))
    other = [shown_name(i.filename) for i in (*files, *junk) if not _PICTURE.search(i.filename) or i in junk]
    problems = [_SKIPPED.problem(count=len(other), some=", ".join(other[:5]), members=other[:100])] if other else []
    folders = class_folders(pictures, name, "pictures", "bags/1.png, shoes/1.png")
    problems += folders.problems
    members = list(folders.classes)
    check_counts(name, len(members), 2)
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        target = Path(folder) / "pixels.npy"
        found = _decoded(path, members, read.picture_side, target, name)
        if not found["kept"]:
            raise DataError(
                "None of the {count:,} pictures of {name} can be read; the first: {why}.",
                "Save them again as PNG or JPEG.",
                "no_pictures",
                count=len(members),
                name=name,
                why=found["broken"][0][1],
            )
        # Mapped: the file may go, its pixels stay as long as the column does.
        column = column_of(np.load(target, mmap_mode="r", allow_pickle=False)[: len(found["kept"])])
    shape = shape_of(column)
    assert shape is not None
    labels = pd.Series([folders.classes[members[at]] for at in found["kept"]], dtype="str")
    problems += _findings(found, members, described(shape), read.picture_side)
    understood = {"pictures": per_class(labels, "picture"), "size": described(shape)}
    columns: dict[str, pd.Series] = {PICTURE: column, CLASS: labels}
    kinds: dict[str, ColumnKind] = {CLASS: "category"}
    if folders.parts:
        columns[PART] = pd.Series([folders.parts[members[at]] for at in found["kept"]], dtype="str")
        kinds[PART] = "id"  # never a feature, not even where the split is made here
    frame = pd.DataFrame(columns, copy=False)
    size, part = path.stat().st_size, PART if folders.parts else None
    return Table(frame, "pictures", understood, tuple(problems), (), size, kinds=kinds, part=part)


def _decoded(path: Path, members: list[str], side: int, target: Path, name: str) -> dict[str, Any]:
    """Decode in the child; its own words for running out of time speak of spreadsheets."""
    try:
        given = (str(path.resolve()), members, side, str(target), name)
        found: dict[str, Any] = sandbox.call("kd_core.data.pictures.decoding:decode", *given)
    except DataError as error:
        if error.code not in ("parse_time", "parse_memory"):
            raise
        raise DataError(
            "{text}", "Make the pictures smaller before packing them, or take fewer.", error.code, text=error.message
        ) from error
    return found


def _findings(found: dict[str, Any], members: list[str], shape: str, side: int) -> list[Problem]:
    """Say what was left out, turned and stretched, each with its count."""
    problems, kept = [], len(found["kept"])
    if broken := [f"{shown_name(members[at])} ({why})" for at, why in sorted(found["broken"])]:
        most = limits.PICTURE_PIXELS // 10**6
        some = ", ".join(broken[:5])
        problems.append(_BROKEN.problem(PICTURE, len(broken), of=len(members), some=some, limit=most))
    if found["turned"]:
        problems.append(_TURNED.problem(PICTURE, found["turned"]))
    if found["scaled"]:
        given = {"of": kept, "sizes": found["sizes"], "shape": shape, "side": side}
        problems.append(_SCALED.problem(PICTURE, found["scaled"], **given))
    return problems
