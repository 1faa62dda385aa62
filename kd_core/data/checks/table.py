"""What is odd about a table as a whole, said once and at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kd_core.data.dataset import SPLITS
from kd_core.data.plain.counted import plural
from kd_core.data.split import Parts
from kd_core.data.targets import Target, near
from kd_core.data.types.base import TypedColumn, row_numbers, shown_rows
from kd_core.errors import Problem, Says
from kd_core.limits import MIN_ROWS
from kd_core.specs import ColumnKind
from kd_core.task import task_of

_FILL_NUMBERS = "Numbers are filled with the median and flagged as missing."
_FILL_OTHERS = "In {names}, missing counts as a value of its own."
FEW_TEST_ROWS = 100  # below: one row moves accuracy by more than a point
RARE_SHARE = 0.05  # of the rows; a rarer class makes accuracy say little
_ORDER = {"error": 0, "warning": 1, "note": 2}

_UNKNOWN_COLUMN = Says("unknown_column", "error", "No column {column!r} ({role}).", "{guess}Columns: {listed}.")
_TWICE = Says("target_twice", "error", "{column} is named as a target twice.", "Name every target once.")
_TWO_ROLES = Says("target_role", "error", "{column} is the target and {role} at once.", "Choose one of the two.")
_NOT_IN_TRAIN = Says(
    "class_not_in_train",
    "error",
    "The {part} part holds no row of {number}: {listed}.",
    "Choose another group or time column, or a random split.",
)
_NOT_IN_TEST = Says(
    "class_not_in_test",
    "warning",
    "The {part} part holds no row of {number}: {listed}.",
    "Their quality can't be measured there; choose another split if they matter.",
)
_NOT_IN = {
    "train": _NOT_IN_TRAIN,
    "validation": replace(_NOT_IN_TEST, code="class_not_in_validation"),
    "test": _NOT_IN_TEST,
}
_SMALL_TEST = Says(
    "small_test",
    "warning",
    "The test part holds only {number}, so intervals are wide: a verdict will often stay open.",
    "Read small gains with care, add rows, or test on a larger share.",
)
_SMALL_TEST_OF_CLASSES = replace(
    _SMALL_TEST,
    message="The test part holds only {number}: one row is {points:.1f} points of accuracy. "
    "Intervals are wide with so few, and a verdict will often stay open.",
)
_RARE_CLASS = Says(
    "rare_class",
    "warning",
    "Only {count:,} of {total:,} rows ({share:.2g} %) have {column} = {rare}, {tested:,} of them in the test part: "
    "a model that never answers {rare} is right in {right:.1f} %.",
    "Judge by PR-AUC and recall, not by accuracy; class weights 'balanced' make students look for rare rows. Where few rows say yes, the "
    "threshold from which an answer is yes is chosen on validation rows.",
)
_TOO_FEW_ROWS = Says("too_few_rows", "error", "{count:,} data rows; at least {least} are needed.", "Add rows.")
_NO_TARGET = Says("no_target", "error", "No column to predict is chosen.", "Choose a target.")
_NO_FEATURES = Says(
    "no_features", "error", "No column is left to predict from.", "Keep at least one column, or set its type by hand."
)
_NO_FEATURES_WHY = replace(_NO_FEATURES, message="No column is left to predict from. {reasons}")
_MISSING_CELLS = Says("missing_cells", "warning", "{number} {have} {empty} in {names} ({where}).", "{fills}")
_EMPTY_CELL = replace(_MISSING_CELLS, message="{number} {have} an empty cell in {names} ({where}).")
_MISSING_WORDS = Says(
    "missing_words", "warning", "{number} with a word for missing in {among}: {listed}.", "Counted as missing."
)
_WORDS_KEPT = Says(
    "missing_words_kept",
    "note",
    "Kept as a value, not read as missing: {listed}.",
    "Say so if it marks a missing cell.",
)
_CODE = Says(
    "numeric_codes",
    "warning",
    "{names} looks numeric but takes {span} whole values that look like codes.",
    "Treated as categories; set the type to number if they measure something.",
)
_CODES = replace(_CODE, message="{names} look numeric but take {span} whole values that look like codes.")
_DROPPED = Says("constant_column", "note", "Column {column} is dropped: {why}.")


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Put errors first, then warnings, then notes; otherwise keep the order."""
    return tuple(sorted(problems, key=lambda p: _ORDER[p.severity]))


