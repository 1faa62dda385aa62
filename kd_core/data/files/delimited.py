"""How a delimited text is laid out: separator, header, where the data begins."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from kd_core import limits
from kd_core.data.files import header as first_row
from kd_core.data.files.header import Header
from kd_core.data.files.text_source import TextSource
from kd_core.errors import DataError, Problem, Says
from kd_core.specs import ReadSpec

_HEAD_BYTES = 512 * 1024
_SNIFF_CHARACTERS = 64 * 1024
_SAMPLE_ROWS = 200
_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    " ": "space",
    ":": "colon",
    "^": "caret",
    "~": "tilde",
    "\x01": "control character 1",
    "\x1f": "unit separator",
}
_WORDS = {name: mark for mark, name in _NAMES.items()} | {r"\t": "\t"}
COMMON, ODD = (",", ";", "\t", "|"), ("~", "^", "\x1f", "\x01", ":", " ")

csv.field_size_limit(64 * 2**20)  # the default of 128 KB would stop the search for an unclosed quote

_SEP_LINE = Says("sep_line", "note", "The first line states the separator ({separator}) and was skipped.")
_COMMENT_LINES = Says(
    "comment_lines",
    "warning",
    "{count} {count:line|lines} starting with '#' before the header {count:was|were} skipped.",
    "If they belong to the data, choose another comment character.",
)


@dataclass(frozen=True)
class Layout:
    """What the columns are called and where the data begins. `data_offset`, `data_line`: its first byte and line."""

    separator: str
    header: tuple[str, ...]
    data_offset: int
    data_line: int
    found: Header
    problems: tuple[Problem, ...] = field(default_factory=tuple)

    @property
    def separator_name(self) -> str:
        return _NAMES.get(self.separator, f"'{self.separator}'")


def lay_out(text: TextSource, read: ReadSpec, name: str) -> Layout:
    """Find separator, header and first data row.

    Errors: DataError with code `no_rows`, `header_width`, `names_count`, `too_many_columns` or `bad_separator`.
    """
    separator = _asked_separator(read.separator)
    head, cut = _head(text)
    problems: list[Problem] = []
    position, line = 0, 1
    if stated := re.match(r"(?:sep=)(.)(\r\n|\r|\n)", head, re.IGNORECASE):
        position, line = stated.end(), 2
        separator = separator or stated[1]
        problems.append(_SEP_LINE.problem(count=1, separator=_NAMES.get(stated[1], stated[1])))
    position, line, comments = _past_comments(head, position, line, read.comment or "#")
    rest = head[position:]
    separator = separator or sniff_separator(rest, cut)
    if comments and read.comment is None:
        if comments.is_header(separator, rest):
            position, line, rest = comments.start, comments.line, head[comments.start :]
        else:
            problems.append(_COMMENT_LINES.problem(count=comments.count))
    header, used = _record(rest, separator)
    if used is None:
        raise DataError(
            "The header in line {line} never ends: a quote is opened and not closed.",
            "Close the quote, or choose another separator.",
            "unclosed_quote",
            line=line,
        )
    if len(header) > limits.COLUMNS:
        raise DataError(
            "{name} has {columns:,} columns; at most {limit:,} are read.",
            "Leave out columns, or turn the table if rows and columns are swapped.",
            "too_many_columns",
            name=name,
            columns=len(header),
            limit=limits.COLUMNS,
        )
    body = rest[used:]
    if not body.strip() and not cut and read.header != "no":
        raise DataError(
            "No data rows; {columns} {columns:column|columns} found.",
            "Check that the export holds rows below the header.",
            "no_rows",
            columns=len(header),
        )
    rows = _sample_rows(body, separator, cut)
    found = first_row.decide(header, rows, read.header)
    problems += first_row.told(found, read)
    if not found.names:
        used = 0
    data_line = line + len(re.findall(r"\r\n|\r|\n", rest[:used]))
    start = text.start + len(head[: position + used].encode())
    layout = Layout(separator, tuple(header), start, data_line, found, tuple(problems))
    _check_width(layout, rows)
    return replace(layout, header=first_row.named(found, read))


def first_rows(text: str, separator: str | None, cut: bool) -> list[list[str]]:
    """Split the beginning of a text into rows. `cut`: the text goes on. Errors: DataError with code `bad_separator`."""
    return _sample_rows(text, _asked_separator(separator) or sniff_separator(text, cut), cut)


def sniff_separator(text: str, cut: bool = False) -> str:
    """Find the separator: the one that splits header and rows into the same number of fields, quotes respected.

    A text that nothing splits evenly is one column; the comma then stands in, as no cell can be cut by it wrongly.
    """
    best: tuple[float, ...] = (0.0,)
    found = ""
    for family, marks in ((1, COMMON), (0, ODD)):
        for rank, mark in enumerate(marks):
            if mark not in text:
                continue
            rows = _sample_rows(text, mark, cut)
            widths = [len(row) for row in rows]
            if not widths:
                continue
            header, body = widths[0], widths[1:] or widths
            width, times = Counter(body).most_common(1)[0]
            share = times / len(body)
            if max(header, width) < 2:
                continue
            agrees = header == width
            if family == 0 and not (agrees and share > 0.95):
                continue
            if not agrees and (share < 0.9 or width < 2):
                continue
            score = (float(agrees), family if share > 0.5 else -1, round(share, 2), float(min(width, header)), -rank)
            if score > best:
                best, found = score, mark
    return found or "\x1e"


@dataclass(frozen=True)
class _Comments:
    count: int
    start: int
    line: int
    last: str

    def is_header(self, separator: str, rest: str) -> bool:
        """A single '#id,name' line is a header when it is as wide as the rows below."""
        rows = _sample_rows(rest, separator, cut=False)
        width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
        return self.count == 1 and width > 1 and len(_record(self.last, separator)[0]) == width


def _past_comments(head: str, position: int, line: int, mark: str) -> tuple[int, int, _Comments | None]:
    comments = None
    while found := re.match(r"([^\r\n]*)(\r\n|\r|\n)", head[position : position + 100_000]):
        if found[1].startswith(mark):
            comments = _Comments((comments.count if comments else 0) + 1, position, line, found[1])
        elif found[1].strip():
            break
        position, line = position + found.end(), line + 1
    return position, line, comments


def _head(text: TextSource) -> tuple[str, bool]:
    """Decode the beginning of a text up to a whole line; say whether more follows."""
    size = _HEAD_BYTES
    with text.path.open("rb") as file:
        while True:
            file.seek(text.start)
            raw = file.read(size)
            if len(raw) < size:
                return raw.decode("utf-8"), False
            end = max(raw.rfind(b"\n"), raw.rfind(b"\r", 0, len(raw) - 1))
            if end >= 0 or size > 16 * 2**20:
                return raw[: end + 1].decode("utf-8"), True
            size *= 4


def _asked_separator(asked: str | None) -> str | None:
    if not asked:
        return None
    mark = _WORDS.get(asked.lower(), asked)
    if len(mark) != 1 or not mark.isascii() or mark in '"\r\n':
        raise DataError(
            "The separator {asked!r} can't be used: it must be one ASCII character other than a quote.",
            "Choose comma, semicolon, tab, pipe or another single character.",
            "bad_separator",
            asked=asked,
        )
    return mark


def _sample_rows(text: str, separator: str, cut: bool) -> list[list[str]]:
    """Split the first rows; the last one is dropped when the text ends in the middle of it."""
    sample = text[:_SNIFF_CHARACTERS]
    if sample.count("\n") + sample.count("\r") < 4:  # very wide rows: take all there is
        sample = text
    rows = []
    for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator):
        if row:
            rows.append(row)
        if len(rows) > _SAMPLE_ROWS:
            return rows
    return rows[:-1] if (cut or len(sample) < len(text)) and len(rows) > 1 else rows


def _record(text: str, separator: str) -> tuple[list[str], int | None]:
    """Split the first record; the end is None when an opened quote never closes."""
    cell = re.compile(rf'"((?:[^"]|"")*)(")?([^{re.escape(separator)}\r\n]*)|([^{re.escape(separator)}\r\n]*)')
    cells: list[str] = []
    position = 0
    while True:
        found = cell.match(text, position)
        assert found is not None  # the second alternative matches the empty string
        if found[1] is not None and found[2] is None:
            return cells, None
        cells.append(found[4] if found[1] is None else found[1].replace('""', '"') + found[3])
        position = found.end()
        if text.startswith(separator, position):
            position += 1
            continue
        if text.startswith("\r\n", position):
            return cells, position + 2
        return cells, min(position + 1, len(text))


def _check_width(layout: Layout, rows: list[list[str]]) -> None:
    wide = Counter(map(len, rows)).most_common(1)
    if not wide or wide[0][0] == len(layout.header) or wide[0][1] < 0.9 * len(rows):
        return
    raise DataError(
        "Header {header} {header:field|fields}, rows {rows} (line {line}).",
        "The header and the rows must have the same number of fields: check for a missing column name, a decimal "
        "comma, or another separator ({separator} was used).",
        "header_width",
        header=len(layout.header),
        rows=wide[0][0],
        line=layout.data_line,
        separator=layout.separator_name,
    )
