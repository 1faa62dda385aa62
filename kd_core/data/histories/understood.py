"""A table of events understood: rows of a history and the item that came next, with their split. Legend: N such rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data import profile as profiles
from kd_core.data.checks import table as checks
from kd_core.data.histories import events
from kd_core.data.histories.cells import separator_for
from kd_core.data.histories.dealing import HISTORY_ITEMS, Dealt, deal
from kd_core.data.histories.events import Events
from kd_core.data.plain.counted import plural
from kd_core.data.split import TEST, TRAIN, VALIDATION
from kd_core.data.table import Profile, Table
from kd_core.data.targets import Target
from kd_core.data.types import typed_column
from kd_core.data.types.base import ColumnType, TypedColumn
from kd_core.errors import DataError, Problem, Says
from kd_core.limits import ITEMS, MIN_ROWS
from kd_core.specs import ColumnKind
from kd_core.task import task_of

VERSION = 2  # raise it when other rows are made of the same file

_NO_ITEMS = Says("no_items", "error", "No column of items is chosen.", "Choose it as what is to be predicted.")
_MEANS_NOTHING = Says(
    "not_of_histories",
    "error",
    "{what} means nothing here: what comes next is one of the items, and each user's last one is the test.",
    "Leave it out.",
)
_MADE = Says(
    "histories",
    "note",
    "{users} and {events:,} events make {train:,} training rows (each user's earlier items, at most the last {most:,}), {validation:,} "
    "validation rows (the last item but one) and {test:,} test rows (the last one). {items} were seen in training.",
)
_SKIPPED = Says(
    "events_skipped", "note", "{count:,} earlier events are no training rows of their own; they are part of histories."
)
_CUT = Says("history_cut", "note", "{count:,} histories are longer than {most}: their newest {most} items are kept.")
_SHORT = Says(
    "short_users",
    "note",
    "{short:,} {short:user with two events is|users with two events are} used for training only, {alone:,} with one {alone:is|are} left out.",
)
_NEW = Says(
    "new_items",
    "warning",
    "{count:,} of {total:,} validation and test rows ask for an item that training never saw: no model can name it. They count as "
    "missed, and are told apart.",
)
_NO_PAIRS = Says(
    "no_histories",
    "error",
    "No user has 3 events: {users} and {events:,} events leave nothing to test on.",
    "Choose the column that names the user, or a file with longer histories.",
)
_ONE_ITEM = Says(
    "one_item", "error", "The catalogue holds {items}; at least 2 are needed.", "Choose the column of items."
)
_MANY_ITEMS = Says(
    "too_many_items",
    "error",
    "The catalogue holds {count:,} items; at most {most:,} are read.",
    "Leave out rare items, or predict a group of items, such as the category.",
)
_FEW = Says("too_few_rows", "error", "{count:,} training rows; at least {least} are needed.", "Add users or events.")
_USER, _HISTORY = "user", "history"
_LATER = "told with the next item: not known before it"


@dataclass(frozen=True)
class _Asked:
    """What was asked for, as `profile.understand_table` takes it."""

    target: str
    task: str
    group: str | None
    time: str | None
    kinds: Mapping[str, ColumnKind]
    drop: Collection[str]
    decimal: str | None
    seed: int


def understand(
    table: Table,
    *,
    target: str | None,
    task: str,
    group: str | None = None,
    time: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    drop: Collection[str] = (),
    decimal: str | None = None,
    split_seed: int = 0,
    refused: Mapping[str, Any] | None = None,
) -> profiles.Understanding:
    """Understand a table of (user, item, time), or of one user a row with a list of items.

    `refused`: what else was asked for, by its name in `profile.understand_table`; it means nothing here. Problems are listed, not raised.
    """
    frame, problems = table.frame, [*table.problems]
    named = {"target": [target], "group": [group], "time": [time], "drop": drop, "kinds": kinds or {}}
    problems += checks.unknown_columns(named, [str(c) for c in frame.columns])
    problems += checks.role_problems(target, drop, group, time)
    problems += _meaningless(refused or {})
    if target is None:
        problems.append(_NO_ITEMS.problem())
    found = None
    if target is not None and not any(p.severity == "error" for p in problems):
        asked = _Asked(target, task, group, time, {**table.kinds, **(kinds or {})}, drop, decimal, split_seed)
        try:
            found = _read(table, asked)
        except DataError as error:
            problems.append(error.problem(target))
        else:
            problems += _told(*found)
    if found is None or any(p.severity == "error" for p in problems):
        return _as_it_is(table, target, task, kinds, drop, decimal, problems)
    return _understood(table, asked, *found, problems)


def _meaningless(asked: Mapping[str, Any]) -> list[Problem]:
    words = {
        "part": "A column of parts",
        "more_targets": "A further target",
        "answers": "A column of a teacher's answers",
        "positive": "A positive class",
        "one_class": "One class against the rest",
    }
    return [_MEANS_NOTHING.problem(what=what) for name, what in words.items() if asked.get(name)]


def _read(table: Table, asked: _Asked) -> tuple[Events, Dealt]:
    frame = table.frame
    if events.are_lists(frame, asked.group):
        found = events.of_lists(frame, asked.group, asked.target, asked.time)
    else:
        time = None
        if asked.time is not None:
            kind = asked.kinds.get(asked.time) or profiles.time_kind(frame[asked.time], asked.time)
            time = typed_column.understand(frame[asked.time], asked.time, kind, asked.decimal)
        found = events.of_rows(frame, str(asked.group), asked.target, time, asked.kinds, asked.seed)
    found = replace(found, separator=separator_for(found.items))
    return found, deal(found)


def _told(found: Events, dealt: Dealt) -> list[Problem]:
    """Say what was made, with its counts, and what stands in the way."""
    train, validation, test = (int((dealt.parts == part).sum()) for part in (TRAIN, VALIDATION, TEST))
    users, items = plural(len(np.unique(found.user)), "user"), int(dealt.number.max(initial=-1)) + 1
    if not test:
        return [*found.told, _NO_PAIRS.problem(users=users, events=len(found.user))]
    told = [*found.told]
    told.append(
        _MADE.problem(
            users=users,
            events=len(found.user),
            train=train,
            validation=validation,
            test=test,
            items=plural(items, "different item"),
            most=dealt.most,
        )
    )
    if dealt.short or dealt.alone:
        told.append(_SHORT.problem(None, dealt.short + dealt.alone, short=dealt.short, alone=dealt.alone))
    if dealt.skipped:
        told.append(_SKIPPED.problem(None, dealt.skipped))
    if dealt.cut:
        told.append(_CUT.problem(None, dealt.cut, most=HISTORY_ITEMS))
    if count := int((dealt.number[found.item[dealt.event]] < 0).sum()):
        told.append(_NEW.problem(None, count, total=validation + test))
    if items < 2:
        told.append(_ONE_ITEM.problem(items=plural(items, "item")))
    if items > ITEMS:
        told.append(_MANY_ITEMS.problem(None, items, most=ITEMS))
    if train < MIN_ROWS:
        told.append(_FEW.problem(None, train, least=MIN_ROWS))
    return told


def _as_it_is(
    table: Table,
    target: str | None,
    task: str,
    kinds: Mapping[str, ColumnKind] | None,
    drop: Collection[str],
    decimal: str | None,
    problems: list[Problem],
) -> profiles.Understanding:
    """Describe the file's own columns, so that other ones can be chosen."""
    bare = replace(table, problems=())
    plain = profiles.understand_table(bare, kinds=kinds, drop=[n for n in drop if n in table.frame], decimal=decimal)
    known = target if target in table.frame else None
    told = replace(
        plain.profile,
        target=known,
        task=task,
        classes=(),
        class_counts=(),
        positive=None,
        problems=checks.ordered(problems),
        candidates=(),
        readings=(),
        given_part=None,
    )
    return profiles.Understanding(told, plain.typed, plain.features, None, None, settled=table.settled)


