"""Columns and rows that give the answer away, so that a good score would mean nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from kd_core.data.checks import links
from kd_core.data.checks.copies import CopiedRows, State
from kd_core.data.plain.counted import plural
from kd_core.data.split import TRAIN, Parts
from kd_core.data.targets import Target
from kd_core.data.types.base import COUNTS_ROWS, TypedColumn
from kd_core.data.types.names import code_like_name, id_like_name, later_like_name, owner_like_name
from kd_core.data.types.number_column import is_row_number
from kd_core.errors import Problem, Says
from kd_core.limits import COPIES_SHARE, ONE_HOT_CATEGORIES

ALONE = 0.9  # share of the target's uncertainty from which one column is taken for the answer itself
MOSTLY = 0.65  # the same, when no other column comes near
LATER, ABOVE_NEXT = 0.1, 1.5  # the same, and how far above the next column, for a name that says: known only afterwards
SUM_SHARE = 0.9999  # R2 from which the target counts as computed from other columns
SUM_COLUMNS = 5
ALWAYS = 0.9995  # share of rows with the answer of the others that have their value
SAME_GROUP = 0.8  # agreement of the target within a group, above chance
_FIT_ROWS = 5_000

_ANSWER = Says(
    "leak_column",
    "warning",
    "{column} alone predicts {target} almost perfectly: it removes {removed:.1f} % of the uncertainty{sampled}.",
    "Drop it unless it is really known before the prediction is needed.",
)
_GIVES = replace(
    _ANSWER,
    message="{column} gives {target} away: rows with the same {column} have the same {target}, in {always:.5g} % of the {known:,} rows "
    "whose value is not the only one of its kind.",
    hint="Leave it out unless it is really known before the prediction is needed.",
)
_FAR_BETTER = replace(
    _ANSWER,
    message="{column} alone predicts {target} far better than any other column: "
    "it removes {removed:.1f} % of the uncertainty{sampled}.",
)
_LATER = Says(
    "leak_later",
    "warning",
    "{column} tells most about {target} (it removes {removed:.1f} % of the uncertainty, the next column "
    "{next:.1f} %{sampled}), and its name suggests that it is known only afterwards.",
    "Drop it unless it is really known before the prediction is needed.",
)
_SUM = Says(
    "leak_sum",
    "warning",
    "{names} together give {target} exactly: it is a weighted sum of them.",
    "Drop them: they are parts of the answer.",
)
_STRADDLES = Says(
    "group_straddles",
    "warning",
    "{count:,} of {of:,} values of {column} have rows both in train and in validation or test, "
    "so the model may recognise them instead of learning.",
    "Set {column} as the group column to keep rows of one value together.",
)
_ROW_NUMBER = Says(
    "row_number",
    "warning",
    "{column} counts the rows: it says where a row stood in the file, nothing else.",
    "Drop it.",
)
_ROW_NUMBER_DROPPED = Says(
    "row_number",
    "warning",
    "{column} counts the rows and is dropped.",
    "Set its type to number to use it all the same.",
)
_ID = Says(
    "id_column",
    "warning",
    "{column} has its own value in (nearly) every row ({count:,} values) and is dropped: "
    "an id says nothing about new rows.",
    "Set its type to number or category to use it all the same.",
)
_COPIES = Says(
    "duplicate_rows",
    "note",
    "{number} of another row (same values in every feature).",
    "Remove copies from the file if they are the same case counted twice.",
)
_COPIES_CROSSING = replace(
    _COPIES,
    severity="warning",
    message="{number} of another row (same values in every feature); "
    "{crossing:,} rows of validation and test also stand in train.",
)
_COPIES_DONE: dict[State, str] = {  # what follows on how many there are
    "natural": "So few different rows can exist that copies are expected; they are split like any rows.",
    "apart": "Copies are split like any rows, as asked.",
    "large": "Keeping copies together would tie {largest:,} of {of:,} rows into one unit (more than {most:.0f} %), "
    "so they are split like any rows.",
    "few": "Keeping copies together would leave fewer than 3 groups to split, so only the groups are kept together.",
    "together": "Copies are kept together on one side of the split.",
}
_COPIES_IN_FOLDS = "Copies are kept together in the teacher's folds, but not in the split: time order goes before."
_COPIES_GIVEN = "Copies are kept together in the teacher's folds; the split stays as {part} gives it."
_OVER_TIME = Says(
    "random_over_time",
    "warning",
    "{column} is a date and the split is random: the model learns from rows newer than some it is tested on.",
    "Split by {column} if it shall predict the future.",
)


def leak_problems(
    typed: Mapping[str, TypedColumn],
    features: list[TypedColumn],
    target: Target,
    explained: Sequence[Mapping[str, float]],
    parts: Parts,
    copied: CopiedRows,
    *,
    group: str | None = None,
    time: str | None = None,
    part: str | None = None,
    ignored: Collection[str] = (),
) -> list[Problem]:
    """List everything that would make the test score too good to be true.

    `explained`: what each column says of every target inside (`Target.each`).
    Shape: `parts` (N,) part of each row, -1 where the row is left out.
    """
    straddling = [] if group or time else _straddling(features, target, parts)
    most = {c.name: max(shares.get(c.name, 0.0) for shares in explained) for c in features}
    told = {p.column for p in straddling if most.get(str(p.column), 0.0) < ALONE}
    summed = _sums(features, target) if target.is_number else []
    named = {c for p in summed for c in p.values["columns"]}
    rest = [c for c in features if c.name not in told | named]
    return [
        *(p for one, shares in zip(target.each, explained, strict=True) for p in _alone(rest, features, one, shares)),
        *summed,
        *straddling,
        *_ids(typed, features, {target.name, group, time, part, *ignored}),
        *_duplicates(copied, parts, time, part),
        *([] if time or part else _times(features)),
    ]


def _sampled(target: Target) -> str:
    rows = int(target.present.sum())
    return f" (looked at {links.SAMPLE_ROWS:,} of {rows:,} rows)" if rows > links.SAMPLE_ROWS else ""


def _alone(
    columns: list[TypedColumn], features: list[TypedColumn], target: Target, explained: Mapping[str, float]
) -> list[Problem]:
    """Find single columns that predict the target (nearly) perfectly."""
    problems = []
    for column in columns:
        share = explained.get(column.name, 0.0)
        others = max((explained.get(c.name, 0.0) for c in features if c.name != column.name), default=0.0)
        certain = share >= 0.98 or _same_order(column, target) if target.is_number else share >= ALONE
        says, more = (_ANSWER if certain else _FAR_BETTER), dict[str, Any]()
        if certain and not target.is_number and column.distinct > len(target.classes):
            always, rows = _always(column, target)
            if always >= ALWAYS:
                says, more = _GIVES, {"always": 100 * always, "known": rows}
        if certain or (not target.is_number and share >= MOSTLY and others < share / 3 and len(features) > 1):
            problems.append(
                says.problem(
                    column.name, target=target.name, removed=100 * share, sampled=_sampled(target), share=share, **more
                )
            )
        elif share >= max(LATER, ABOVE_NEXT * others) and later_like_name(column.name) and len(features) > 1:
            problems.append(
                _LATER.problem(
                    column.name,
                    target=target.name,
                    removed=100 * share,
                    next=100 * others,
                    sampled=_sampled(target),
                    share=share,
                )
            )
    return problems


def _always(column: TypedColumn, target: Target) -> tuple[float, int]:
    """Return the share of rows with the most frequent answer of their value, and how many rows share theirs with others."""
    codes = pd.factorize(column.values)[0]
    keep = target.present & (codes >= 0)
    num_classes = len(target.classes)
    table = np.bincount(codes[keep] * num_classes + target.values[keep], minlength=(codes.max() + 1) * num_classes)
    table = table.reshape(-1, num_classes)
    table = table[table.sum(axis=1) > 1]
    rows = int(table.sum())
    return (float(table.max(axis=1).sum()) / rows if rows else 0.0), rows


def _same_order(column: TypedColumn, target: Target) -> bool:
    """Say whether a number rises and falls with the target in (nearly) every row."""
    if not pd.api.types.is_float_dtype(column.values.dtype):
        return False
    rows = links.sample_rows(target)
    x, y = column.values.to_numpy()[rows], target.values[rows]
    known = ~np.isnan(x)
    if known.sum() < 30 or len(np.unique(x[known])) < 20:
        return False
    together = np.corrcoef(rankdata(x[known]), rankdata(y[known]))[0, 1]
    return bool(abs(together) >= 0.999)


def _sums(features: list[TypedColumn], target: Target) -> list[Problem]:
    """Find a few numeric columns of which the target is a weighted sum."""
    usable = [c for c in features if c.kind in ("number", "boolean")][:200]
    rows = links.sample_rows(target, _FIT_ROWS)
    if len(usable) < 2 or len(rows) < 30:
        return []
    x = np.column_stack(
        [
            c.values.iloc[rows].cat.codes.to_numpy(np.float64) if c.kind == "boolean" else c.values.to_numpy()[rows]
            for c in usable
        ]
    )
    known = ~np.isnan(x).any(axis=1)
    x, y = x[known], target.values[rows][known].astype(np.float64)
    if len(y) < max(30, 3 * len(usable)) or np.ptp(y) == 0:
        return []
    scale = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    y = (y - y.mean()) / y.std()
    weights, share = _fit(x, y)
    if share < SUM_SHARE:
        return []
    chosen = np.flatnonzero(np.abs(weights) > 0.005)
    if not 2 <= len(chosen) <= SUM_COLUMNS or _fit(x[:, chosen], y)[1] < SUM_SHARE:
        return []
    names = [usable[i].name for i in chosen]
    return [_SUM.problem(names[0], names=" and ".join(names), target=target.name, columns=names)]


def _fit(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    weights = np.linalg.lstsq(x, y, rcond=None)[0].astype(np.float64)
    return weights, 1 - float(((y - x @ weights) ** 2).mean())


def _straddling(features: list[TypedColumn], target: Target, parts: Parts) -> list[Problem]:
    """Find columns whose values tie rows together, with rows of one value on both sides of the split."""
    problems = []
    known = parts >= 0
    num_rows = int(known.sum())
    for column in features:
        values = column.values
        named = owner_like_name(column.name) and (
            id_like_name(column.name) or code_like_name(column.name) or column.kind != "number"
        )
        if column.kind not in ("category", "id", "number") or (column.kind == "number" and not named):
            continue
        if column.distinct < max(2 * ONE_HOT_CATEGORIES, num_rows // 2_000):
            continue
        codes = (
            values.cat.codes.to_numpy() if isinstance(values.dtype, pd.CategoricalDtype) else pd.factorize(values)[0]
        )
        keep = known & (codes >= 0)
        codes, inside = np.unique(codes[keep], return_inverse=True)[1], parts[keep]
        sizes = np.bincount(codes)
        if (sizes >= 2).mean() < 0.2 or not (named or _agreement(codes, target, keep) >= SAME_GROUP):
            continue
        train = np.bincount(codes[inside == TRAIN], minlength=len(sizes)) > 0
        both = int((train & (np.bincount(codes[inside != TRAIN], minlength=len(sizes)) > 0)).sum())
        if both:
            problems.append(_STRADDLES.problem(column.name, both, of=len(sizes)))
    return problems


def _agreement(codes: npt.NDArray[np.int64], target: Target, keep: npt.NDArray[np.bool_]) -> float:
    """Measure how alike the target is within values, above chance: 0 like any rows, 1 always the same."""
    if target.inside:
        return float(np.mean([_agreement(codes, one, keep) for one in target.each]))
    known = target.present[keep]
    y, codes, sizes = target.values[keep][known], codes[known], np.bincount(codes[known])
    if target.is_number:
        sums, squares = np.bincount(codes, y), np.bincount(codes, y**2)
        many = sizes >= 2
        within = (squares[many] - sums[many] ** 2 / sizes[many]).sum() / (sizes[many] - 1).sum()
        return float(1 - within / y.var()) if y.var() > 0 else 0.0
    num_classes = len(target.classes)
    _, counts = np.unique(codes * num_classes + y, return_counts=True)
    pairs = float((counts * (counts - 1)).sum()) / float((sizes * (sizes - 1)).sum())
    chance = float(((np.bincount(y, minlength=num_classes) / len(y)) ** 2).sum())
    return (pairs - chance) / (1 - chance)


def _ids(typed: Mapping[str, TypedColumn], features: list[TypedColumn], ignored: set[str | None]) -> list[Problem]:
    """Name the columns that only say which row it is, whether dropped already or kept by hand."""
    problems = []
    used = {c.name for c in features}
    for column in typed.values():
        if column.name in ignored:
            continue
        if column.name in used:
            if column.kind == "number" and is_row_number(column.values.to_numpy()):
                problems.append(_ROW_NUMBER.problem(column.name))
        elif column.kind == "id" and column.why_dropped == COUNTS_ROWS:
            problems.append(_ROW_NUMBER_DROPPED.problem(column.name))
        elif column.kind == "id":
            problems.append(_ID.problem(column.name, column.distinct))
    return problems


def _duplicates(copied: CopiedRows, parts: Parts, time: str | None, part: str | None) -> list[Problem]:
    """Say how many rows are copies, how many of them stand on both sides of the split, and what was done about it."""
    if not copied.count:
        return []
    known = parts >= 0
    same, inside = copied.same[known], parts[known]
    crossing = (np.bincount(same[inside == TRAIN], minlength=int(same.max()) + 1) > 0)[same] & (inside != TRAIN)
    where = np.flatnonzero(known)[crossing]
    rows, count = tuple(int(i) + 1 for i in where[:5]), len(where)
    found = _COPIES_CROSSING if count else _COPIES
    done = _COPIES_DONE[copied.state]
    if copied.state == "together" and (time or part):
        done = _COPIES_GIVEN if part else _COPIES_IN_FOLDS
    says = replace(
        found, severity="note" if copied.state == "natural" else found.severity, message=f"{found.message} {done}"
    )
    return [
        says.problem(
            None,
            copied.count,
            rows,
            number=plural(copied.count, "row is a copy", "rows are copies"),
            copies=copied.count,
            crossing=count,
            state=copied.state,
            largest=copied.largest,
            of=len(same),
            part=part,
            most=100 * COPIES_SHARE,
        )
    ]


def _times(features: list[TypedColumn]) -> list[Problem]:
    return [_OVER_TIME.problem(c.name) for c in features if c.kind == "datetime"]
