"""Delimited text: CSV, TSV and their relatives, in any common encoding."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from kd_core import limits
from kd_core.data.files.caps import check_counts
from kd_core.data.files.delimited import Layout, lay_out
from kd_core.data.files.frames import long_cells
from kd_core.data.files.lines import find_ragged, find_unclosed_quote, line_of_byte, without_comments
from kd_core.data.files.text_source import LINE_BYTES, TextSource, plain_text
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.columns import find_index_column, name_columns
from kd_core.errors import DataError, Problem, Says, raise_problems
from kd_core.specs import ReadSpec

_RAGGED = Says(
    "ragged_rows",
    "error",
    "{count:,} {count:row does|rows do} not have {width} fields; lines (fields): {shown}.",
    "Check for separators or quotes inside cells, or choose another separator.",
)
_RAGGED_LEFT_OUT = Says(
    "ragged_rows",
    "warning",
    "{count:,} {count:row does|rows do} not have {width} fields; lines (fields): {shown}. {count:It was|They were} left out.",
    "Check for separators or quotes inside cells.",
)


@READERS.register(
    "csv",
    title="CSV or other delimited text",
    extensions=(".csv", ".tsv", ".txt", ".tab", ".psv", ".dat"),
    recognises=None,
    noun="delimited text",
    starts="text",
)
def read_csv(path: Path, read: ReadSpec, name: str) -> Table:
    """Read every cell as text; types are inferred later, so that a label `NA` is not lost.

    Errors: DataError naming all problems at once, with counts and line numbers.
    """
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        text = plain_text(path, read.encoding, Path(folder))
        if read.comment:
            text = without_comments(text, read.comment, Path(folder))
        if not text.size_bytes:
            raise DataError("{name} holds no text.", "Choose another file.", "empty_file", name=name)
        if text.nuls:
            raise _nul_error(text)
        if text.endless_line is not None:
            raise _line_error(text.endless_line)
        layout = lay_out(text, read, name)
        _check_size(text, layout, name)
        arrow, ragged = _parse(text, layout)
        _check_end(arrow, text, layout)
        names, named = name_columns(layout.header, compared=True)
        problems = [*text.problems, *layout.problems, *named, *long_cells(arrow, names)]
        if ragged:
            problems.append(_ragged_problem(text, layout, ragged, arrow.num_rows))
    raise_problems(problems)
    check_counts(name, arrow.num_rows, len(names))
    frame = arrow.rename_columns(names).to_pandas()
    problems += find_index_column(frame, layout.header)
    understood = {"separator": layout.separator_name if len(names) > 1 else "one column", "encoding": text.encoding}
    if not layout.found.names:
        understood["header"] = "no row of names"
    found = {"separator": layout.separator, "encoding": text.codec, "header": layout.found.decided}
    asked = {"names": read.names if layout.found.names else tuple(names), "comment": read.comment}
    settled = ReadSpec.model_validate({**found, **asked})
    return Table(frame, "csv", understood, tuple(problems), (), path.stat().st_size, layout.found, settled=settled)


def _nul_error(text: TextSource) -> DataError:
    assert text.first_nul is not None
    return DataError(
        "{count:,} NUL {count:byte|bytes}, the first at byte {offset:,} (line {line:,}).",
        "The file is damaged or not text. Export it again as text.",
        "nul_bytes",
        count=text.nuls,
        offset=text.first_nul,
        line=line_of_byte(text, text.first_nul),
    )


def _line_error(line: int) -> DataError:
    return DataError(
        "Line {line:,} is too long: more than {limit} MB without a line break.",
        "Write one row per line; a line break, or the end of a quote, may be missing.",
        "line_too_long",
        line=line,
        limit=LINE_BYTES // 2**20,
    )


def _check_size(text: TextSource, layout: Layout, name: str) -> None:
    """Refuse before parsing: without quotes, every line is a row, so the line breaks count the rows."""
    if not text.quotes and text.newlines > limits.ROWS:
        check_counts(name, text.newlines, len(layout.header))


def _parse(text: TextSource, layout: Layout) -> tuple[pa.Table, int]:
    """Parse with Arrow: (table of text columns, number of rows of another width)."""
    keys = [str(i) for i in range(len(layout.header))]
    most = max(1000, text.newlines // 10)
    ragged = 0

    def count(row: Any) -> str:
        nonlocal ragged
        ragged += 1
        return "skip" if ragged <= most else "error"

    with pa.OSFile(str(text.path)) as file:
        file.seek(layout.data_offset)
        try:
            table = pacsv.read_csv(
                file,
                pacsv.ReadOptions(column_names=keys, block_size=LINE_BYTES),
                pacsv.ParseOptions(
                    delimiter=layout.separator, newlines_in_values=text.quotes > 0, invalid_row_handler=count
                ),
                pacsv.ConvertOptions(
                    check_utf8=False, strings_can_be_null=False, column_types=dict.fromkeys(keys, pa.large_string())
                ),
            )
        except pa.ArrowInvalid as error:
            if ragged > most:
                return pa.table({key: pa.array([], pa.large_string()) for key in keys}), ragged
            if "Empty CSV" in str(error):
                return pa.table({key: pa.array([], pa.large_string()) for key in keys}), ragged
            raise _parse_error(text, layout, str(error)) from None
    return table, ragged


def _parse_error(text: TextSource, layout: Layout, reason: str) -> DataError:
    quote = find_unclosed_quote(text, layout)
    if quote is not None:
        return _quote_error(quote)
    return (
        DataError(
            "A cell or line is longer than {limit} MB.",
            "Check for a missing quote or line break.",
            "cell_too_long",
            limit=LINE_BYTES // 2**20,
        )
        if "straddl" in reason
        else DataError(
            "The text can't be split into rows: {reason}.", "Save it again as CSV (UTF-8).", "bad_csv", reason=reason
        )
    )


def _quote_error(line: int) -> DataError:
    return DataError(
        "A quote opened in line {line:,} is never closed.",
        "Close it, or double it if it belongs to the text.",
        "unclosed_quote",
        line=line,
    )


def _check_end(table: pa.Table, text: TextSource, layout: Layout) -> None:
    """Refuse a quote that is still open at the end of the text."""
    if text.quotes and _suspicious_end(table, text):
        line = find_unclosed_quote(text, layout)
        if line is not None:
            raise _quote_error(line)


def _suspicious_end(table: pa.Table, text: TextSource) -> bool:
    """Only then a slow exact search is worth its time: an odd number of quotes, or a last cell over several lines."""
    if text.quotes % 2 or not table.num_rows:
        return True
    last = table.column(table.num_columns - 1)[-1].as_py()
    return "\n" in last or "\r" in last


def _ragged_problem(text: TextSource, layout: Layout, count: int, rows: int) -> Problem:
    lines = find_ragged(text, layout)
    width = len(layout.header)
    shown = ", ".join(f"{line:,} ({fields})" for line, fields in lines)
    few = count <= limits.RAGGED_SHARE * (rows + count)
    says = _RAGGED_LEFT_OUT if few else _RAGGED
    return says.problem(count=count, width=width, shown=shown, lines=[line for line, _ in lines])
