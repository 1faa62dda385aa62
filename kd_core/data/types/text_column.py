"""Columns of text cells: numbers, dates and flags written as text, categories, free text, ids."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kd_core.data.plain.counted import plural
from kd_core.data.types import dates, numbers
from kd_core.data.types.base import (
    BIG_INTEGER,
    FALSE_WORDS,
    FEW_BAD,
    NEAR_UNIQUE,
    TRUE_WORDS,
    ColumnType,
    TypedColumn,
    finish,
    row_numbers,
    shown_rows,
)
from kd_core.data.types.cells import LIKELY_MISSING, MISSING_WORDS, looks_like_date
from kd_core.data.types.names import id_like_name
from kd_core.data.types.number_column import not_boolean, number_column
from kd_core.errors import Problem, Says
from kd_core.limits import ONE_HOT_CATEGORIES
from kd_core.specs import ColumnKind

_SAMPLE = 2_000  # cells looked at before the whole column is read in the likeliest way
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_NOT_NUMBERS = Says(
    "not_numbers",
    "warning",
    "Column {column}: {number} {are} no number ({some}; {where}).",
    "Read as missing; set the column's type to category if these are real values.",
)
_DECIMAL_COMMA = Says("decimal_comma", "note", "Column {column} uses a decimal comma.")
_AMBIGUOUS_COMMA = Says(
    "ambiguous_comma",
    "warning",
    "Column {column}: values such as {some} are read with a thousands comma.",
    "Set the decimal mark to ',' if the comma is a decimal comma.",
)
_LEADING_ZEROS = Says(
    "leading_zeros",
    "warning",
    "Column {column}: {number} starting with 0, such as {some} ({where}).",
    "Kept as text, so that 007 stays 007; set the type to number if the zeros mean nothing.",
)
_BIG_INTEGERS = Says(
    "big_integers",
    "warning",
    "Column {column}: {number} larger than 2^63 ({where}); the column is treated as text.",
    "Drop the column, or set its type to number and lose the last digits.",
)
_NOT_DATES = Says(
    "not_dates", "warning", "Column {column}: {number} that {are} no date ({some!r}; {where}).", "Read as missing."
)
_DAY_OR_MONTH = Says(
    "day_or_month",
    "warning",
    "Column {column}: {some} is read as {form}; day and month could be swapped.",
    "Write dates as 2024-01-31 to be sure.",
)
_UNICODE_MERGED = Says(
    "unicode_forms",
    "warning",
    "Column {column}: {merged} merged with another: they are written in two Unicode forms that look the same ({where}).",
    "Nothing to do, unless they mean different things: then write them differently.",
)
_UNICODE_CHANGED = Says("unicode_forms", "note", "Column {column}: {number} normalised to Unicode NFC.")
_SPACES_MERGED = Says(
    "outer_spaces",
    "warning",
    "Column {column}: {merged} merged with another: they differ only by spaces around them ({where}).",
    "Nothing to do, unless they mean different things: then write them differently.",
)
_SPACES_REMOVED = Says("outer_spaces", "note", "Column {column}: spaces around {number} removed.")
_SPELLINGS_MERGED = Says(
    "spellings_merged",
    "note",
    "Column {column}: {true_words} read as {true}; {false_words} read as {false}.",
    "Set the type to category to keep them apart.",
)


def text_column(
    array: Any, name: str, kind: ColumnKind | None, decimal: str | None = None, missing: bool | None = None
) -> TypedColumn:
    """Type a column whose cells are text. `missing` as in `understand`. Shape: (N,) pyarrow strings with nulls."""
    array = pc.cast(array, pa.large_string())
    trimmed = pc.utf8_trim_whitespace(array)
    problems: list[Problem] = []
    if kind is None:
        every = max(1, len(trimmed) // _SAMPLE)
        sample = numbers.drop_tokens(trimmed.take(pa.array(np.arange(0, len(trimmed), every)))).drop_null().unique()
        if len(sample) == 0:
            sample = numbers.drop_tokens(trimmed).drop_null().unique()[:_SAMPLE]
    else:
        sample = numbers.drop_tokens(trimmed).drop_null()[:_SAMPLE].unique()
    if kind in (None, "number", "boolean") or (kind == "datetime" and numbers.find_format(sample, decimal)[1] >= 0.9):
        found = _as_numbers(trimmed, sample, name, kind, decimal, problems)
        if found is not None:
            return replace(found, words=numbers.count_tokens(trimmed))
    if kind in (None, "datetime"):
        found = _as_dates(trimmed, sample, name, kind, problems)
        if found is not None:
            return replace(found, words=numbers.count_tokens(trimmed))
    return _as_labels(array, trimmed, name, kind, missing, problems)


def _as_numbers(
    trimmed: Any, sample: Any, name: str, kind: ColumnKind | None, decimal: str | None, problems: list[Problem]
) -> TypedColumn | None:
    """Read as numbers, or return None when the column is not mostly numbers or must stay text."""
    form, share = numbers.find_format(sample, decimal)
    if kind != "number" and share < 0.9:
        return None
    text = numbers.drop_tokens(trimmed)
    values, bad, where = numbers.to_numbers(text, form)
    count = int(where.sum())
    if kind != "number":
        if count and (len(bad) > FEW_BAD or count > 0.05 * len(values)):
            return None
        if not np.isfinite(values).any():
            return None
        whole = bool(np.all((values == np.floor(values)) | np.isnan(values) | np.isinf(values)))
        if whole and form == numbers.NumberFormat() and _must_stay_text(text, values, name, problems):
            return None
    if count:
        rows, some = row_numbers(where), ", ".join(repr(b) for b in bad[:3])
        problems.append(
            _NOT_NUMBERS.problem(
                name,
                count,
                rows,
                number=plural(count, "cell"),
                are="are" if count > 1 else "is",
                some=some,
                where=shown_rows(rows, count),
            )
        )
    if form.decimal == ",":
        problems.append(_DECIMAL_COMMA.problem(name))
    elif form.ambiguous:
        problems.append(_AMBIGUOUS_COMMA.problem(name, some=sample[0].as_py()))
    return number_column(values, name, kind, form, problems)


def _must_stay_text(text: Any, values: Any, name: str, problems: list[Problem]) -> bool:
    """Say whether digits are a code: leading zeros, or more digits than a 64-bit integer holds."""
    zeros = pc.fill_null(pc.match_substring_regex(text, r"^0\d"), False)
    if pc.any(zeros).as_py():
        where = zeros.to_numpy(zero_copy_only=False)
        count, rows = int(where.sum()), row_numbers(where)
        problems.append(
            _LEADING_ZEROS.problem(
                name,
                count,
                rows,
                number=plural(count, "value"),
                some=text[rows[0] - 1].as_py(),
                where=shown_rows(rows, count),
            )
        )
        return True
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    if finite.max(initial=0.0) >= BIG_INTEGER:
        digits = pc.fill_null(pc.match_substring_regex(text, r"^[+-]?\d{19,}$"), False).to_numpy(zero_copy_only=False)
        where = digits & (finite >= BIG_INTEGER)
        if where.any():
            count, rows = int(where.sum()), row_numbers(where)
            problems.append(
                _BIG_INTEGERS.problem(name, count, rows, number=plural(count, "integer"), where=shown_rows(rows, count))
            )
            return True
    return False


def _as_dates(
    trimmed: Any, sample: Any, name: str, kind: ColumnKind | None, problems: list[Problem]
) -> TypedColumn | None:
    """Read as dates, or return None when the column's cells are no dates."""
    texts = [str(v) for v in sample.to_pylist()]
    likely = [t for t in texts if looks_like_date(t)]
    if kind is None and (not likely or len(likely) < 0.95 * len(texts)):
        return None
    found = dates.find_format(likely)
    if found is None and kind is None:
        return None
    form, swappable = found or (dates.ISO, False)
    encoded = pc.dictionary_encode(numbers.drop_tokens(trimmed))
    unique = [str(v) for v in encoded.dictionary.to_pylist()]
    if swappable:  # the sample did not decide between day and month; all values may
        form, swappable = dates.find_format([u for u in unique if looks_like_date(u)]) or (form, True)
    values = dates.or_year_first(dates.coerce_dates(unique, form), unique)
    codes = pc.fill_null(encoded.indices, len(unique)).to_numpy(zero_copy_only=False)
    bad = np.append(np.isnat(values), False)[codes]
    count = int(bad.sum())
    if kind is None and count > 0.05 * len(codes):
        return None
    if count:
        rows = row_numbers(bad)
        problems.append(
            _NOT_DATES.problem(
                name,
                count,
                rows,
                number=plural(count, "cell"),
                are="are" if count > 1 else "is",
                some=unique[codes[rows[0] - 1]],
                where=shown_rows(rows, count),
            )
        )
    if swappable:
        problems.append(_DAY_OR_MONTH.problem(name, some=unique[0], form=form))
    full = np.append(values, np.datetime64("NaT", "us"))[codes]
    return finish(name, ColumnType("datetime", date_format=form), pd.Series(full), problems)


