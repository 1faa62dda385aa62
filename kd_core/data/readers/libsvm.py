"""LibSVM text: one file, or a zip of training and test files with the sizes of their queries beside them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from kd_core.data.archives.contents import checked_files
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import ZIP_DAMAGE, damage_named
from kd_core.data.files.signatures import HEAD_BYTES, is_zip
from kd_core.data.libsvm.queries import query_sizes
from kd_core.data.libsvm.rows import Sparse, looks_like_libsvm, rows_of
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.part_column import PART, are_parts, part_number
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

LABEL, QUERY = "label", "query"
SIZES = ".query"

_NO_QUERIES = Says(
    "no_queries",
    "note",
    "The rows say nothing of queries. To learn an order within queries, pack the file with its .query file in a zip, or write qid:n after each label.",
)
_TWO_WAYS = Says(
    "queries_twice", "note", "{name} is not read: the rows say by themselves which query they belong to (qid)."
)


def _is_libsvm(path: Path, head: bytes) -> bool:
    if not is_zip(head):
        return looks_like_libsvm(head, len(head) < HEAD_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [i for i in archive.infolist() if not i.is_dir() and i.file_size and not _is_junk(i.filename)]
            rows = [i for i in names if not i.filename.endswith(SIZES)]
            if not rows or len(rows) > 100 or any("." in i.filename and _other(i.filename) for i in rows):
                return False
            if len(rows) < len(names):
                return True
            with archive.open(rows[0]) as member:
                first = member.read(HEAD_BYTES)
            return looks_like_libsvm(first, len(first) == rows[0].file_size)
    except (*ZIP_DAMAGE, OSError, RuntimeError):
        return False  # the reader of zips says what is wrong


def _is_junk(name: str) -> bool:
    return name.startswith(("__MACOSX/", ".")) or "/." in name


def _other(name: str) -> bool:
    """Say whether a name ends like another kind of file."""
    return PurePosixPath(name).suffix.lower() in (
        ".csv",
        ".json",
        ".jsonl",
        ".parquet",
        ".xlsx",
        ".png",
        ".jpg",
        ".npy",
    )


def _part_of(name: str) -> str | None:
    """Name the part of the split that a member's name says: rank.train, vali.txt."""
    return next((w for w in PurePosixPath(name).name.split(".")[::-1] if part_number(w) is not None), None)


def _part_in(path: Path) -> str | None:
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if not n.endswith(("/", SIZES)) and not _is_junk(n)]
    return PART if _parts(names) else None


def _parts(names: Sequence[str]) -> list[str]:
    """Name the part of each file; none where not every file is one of its own."""
    words = [_part_of(name) or "" for name in names]
    return words if are_parts(words) else []