def unknown_columns(named: Mapping[str, Collection[str | None]], known: list[str]) -> list[Problem]:
    """Name every column that was asked for and is not there, with the nearest that is."""
    problems = []
    for role, names in named.items():
        for name in names:
            if name is not None and name not in known:
                problems.append(
                    _UNKNOWN_COLUMN.problem(name, role=role, guess=near(name, known), listed=_shortened(known, most=20))
                )
    return problems


def role_problems(
    target: str | None,
    drop: Collection[str],
    group: str | None,
    time: str | None,
    part: str | None = None,
    more: Sequence[str] = (),
) -> list[Problem]:
    """Name targets that have a second role, which can't be, or that are named twice. `more`: those beside the first."""
    held = {"the group column": group, "the time column": time, "the column of parts": part}
    if target is None:
        return []
    every = [target, *more]
    problems = [_TWICE.problem(name) for name in dict.fromkeys(every) if every.count(name) > 1]
    for one in dict.fromkeys(every):
        roles = [("dropped", one in drop), *((role, one == name) for role, name in held.items())]
        problems += [_TWO_ROLES.problem(one, role=role) for role, clash in roles if clash]
    return problems


def table_problems(
    typed: Mapping[str, TypedColumn], features: list[TypedColumn], target: str | None, kinds: Mapping[str, ColumnKind]
) -> list[Problem]:
    """Check the table as a whole: rows, missing cells, codes, dropped columns."""
    return [
        *_size(typed, features, target),
        *_missing(features),
        *_missing_words([*features, *(c for c in typed.values() if c.name == target)]),
        *_codes(features, kinds),
        *_dropped(typed),
    ]


def split_problems(target: Target, parts: Parts) -> list[Problem]:
    """Name the classes that a part of the split does not hold: a model can't learn, or nobody can measure, them."""
    problems = []
    for index, part in enumerate(SPLITS):
        if target.is_number or target.values.dtype.kind == "f":  # of several: each is its own (`Task.read`)
            break
        counts = _rows_of(target, parts == index)
        gone = [c for c, n in zip(target.classes, counts, strict=True) if n == 0]
        if gone:
            problems.append(
                _NOT_IN[part].problem(
                    target.name,
                    len(gone),
                    part=part,
                    number=plural(len(gone), "label") if target.inside else plural(len(gone), "class", "classes"),
                    listed=_shortened(gone),
                )
            )
    return [*problems, *_weak_evidence(target, parts)]


