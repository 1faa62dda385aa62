"""The tables of a report: every metric of everybody, what each costs, and the cells of a what-if."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.reports import written
from kd_core.reports.charts import RUNTIMES, timed
from kd_core.reports.markup import Markup, table
from kd_core.runs.outcome import Cell, Outcome, StudentOutcome
from kd_core.runs.store.measured import Arm
from kd_core.runs.view.report import setting

MOST_CELLS = 40  # of a what-if: a page of paper; the result file holds all


def metrics(found: Outcome, student: StudentOutcome) -> Markup:
    """Lay out every metric of teacher, plain model, baseline, placebo and student, and what the student gains."""
    arms = [("Baseline", student.baseline)]
    arms += [("Placebo", student.placebo.arm)] if student.placebo else []
    arms += [] if student.untaught else [("Student", student.arm)]
    titles = {"plain": "Best plain model", "smaller": "Smaller plain model"}
    arms += [(titles[p.place], p.arm) for p in student.plains]
    first = found.metric.name
    names = [first, *(n for n in student.arm.metrics if n != first)]
    rows = [
        [_title(n), written.score(found.teacher.get(n)), *(_arm(a, n) for _, a in arms), _gained(student, n)]
        for n in names
    ]
    head = ["", "Teacher", *(title for title, _ in arms), "Gain over the baseline [95 %]"]
    return table(
        head,
        rows,
        f"{student.name}: mean ± standard deviation over {len(student.seeds)} seeds, on test rows; ↓ less is better",
        "numbers",
    )


def costs(found: Outcome, student: StudentOutcome) -> Markup:
    """Lay out size, work and time of teacher and student."""
    teacher, raw = found.raw["teacher"], student.raw
    deployed = raw.get("deployed") or {}
    packed = (deployed.get("compact") or {}).get("bytes")
    rows = [
        [
            "File" if student.bytes else "Size of the weights",
            written.size(teacher.get("size_bytes")),
            written.size(student.bytes or raw["size_bytes"]),
        ]
    ]
    rows += [["File, packed", "", written.size(packed)]] if packed else []
    rows.append(["Parameters", written.count(teacher.get("parameters")), written.count(raw.get("parameters"))])
    if raw.get("flops") is not None:
        rows.append(["Operations for one row", written.count(teacher.get("flops")), written.count(raw["flops"])])
    theirs, ours = timed(teacher), timed(raw)
    for runtime in dict.fromkeys([*theirs, *ours]):
        batches = sorted({*theirs.get(runtime, {}), *ours.get(runtime, {})}, key=int)
        for batch in batches:
            its, own = (side.get(runtime, {}).get(batch, {}) for side in (theirs, ours))
            title = (
                f"Time, {RUNTIMES.get(runtime, runtime)}, {int(batch):,} row{'' if batch == '1' else 's'} (p50 / p95)"
            )
            rows.append([title, _time(its), _time(own)])
    return table(["", "Teacher", "Student"], rows, f"{student.name}: what an answer costs", "numbers")


def cells(found: Outcome) -> Markup:
    """List the cells of a what-if, the best on validation first."""
    known = [c for c in found.cells if c.gain is not None]
    sign = 1.0 if found.metric.better == "higher" else -1.0
    known.sort(key=lambda c: -sign * (c.raw.get("mean") or 0.0))
    rows = [
        [
            f"{c.student}: {setting(c.settings, found.varied)}",
            written.score(c.raw.get("mean")),
            _over(c),
            _standing(c, found.best_cell),
        ]
        for c in known[:MOST_CELLS]
    ]
    left = f" The first {MOST_CELLS} of {len(known):,}; the result file holds all." if len(known) > MOST_CELLS else ""
    head = ["Setting", f"{found.metric.title} on validation", "Gain over the baseline [95 %]", ""]
    return table(head, rows, f"Every setting that was tried, the best first.{left}", "numbers")


def settings(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Flatten a recipe to one line per setting, in the order of its fields; empty ones are left out."""
    found: list[tuple[str, str]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
            for i, inner in enumerate(value, 1):
                walk(f"{prefix} {i}", inner)
        elif value not in (None, {}, [], (), ""):
            found.append((prefix, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))

    walk("", values)
    return found


def _title(name: str) -> str:
    if name not in METRICS.names():
        return name
    entry = METRICS.get(name)
    return f"{entry.title} ↓" if entry.facts["better"] == "lower" else entry.title


def _arm(arm: Arm, name: str) -> str:
    held = arm.metrics.get(name) or {}
    return written.spread(held.get("mean"), held.get("std"))


def _gained(student: StudentOutcome, name: str) -> str:
    gain = None if student.untaught else student.gain.get(name)
    return "–" if gain is None else written.bounds(gain.mean, gain.low, gain.high)


def _over(cell: Cell) -> str:
    if cell.settings["alpha"] == 0:
        return "the baseline itself"
    return "" if cell.gain is None else written.bounds(cell.gain.mean, cell.gain.low, cell.gain.high)


def _time(batch: Mapping[str, float]) -> str:
    return "–" if not batch else f"{written.time(batch['p50'])} / {written.time(batch.get('p95'))}"


def _standing(cell: Cell, best: int | None) -> str:
    if cell.number == best:
        return "best on validation"
    return "can't be told apart from the best" if cell.like_best else "stopped before its end" if cell.stopped else ""