def _queries_in(path: Path) -> str | None:
    """Name the column of queries, where the file has them."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(n.endswith(SIZES) for n in archive.namelist()):
                return QUERY
            rows = [i for i in archive.infolist() if not i.is_dir() and not _is_junk(i.filename)]
            with archive.open(rows[0]) as member:
                return QUERY if b" qid:" in member.readline() else None
    with path.open("rb") as file:
        return QUERY if b" qid:" in file.readline() else None


@READERS.register(
    "libsvm",
    title="LibSVM text, and zips of it with .query files",
    extensions=(".libsvm", ".svmlight", ".train", ".test", ".zip"),
    recognises=_is_libsvm,
    noun="LibSVM text",
    starts="a label and pairs of index and value",
    target=LABEL,
    part=_part_in,
    group=_queries_in,
)
def read_libsvm(path: Path, read: ReadSpec, name: str) -> Table:
    """Read rows as a table: `label`, `query` where there are some, and a column a feature, 0 where a row names no value.

    Errors: DataError as `rows_of` and `query_sizes`; `query_file` where a file of sizes is missing or left over, `own_queries` where some files say qid.
    """
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            rows = rows_of(file, name)
        queries = None if rows.query_N is None else rows.query_N.astype("str")
        said = (*rows.problems, *(() if queries is not None else (_NO_QUERIES.problem(),)))
        return _table([rows], [queries], [], said, name, path.stat().st_size)
    with damage_named(name), zipfile.ZipFile(path) as archive:
        members, _ = checked_files(archive, name)
        return _of_zip(archive, [i for i in members if i.file_size], name)


def _of_zip(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str) -> Table:
    sizes = {i.filename for i in members if i.filename.endswith(SIZES)}
    files = [i.filename for i in members if i.filename not in sizes]
    left = sorted(sizes - {f + SIZES for f in files})
    if left:
        raise DataError(
            "'{left}' gives the sizes of queries, and {name} has no file '{wanted}'.",
            "Put both into the zip, under the same name but for the ending.",
            "query_file",
            left=shown_name(left[0]),
            name=name,
            wanted=shown_name(left[0].removesuffix(SIZES)),
        )
    words, rows, queries = _parts(files), list[Sparse](), list[np.ndarray | None]()
    said: list[Problem] = []
    for at, file in enumerate(files):
        shown = shown_name(file)
        with archive.open(file) as member:
            found = rows_of(member, shown)
        said += found.problems
        own = None if found.query_N is None else found.query_N.astype("str")
        if file + SIZES in sizes and own is not None:
            said.append(_TWO_WAYS.problem(name=shown_name(file + SIZES)))
        elif file + SIZES in sizes:
            with archive.open(file + SIZES) as member:
                counted = query_sizes(member, shown_name(file + SIZES), len(found.label_N), shown)
            before = f"{words[at] if words else PurePosixPath(file).name} " if len(files) > 1 else ""
            own = np.repeat([f"{before}{n}" for n in range(1, len(counted) + 1)], counted)
        elif own is None and sizes:
            raise DataError(
                "{name} has no file '{wanted}', which says how many rows each query of '{file}' has.",
                "Put it into the zip, or take all .query files out to read the rows without queries.",
                "query_file",
                name=name,
                wanted=shown_name(file + SIZES),
                file=shown,
            )
        rows.append(found)
        queries.append(own)
    lacking = [f for f, q in zip(files, queries, strict=True) if q is None]
    if lacking and len(lacking) < len(files):
        raise DataError(
            "The rows of '{file}' say nothing of queries, those of other files do.",
            "Give all files queries, or none.",
            "own_queries",
            file=shown_name(lacking[0]),
        )
    if lacking:
        said.append(_NO_QUERIES.problem())
    size = sum(i.compress_size for i in members)
    return _table(rows, queries, words, tuple(said), name, size, tuple(files))


def _table(
    rows: list[Sparse],
    queries: list[np.ndarray | None],
    parts: list[str],
    said: tuple[Problem, ...],
    name: str,
    size: int,
    files: tuple[str, ...] = (),
) -> Table:
    index = np.unique(np.concatenate([one.index_K for one in rows]))
    low, high = (int(index[0]), int(index[-1])) if len(index) else (1, 0)
    width, count = high - min(low, 1) + 1, sum(len(one.label_N) for one in rows)
    check_counts(name, count, width + 1)
    dense = np.zeros((count, width), dtype=np.float64)
    start = 0
    for one in rows:
        dense[start + one.row_K, one.index_K - min(low, 1)] = one.value_K
        start += len(one.label_N)
    frame = pd.DataFrame(dense, columns=[f"f{n}" for n in range(min(low, 1), high + 1)], copy=False)
    frame.insert(0, LABEL, np.concatenate([one.label_N for one in rows]))
    kinds: dict[str, str] = {LABEL: "number"}
    if all(q is not None for q in queries):
        frame.insert(1, QUERY, pd.Series(np.concatenate([q for q in queries if q is not None]), dtype="str"))
        kinds[QUERY] = "id"
    if parts:
        told = np.repeat(parts, [len(one.label_N) for one in rows])
        frame.insert(len(frame.columns), PART, pd.Series(told, dtype="str"))
        kinds[PART] = "id"
    frame.columns = pd.Index(frame.columns, dtype="str")
    found = sum(len(np.unique(q)) for q in queries if q is not None)
    understood = {
        "format": "LibSVM text",
        **({"files": f"{len(files)} files"} if len(files) > 1 else {}),
        **({"queries": f"{found:,} queries"} if found else {}),
    }
    own = {"part": PART if parts else None, "group": QUERY if QUERY in kinds else None}
    return Table(frame, "libsvm", understood, said, files, size, kinds=kinds, **own)  # type: ignore[arg-type]
