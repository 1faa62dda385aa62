"""A table understood: typed columns, the likely target and task, and all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core import written
from kd_core.data import proposal, split, targets
from kd_core.data.checks import groups, leaks, links
from kd_core.data.checks import table as checks
from kd_core.data.checks.classes import Rare
from kd_core.data.checks.copies import find_copies
from kd_core.data.pictures.column import described, misplaced, shape_of
from kd_core.data.table import PLAIN, ColumnProfile, Profile, Table
from kd_core.data.targets import Target
from kd_core.data.types import answered, part_column, typed_column
from kd_core.data.types.base import TypedColumn
from kd_core.errors import DataError, Problem, Says
from kd_core.specs import ColumnKind, Copies, ReadSpec
from kd_core.task import task_of, usual

BARS = 20

_INFERRED = Says("target_inferred", "note", "{column} looks like the target.", "Choose another one if that is wrong.")
_UNSURE = Says(
    "target_unsure", "warning", "No column is named like a target: {column} is taken for it.", "Choose what to predict."
)
_GIVEN = Says(
    "given_part",
    "note",
    "{column} holds a split: it says train and test.",
    "Choose it as the column of parts to keep the split of whoever made the data, or drop it.",
)
_NO_PART = Says(
    "no_part",
    "warning",
    "{count:,} {count:row is|rows are} left out: {column} says neither train, validation nor test.",
    "Write one of the three words there if they matter.",
)
_UNSURE_OF_SEVERAL = replace(
    _UNSURE, message="No column is named like a target: {column} is taken for it; {others} could be it as well."
)


@dataclass(frozen=True)
class Understanding:
    """A profile with what it was made from, so that a dataset can be prepared without looking twice.

    Shape: `parts` (N,) part of each row, -1 where the target is missing; None when no split is possible.
    `units` (N,) rows that stay together, by group or as copies; None where every row stands alone. `joined`: by copies. `histories`: version of
    how rows were made of users' histories, None where the rows are those of the file.
    """

    profile: Profile
    typed: dict[str, TypedColumn]
    features: list[TypedColumn]
    target: Target | None
    parts: split.Parts | None
    units: npt.NDArray[np.int64] | None = None
    joined: bool = False
    settled: ReadSpec = PLAIN
    histories: int | None = None


def profile_table(
    table: Table,
    *,
    target: str | None = None,
    task: str | None = None,
    positive: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    drop: Collection[str] = (),
    group: str | None = None,
    time: str | None = None,
    **more: Any,
) -> Profile:
    """Understand a table; everything assumed can be overridden, and bad data is listed in `problems`, not raised."""
    return understand_table(
        table, target=target, task=task, positive=positive, kinds=kinds, drop=drop, group=group, time=time, **more
    ).profile


def understand_table(
    table: Table,
    *,
    target: str | None = None,
    task: str | None = None,
    positive: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    drop: Collection[str] = (),
    group: str | None = None,
    time: str | None = None,
    decimal: str | None = None,
    shares: tuple[float, float] = (0.15, 0.15),
    split_seed: int = 0,
    copies: Copies = "together",
    missing: Mapping[str, bool] | None = None,
    rare: Rare = "refuse",
    one_class: str | None = None,
    answers: tuple[str, ...] = (),
    part: str | None = None,
    more_targets: tuple[str, ...] = (),
) -> Understanding:
    """Understand a table: types, target, split, links and problems.

    `shares`: of validation and test. `missing`, `rare`, `one_class`, `part`, `more_targets`: as in `DatasetSpec`; `answers`: its `answer_columns`.
    """
    if task is not None and task_of(task).by_history:
        from kd_core.data.histories import understood  # which makes a profile, too

        refused = {"part": part, "more_targets": more_targets, "answers": answers, "positive": positive}
        return understood.understand(
            table,
            target=target,
            task=task,
            group=group,
            time=time,
            kinds=kinds,
            drop=drop,
            decimal=decimal,
            split_seed=split_seed,
            refused={**refused, "one_class": one_class},
        )
    frame, kinds, missing = table.frame, {**table.kinds, **(kinds or {})}, dict(missing or {})
    named = {
        "target": [] if answers else [target, *more_targets],
        "answer": answers,
        "group": [group],
        "time": [time],
        "part": [part],
        "drop": drop,
        "kinds": kinds,
        "missing": missing,
    }
    problems = [*table.problems, *checks.unknown_columns(named, [str(c) for c in frame.columns])]
    problems += checks.role_problems(target, drop, group, time, part, more_targets)
    if time is not None and time in frame.columns:
        kinds.setdefault(time, time_kind(frame[time], time))
    typed = {
        str(name): typed_column.understand(
            frame[name], str(name), kinds.get(str(name)), decimal, missing.get(str(name))
        )
        for name in frame.columns
    }
    problems += [p for c in typed.values() for p in c.problems]
    if answers and target is not None and all(name in typed for name in answers):
        problems += answered.add_target(typed, target, answers, rare != "refuse" or one_class is not None)
        task, drop = task or (usual("number").name if len(answers) == 1 else None), (*drop, *answers)
    problems += misplaced(typed, {"the target": target, "the group column": group, "the time column": time})
    target, group, time = (None if n in typed and typed[n].kind == "picture" else n for n in (target, group, time))
    likely: proposal.Proposal | None = None
    if target is None:
        likely = proposal.propose([c for c in typed.values() if c.name not in {*drop, group, time, part}])
        target = likely.best
        if target is not None:
            problems.append(_proposed(likely))
    found = None
    if target in typed:
        named_too = [typed[name] for name in dict.fromkeys(more_targets) if name in typed and name != target]
        found = targets.read_targets([typed[target], *named_too], frame, task, positive, rare, one_class)  # type: ignore[arg-type]
    problems += found.problems if found is not None else ()
    roles = {name: _role(column, target, drop, group, part, kinds) for name, column in typed.items()}
    roles |= dict.fromkeys(set(more_targets) & set(roles), "predicted too")
    features = [c for c in typed.values() if roles[c.name] is None]
    problems += checks.table_problems(typed, features, target, kinds)
    linked: dict[str, float] = {}
    parts = copied = None
    if found is not None and found.task is not None and not any(p.severity == "error" for p in found.problems):
        others = [c for c in typed.values() if c.name not in {target, *more_targets}]
        explained = [links.explained_shares(others, one) for one in found.each]
        linked = {c.name: float(np.sqrt(max(shares[c.name] for shares in explained))) for c in others}
        grouping = typed.get(group or "")
        codes = None if grouping is None else split.group_codes(grouping)
        copied = find_copies(features, found.present, codes, copies, task_of(found.task).by_group)
        try:
            parts = split.assign(
                found, grouping, typed.get(time or ""), *shares, split_seed, copied.units, typed.get(part or "")
            )
        except DataError as error:
            problems.append(error.problem(part or group or time))
        else:
            by_hand = [name for name, kind in kinds.items() if kind == "id"]
            problems += checks.split_problems(found, parts)
            problems += _no_part(found, parts, part)
            problems += leaks.leak_problems(
                typed,
                features,
                found,
                explained,
                parts,
                copied,
                group=group,
                time=time,
                part=part,
                ignored=[*drop, *by_hand, *more_targets],
            )
            problems += [] if grouping is None else groups.stand_ins(features, grouping)
    readings = proposal.readings(typed[target]) if target in typed else ()
    given = None
    if part is None and time is None and (given := _given(table, typed, {target, group, *drop})):
        problems.append(_GIVEN.problem(given))
    profile = Profile(
        tuple(column_profile(c, roles[c.name], linked.get(c.name), target) for c in typed.values()),
        len(frame),
        target,
        found.task if found else task,
        found.classes if found else (),
        found.counts if found else (),
        found.positive if found else None,
        checks.ordered(problems),
        dict(table.understood),
        pd.DataFrame({name: c.values for name, c in typed.items()}, copy=False),
        table.size_bytes,
        table.header,
        () if likely is None or likely.sure else likely.names,
        readings,
        given,
        ()
        if parts is None
        else tuple(int((parts == part).sum()) for part in (split.TRAIN, split.VALIDATION, split.TEST)),
    )
    units, joined = (None, False) if copied is None else (copied.units, copied.state == "together")
    return Understanding(profile, typed, features, found, parts, units, joined, table.settled)


def _given(table: Table, typed: Mapping[str, TypedColumn], taken: Collection[str | None]) -> str | None:
    """Name the column that holds a split: as the reader says, or as its values do."""
    return table.part if table.part not in taken and table.part else part_column.given_part(typed, taken)


def _no_part(target: Target, parts: split.Parts, part: str | None) -> list[Problem]:
    """Count the rows that a column of parts puts nowhere."""
    count = int((target.present & (parts < 0)).sum())
    return [_NO_PART.problem(part, count)] if count else []


def _proposed(likely: proposal.Proposal) -> Problem:
    """Say what looks like the target, and where no name says so, what else it could be."""
    best, *others = likely.names
    if likely.sure:
        return _INFERRED.problem(best)
    says = _UNSURE_OF_SEVERAL if others else _UNSURE
    return says.problem(best, others=" or ".join(others), columns=list(likely.names))


def time_kind(values: pd.Series, name: str) -> ColumnKind:
    """Read a time column as dates, unless it is numbers that only order the rows."""
    seen = typed_column.understand(values.iloc[:2000], name)
    return "number" if seen.type.codes or seen.kind in ("number", "boolean") else "datetime"


def _role(
    column: TypedColumn,
    target: str | None,
    drop: Collection[str],
    group: str | None,
    part: str | None,
    kinds: Mapping[str, ColumnKind],
) -> str | None:
    """Say why a column is not a feature, or None when it is one."""
    if column.name == target:
        return "the target"
    if column.name in drop:
        return "dropped by hand"
    if column.name == group:
        return "groups the rows; not a feature"
    if column.name == part:
        return "says the part of the split; not a feature"
    return "set by hand" if kinds.get(column.name) in ("id", "constant") else column.why_dropped


def column_profile(column: TypedColumn, why: str | None, link: float | None, target: str | None) -> ColumnProfile:
    values = column.values
    low = high = None
    if pd.api.types.is_float_dtype(values.dtype) and column.missing < len(values):
        low, high = float(values.min()), float(values.max())
    if shape := shape_of(values):
        return ColumnProfile(
            column.name,
            column.kind,
            column.missing,
            column.distinct,
            (described(shape),),
            used=why is None,
            why_dropped=why,
        )
    examples = tuple(_shown(v) for v in values.dropna().iloc[:200].unique()[:3])
    return ColumnProfile(
        column.name,
        column.kind,
        column.missing,
        column.distinct,
        examples,
        histogram(values),
        link,
        why is None or column.name == target,
        None if column.name == target else why,
        low,
        high,
    )


def _shown(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    text = written.moment(value) if isinstance(value, datetime) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def histogram(values: pd.Series) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Count values in at most 20 bars: each value, equal ranges, or the most frequent and 'other'."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        counts = np.bincount(values.cat.codes.to_numpy() + 1, minlength=len(values.cat.categories) + 1)[1:]
        return _bars([str(c) for c in values.cat.categories], counts)
    present = values.dropna()
    if not len(present):
        return (), ()
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        stamps = present.to_numpy().astype("datetime64[s]").astype(np.int64)
        counts, edges = np.histogram(stamps, BARS)
        return tuple(str(np.datetime64(int(e), "s"))[:10] for e in edges[:-1]), tuple(int(c) for c in counts)
    if pd.api.types.is_float_dtype(present.dtype):
        numbers = present.to_numpy()
        unique = np.unique(numbers[:5000])
        if len(unique) <= BARS:
            unique, counts = np.unique(numbers, return_counts=True)
            if len(unique) <= BARS:
                return tuple(_shown(float(u)) for u in unique), tuple(int(c) for c in counts)
        counts, edges = np.histogram(numbers, BARS)
        return tuple(written.number(e) for e in edges[:-1]), tuple(int(c) for c in counts)
    lengths = present.iloc[:50_000].str.len().to_numpy(np.float64)
    counts, edges = np.histogram(lengths, BARS)
    return tuple(f"{e:.0f} characters" for e in edges[:-1]), tuple(int(c) for c in counts)


def _bars(labels: list[str], counts: np.ndarray) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if len(labels) <= BARS:
        return tuple(labels), tuple(int(c) for c in counts)
    top = np.argsort(-counts, kind="stable")[: BARS - 1]
    rest = int(counts.sum() - counts[top].sum())
    return (*(labels[i] for i in top), "other"), (*(int(counts[i]) for i in top), rest)
