"""What the list of runs shows about one run, made from its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from kd_core.runs.folder import RunFolder


@dataclass(frozen=True)
class RunError:
    """Why a run ended: message, next step, a stable code, and the id that finds the trace in its log."""

    code: str
    message: str
    hint: str = ""
    error_id: str = ""


@dataclass(frozen=True)
class Headline:
    """The one comparison worth a line in the list: the best student on the run's metric, on the test rows."""

    metric: str
    better: str
    teacher: float | None
    student_name: str
    student: float | None
    baseline: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    verdict: str
    small: bool = False


@dataclass(frozen=True)
class RunRow:
    """One line of the list of runs; `sweep` marks a what-if, whose headline is its chosen cell on the test rows."""

    id: str
    name: str
    state: str
    created_utc: str
    started_utc: str | None
    ended_utc: str | None
    dataset_name: str
    target: str
    task: str | None
    teacher: str
    students: tuple[str, ...]
    headline: Headline | None
    seconds: float | None
    star: bool
    note: str
    work_hash: str
    error: RunError | None
    queue_number: int | None = None
    click: str | None = None
    sweep: bool = False


COLUMNS = (
    "id", "name", "state", "created_utc", "started_utc", "ended_utc", "dataset_name", "target", "task", "teacher",
    "students", "headline", "seconds", "star", "note", "work_hash", "error", "queue_number", "click", "sweep", "search",
)  # fmt: skip


def row_of(folder: RunFolder) -> RunRow:
    """Read a run's line from its folder. Errors: what `RunFolder.spec` and `.status` raise."""
    spec, status, said = folder.spec(), folder.status(), folder.annotation()
    result = folder.result() if status.get("state") in ("done", "cancelled") else None
    error = status.get("error")
    return RunRow(
        id=folder.id,
        name=str(said.get("name") or "") or spec.title(),
        state=str(status.get("state", "interrupted")),
        created_utc=str(status.get("created_utc", "")),
        started_utc=status.get("started_utc"),
        ended_utc=status.get("ended_utc"),
        dataset_name=spec.dataset.name or spec.dataset.source.split(":", 1)[-1].rsplit("/", 1)[-1],
        target=spec.dataset.target,
        task=(result or {}).get("task") or spec.dataset.task,
        teacher=spec.teacher.name,
        students=tuple(s.name for s in spec.students),
        headline=headline(result) if result else None,
        seconds=status.get("seconds"),
        star=bool(said["star"]),
        note=str(said["note"]),
        work_hash=str(status.get("work_hash") or spec.work_hash()),
        error=RunError(**error) if error else None,
        queue_number=status.get("queue_number"),
        click=status.get("click"),
        sweep=spec.sweep is not None,
    )


def _mean(values: Any) -> float | None:
    if isinstance(values, dict):
        values = values.get("mean")
    return float(values) if isinstance(values, int | float) and not isinstance(values, bool) else None


def headline(result: dict[str, Any]) -> Headline | None:
    """Pick the best student of a result on its metric; None when the result names no metric or no student."""
    metric, students = result.get("metric") or {}, result.get("students") or []
    name = metric.get("name")
    if not name or not students:
        return None
    sign = -1.0 if metric.get("better") in ("lower", "min", "smaller") else 1.0

    def value(holder: dict[str, Any]) -> float | None:
        return _mean((holder.get("metrics") or {}).get(name))

    def rank(student: dict[str, Any]) -> float:
        found = value(student)
        return float("-inf") if found is None else sign * found

    picked = (result.get("sweep") or {}).get("best")  # by validation: the best on test rows would flatter itself
    best = next((s for s in students if picked is not None and s.get("cell") == picked), None) or max(
        students, key=rank
    )
    gain = (best.get("gain") or {}).get(name) or {}
    low, high = (gain.get("ci95") or [None, None])[:2]
    return Headline(
        metric=name, better=str(metric.get("better", "")), teacher=value(result.get("teacher") or {}),
        student_name=str(best.get("name", "")), student=value(best), baseline=value(best.get("baseline") or {}),
        gain=_mean(gain), gain_low=low, gain_high=high, verdict=str(best.get("verdict", "")),
        small=bool(best.get("small", False)),
    )  # fmt: skip


def to_record(row: RunRow) -> tuple[Any, ...]:
    """Lay a row out in the order of `COLUMNS`."""
    words = (row.id, row.name, row.dataset_name, row.target, row.teacher, *row.students, row.note)
    return (
        row.id, row.name, row.state, row.created_utc, row.started_utc, row.ended_utc, row.dataset_name, row.target,
        row.task, row.teacher, json.dumps(row.students, ensure_ascii=False),
        json.dumps(asdict(row.headline)) if row.headline else None, row.seconds, int(row.star), row.note,
        row.work_hash, json.dumps(asdict(row.error), ensure_ascii=False) if row.error else None, row.queue_number,
        row.click, int(row.sweep), "\n".join(words).casefold(),
    )  # fmt: skip


def from_record(record: tuple[Any, ...]) -> RunRow:
    """Read what `to_record` laid out."""
    found = dict(zip(COLUMNS, record, strict=True))
    found.pop("search")
    found["students"] = tuple(json.loads(found["students"]))
    found["headline"] = Headline(**json.loads(found["headline"])) if found["headline"] else None
    found["error"] = RunError(**json.loads(found["error"])) if found["error"] else None
    found["star"], found["sweep"] = bool(found["star"]), bool(found["sweep"])
    return RunRow(**found)
