"""The body of a request read as rows, and what is wrong with it said as a status and a message."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from kd_core import limits
from kd_core.data.pictures import decoding
from kd_core.errors import KDError
from kd_core.serving.served import Served

_PREFIX = "data:image/"  # as browsers write the content of a file
USAGE = 'Send {{"rows": [{{...}}, ...]}} or {{"row": {{...}}}}; GET / shows an example.'


class Refused(KDError):
    """A request that can't be answered, with the HTTP status that says whose fault it is."""

    def __init__(self, status: int, message: str, hint: str, code: str, **values: Any) -> None:
        super().__init__(message, hint, code, **values)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """The rows of a request. `alone`: it holds one row and wants one answer, no list."""

    rows: Sequence[Any]
    alone: bool


def read(body: bytes, served: Served) -> Asked:
    """Read a body. Errors: Refused `bad_json`, `bad_request`, `too_many_rows`, `bad_picture`, `too_many_pixels`."""
    asked = _rows(_parsed(body))
    if len(asked.rows) > limits.SERVE_ROWS:
        raise Refused(
            413,
            "The request holds {count:,} rows; at most {most:,} are answered at once.",
            "Send them in several requests.",
            "too_many_rows",
            count=len(asked.rows),
            most=limits.SERVE_ROWS,
        )
    return Asked(_with_pictures(asked.rows, served), asked.alone)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant, parse_int=_whole)
    except RecursionError:
        why = "it is nested too deeply"
    except UnicodeDecodeError as error:
        why = f"it is no UTF-8 (byte {error.start:,})"
    except json.JSONDecodeError as error:
        why = f"{error.msg}, line {error.lineno}, column {error.colno}"
    except ValueError as error:  # numbers of thousands of digits, NaN
        why = str(error)[:120]
    raise Refused(400, "The request is no JSON: {why}.", USAGE, "bad_json", why=why)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON; write null where a value is missing")


def _whole(digits: str) -> int | float:
    """Read a whole number; one beyond 64 bits as the float that arrays hold."""
    return int(digits) if len(digits) < 19 else float(digits)


def _rows(given: Any) -> Asked:
    if not isinstance(given, dict):
        raise _bad("The request is {found}, not an object", found=_named(given))
    if more := [key for key in given if key not in ("row", "rows")]:
        raise _bad("The request holds '{key}', which is unknown", key=more[0][:80])
    if len(given) != 1:
        raise _bad("The request holds {found}", found="both 'row' and 'rows'" if given else "neither 'row' nor 'rows'")
    if "row" in given:
        return Asked([_row(given["row"], 1)], True)
    if not isinstance(given["rows"], list):
        raise _bad("'rows' is {found}, not a list", found=_named(given["rows"]))
    return Asked([_row(row, number) for number, row in enumerate(given["rows"], 1)], False)


def _row(row: Any, number: int) -> Any:
    if not isinstance(row, dict | list):
        raise _bad("Row {number:,} is {found}, neither an object nor a list", number=number, found=_named(row))
    return row


def _named(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _bad(message: str, **values: Any) -> Refused:
    return Refused(422, f"{message}.", USAGE, "bad_request", **values)


def _with_pictures(rows: Sequence[Any], served: Served) -> Sequence[Any]:
    """Turn base64 into the bytes of files, in columns of pictures. What a list holds is found by its place."""
    if not served.pictures:
        return rows
    names, found, pixels = list(served.types), list[Any](), 0
    for number, row in enumerate(rows, 1):
        changed: Any = row.copy()
        for name in served.pictures:
            key: Any = name if isinstance(row, dict) else names.index(name)
            try:
                cell = changed[key]
            except LookupError:  # the reader of rows says what is missing
                continue
            if cell is not None:
                changed[key] = _picture(cell, number, name)
                pixels += _size(changed[key])
        found.append(changed)
    if pixels > limits.PICTURE_PIXELS:
        raise Refused(
            413,
            "The pictures of the request have {pixels:,} pixels; at most {most:,} are read at once.",
            "Send smaller ones, or several requests.",
            "too_many_pixels",
            pixels=pixels,
            most=limits.PICTURE_PIXELS,
        )
    return found


def _picture(cell: Any, number: int, name: str) -> bytes:
    if isinstance(cell, str):
        text = cell.partition(",")[2] if cell.startswith(_PREFIX) else cell
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise Refused(
        422,
        "Row {number:,}: '{name}' holds {found}, not a picture.",
        "Send the content of a PNG, JPEG, WebP or BMP file as base64, or null where there is none.",
        "bad_picture",
        number=number,
        name=name,
        found="a text that is no base64" if isinstance(cell, str) else _named(cell),
    )


def _size(data: bytes) -> int:
    """Count the pixels that a picture claims; 0 where its head can't be read, which the reader of rows says."""
    try:
        with Image.open(io.BytesIO(data), formats=decoding.FORMATS) as picture:
            return picture.size[0] * picture.size[1]
    except Exception:  # hostile bytes raise anything
        return 0
