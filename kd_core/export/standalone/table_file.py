"""Rows of a file: CSV laid out as the file that the student learned from, JSON, or one picture. Texts stay texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kd_core.data.plain.rows import UnfitRows

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SEPARATORS = (",", ";", "\t", "|")
csv.field_size_limit(64 * 2**20)


def rows_of(
    path: Path, layout: Mapping[str, Any], pictures: Iterable[str] = (), columns: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Read rows by column name; cells of picture columns name files beside the table, whose content takes their place.

    `layout`: separator, encoding, names of columns, mark of comments, as the student's file tells them. Files of the
    student's `columns` alone are read as well: with a first row that names them, parted by whatever parts it, or in their order where files
    have none. Errors: UnfitRows, OSError.
    """
    pictures, columns = tuple(pictures), tuple(columns)
    if pictures and path.suffix.lower() in PICTURES:
        if set(columns) - set(pictures):
            others = ", ".join(sorted(set(columns) - set(pictures)))
            raise UnfitRows(
                f"{path.name} is a picture, and the student reads {others}, too: name it in a table's cell."
            )
        return [{name: path.read_bytes() for name in pictures}]
    rows = _json(path) if path.suffix.lower() in (".json", ".jsonl", ".ndjson") else _csv(path, layout, columns)
    for number, row in enumerate(rows, 1):
        for name in pictures:
            if isinstance(row.get(name), str):
                row[name] = _content(path.parent, row[name].strip().replace("\\", "/"), number, name)
    return rows


def _json(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8-sig")
    try:
        rows = (
            json.loads(text)
            if path.suffix.lower() == ".json"
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise UnfitRows(f"{path.name} is no JSON: {error}.") from None
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnfitRows(f"{path.name} holds no list of rows, each an object by column name.")
    return rows


def _csv(path: Path, layout: Mapping[str, Any], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    encoding = layout.get("encoding") or "utf-8"
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise UnfitRows(f"{path.name} is not written in {encoding}, as the student's file was: {error}.") from None
    mark = layout.get("comment")
    lines = [line for line in io.StringIO(text, newline="") if not mark or not line.startswith(mark)]
    own = layout.get("separator") or ","
    found = _cells(lines, own)
    if columns and found and not set(columns) <= _names(found):  # a table that was saved anew by another program
        others = (_cells(lines, one) for one in SEPARATORS if one != own)
        found = next((cells for cells in others if set(columns) <= _names(cells)), found)
    named = layout.get("names") or ()
    first = tuple(cell.strip() for cell in found[0]) if found else ()
    if columns and set(columns) <= set(first):
        names, body = first, found[1:]
    elif layout.get("header") == "no":
        names, body = columns if len(first) == len(columns) else tuple(named), found
    else:
        if not found:
            raise UnfitRows(f"{path.name} is empty; its first line must name the columns.")
        names, body = tuple(named) or first, found[1:]
    for number, cells in enumerate(body, 1):
        if len(cells) != len(names):
            raise UnfitRows(
                f"Row {number:,} of {path.name} has {len(cells)} cells where {len(names)} columns are named."
            )
    return [dict(zip(names, cells, strict=True)) for cells in body]


def _cells(lines: Iterable[str], separator: str) -> list[list[str]]:
    return [cells for cells in csv.reader(lines, delimiter=separator) if cells]


def _names(found: list[list[str]]) -> set[str]:
    """Return what the first row holds."""
    return {cell.strip() for cell in found[0]}


def _content(folder: Path, name: str, number: int, column: str) -> bytes | None:
    if not name:
        return None
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise UnfitRows(
            f"Row {number:,} names the picture '{name[:120]}' under '{column}', which does not lie in {folder}."
        )
    return path.read_bytes()