def _as_labels(
    array: Any, trimmed: Any, name: str, kind: ColumnKind | None, missing: bool | None, problems: list[Problem]
) -> TypedColumn:
    """Read as labels: outer spaces removed, NFC, look-alikes merged; then decide what the labels are."""
    clean = trimmed
    if not pc.all(pc.string_is_ascii(pc.fill_null(trimmed, ""))).as_py():
        clean = pc.utf8_normalize(trimmed, form="NFC")
        _note_merge(trimmed, clean, name, _UNICODE_MERGED, _UNICODE_CHANGED, problems)
    spaced = pc.not_equal(array, trimmed)
    if pc.any(spaced).as_py():
        _note_merge(array, trimmed, name, _SPACES_MERGED, _SPACES_REMOVED, problems)
    meant = LIKELY_MISSING if missing is None else MISSING_WORDS if missing else ()
    tokens = numbers.count_tokens(clean)
    words, kept = ({w: n for w, n in tokens.items() if (w in meant) == side} for side in (True, False))
    empty = pc.is_in(clean, value_set=pa.array(["", *meant], type=clean.type))
    encoded = pc.dictionary_encode(pc.if_else(empty, pa.scalar(None, type=clean.type), clean))
    unique = encoded.dictionary
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    if kind in (None, "boolean"):
        flags = _as_flags(unique, codes, name, problems)
        if flags is not None:
            return replace(flags, type=replace(flags.type, missing=meant), words=words)
    counts = np.bincount(codes[codes >= 0], minlength=len(unique))
    if kind == "boolean" and len(unique) > 2:
        problems.append(not_boolean(name, len(unique)))
    if kind is None or kind in ("number", "datetime", "boolean"):
        kind = _label_kind(unique, counts, name)
    if kind in ("text", "items", "id", "constant"):
        values = pd.Series(np.array([*unique.to_pylist(), None], dtype=object)[codes], dtype="str")
    else:
        order = np.argsort(np.array(unique.to_pylist(), dtype=object), kind="stable")
        rank = np.empty(len(order) + 1, np.int64)
        rank[order], rank[-1] = np.arange(len(order)), -1
        labels = pd.Index(unique.take(pa.array(order)).to_pylist(), dtype="str")
        values = pd.Series(pd.Categorical.from_codes(rank[codes], labels))
    said = [t for t in unique.to_pylist() if t.casefold() in ("false", "true")] if kind == "category" else []
    truth = tuple(sorted(said, key=str.casefold)) if len({t.casefold() for t in said}) == len(said) == 2 else ()
    found = finish(name, ColumnType(kind, missing=meant, truth=truth), values, problems, len(unique))
    return replace(found, words=words, kept=() if kind in ("id", "text") else tuple(sorted(kept)))


