"""The tables of a zip: all of one schema together, or one chosen member; members are streamed, never extracted by name."""

from __future__ import annotations

import codecs
import contextlib
import re
import tempfile
import zipfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from kd_core.data.archives.contents import checked_files
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import damage_named
from kd_core.data.files.delimited import first_rows
from kd_core.data.files.header import decide
from kd_core.data.files.signatures import GZIP, is_zip
from kd_core.data.table import Table
from kd_core.data.types.part_column import PART, are_parts
from kd_core.errors import DataError, Problem, Says, fill
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

_NO_TABLE = re.compile(
    r"(?:^|/)(?:readme|licen[cs]e|copying|changelog|notice|citation)[^/]*$|\.(?:md|pdf|html?|docx?|png|jpe?g|gif|webp|bmp|tiff?|heic|avif|svg|names|py|r|ipynb)$",
    re.IGNORECASE,
)
_ARCHIVE = re.compile(r"\.(?:zip|gz|tgz|tar|7z|rar|bz2|xz)$", re.IGNORECASE)
_CHUNK = 1024 * 1024
_HEAD_BYTES = 64 * 1024

_SKIPPED = Says(
    "skipped_members",
    "note",
    "{count} {count:file that is no table was|files that are no tables were} skipped: {some}.",
)
_EMPTY = Says(
    "empty_members",
    "warning",
    "{count} empty {count:file was|files were} skipped: {some}.",
    "Check the export if they should hold rows.",
)
_SEVERAL_TABLES = Says(
    "several_tables",
    "warning",
    "The zip holds {count} tables with different columns; the largest, '{largest}', was read. Others: {others}.",
    "Choose another file if this is not the one.",
)
_IN_FILE = "{in_file}: "  # before what a file's own reader says
_IN_MORE_FILES = " (and in {more_files} more {more_files:file|files})"


def part_in(path: Path) -> str | None:
    """Name the column of parts that files named train and test give, where they are alike."""
    with zipfile.ZipFile(path) as archive:
        members, _ = _safe_members(archive, path.name)
        if not are_parts([_stem(i.filename) for i in members]):
            return None
        return PART if len({_first_line(archive, i) for i in members}) == 1 else None


def tables_in(path: Path, read: ReadSpec, name: str, known: Collection[str] = ()) -> Table:
    """Read the tables in a zip: put under each other when their columns are the same, else the chosen or largest one.

    The `known` members are somebody else's to read, and are not told as skipped.
    Errors: DataError naming every unsafe member, a missing member, or a cap.
    """
    with contextlib.ExitStack() as stack:
        with damage_named(name):
            archive = stack.enter_context(zipfile.ZipFile(path))
            members, problems = _safe_members(archive, name, known)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kd-"))
        return _read_members(archive, members, problems, read, name, Path(folder))


def _safe_members(
    archive: zipfile.ZipFile, name: str, known: Collection[str] = ()
) -> tuple[list[zipfile.ZipInfo], list[Problem]]:
    """Check the whole table of contents before a byte is unpacked; return members worth reading."""
    kept, junk = checked_files(archive, name)
    kept = [i for i in kept if i.filename not in known]
    other = [i for i in kept if _NO_TABLE.search(i.filename)]
    kept = [i for i in kept if not _NO_TABLE.search(i.filename)]
    nested = [i.filename for i in kept if _ARCHIVE.search(i.filename)]
    if nested:
        raise DataError(
            "'{member}' is an archive inside the zip; archives in archives are not opened.",
            "Unpack it and upload the tables.",
            "nested",
            member=shown_name(nested[0]),
        )
    problems = []
    if junk or other:
        skipped = [shown_name(i.filename) for i in (*junk, *other)]
        problems.append(_SKIPPED.problem(count=len(skipped), some=", ".join(skipped[:5]), members=skipped[:100]))
    empty = [shown_name(i.filename) for i in kept if i.file_size == 0]
    kept = [i for i in kept if i.file_size > 0]
    if empty:
        problems.append(_EMPTY.problem(count=len(empty), some=", ".join(empty[:5]), members=empty[:100]))
    if not kept:
        raise DataError("{name} holds no table.", "Upload a zip of CSV files.", "no_table", name=name)
    return kept, problems


