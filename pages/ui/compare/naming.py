"""What students of several runs are called, so that each is told apart in words that people know."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pages.ui.shared import engine, text
from pages.ui.shared.text import Safe, t

if TYPE_CHECKING:
    from kd_core.runs.store.rows import RunRow
    from pages.ui.result.comparison import Entry

FIRST = ("student.settings.size", "objective.settings.temperature", "objective.settings.alpha")
TOLD = (*FIRST, "teacher.name")  # settings that tell students of one name apart in words that people know
RUN_LETTERS = 14  # of a run that fit into its column, or beside a student's name
SIGNS = dict(zip(FIRST, ("size", "T", "α"), strict=True))


def apart(found: Sequence[Entry]) -> list[Entry]:
    """Tell students of one name apart by what people know of their lessons, or by their run where that does not."""
    alike: dict[str, list[Entry]] = {}
    for e in found:
        alike.setdefault(str(e.student["name"]), []).append(e)
    told: dict[str, str] = {}
    for name, group in alike.items():
        names = _enough(group)
        ways = {e.id: [_said(n, e.settings[n]) for n in names] for e in group}
        for e in group:
            same = [one for one in group if ways[one.id] == ways[e.id]]
            runs = [one.made for one in same]
            runs = runs if all(runs) else text.telling([one.run_name for one in same])
            told[e.id] = " · ".join([name, *ways[e.id], *([runs[same.index(e)]] if len(same) > 1 else [])])
    return [dataclasses.replace(e, told=told[e.id]) for e in found]


def _said(name: str, value: str) -> str:
    """Say a setting as people do: T = 4, α = 0.7, tiny, teacher Gradient boosting."""
    if name == TOLD[-1]:
        return str(t("compare.by_teacher", name=Safe(engine.part_title("teacher", value))))
    return f"{SIGNS[name]}\u00a0=\u00a0{value}" if name in FIRST[1:] else value


def _enough(group: Sequence[Entry]) -> list[str]:
    """Name as few of the settings that people know as tell the entries apart as well as all of those would; each is known of every entry."""
    names = [n for n in differing(group) if n in TOLD and all(n in e.settings for e in group)]
    names = [n for n in names if n != FIRST[0] or all(e.settings[n] != e.student["name"] for e in group)]
    most = len({tuple(e.settings[n] for n in names) for e in group})
    for end in range(len(names)):
        if len({tuple(e.settings[n] for n in names[:end]) for e in group}) == most:
            return names[:end]
    return names


def dated(found: Sequence[Entry], rows: Sequence[RunRow]) -> list[Entry]:
    """Give runs of one name the time they were made at, so that they are told apart wherever their name stands."""
    names = Counter(row.name for row in rows)
    made = {row.id: row.created_utc for row in rows if names[row.name] > 1}
    days = {at[:10] for at in made.values()}
    start = 11 if len(days) == 1 else 5
    told = {run: at[start:16].replace("T", " ") for run, at in made.items()}
    return [
        dataclasses.replace(e, run_name=f"{e.run_name} {told[e.run_id]}", made=told[e.run_id])
        if e.run_id in told
        else e
        for e in found
    ]


def differing(found: Sequence[Entry]) -> list[str]:
    """Name the settings that are not the same for all entries: size, T and alpha first, then in their order."""
    names = dict.fromkeys(n for e in found for n in e.settings)
    first = sorted(names, key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST))
    return [n for n in first if len({e.settings.get(n) for e in found}) > 1]


def short_setting(name: str) -> str:
    """Name a setting by what tells it apart: 'objective.settings.alpha' is α, 'teacher.name' is teacher.

    Example:
        >>> short_setting("student.settings.width")
        'student width'
    """
    if name in SIGNS:
        return SIGNS[name]
    parts = [p for p in name.split(".") if p not in ("settings", "arch")]
    if parts[-1] == "name":
        return parts[0]
    return " ".join(parts[1:] if parts[0] in ("objective", "training", "dataset", "evaluation") else parts)


def unlike(made: Sequence[dict[str, Any]], runs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Name the runs of teachers that would else be called the same."""
    short = dict(zip(runs, text.apart(list(runs.values()), RUN_LETTERS), strict=True))
    names = Counter((p["arm"], p["label"]) for p in made if p["arm"] == "teacher")
    return [
        {**p, "label": f"{p['label']} · {short[p['id'].split(':')[0]]}"} if names[p["arm"], p["label"]] > 1 else p
        for p in made
    ]