def _note_merge(before: Any, after: Any, name: str, merging: Says, changing: Says, problems: list[Problem]) -> None:
    """Say that labels were changed, and whether any were merged by it."""
    changed = pc.fill_null(pc.not_equal(before, after), False).to_numpy(zero_copy_only=False)
    count = int(changed.sum())
    if not count:
        return
    merged = pc.count_distinct(before).as_py() - pc.count_distinct(after).as_py()
    rows = row_numbers(changed)
    if merged:
        said = merging.problem(name, count, rows, merged=plural(merged, "label"), where=shown_rows(rows, count))
    else:
        said = changing.problem(name, count, rows, number=plural(count, "value"))
    problems.append(said)


def _as_flags(unique: Any, codes: Any, name: str, problems: list[Problem]) -> TypedColumn | None:
    """Read yes/no words as a boolean, one spelling for each side, or return None."""
    if not 2 <= len(unique) <= 10:
        return None
    texts = [str(v) for v in unique.to_pylist()]
    truth = [True if t.casefold() in TRUE_WORDS else False if t.casefold() in FALSE_WORDS else None for t in texts]
    if None in truth or len(set(truth)) < 2:
        return None
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    side = np.array([bool(t) for t in truth], dtype=np.int64)
    names = [
        texts[max((i for i in range(len(texts)) if side[i] == s), key=lambda i: (counts[i], texts[i]))] for s in (0, 1)
    ]
    spelling = {t: names[s] for t, s in zip(texts, side, strict=True) if t != names[s]}
    if spelling:
        groups = [" and ".join([names[s], *(t for t, n in spelling.items() if n == names[s])]) for s in (1, 0)]
        problems.append(
            _SPELLINGS_MERGED.problem(
                name, true_words=groups[0], true=names[1], false_words=groups[1], false=names[0], map=spelling
            )
        )
    held = np.append(side, -1)[codes]
    values = pd.Series(pd.Categorical.from_codes(held, pd.Index(names, dtype="str")))
    return finish(name, ColumnType("boolean", spelling=spelling, truth=tuple(names)), values, problems, 2)


def _label_kind(unique: Any, counts: Any, name: str) -> ColumnKind:
    """Tell categories from free text and from ids."""
    distinct, present = len(unique), int(counts.sum())
    if distinct <= ONE_HOT_CATEGORIES:
        return "category"
    some = [str(v) for v in unique[:: max(1, distinct // 1000)].to_pylist()]
    words = float(np.mean([1 + t.count(" ") + len(_WIDE.findall(t)) / 2 for t in some]))
    length = float(np.mean([len(t) for t in some]))
    if (words >= 3 and distinct > 0.2 * present) or (length > 60 and words >= 3):
        return "text"
    if distinct >= NEAR_UNIQUE * present and (present >= 100 or id_like_name(name)):
        return "id"
    return "category"
