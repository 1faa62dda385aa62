"""What the list of runs shows about one run, made from its folder."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from kd_core.runs.outcome import Outcome, read_outcome
from kd_core.runs.store.folder import DAMAGED, STATES, RunFolder
from kd_core.runs.store.seeds_told import named
from kd_core.runs.view.smaller import verdict
from kd_core.safe_io import Damaged
from kd_core.specs import RunSpec

NOTHING_SMALLER = "no_smaller"  # in place of a verdict: no stage of a run that makes a student smaller is to be taken
PARSED_ROWS = 1024  # of the index that stay in memory, about 2 KB each


@dataclass(frozen=True)
class RunError:
    """Why a run ended: message, next step, a stable code, and the id that finds the trace in its log."""

    code: str
    message: str
    hint: str = ""
    error_id: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class Headline:
    """The one comparison worth a line in the list: the student that is best on validation, on the test rows.

    `student`: the score of the model to take home, `versus` its difference to the teacher, `bytes` of its file; `alone`: it was trained
    without a teacher. `gain` is always the taught student's over its baseline, None where that is the baseline itself, whose `verdict` says so. Above 0 is better. `plain`: the score of the plain model of
    its size where it is no worse.
    """

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
    versus: float | None = None
    versus_low: float | None = None
    versus_high: float | None = None
    bytes: int | None = None
    alone: bool = False
    plain: float | None = None


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
    "id",
    "name",
    "state",
    "created_utc",
    "started_utc",
    "ended_utc",
    "dataset_name",
    "target",
    "task",
    "teacher",
    "students",
    "headline",
    "seconds",
    "star",
    "note",
    "work_hash",
    "error",
    "queue_number",
    "click",
    "sweep",
    "search",
)


def row_of(folder: RunFolder) -> RunRow:
    """Read a run's line from its folder. Errors: what `RunFolder.spec`, `.status`, `.result` and `.manifest` raise."""
    spec, status, said = folder.spec(), _status(folder), folder.annotation()
    result = None
    if status["state"] in ("done", "cancelled"):
        result = folder.result()
        folder.manifest()  # a damaged one makes the run damaged
    error = status.get("error")
    return RunRow(
        id=folder.id,
        name=named(str(said.get("name") or "") or spec.title(), spec, result),
        state=str(status["state"]),
        created_utc=str(status.get("created_utc", "")),
        started_utc=status.get("started_utc"),
        ended_utc=status.get("ended_utc"),
        dataset_name=spec.dataset.name or spec.dataset.source.split(":", 1)[-1].rsplit("/", 1)[-1],
        target=spec.dataset.target,
        task=(result or {}).get("task") or spec.dataset.task,
        teacher=spec.teacher.name,
        students=_students(spec, result or {}),
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


def _students(spec: RunSpec, result: dict[str, Any]) -> tuple[str, ...]:
    """Name who learns: of candidates the chosen one, and 'best' until it is known."""
    if spec.choose is None:
        return tuple(s.name for s in spec.students)
    return (str((result.get("choice") or {}).get("chosen") or "best"),)


_OPTIONAL = {
    "created_utc": str,
    "started_utc": str,
    "ended_utc": str,
    "work_hash": str,
    "click": str,
    "seconds": int | float,
    "queue_number": int,
    "attempts": int,
    "error": dict,
}


def _status(folder: RunFolder) -> dict[str, Any]:
    """Read the status and check what the list is made of. Errors: KDError `run_damaged`."""
    status = folder.status()
    if not status:
        raise folder.damaged("status.json", Damaged("is missing or empty"))
    check_status(folder, status)
    return status


def check_status(folder: RunFolder, status: dict[str, Any]) -> None:
    """Check the fields of a status that lists and pages count on. Errors: KDError `run_damaged`."""
    if status.get("state") not in STATES:
        raise folder.damaged("status.json", Damaged(f"names no known state but {str(status.get('state'))[:40]!r}"))
    for name, kind in _OPTIONAL.items():
        held = status.get(name)
        if held is not None and not isinstance(held, kind):
            raise folder.damaged("status.json", Damaged(f"holds {str(held)[:40]!r} as {name}"))
        if isinstance(held, int | float) and not abs(held) < 2**63:  # also where it is no number at all
            raise folder.damaged("status.json", Damaged(f"holds {str(held)[:40]} as {name}"))
    error = status.get("error")
    if error is not None and not (
        {"code", "message"} <= set(error) <= {"code", "message", "hint", "error_id"}
        and all(isinstance(v, str) for v in error.values())
    ):
        raise folder.damaged("status.json", Damaged("holds an error that is none"))


def damaged_row(run_id: str, error: RunError, before: RunRow | None) -> RunRow:
    """Make the line of a run whose folder is damaged or gone, from what was known of it before."""
    if before is None:
        before = RunRow(
            id=run_id,
            name=run_id,
            state=DAMAGED,
            created_utc=_dated(run_id),
            started_utc=None,
            ended_utc=None,
            dataset_name="",
            target="",
            task=None,
            teacher="",
            students=(),
            headline=None,
            seconds=None,
            star=False,
            note="",
            work_hash="",
            error=error,
        )
    return replace(before, state=DAMAGED, error=error, headline=None, queue_number=None, click=None)


def _dated(run_id: str) -> str:
    """Read from a run's id when it was made; empty for an id of another make."""
    found = re.match(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)-", run_id)
    return "{}-{}-{}T{}:{}:00.000Z".format(*found.groups()) if found else ""


def headline(result: dict[str, Any]) -> Headline | None:
    """Show the student that is best on validation; None when the result can't be read or holds no student.

    Ranked by the test rows, the best of several would be partly the luckiest.
    """
    if not result.get("students") or not (result.get("metric") or {}).get("name"):
        return None
    found = read_outcome(result)
    best, name = found.students[found.best], found.metric.name
    gain, versus = best.judged(name), best.own_versus_teacher.get(name)
    ours, theirs = best.own.mean(name), found.teacher.get(name)
    away = (
        None if ours is None or theirs is None else ours - theirs if found.metric.better == "higher" else theirs - ours
    )
    if smaller := result.get("compressed"):
        return _of_stages(smaller, found, theirs)
    return Headline(
        metric=name,
        better=found.metric.better,
        teacher=theirs,
        student_name=best.name,
        student=ours,
        baseline=best.baseline.mean(name),
        gain=gain.mean if gain else None,
        gain_low=gain.low if gain else None,
        gain_high=gain.high if gain else None,
        verdict=best.word,
        small=best.small,
        versus=versus.mean if versus else away,
        versus_low=versus.low if versus else None,
        versus_high=versus.high if versus else None,
        bytes=best.raw.get("size_bytes"),
        alone=best.alone,
        plain=plain.arm.mean(name) if (plain := best.instead(found.metric)) else None,
    )


def _of_stages(block: dict[str, Any], found: Outcome, teacher: float | None) -> Headline:
    """Show the stage that was chosen, or the student as it was: what the teacher gave is the earlier run's to say."""
    name, better = found.metric.name, found.metric.better
    whole = next(one for one in block["stages"] if one["step"] is None)
    one = next((one for one in block["stages"] if one["id"] == block["best"]), whole)
    student = one["metrics"].get(name)
    away = None if student is None or teacher is None else (student - teacher) * (1 if better == "higher" else -1)
    about = (block["student"], *([one["name"]] if one is not whole else []))
    smaller = one is not whole and verdict.gains(block, one)
    return Headline(
        name,
        better,
        teacher,
        " · ".join(about),
        student,
        None,
        *(None,) * 3,
        verdict="" if smaller else NOTHING_SMALLER,
        versus=away,
        bytes=one["bytes"],
    )


def to_record(row: RunRow) -> tuple[Any, ...]:
    """Lay a row out in the order of `COLUMNS`."""
    words = (row.id, row.name, row.dataset_name, row.target, row.teacher, *row.students, row.note)
    return (
        row.id,
        row.name,
        row.state,
        row.created_utc,
        row.started_utc,
        row.ended_utc,
        row.dataset_name,
        row.target,
        row.task,
        row.teacher,
        json.dumps(row.students, ensure_ascii=False),
        json.dumps(asdict(row.headline)) if row.headline else None,
        row.seconds,
        int(row.star),
        row.note,
        row.work_hash,
        json.dumps(asdict(row.error), ensure_ascii=False) if row.error else None,
        row.queue_number,
        row.click,
        int(row.sweep),
        "\n".join(words).casefold(),
    )


@functools.lru_cache(maxsize=PARSED_ROWS)  # lists show the same rows again and again; a changed record is another key
def from_record(record: tuple[Any, ...]) -> RunRow:
    """Read what `to_record` laid out."""
    found = dict(zip(COLUMNS, record, strict=True))
    found.pop("search")
    found["students"] = tuple(json.loads(found["students"]))
    found["headline"] = Headline(**json.loads(found["headline"])) if found["headline"] else None
    found["error"] = RunError(**json.loads(found["error"])) if found["error"] else None
    found["star"], found["sweep"] = bool(found["star"]), bool(found["sweep"])
    return RunRow(**found)
