"""What is odd about a table as a whole, said once and at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from kd_core.data.dataset import SPLITS
from kd_core.data.split import Parts
from kd_core.data.targets import Target, near
from kd_core.data.types import TypedColumn, plural, row_numbers, shown_rows
from kd_core.errors import Problem
from kd_core.limits import MIN_ROWS
from kd_core.specs import ColumnKind

_FILLS = {
    "number": "Numbers are filled with the median and flagged as missing.",
    "other": "In other columns, missing counts as a value of its own.",
}
FEW_TEST_ROWS = 100  # below: one row moves accuracy by more than a point
RARE_SHARE = 0.05  # of the rows; a rarer class makes accuracy say little
_ORDER = {"error": 0, "warning": 1, "note": 2}


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Put errors first, then warnings, then notes; otherwise keep the order."""
    return tuple(sorted(problems, key=lambda p: _ORDER[p.severity]))


def unknown_columns(named: Mapping[str, Collection[str | None]], known: list[str]) -> list[Problem]:
    """Name every column that was asked for and is not there, with the nearest that is."""
    problems = []
    for role, names in named.items():
        for name in names:
            if name is not None and name not in known:
                listed = ", ".join(known[:20]) + (f" and {len(known) - 20:,} more" if len(known) > 20 else "")
                problems.append(
                    Problem(
                        "error",
                        "unknown_column",
                        f"No column {name!r} ({role}).",
                        f"{near(name, known)}Columns: {listed}.",
                        name,
                    )
                )
    return problems


def role_problems(target: str | None, drop: Collection[str], group: str | None, time: str | None) -> list[Problem]:
    """Name a target that has a second role, which can't be."""
    roles = [("dropped", target in drop), ("the group column", target == group), ("the time column", target == time)]
    if target is None:
        return []
    return [
        Problem("error", "target_role", f"{target} is the target and {role} at once.", "Choose one of the two.", target)
        for role, clash in roles
        if clash
    ]


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
        if target.is_number:
            break
        counts = np.bincount(target.values[parts == index].astype(np.int64), minlength=len(target.classes))
        gone = [c for c, n in zip(target.classes, counts, strict=True) if n == 0]
        if gone:
            listed = ", ".join(gone[:5]) + (f" and {len(gone) - 5:,} more" if len(gone) > 5 else "")
            problems.append(
                Problem(
                    "error" if part == "train" else "warning",
                    f"class_not_in_{part}",
                    f"The {part} part holds no row of {plural(len(gone), 'class', 'classes')}: {listed}.",
                    "Choose another group or time column, or a random split."
                    if part == "train"
                    else "Their quality can't be measured there; choose another split if they matter.",
                    target.name,
                    len(gone),
                )
            )
    return [*problems, *_weak_evidence(target, parts)]


def _weak_evidence(target: Target, parts: Parts) -> list[Problem]:
    """Warn of a test part, or of a class, too small for the verdict to say much about new rows."""
    problems = []
    test = parts == SPLITS.index("test")
    rows = int(test.sum())
    if 0 < rows < FEW_TEST_ROWS:
        one = "" if target.is_number else f": one row is {100 / rows:.1f} points of accuracy"
        problems.append(
            Problem(
                "warning",
                "small_test",
                f"The test part holds only {plural(rows, 'row')}{one}. The interval of a verdict covers the luck of training, not of these rows.",
                "Read small gains with care, add rows, or test on a larger share.",
                None,
                rows,
            )
        )
    if len(target.counts) != 2:
        return problems
    rare = int(np.argmin(target.counts))
    count, total, name = target.counts[rare], sum(target.counts), target.classes[rare]
    if count < RARE_SHARE * total:
        share = 100 * count / total
        problems.append(
            Problem(
                "warning",
                "rare_class",
                f"Only {count:,} of {total:,} rows ({share:.2g} %) have {target.name} = {name}, "
                f"{int((target.values[test] == rare).sum()):,} of them in the test part: a model that never answers {name} is right in {100 - share:.1f} %.",
                "Judge by PR-AUC and recall, not by accuracy; class weights 'balanced' make students look for rare rows.",
                target.name,
                count,
            )
        )
    return problems


def _size(typed: Mapping[str, TypedColumn], features: list[TypedColumn], target: str | None) -> list[Problem]:
    problems = []
    rows = len(next(iter(typed.values())).values) if typed else 0
    if rows < MIN_ROWS and target is None:
        problems.append(
            Problem(
                "error", "too_few_rows", f"{rows:,} data rows; at least {MIN_ROWS} are needed.", "Add rows.", count=rows
            )
        )
    if target is None and rows:
        problems.append(Problem("error", "no_target", "No column to predict is chosen.", "Choose a target."))
    if not features and typed:
        reasons = "; ".join(f"{c.name}: {c.why_dropped}" for c in typed.values() if c.why_dropped)
        problems.append(
            Problem(
                "error",
                "no_features",
                f"No column is left to predict from. {reasons}".strip(),
                "Keep at least one column, or set its type by hand.",
            )
        )
    return problems


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
    names = ", ".join(c.name for c in holes[:4]) + (f" and {len(holes) - 4} more" if len(holes) > 4 else "")
    return [
        Problem(
            "warning",
            "missing_cells",
            f"{plural(count, 'row')} {'have' if count > 1 else 'has'} {plural(cells, 'empty cell')} in {names} ({shown_rows(rows, count)}).",
            " ".join(
                _FILLS[k] for k in ("number", "other") if any((c.kind == "number") == (k == "number") for c in holes)
            ),
            None if len(holes) > 1 else holes[0].name,
            count,
            rows,
            {"cells": cells, "columns": [c.name for c in holes]},
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
            Problem(
                "warning",
                "missing_words",
                f"{plural(cells, 'cell')} with a word for missing in {plural(len(read), 'column')}: {where}.",
                "Counted as missing.",
                read[0].name if len(read) == 1 else None,
                cells,
                (),
                {"columns": [c.name for c in read], "cells": cells},
            )
        )
    if kept:
        where = _shortened([f"{', '.join(c.kept)} in {c.name}" for c in kept], "; ")
        problems.append(
            Problem(
                "note",
                "missing_words_kept",
                f"Kept as a value, not read as missing: {where}.",
                "Say so if it marks a missing cell.",
                kept[0].name if len(kept) == 1 else None,
                len(kept),
                (),
                {"columns": [c.name for c in kept]},
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
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return [
        Problem(
            "warning",
            "numeric_codes",
            f"{names} look{'s' if len(found) == 1 else ''} numeric but take{'s' if len(found) == 1 else ''} {span} whole values that look like codes.",
            "Treated as categories; set the type to number if they measure something.",
            found[0].name if len(found) == 1 else None,
            len(found),
            (),
            {"columns": [c.name for c in found]},
        )
    ]


def _dropped(typed: Mapping[str, TypedColumn]) -> list[Problem]:
    """Say which columns hold nothing to learn from."""
    return [
        Problem("note", "constant_column", f"Column {c.name} is dropped: {c.why_dropped}.", "", c.name)
        for c in typed.values()
        if c.kind == "constant" and c.why_dropped != "set by hand"
    ]