def _free(name: str, taken: Collection[str]) -> str:
    """Find a name that no column has."""
    return next(n for n in (name, *(f"{name} ({i})" for i in range(2, len(taken) + 3))) if n not in taken)


def _understood(
    table: Table, asked: _Asked, found: Events, dealt: Dealt, problems: list[Problem]
) -> profiles.Understanding:
    names = [str(c) for c in table.frame.columns]
    user, history = asked.group or _free(_USER, names), _free(_HISTORY, names)
    catalogue = [""] * (int(dealt.number.max()) + 1)
    for item, number in zip(found.items, dealt.number.tolist(), strict=True):
        if number >= 0:
            catalogue[number] = item
    rows = table.frame.iloc[found.row[dealt.event]].reset_index(drop=True)
    typed = {
        user: _named(user, found.users, found.user[dealt.event]),
        history: _histories(history, found, dealt, tuple(catalogue)),
        asked.target: _named(asked.target, found.items, found.item[dealt.event]),
    }
    roles: dict[str, str | None] = dict.fromkeys(names, _LATER)
    for name in names:
        if name not in typed:
            kind = asked.kinds.get(name)
            if name == asked.time:
                kind = kind or profiles.time_kind(rows[name], name)
            typed[name] = typed_column.understand(rows[name], name, kind, asked.decimal)
    roles |= {user: "names the user; not a feature", history: None, asked.target: "the target"}
    roles |= {asked.time: "orders each user's items; not a feature"} if asked.time else {}
    roles |= dict.fromkeys(set(asked.drop) & set(names), "dropped by hand")
    number = dealt.number[found.item[dealt.event]]
    counts = np.bincount(number[dealt.parts == TRAIN], minlength=len(catalogue))
    target = Target(asked.target, asked.task, tuple(catalogue), tuple(map(int, counts)), None, number, ())
    profile = Profile(
        tuple(profiles.column_profile(c, roles[name], None, asked.target) for name, c in typed.items()),
        len(rows),
        asked.target,
        task_of(asked.task).name,
        target.classes,
        target.counts,
        None,
        checks.ordered(problems),
        dict(table.understood),
        pd.DataFrame({name: c.values for name, c in typed.items()}, copy=False),
        table.size_bytes,
        table.header,
    )
    units = found.user[dealt.event]
    return profiles.Understanding(
        profile, typed, [typed[history]], target, dealt.parts, units, False, table.settled, VERSION
    )


def _named(name: str, names: list[str], codes: events.Codes) -> TypedColumn:
    used, at = np.unique(codes, return_inverse=True)
    labels = pd.Index([names[n] for n in used], dtype="str")
    if labels.is_unique:
        values = pd.Series(pd.Categorical.from_codes(at, labels), name=name)
    else:  # two users of one name stay two, and are shown alike
        values = pd.Series(labels.take(at), name=name, dtype="str")
    return TypedColumn(name, ColumnType("category"), values, 0, len(used))


def _histories(name: str, found: Events, dealt: Dealt, catalogue: tuple[str, ...]) -> TypedColumn:
    """Write each row's history, oldest item first."""
    names = [found.items[item] for item in found.item]
    spans = zip(dealt.first.tolist(), dealt.event.tolist(), strict=True)
    cells = pd.Series([found.separator.join(names[first:last]) for first, last in spans], name=name, dtype="str")
    return TypedColumn(
        name, ColumnType("items", separator=found.separator, catalogue=catalogue), cells, 0, cells.nunique()
    )