def _rows_of(target: Target, where: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count the rows of each class, or with each label."""
    y = target.values[where].astype(np.int64)
    return y.sum(axis=0) if y.ndim > 1 else np.bincount(y, minlength=len(target.classes))


def _weak_evidence(target: Target, parts: Parts) -> list[Problem]:
    """Warn of a test part, or of a class, too small for the verdict to say much about new rows."""
    problems = []
    test = parts == SPLITS.index("test")
    rows = int(test.sum())
    if 0 < rows < FEW_TEST_ROWS:
        of_classes = target.task is None or task_of(target.task).has_classes
        small = _SMALL_TEST_OF_CLASSES if of_classes else _SMALL_TEST
        problems.append(small.problem(None, rows, number=plural(rows, "row"), points=100 / rows))
    if len(target.counts) != 2 or target.inside:
        return problems
    rare = int(np.argmin(target.counts))
    count, total, name = target.counts[rare], sum(target.counts), target.classes[rare]
    if count < RARE_SHARE * total:
        share = 100 * count / total
        problems.append(
            _RARE_CLASS.problem(
                target.name,
                count,
                total=total,
                share=share,
                rare=name,
                tested=int((target.values[test] == rare).sum()),
                right=100 - share,
            )
        )
    return problems


def _size(typed: Mapping[str, TypedColumn], features: list[TypedColumn], target: str | None) -> list[Problem]:
    problems = []
    rows = len(next(iter(typed.values())).values) if typed else 0
    if rows < MIN_ROWS and target is None:
        problems.append(_TOO_FEW_ROWS.problem(count=rows, least=MIN_ROWS))
    if target is None and rows:
        problems.append(_NO_TARGET.problem())
    if not features and typed:
        reasons = "; ".join(f"{c.name}: {c.why_dropped}" for c in typed.values() if c.why_dropped)
        said = _NO_FEATURES_WHY if reasons else _NO_FEATURES
        problems.append(said.problem(reasons=reasons))
    return problems


def _named(columns: list[TypedColumn]) -> str:
    return ", ".join(c.name for c in columns[:4]) + (f" and {len(columns) - 4} more" if len(columns) > 4 else "")


def _missing(features: list[TypedColumn]) -> list[Problem]:
    """Sum up missing cells over all features."""
    holes = [c for c in features if c.missing]
    if not holes:
        return []
    cells = sum(c.missing for c in holes)
    some = np.zeros(len(holes[0].values), bool)
    for column in holes:
        some |= column.values.isna().to_numpy()
    count, rows = int(some.sum()), row_numbers(some)
    numbers, others = ([c for c in holes if (c.kind == "number") == side] for side in (True, False))
    fills = ([_FILL_NUMBERS] if numbers else []) + ([_FILL_OTHERS.format(names=_named(others))] if others else [])
    return [
        (_MISSING_CELLS if len(holes) > 1 else _EMPTY_CELL).problem(
            None if len(holes) > 1 else holes[0].name,
            count,
            rows,
            number=plural(count, "row"),
            have="have" if count > 1 else "has",
            empty=plural(cells, "empty cell"),
            names=_named(holes),
            where=shown_rows(rows, count),
            fills=" ".join(fills),
            cells=cells,
            columns=[c.name for c in holes],
        )
    ]


def _missing_words(columns: list[TypedColumn]) -> list[Problem]:
    """Say once which words were read as missing, and which were kept as values."""
    problems = []
    read, kept = [c for c in columns if c.words], [c for c in columns if c.kept]
    if read:
        cells = sum(sum(c.words.values()) for c in read)
        where = _shortened([f"{c.name} ({', '.join(c.words)}: {sum(c.words.values()):,})" for c in read])
        problems.append(
            _MISSING_WORDS.problem(
                read[0].name if len(read) == 1 else None,
                cells,
                number=plural(cells, "cell"),
                among=plural(len(read), "column"),
                listed=where,
                columns=[c.name for c in read],
                cells=cells,
            )
        )
    if kept:
        where = _shortened([f"{', '.join(c.kept)} in {c.name}" for c in kept], "; ")
        problems.append(
            _WORDS_KEPT.problem(
                kept[0].name if len(kept) == 1 else None, len(kept), listed=where, columns=[c.name for c in kept]
            )
        )
    return problems


def _shortened(parts: list[str], between: str = ", ", most: int = 5) -> str:
    return between.join(parts[:most]) + (f" and {len(parts) - most:,} more" if len(parts) > most else "")


def _codes(features: list[TypedColumn], kinds: Mapping[str, ColumnKind]) -> list[Problem]:
    found = [c for c in features if c.type.codes and c.kind == "category" and c.name not in kinds]
    if not found:
        return []
    low, high = min(c.distinct for c in found), max(c.distinct for c in found)
    names = ", ".join(c.name for c in found)
    said = _CODE if len(found) == 1 else _CODES
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return [
        said.problem(
            found[0].name if len(found) == 1 else None,
            len(found),
            names=names,
            span=span,
            columns=[c.name for c in found],
        )
    ]


def _dropped(typed: Mapping[str, TypedColumn]) -> list[Problem]:
    """Say which columns hold nothing to learn from."""
    return [
        _DROPPED.problem(c.name, why=c.why_dropped)
        for c in typed.values()
        if c.kind == "constant" and c.why_dropped != "set by hand"
    ]
