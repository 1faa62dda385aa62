"""Exact line numbers in a delimited text: slow, so only asked for when something is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from kd_core import limits
from kd_core.data.files.delimited import Layout
from kd_core.data.files.text_source import TextSource, chunks_of, plain_text


def line_of_byte(text: TextSource, offset: int) -> int:
    """Return the line (from 1) that holds the byte at `offset`."""
    line, seen = 1, text.start
    for chunk in chunks_of(text.path, text.start):
        part = chunk[: max(0, offset - seen)]
        line += part.count(b"\n") or (part.count(b"\r") if b"\n" not in chunk else 0)
        seen += len(chunk)
        if seen > offset:
            break
    return line


def find_ragged(text: TextSource, layout: Layout) -> list[tuple[int, int]]:
    """Find the first rows whose width differs from the header's: (line where the row starts, fields)."""
    found = []
    width, line = len(layout.header), layout.data_line
    with text.path.open("rb") as raw:
        raw.seek(layout.data_offset)
        rows = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""), delimiter=layout.separator)
        for row in rows:
            if row and len(row) != width:
                found.append((line, len(row)))
                if len(found) == limits.EXAMPLE_ROWS:
                    break
            line = layout.data_line + rows.line_num
    return found


def find_unclosed_quote(text: TextSource, layout: Layout) -> int | None:
    """Find the line where a quote opens that is still open at the end of the text, or None."""
    start = layout.data_line
    with text.path.open("rb") as raw:
        raw.seek(layout.data_offset)
        rows = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""), delimiter=layout.separator, strict=True)
        while True:
            try:
                next(rows)
            except StopIteration:
                return None
            except csv.Error as error:
                if "unexpected end of data" in str(error) or "field larger" in str(error):
                    return _opening_line(text, layout, start)
            start = layout.data_line + rows.line_num


def without_comments(text: TextSource, mark: str, folder: Path) -> TextSource:
    """Copy a text without the lines that start with `mark` (line breaks inside quotes respected)."""
    target = folder / "uncommented.utf8"
    start, inside = mark.encode(), False
    with target.open("wb") as out:
        for line in _lines(text):
            if not inside and line.startswith(start):
                continue
            inside ^= line.count(b'"') % 2 == 1
            out.write(line)
    plain = plain_text(target, None, folder)
    return TextSource(
        plain.path,
        plain.start,
        plain.size_bytes,
        text.encoding,
        plain.newlines,
        plain.quotes,
        plain.nuls,
        plain.first_nul,
        text.problems,
        plain.endless_line,
    )


def _lines(text: TextSource) -> Iterator[bytes]:
    with text.path.open("rb") as file:
        file.seek(text.start)
        yield from file


def _opening_line(text: TextSource, layout: Layout, record_line: int) -> int:
    """Inside the unfinished record that starts at `record_line`, find the line of the quote that stays open."""
    with text.path.open("rb") as raw:
        raw.seek(layout.data_offset)
        source = io.TextIOWrapper(raw, "utf-8", newline="")
        for _ in range(record_line - layout.data_line):
            source.readline()
        rest = source.read()
    quoted = re.compile(rf'(?:\A|(?<=[{re.escape(layout.separator)}\r\n]))"[^"]*(?:""[^"]*)*("?)')
    opened = next((m.start() for m in quoted.finditer(rest) if not m[1]), 0)
    return record_line + rest.count("\n", 0, opened)
