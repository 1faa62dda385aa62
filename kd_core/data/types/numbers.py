"""Text cells read as numbers: decimal marks, thousands separators, missing tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kd_core.data.plain.number_text import COMMA, COMMA_THOUSANDS, PLAIN, POINT_THOUSANDS, NumberFormat
from kd_core.data.plain.number_text import text_reader as text_reader
from kd_core.data.types.cells import MISSING_WORDS

__all__ = ["NumberFormat", "count_tokens", "drop_tokens", "find_format", "text_reader", "to_numbers"]


def drop_tokens(text: Any) -> Any:
    """Replace missing tokens such as `NA` and `?` by nulls. Shape: a pyarrow string array, trimmed."""
    tokens = pa.array(MISSING_WORDS, type=text.type)
    return pc.if_else(pc.is_in(text, value_set=tokens), pa.scalar(None, type=text.type), text)


def count_tokens(text: Any) -> dict[str, int]:
    """Count the words for missing, empty cells aside. Shape: a pyarrow string array, trimmed."""
    held = text.filter(pc.is_in(text, value_set=pa.array([w for w in MISSING_WORDS if w], type=text.type)))
    return {str(v["values"]): int(v["counts"]) for v in pc.value_counts(held).to_pylist()}


def _matches(text: Any, pattern: str) -> Any:
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def find_format(sample: Any, decimal: str | None = None) -> tuple[NumberFormat, float]:
    """Find how numbers are written, and the share of the sample that reads so.

    Shape: distinct non-missing texts.
    """
    if len(sample) == 0:
        return NumberFormat(), 0.0
    plain = _matches(sample, PLAIN)
    comma = pc.or_(_matches(sample, COMMA), _matches(sample, COMMA_THOUSANDS))
    point = pc.or_(plain, _matches(sample, POINT_THOUSANDS))
    shares = {
        name: float(pc.mean(pc.cast(m, pa.float64())).as_py())
        for name, m in {"plain": plain, "comma": comma, "point": point}.items()
    }
    if decimal == ",":
        return NumberFormat(",", thousands=True), shares["comma"]
    if decimal == "." or shares["plain"] >= max(shares["comma"], shares["point"]):
        thousands = shares["point"] > shares["plain"]
        return NumberFormat(".", thousands), max(shares["plain"], shares["point"] if thousands else 0.0)
    if shares["comma"] > shares["point"]:
        return NumberFormat(",", thousands=True), shares["comma"]
    # Every comma stands before exactly three digits: thousands, unless the comma reading fits as well.
    ambiguous = shares["comma"] >= shares["point"] and not bool(pc.any(_matches(sample, r",\d{3}[,.]")).as_py())
    return NumberFormat(".", thousands=True, ambiguous=ambiguous), shares["point"]


def to_numbers(text: Any, form: NumberFormat) -> tuple[npt.NDArray[np.float64], list[str], npt.NDArray[np.bool_]]:
    """Read texts as float64.

    Shape: (N,) texts with nulls -> (N,) values with NaN, the distinct texts that are no numbers, (N,) where they are.
    """
    if form == NumberFormat():
        try:
            return _cast(text), [], np.zeros(len(text), bool)
        except pa.ArrowInvalid:
            pass  # some cell is no plain number: find out which, below
    encoded = pc.dictionary_encode(text)
    unique = encoded.dictionary
    clean = unique
    if form.decimal == ",":
        good = pc.or_(_matches(unique, COMMA), _matches(unique, COMMA_THOUSANDS))
        clean = pc.replace_substring(pc.replace_substring_regex(clean, r"[. ’'\x{00A0}\x{202F}]", ""), ",", ".")
    elif form.thousands:
        good = pc.or_(_matches(unique, PLAIN), _matches(unique, POINT_THOUSANDS))
        clean = pc.replace_substring_regex(clean, r"[, ’'\x{00A0}\x{202F}]", "")
    else:
        good = _matches(unique, PLAIN + r"|^[+-]?([iI]nf|[iI]nfinity|INF|∞)$")
        clean = pc.replace_substring(clean, "∞", "inf")
    values = _cast(pc.if_else(good, clean, pa.scalar(None, type=clean.type)))
    bad = [str(v) for v in unique.filter(pc.invert(good)).to_pylist()]
    codes = pc.fill_null(encoded.indices, len(unique)).to_numpy(zero_copy_only=False)
    is_bad = np.append(~good.to_numpy(zero_copy_only=False), False)
    return np.append(values, np.nan)[codes], bad, is_bad[codes]


def _cast(text: Any) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    return values
