"""A zip of text files in class folders: one row per text, with the folder that it lies in as the target."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pandas as pd

from kd_core import limits
from kd_core.data.archives.class_folders import class_folders, gives_parts
from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import damage_named
from kd_core.data.files.text_encoding import BOMS, guess_encoding, shown_encoding
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.base import per_class
from kd_core.data.types.part_column import PART
from kd_core.errors import DataError, Says
from kd_core.safe_io import shown_name
from kd_core.specs import ColumnKind, ReadSpec

TEXT, CLASS = "text", "class"
_TEXT = re.compile(r"\.(?:txt|text)$", re.IGNORECASE)
_NO_DATA = re.compile(r"(?:^|/)(?:readme|licen[cs]e|notice|citation)[^/]*$|\.(?:md|pdf|html?)$", re.IGNORECASE)
_GUESSED_BYTES = 2**20  # of all texts that are not UTF-8, to find out in what they are written

_SKIPPED = Says(
    "skipped_members", "note", "{count} {count:file that is no text was|files that are no texts were} skipped: {some}."
)
_EMPTY = Says("empty_texts", "warning", "{count:,} of {of:,} text files are empty and were left out: {some}.")
_UNREADABLE = Says(
    "unreadable_texts",
    "warning",
    "{count:,} of {of:,} text files can't be read and were left out: {some}.",
    "Save them as UTF-8, of at most {limit} KB each, if they matter.",
)


def _texts_in(names: list[str]) -> list[str]:
    return [n for n in names if _TEXT.search(n) and not _NO_DATA.search(n)]


def _is_texts(path: Path, head: bytes) -> bool:
    """Say whether most files of a zip, apart from notes about it, are texts in folders."""
    names = [n for n in member_names(path, head) if not n.endswith("/") and not _NO_DATA.search(n)]
    texts = _texts_in(names)
    return 2 * len(texts) > len(names) and len({n.rpartition("/")[0] for n in texts if "/" in n}) > 1


def _part_in(path: Path) -> str | None:
    """Name the column of parts that a zip gives, by its folders alone."""
    with zipfile.ZipFile(path) as archive:
        return PART if gives_parts(_texts_in(archive.namelist())) else None


@READERS.register(
    "texts",
    title="Zip of class folders of texts",
    extensions=(".zip",),
    recognises=_is_texts,
    noun="a zip of text files",
    starts="PK",
    target=CLASS,
    part=_part_in,
)
def read_texts(path: Path, read: ReadSpec, name: str) -> Table:
    """Read text files sorted into folders; folders train and test make a column `split_part`.

    Errors: DataError with code `class_folders`, `no_texts`, an unsafe member's code or a limit's.
    """
    with damage_named(name), zipfile.ZipFile(path) as archive:
        files, junk = checked_files(archive, name)
        texts = {i.filename: i for i in files if _texts_in([i.filename])}
        other = [shown_name(i.filename) for i in (*files, *junk) if i.filename not in texts or i in junk]
        folders = class_folders(sorted(texts), name, "texts", "refund/1.txt, delivery/1.txt")
        members = list(folders.classes)
        check_counts(name, len(members), 2)
        bytes_of: dict[str, bytes] = {}
        left: dict[str, str] = {}
        for member in members:
            if texts[member].file_size > limits.CELL_BYTES:
                left[member] = f"{texts[member].file_size:,} bytes"
                continue
            with archive.open(texts[member]) as file:
                bytes_of[member] = file.read(limits.CELL_BYTES + 1)
    encoding = read.encoding or _encoding(list(bytes_of.values()))
    found = _decoded(bytes_of, encoding, left)
    empty = [m for m, text in found.items() if not text.strip()]
    kept = [m for m in found if m not in set(empty)]
    if not kept:
        reason = next(iter(left.values()), "all are empty")
        raise DataError(
            "None of the {count:,} texts of {name} can be read; the first: {why}.",
            "Save them as UTF-8.",
            "no_texts",
            count=len(members),
            name=name,
            why=reason,
        )
    problems = [_SKIPPED.problem(count=len(other), some=", ".join(other[:5]), members=other[:100])] if other else []
    problems += folders.problems
    if empty:
        some = ", ".join(map(shown_name, empty[:5]))
        problems.append(_EMPTY.problem(TEXT, len(empty), of=len(members), some=some))
    if left:
        some = ", ".join(f"{shown_name(m)} ({why})" for m, why in list(left.items())[:5])
        limit = limits.CELL_BYTES // 1000
        problems.append(_UNREADABLE.problem(TEXT, len(left), of=len(members), some=some, limit=limit))
    columns = {TEXT: [found[m] for m in kept], CLASS: [folders.classes[m] for m in kept]}
    kinds: dict[str, ColumnKind] = {TEXT: "text", CLASS: "category"}
    if folders.parts:
        columns[PART] = [folders.parts[m] for m in kept]
        kinds[PART] = "id"  # never a feature, not even where the split is made here
    frame = pd.DataFrame(columns, dtype="str")
    understood = {"texts": per_class(frame[CLASS], "text"), "encoding": shown_encoding(encoding)}
    size, part = path.stat().st_size, PART if folders.parts else None
    return Table(frame, "texts", understood, tuple(problems), (), size, kinds=kinds, part=part)


def _decoded(bytes_of: dict[str, bytes], encoding: str, left: dict[str, str]) -> dict[str, str]:
    """Turn bytes into texts; what can't be goes to `left` with the reason."""
    found: dict[str, str] = {}
    for member, data in bytes_of.items():
        try:
            found[member] = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            left[member] = f"byte {error.start + 1} is not {shown_encoding(encoding)}"
        except LookupError:
            raise DataError(
                "There is no encoding '{encoding}'.", "Leave it out, or name utf-8.", "encoding", encoding=encoding
            ) from None
    return found


def _encoding(texts: list[bytes]) -> str:
    """Find the encoding that the texts have in common: what their first bytes say, UTF-8, or the likeliest of older ones."""
    marks = {name for data in texts for bom, name in BOMS[:1] + BOMS[3:] if data.startswith(bom)}
    if len(marks) == 1 and all(data.startswith(tuple(bom for bom, _ in BOMS)) for data in texts):
        return marks.pop()
    odd = b"\n".join(data for data in texts if not _is_utf8(data))[:_GUESSED_BYTES]
    if not odd or sum(not _is_utf8(data) for data in texts) * 10 < len(texts):  # a few broken ones are left out
        return "utf-8"
    return guess_encoding(odd) or "utf-8"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
