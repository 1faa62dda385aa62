"""Several runs laid side by side: points, the front, goals, and the settings that differ. No drawing here."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.runs.folder import RunFolder
from kd_core.runs.rows import RunRow
from pages.ui import engine, speed, text, verdict
from pages.ui.spread import bounds
from pages.ui.text import escape, t

Result = Mapping[str, Any]
COSTS = ("size", "latency", "flops")


@dataclass(frozen=True)
class Entry:
    """One student of one run, with what it is compared by. `id` is stable: run id and position."""

    id: str
    run_id: str
    run_name: str
    index: int
    result: Result
    settings: dict[str, str]
    star: bool
    note: str

    @property
    def student(self) -> Result:
        found: Result = self.result["students"][self.index]
        return found

    @property
    def label(self) -> str:
        return str(self.student["name"])


@dataclass(frozen=True)
class Goal:
    """What a student must reach against the best teacher: at most `lost` of the metric, `times` less cost."""

    lost: float
    times: float


@functools.lru_cache(maxsize=256)
def _read(path: Path, changed_ns: int) -> Result | None:
    return RunFolder(path).result()


def read(folder: RunFolder) -> Result | None:
    """Read a run's result, again only when the file has changed; None when it has none."""
    try:
        changed = (folder.path / "result.json").stat().st_mtime_ns
    except FileNotFoundError:
        return None
    found = _read(folder.path, changed)
    return found if found and found.get("students") else None


def entries(row: RunRow, folder: RunFolder) -> list[Entry]:
    """List a run's students; empty when the run has no result."""
    found = read(folder)
    if found is None:
        return []
    spec = folder.spec()
    shared = flatten({
        "dataset": spec.dataset.model_dump(mode="json", exclude={"sha256"}), "teacher": spec.teacher.model_dump(mode="json"),
        "objective": spec.objective.model_dump(mode="json"), "training": spec.training.model_dump(mode="json"),
        "evaluation": spec.evaluation.model_dump(mode="json"),
    })  # fmt: skip
    arms = {s.name: flatten({"student": s.arch.model_dump(mode="json")}) for s in spec.students}
    return [
        Entry(f"{row.id}:{i}", row.id, row.name, i, found, shared | arms.get(s["name"], {}), row.star, row.note)
        for i, s in enumerate(found["students"])
    ]


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Turn nested settings into 'group.name' -> text."""
    found: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found |= flatten(value, name)
        else:
            found[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found


def differing(found: Sequence[Entry]) -> list[str]:
    """Name the settings that are not the same for all entries, in their order."""
    names = dict.fromkeys(n for e in found for n in e.settings)
    return [n for n in names if len({e.settings.get(n) for e in found}) > 1]


def short_setting(name: str) -> str:
    """Name a setting by what tells it apart: 'objective.settings.alpha' is alpha, 'teacher.name' is teacher.

    Example:
        >>> short_setting("student.settings.width")
        'student width'
    """
    parts = [p for p in name.split(".") if p not in ("settings", "arch")]
    if parts[-1] == "name":
        return parts[0]
    return " ".join(parts[1:] if parts[0] in ("objective", "training", "dataset", "evaluation") else parts)


def common_metrics(found: Sequence[Entry]) -> list[str]:
    """Name the metrics every entry has, the runs' own verdict metric first."""
    if not found:
        return []
    shared = [n for n in found[0].student["metrics"] if all(n in e.student["metrics"] for e in found)]
    own = found[0].result["metric"]["name"]
    return sorted(shared, key=lambda n: n != own)


def cost(block: Result, by: str) -> float | None:
    """Return size in bytes, latency p50 at batch 1 in ms (ONNX Runtime before others), or FLOPs per row."""
    if by == "size":
        return block.get("size_bytes")
    if by == "flops":
        return block.get("flops")
    measured = speed.runtimes(block.get("latency_ms"))
    for runtime in ("onnxruntime", "torch", *measured):
        if "1" in measured.get(runtime, {}):
            return measured[runtime]["1"]["p50"]
    return None


