"""A zip of a table and the pictures that it names: a row of the table with its picture in place of the file's name."""

from __future__ import annotations

import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.archives.tables import part_in, tables_in
from kd_core.data.files.caps import check_bytes
from kd_core.data.files.damage import ZIP_DAMAGE, damage_named
from kd_core.data.pictures.column import column_of, described, picture_hashes
from kd_core.data.pictures.naming import ABSENT, EMPTY, OUTSIDE, Named, mentioned, named_pictures
from kd_core.data.pictures.unpacking import PICTURE, decoded, findings
from kd_core.data.plain.counted import plural
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

_TABLE = re.compile(r"\.(?:csv|tsv|tab|jsonl|ndjson|json|xlsx|parquet)$", re.IGNORECASE)
_CELLS = re.compile(r"""[,;|\t\r\n"'{}\[\]:]+""")
_HEAD_BYTES = 64 * 1024
_AT_ONCE = 1000  # pictures put in the order of the rows

_NO_PICTURE = Says(
    "rows_without_picture",
    "warning",
    "{count:,} of {of:,} rows have no picture under {column}: {why}. {done}",
    "Add the missing files to the zip, or mend their names in the table, if they matter.",
)
_NOT_NAMED = Says("unnamed_pictures", "note", "{count:,} of {of:,} pictures are named by no row: {some}.")
_SHARED = Says(
    "shared_pictures",
    "note",
    "{count:,} rows have under {column} the same pixels as another row.",
    "If such rows belong together, choose a column that says so as the group: its rows stay on one side of the split.",
)
_STAY, _LEFT_OUT = "They stay; their picture is black.", "They were left out."


def _names_pictures(path: Path, head: bytes) -> bool:
    """Say whether a zip holds pictures and a table that names them, or is for pictures in one folder."""
    names = [n for n in member_names(path, head) if not n.endswith("/")]
    pictures, tables = [n for n in names if PICTURE.search(n)], [n for n in names if _TABLE.search(n)]
    if not pictures or not tables:
        return False
    in_one_folder = len({n.rpartition("/")[0] for n in pictures}) == 1
    cells: set[str] = set()
    try:
        with zipfile.ZipFile(path) as archive:
            for table in tables[:5]:
                with archive.open(table) as file:
                    cells |= set(_CELLS.split(file.read(_HEAD_BYTES).decode("utf-8", "replace")))
    except (*ZIP_DAMAGE, OSError, RuntimeError):  # damaged, or a password: the reader of zips says so
        return False
    if mentioned(cells, pictures, whole=True) or (in_one_folder and mentioned(cells, pictures, whole=False)):
        return True
    return in_one_folder and 2 * len(pictures) > len(names)


@READERS.register(
    "named_pictures",
    title="Zip of a table and its pictures",
    extensions=(".zip",),
    recognises=_names_pictures,
    noun="a zip of a table and pictures",
    starts="PK",
    part=part_in,
)
def read_named_pictures(path: Path, read: ReadSpec, name: str) -> Table:
    """Read the table, and in place of each column of file names the pictures, brought to one size in a child process.

    A name is looked up among the members of the zip: its path, or the end of one that no other has.
    Errors: DataError `names_no_picture`, `no_pictures`, as the reader of zips, or a limit's code.
    """
    with damage_named(name), zipfile.ZipFile(path) as archive:
        members = sorted(i.filename for i in checked_files(archive, name)[0] if PICTURE.search(i.filename))
    table = tables_in(path, read, name, frozenset(members))
    named = named_pictures(table.frame, members)
    if not named:
        raise DataError(
            "No column of the table in {name} names the pictures beside it, such as '{first}'.",
            "Write the name of each row's file in a column; leave the table out where folders say the classes.",
            "names_no_picture",
            name=name,
            first=shown_name(members[0]),
        )
    for one in named:
        table = _with_pictures(table, one, members, path, read, name)
    used = {members[at] for one in named for at in one.at[one.at >= 0]}
    if left := [shown_name(m) for m in members if m not in used]:
        note = _NOT_NAMED.problem(None, len(left), of=len(members), some=", ".join(left[:5]), members=left[:100])
        table = replace(table, problems=(*table.problems, note))
    return replace(table, format="named_pictures", size_bytes=path.stat().st_size)


def _with_pictures(table: Table, named: Named, members: list[str], path: Path, read: ReadSpec, name: str) -> Table:
    """Put pixels in place of the names in one column. A table of nothing else but a label loses the rows without any."""
    column, frame = named.column, table.frame
    order, place = np.unique(named.at[named.at >= 0], return_inverse=True)
    wanted = [members[at] for at in order]
    row_file = np.full(len(frame), -1)
    row_file[named.at >= 0] = place
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        target = Path(folder) / "pixels.npy"
        found = decoded(path, wanted, read.picture_side, target, name)
        kept = np.full(len(wanted) + 1, -1)  # the last: of a row without a file
        kept[found["kept"]] = np.arange(len(found["kept"]))
        at = kept[row_file]
        alone = len(frame.columns) - (table.part is not None) <= 2
        if alone:
            frame, at = frame[at >= 0].reset_index(drop=True), at[at >= 0]
        pixels = _in_order(np.load(target, mmap_mode="r", allow_pickle=False), at, Path(folder), name)
    pictures = column_of(pixels, at < 0)
    shape = described(pixels.shape[1:])
    problems = [*table.problems, *findings(found, wanted, shape, read.picture_side, column)]
    problems += _lacking(named, found, len(table.frame), alone)
    keys = picture_hashes(pictures[at >= 0])
    if shared := len(keys) - int((np.unique(keys, return_counts=True)[1] == 1).sum()):
        problems.append(_SHARED.problem(column, shared))
    understood = {**table.understood, f"pictures ({column})": f"{plural(len(found['kept']), 'picture')}, {shape}"}
    frame = frame.assign(**{column: pictures})
    return replace(table, frame=frame, problems=tuple(problems), understood=understood)


def _in_order(
    pixels: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], folder: Path, name: str
) -> npt.NDArray[np.uint8]:
    """Lay pictures in the order of the rows, as a mapped file; black where a row has none. Shape: (M, H, W, K) -> (N, H, W, K)."""
    if np.array_equal(at, np.arange(len(pixels))):
        return pixels
    check_bytes(name, len(at) * int(np.prod(pixels.shape[1:])))
    ordered = np.lib.format.open_memmap(folder / "ordered.npy", "w+", np.uint8, (len(at), *pixels.shape[1:]))
    for start in range(0, len(at), _AT_ONCE):
        some = at[start : start + _AT_ONCE]
        there = np.flatnonzero(some >= 0)
        ordered[start + there] = pixels[some[there]]
    return ordered


def _lacking(named: Named, found: dict[str, Any], rows: int, alone: bool) -> list[Problem]:
    """Count the rows without a picture, by the reason."""
    broken = len(found["broken"])
    reasons = {
        "name no PNG, JPEG, WebP or BMP file of the zip": named.count(ABSENT),
        "name a path that leads out of the zip": named.count(OUTSIDE),
        "name none": named.count(EMPTY),
    }
    count = sum(reasons.values())
    told = [f"{n:,} {why}" for why, n in reasons.items() if n]
    if broken:  # several rows may name one broken file
        lost = int(np.isin(named.at, np.unique(named.at[named.at >= 0])[[at for at, _ in found["broken"]]]).sum())
        count, told = count + lost, [*told, f"{lost:,} name a broken one"]
    if not count:
        return []
    done = _LEFT_OUT if alone else _STAY
    return [_NO_PICTURE.problem(named.column, count, of=rows, why=", ".join(told), done=done)]
