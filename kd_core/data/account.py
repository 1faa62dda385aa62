"""What was understood of a table, told as lines of text or as plain values."""

from __future__ import annotations

from typing import Any

from kd_core.data.table import Profile
from kd_core.task import IN_PARTS, task_of


def lines(found: Profile) -> list[str]:
    """Tell what was understood, one line for the table, one for the target, one a column, one a finding."""
    positive = f", yes = {found.positive}" if found.positive else ""
    told = [
        f"{found.num_rows:,} rows, {len(found.columns)} columns; {', '.join(found.understood.values())}",
        f"predict {_wanted(found)}{positive}",
    ]
    for c in found.columns:
        link = f"{c.target_link:.2f}" if c.target_link is not None else "-"
        note = f"  not used: {c.why_dropped}" if not c.used else ""
        told.append(f"  {c.name:<28} {c.kind:<9} missing {c.missing:<8,} distinct {c.distinct:<9,} link {link}{note}")
    return [*told, *(f"{p.severity}: {p}" for p in found.problems)]


def values(found: Profile) -> dict[str, Any]:
    """Tell the same as plain values, ready for JSON, with what was decided about the first row and the target.

    `header.decided` is yes or no (null for formats with names of their own), `header.sure` is false where a person
    should look; `target.candidates` holds several columns where no name says which one it is.
    """
    header = found.header
    return {
        "rows": found.num_rows,
        "understood": found.understood,
        "header": {
            "decided": None if header is None else header.decided,
            "sure": header is None or header.sure,
            "why": "names of the format" if header is None else header.why,
        },
        "target": {
            "name": found.target,
            "task": found.task,
            "sure": not found.candidates,
            "candidates": list(found.candidates),
            "readings": list(found.readings),
            "positive": found.positive,
            "classes": list(found.classes),
            "class_counts": list(found.class_counts),
        },
        "columns": [
            {
                "name": c.name,
                "kind": c.kind,
                "missing": c.missing,
                "distinct": c.distinct,
                "used": c.used,
                "why_dropped": c.why_dropped,
                "link": c.target_link,
                "examples": list(c.examples),
            }
            for c in found.columns
        ],
        "problems": [
            {
                "severity": p.severity,
                "code": p.code,
                "message": p.message,
                "hint": p.hint,
                "column": p.column,
                "count": p.count,
                "rows": list(p.rows),
            }
            for p in found.problems
        ],
    }


def _wanted(found: Profile) -> str:
    """Name the target with its task; of several each with its own."""
    told = task_of(found.task) if found.task else None
    if told is None or not IN_PARTS(told) or found.target is None:
        return f"{found.target} as {found.task}"
    every = told.questions(found.target, found.classes)
    return "; ".join(
        f"{name} as {f'one of {len(classes)} classes' if classes else 'a number'}" for name, *_, classes in every
    )