def points(found: Sequence[Entry], metric: str, by: str) -> list[dict[str, Any]]:
    """Make the chart's points: teachers once each, and per entry the baseline and the student.

    Points without the cost or the metric are left out; `missing` counts them.
    """
    made: list[dict[str, Any]] = []
    seen: set[tuple[Any, ...]] = set()
    for e in found:
        teacher, student = e.result["teacher"], e.student
        key = (teacher["name"], teacher["size_bytes"], teacher["metrics"].get(metric))
        if key not in seen:
            seen.add(key)
            made += _point(
                f"{e.run_id}:teacher",
                "teacher",
                engine.part_title("teacher", str(teacher["name"])),
                teacher,
                metric,
                by,
                e,
            )
        made += _point(f"{e.id}:baseline", "baseline", "", student | dict(student["baseline"]), metric, by, e)
        made += _point(e.id, "student", e.label, student, metric, by, e)
    return made


def missing(found: Sequence[Entry], metric: str, by: str) -> int:
    """Count models that can't be drawn because the metric or the cost is unknown."""
    teachers = {(e.result["teacher"]["name"], e.result["teacher"]["size_bytes"], e.result["teacher"]["metrics"].get(metric))
                for e in found}  # fmt: skip
    return len(teachers) + 2 * len(found) - len(points(found, metric, by))


def _point(id: str, arm: str, label: str, block: Result, metric: str, by: str, e: Entry) -> list[dict[str, Any]]:
    x, y = cost(block, by), block["metrics"].get(metric)
    spread = y if isinstance(y, Mapping) else {"mean": y, "values": []}
    if x is None or spread.get("mean") is None:
        return []
    low, high = bounds(spread["values"])
    name = t(f"runs.arm.{'baseline_short' if arm == 'baseline' else arm}")
    shown = f"{text.score(spread['mean'])}" + (f" [{text.score(low)}, {text.score(high)}]" if low is not None else "")
    hover = f"{name} {escape(label or e.label)}<br>{escape(e.run_name)}<br>"
    hover += f"{escape(verdict.metric_title(metric))} {shown}<br>{written(by)(x)}"
    return [
        {"id": id, "arm": arm, "label": label, "x": x, "y": spread["mean"], "low": low, "high": high, "hover": hover}
    ]


def written(by: str) -> Any:
    """Return the number format of a cost."""
    return {"size": text.size, "latency": text.milliseconds, "flops": text.number}[by]


def front(found: Sequence[Mapping[str, Any]], lower_is_better: bool) -> list[str]:
    """Return the ids no other point beats in both cost and metric, from cheap to dear."""
    sign = -1.0 if lower_is_better else 1.0
    kept, best = [], float("-inf")
    for p in sorted(found, key=lambda p: (p["x"], -sign * p["y"])):
        if sign * p["y"] > best:
            best = sign * p["y"]
            kept.append(str(p["id"]))
    return kept


def best_teacher(found: Sequence[Entry], metric: str) -> Result | None:
    """Return the teacher that is best on the metric; goals are measured against it."""
    sign = -1.0 if verdict.lower_is_better(metric) else 1.0
    known = [e.result["teacher"] for e in found if e.result["teacher"]["metrics"].get(metric) is not None]
    return max(known, key=lambda x: sign * x["metrics"][metric], default=None)


def goal_edge(teacher: Result, goal: Goal, metric: str, by: str) -> tuple[float | None, float]:
    """Return the largest cost (None: unknown for this teacher) and the worst metric value that meet the goal."""
    sign = -1.0 if verdict.lower_is_better(metric) else 1.0
    most = cost(teacher, by)
    return (None if most is None else most / goal.times), teacher["metrics"][metric] - sign * goal.lost


def meets(student: Result, edge: tuple[float | None, float], metric: str, by: str) -> bool | None:
    """Say whether a student meets the goal; None when its cost or metric is unknown."""
    value, own = student["metrics"][metric]["mean"], cost(student, by)
    if value is None or (edge[0] is not None and own is None):
        return None
    good = value <= edge[1] if verdict.lower_is_better(metric) else value >= edge[1]
    return good and (edge[0] is None or (own is not None and own <= edge[0]))
