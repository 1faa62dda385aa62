"""A zip of class folders: one row per picture, with the folder that it lies in as the target."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd

from kd_core.data.archives.class_folders import Folders, class_folders, gives_parts
from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import damage_named
from kd_core.data.pictures.column import column_of, described, shape_of
from kd_core.data.pictures.unpacking import PICTURE as PICTURE_FILE
from kd_core.data.pictures.unpacking import decoded, findings
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.base import per_class
from kd_core.data.types.part_column import PART
from kd_core.errors import Says
from kd_core.safe_io import shown_name
from kd_core.specs import ColumnKind, ReadSpec

PICTURE, CLASS = "picture", "class"
_NO_DATA = re.compile(r"(?:^|/)(?:readme|licen[cs]e|notice|citation)[^/]*$|\.(?:md|pdf|html?)$", re.IGNORECASE)

_SKIPPED = Says(
    "skipped_members",
    "note",
    "{count} {count:file that is no picture was|files that are no pictures were} skipped: {some}.",
)


def _is_pictures(path: Path, head: bytes) -> bool:
    """Say whether most files of a zip, apart from notes about it, are pictures."""
    names = [n for n in member_names(path, head) if not n.endswith("/") and not _NO_DATA.search(n)]
    return 2 * sum(bool(PICTURE_FILE.search(n)) for n in names) > len(names)


def _part_in(path: Path) -> str | None:
    """Name the column of parts that a zip gives, by its folders alone."""
    with zipfile.ZipFile(path) as archive:
        return PART if gives_parts([n for n in archive.namelist() if PICTURE_FILE.search(n)]) else None


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
    """Read pictures sorted into folders: PNG, JPEG, WebP or BMP, brought to one size in a child process.

    Folders train and test make a column `split_part`.
    Errors: DataError with code `class_folders`, `no_pictures`, `pictures_take_long`, an unsafe member's code or a limit's.
    """
    return _read(
        path, read, name, lambda pictures: class_folders(pictures, name, "pictures", "bags/1.png, shoes/1.png")
    )


def unsorted_pictures(path: Path, read: ReadSpec, name: str, known: Collection[str]) -> Table:
    """Read pictures that nobody sorted: of a known class where the first folder bears its name, else of none.

    Errors: as `read_pictures`, but for `class_folders`.
    """

    def folders(pictures: list[str]) -> Folders:
        first = {member: member.replace("\\", "/").strip("/").split("/")[0] for member in pictures}
        return Folders({member: one if one in known else "" for member, one in first.items()}, {})

    return _read(path, read, name, folders)


def _read(path: Path, read: ReadSpec, name: str, sort: Callable[[list[str]], Folders]) -> Table:
    with damage_named(name), zipfile.ZipFile(path) as archive:
        files, junk = checked_files(archive, name)
    pictures = sorted(i.filename for i in files if PICTURE_FILE.search(i.filename))
    other = [shown_name(i.filename) for i in (*files, *junk) if not PICTURE_FILE.search(i.filename) or i in junk]
    problems = [_SKIPPED.problem(count=len(other), some=", ".join(other[:5]), members=other[:100])] if other else []
    folders = sort(pictures)
    problems += folders.problems
    members = list(folders.classes)
    check_counts(name, len(members), 2)
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        target = Path(folder) / "pixels.npy"
        found = decoded(path, members, read.picture_side, target, name)
        # Mapped: the file may go, its pixels stay as long as the column does.
        column = column_of(np.load(target, mmap_mode="r", allow_pickle=False)[: len(found["kept"])])
    shape = shape_of(column)
    assert shape is not None
    labels = pd.Series([folders.classes[members[at]] or None for at in found["kept"]], dtype="str")
    problems += findings(found, members, described(shape), read.picture_side, PICTURE)
    understood = {"pictures": per_class(labels, "picture"), "size": described(shape)}
    columns: dict[str, pd.Series] = {PICTURE: column, CLASS: labels}
    kinds: dict[str, ColumnKind] = {CLASS: "category"}
    if folders.parts:
        columns[PART] = pd.Series([folders.parts[members[at]] for at in found["kept"]], dtype="str")
        kinds[PART] = "id"  # never a feature, not even where the split is made here
    frame = pd.DataFrame(columns, copy=False)
    size, part = path.stat().st_size, PART if folders.parts else None
    return Table(frame, "pictures", understood, tuple(problems), (), size, kinds=kinds, part=part)
