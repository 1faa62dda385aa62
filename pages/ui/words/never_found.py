"""Classes that a model never finds, or hardly ever, which its accuracy or ROC-AUC hardly shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

# test rows of a class; rows found on average of the seeds that count as none; classes that are named
LEAST, HALF, MOST = 5, 0.5, 3
SELDOM = 0.1  # of the rows that are yes: a model that finds fewer hardly ever says so
Result = Mapping[str, Any]


def of(result: Result, index: int) -> Safe | None:
    """Say which of three or more classes the model to take home never finds on the test rows; None where it finds all."""
    student = result["students"][index]
    alone = (student.get("deployed") or {}).get("arm") == "baseline"
    counts = (student["baseline"] if alone else student).get("confusion")
    names = result["dataset"].get("classes") or ()
    if len(names) == 2:
        return _yes(student, "baseline" if alone else "student", str(names[1]))
    if not counts or len(names) < 3 or len(names) != len(counts):
        return None
    gone = [at for at, row in enumerate(counts) if sum(row) >= LEAST and row[at] < HALF]
    if not gone:
        return None
    theirs = result["teacher"].get("confusion") or ()
    found = sum(int(theirs[at][at]) for at in gone) if len(theirs) == len(names) else 0
    rows = sum(round(sum(counts[at])) for at in gone)
    said = t("runs.never.said", names=_listed([str(names[at]) for at in gone]), num=text.exact(rows))
    return Safe(f"{said} {t('runs.never.teacher', num=text.exact(found))}")


def _yes(student: Mapping[str, Any], arm: str, yes: str) -> Safe | None:
    """Say that from one half on the answer is hardly ever yes, and what another threshold would give; None where it is, or is asked from elsewhere."""
    told = student.get("threshold")
    if not told or told["used"] or not told["arms"].get(arm):
        return None
    own = told["arms"][arm]
    half, chosen = own["half"]["recall"]["mean"], own["chosen"]
    if told["positives"] < LEAST or half is None or half >= SELDOM or not chosen["recall"]["mean"]:
        return None
    return t(
        "runs.never.yes",
        yes=escape(yes),
        recall=text.percent(half, 1),
        num=text.exact(told["positives"]),
        at=text.percent(sum(own["values"]) / len(own["values"])),
        more=text.percent(chosen["recall"]["mean"]),
        precision=text.percent(chosen["precision"]["mean"] or 0.0),
    )


def _listed(names: Sequence[str]) -> Safe:
    shown = ", ".join(f"**{escape(name)}**" for name in names[:MOST])
    return Safe(shown if len(names) <= MOST else f"{shown} {t('runs.never.more', num=len(names) - MOST)}")