def _read_members(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    problems: list[Problem],
    read: ReadSpec,
    name: str,
    folder: Path,
) -> Table:
    names = tuple(i.filename for i in members)
    size = sum(i.compress_size for i in members)
    if read.member is not None:
        chosen = [i for i in members if i.filename == read.member]
        if not chosen:
            raise DataError(
                "{name} has no file {member!r}.",
                "It holds: {members}.",
                "no_member",
                name=name,
                member=read.member,
                members=_listed(names),
            )
        table = _read_member(archive, chosen[0], read, folder)
        return replace(
            table,
            members=names,
            problems=(*problems, *table.problems),
            size_bytes=size,
            understood={**table.understood, "file": chosen[0].filename},
        )
    schemas = {i.filename: _first_line(archive, i) for i in members}
    largest = max(members, key=lambda i: i.file_size)
    same = [i for i in members if schemas[i.filename] == schemas[largest.filename]]
    if len(same) < len(members):  # without a row of names, tables that belong together differ in their first lines
        widths = {i.filename: _width_without_names(archive, i, read) for i in members}
        if widths[largest.filename] is not None:
            same = [i for i in members if widths[i.filename] == widths[largest.filename]]
    if len(same) < len(members):
        others = [n for n in names if n != largest.filename]
        problems.append(
            _SEVERAL_TABLES.problem(
                count=len(members), largest=largest.filename, others=_listed(tuple(others)), members=list(names)
            )
        )
        same = [largest]
    tables = [_read_member(archive, i, read, folder) for i in same]
    first = tables[0]
    for info, table in zip(same, tables, strict=True):
        if list(table.frame.columns) != list(first.frame.columns):
            raise DataError(
                "'{member}' has other columns than '{first}'.",
                "Choose one file. The zip holds: {members}.",
                "different_columns",
                member=info.filename,
                first=same[0].filename,
                members=_listed(names),
            )
    rows = sum(len(t.frame) for t in tables)
    check_counts(name, rows, len(first.frame.columns))
    found = [*problems, *_gathered(same, tables)]
    understood = {
        **first.understood,
        ("files" if len(same) > 1 else "file"): f"{len(same)} files" if len(same) > 1 else same[0].filename,
    }
    frame = pd.concat([t.frame for t in tables], ignore_index=True) if len(tables) > 1 else first.frame
    table = Table(frame, first.format, understood, tuple(found), names, size, first.header, settled=first.settled)
    return _with_parts(table, [_stem(i.filename) for i in same], [len(t.frame) for t in tables])


def _with_parts(table: Table, stems: list[str], rows: list[int]) -> Table:
    """Add the column of parts, where the files are named train and test; it is no feature."""
    if not are_parts(stems) or PART in table.frame.columns:
        return table
    said = pd.Series(np.repeat(stems, rows), dtype="str")
    return replace(table, frame=table.frame.assign(**{PART: said}), kinds={**table.kinds, PART: "id"}, part=PART)


def _stem(member: str) -> str:
    return PurePosixPath(member.replace("\\", "/")).name.partition(".")[0]


def _gathered(members: list[zipfile.ZipInfo], tables: list[Table]) -> list[Problem]:
    """Report the same finding in many files once, with the number of files."""
    by_code: dict[tuple[str, str | None], list[tuple[str, Problem]]] = {}
    for info, table in zip(members, tables, strict=True):
        for problem in table.problems:
            by_code.setdefault((problem.code, problem.column), []).append((info.filename, problem))
    found = []
    for group in by_code.values():
        file, problem = group[0]
        if len(tables) > 1:
            count = sum(p.count or 0 for _, p in group) or None
            problem = _around(problem, file, len(group) - 1, count)
        found.append(problem)
    return found


def _around(problem: Problem, file: str, more_files: int, count: int | None) -> Problem:
    """Say in which file a problem was found, and in how many more; `count` is that of all of them."""
    own = {"in_file": file, "more_files": more_files, "count_there": problem.count}
    after = _IN_MORE_FILES if more_files else ""
    message = f"{fill(_IN_FILE, **own)}{problem.message}{fill(after, **own)}"
    # The text tells the count of the first file, the problem carries that of all.
    there = re.sub(r"{count([:}])", r"{count_there\1", problem.template)
    template = f"{_IN_FILE}{there}{after}" if there else ""
    return replace(problem, message=message, count=count, template=template, values={**problem.values, **own})


def _first_line(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with damage_named(shown_name(info.filename)), archive.open(info) as member:
        head = member.read(64 * 1024)
    if head.startswith(GZIP) or (is_zip(head) and not info.filename.lower().endswith(".xlsx")):
        raise DataError(
            "'{member}' is an archive inside the zip; archives in archives are not opened.",
            "Unpack it and upload the tables.",
            "nested",
            member=shown_name(info.filename),
        )
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    return next((line.strip() for line in lines if line.strip()), b"")


def _width_without_names(archive: zipfile.ZipFile, info: zipfile.ZipInfo, read: ReadSpec) -> int | None:
    """Count the columns of a delimited table whose first row holds values; None for any other member."""
    with damage_named(shown_name(info.filename)), archive.open(info) as member:
        head = member.read(_HEAD_BYTES)
    try:
        text = codecs.getincrementaldecoder(read.encoding or "utf-8-sig")().decode(head)
    except (UnicodeDecodeError, LookupError):
        return None  # the reader of the member says what is wrong with it
    rows = first_rows(text, read.separator, len(head) == _HEAD_BYTES)
    return len(rows[0]) if rows and not decide(rows[0], rows[1:], read.header).names else None


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, read: ReadSpec, folder: Path) -> Table:
    """Stream one member to a file of our own naming and read that; its declared size is a bound, not a promise."""
    target, written = folder / "member", 0
    with damage_named(shown_name(info.filename)), archive.open(info) as packed, target.open("wb") as out:
        while chunk := packed.read(_CHUNK):
            written += len(chunk)
            if written > info.file_size:
                raise zipfile.BadZipFile(f"{info.filename} is larger than it declares")
            out.write(chunk)
    from kd_core.data.readers import pick  # the reader of zips is one of them

    shown = shown_name(info.filename)
    try:
        return pick(target, shown).make(target, read, shown)
    except DataError as error:
        raise DataError(
            "In '{member}': {text}", "{advice}", error.code, member=info.filename, text=error.message, advice=error.hint
        ) from error


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
