"""Several runs laid side by side: points, the front, goals, and the settings that differ. No drawing here."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.runs.outcome import StudentOutcome, read_outcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import RunRow
from kd_core.specs import Spec
from pages.ui.charts.spread import bounds
from pages.ui.compare import naming, smaller, standing
from pages.ui.goals.candidates import Candidate
from pages.ui.result import differences, speed
from pages.ui.shared import engine, text
from pages.ui.shared.text import Safe, escape, t

Result = Mapping[str, Any]
COSTS = ("size", "latency", "flops")
LEFT_OUT = (
    "dataset.group",
    "dataset.time",
    "dataset.one_class",
    "dataset.read.comment",
)  # empty: not done; others: chosen


@dataclass(frozen=True)
class Entry:
    """One student of one run, with what it is compared by. `id` is stable: run id and position.

    `origin`: the run and the name under which it was trained; `smaller`: it was made smaller than it was trained.
    `made`: the time its run was made at, where others of that name are compared, too.
    """

    id: str
    run_id: str
    run_name: str
    index: int
    result: Result
    settings: dict[str, str]
    note: str
    told: str = ""
    origin: tuple[str, str] = ("", "")
    smaller: bool = False
    made: str = ""

    @property
    def student(self) -> Result:
        found: Result = self.result["students"][self.index]
        return found

    @property
    def label(self) -> str:
        """Name of the student, with what tells it apart from others of that name (see `apart`)."""
        return self.told or str(self.student["name"])

    @functools.cached_property
    def read(self) -> StudentOutcome:
        """The student as typed values."""
        return read_outcome(self.result).students[self.index]

    @property
    def title(self) -> str:
        """Name of the model to take home, whose numbers stand for the entry."""
        return str(t("compare.alone", name=Safe(self.label))) if self.read.alone else self.label


@functools.lru_cache(maxsize=256)
def _read(path: Path, changed_ns: int) -> Result | None:
    return RunFolder(path).result()


def read(folder: RunFolder) -> Result | None:
    """Read a run's result, again only when the file has changed; None when it has none.

    Errors: KDError `run_damaged`.
    """
    try:
        changed = (folder.path / "result.json").stat().st_mtime_ns
    except FileNotFoundError:
        return None
    found = _read(folder.path, changed)
    folder.manifest()  # one that can't be read is damage, too
    return found if found and found["students"] else None


def entries(row: RunRow, folder: RunFolder) -> list[Entry]:
    """List a run's students, of one made smaller both, as it was and as it was chosen; empty when the run has no result."""
    found = read(folder)
    if found is None:
        return []
    spec = folder.spec()
    shared = flatten(
        {
            "dataset": {n: v for n, v in spec.dataset if n != "sha256"},
            "teacher": spec.teacher,
            "objective": spec.objective,
            "training": spec.training,
            "evaluation": spec.evaluation,
        }
    )
    from kd_core.runs.cells.modes import unlabelled

    alpha = {naming.FIRST[2]} if unlabelled(spec.mode.name) else set()  # no label is heard, whatever it says
    arms = {s.name: flatten({"student": s.arch}) for s in spec.students}
    first = (found.get("compressed") or {}).get("run", row.id)
    made = [
        Entry(
            f"{row.id}:{i}",
            row.id,
            row.name,
            i,
            found,
            {n: v for n, v in (shared | arms.get(s["name"], {}) | _lesson(s)).items() if n not in alpha},
            row.note,
            origin=(first, str(s["name"])),
        )
        for i, s in enumerate(found["students"])
    ]
    at, one = smaller.position(found), smaller.taken(found)
    if at is not None and one is not None:
        students = [one if i == at else s for i, s in enumerate(found["students"])]
        small = {**found, "students": students}
        made.append(dataclasses.replace(made[at], id=f"{row.id}:smaller", result=small, origin=("", ""), smaller=True))
    return made


def once(found: Sequence[Entry]) -> list[Entry]:
    """Leave out students that stand here already: as they were trained, or as another run began with them."""
    known = {e.origin for e in found if e.origin[0] == e.run_id}
    kept: list[Entry] = []
    for e in found:
        if e.smaller or e.origin[0] == e.run_id or e.origin not in known:
            kept.append(e)
            known.add(e.origin)
    return kept


def _lesson(student: Result) -> dict[str, str]:
    """T and alpha as the student was taught, also where the recipe left them at their default."""
    known = {n: student.get(n) for n in ("temperature", "alpha")}
    return flatten({"objective": {"settings": {n: f"{v:g}" for n, v in known.items() if v is not None}}})


def flatten(values: Mapping[str, Any] | Spec, prefix: str = "") -> dict[str, str]:
    """Turn nested settings into 'group.name' -> text; also those a spec leaves out of its JSON at their default."""
    found: dict[str, str] = {}
    for key, value in dict(values).items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping | Spec):
            found |= flatten(value, name)
        elif value is None:
            found[name] = str(t("common.none" if name in LEFT_OUT else "common.auto"))
        else:
            found[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found


def common_metrics(found: Sequence[Entry]) -> list[str]:
    """Name the metrics every entry has, the runs' own verdict metric first."""
    if not found:
        return []
    shared = [n for n in found[0].student["metrics"] if all(n in e.student["metrics"] for e in found)]
    own = found[0].result["metric"]["name"]
    return sorted(shared, key=lambda n: n != own)


def cost(block: Result, by: str) -> float | None:
    """Return size in bytes, latency p50 at batch 1 in ms (from the raw row on before the network alone), or FLOPs per row."""
    if by == "size":
        return block.get("size_bytes")
    if by == "flops":
        return block.get("flops")
    measured = speed.runtimes(block.get("latency_ms"))
    for runtime in ("whole", "onnxruntime", "torch", *measured):
        if "1" in measured.get(runtime, {}):
            return measured[runtime]["1"]["p50"]
    return None


def points(found: Sequence[Entry], metric: str, by: str) -> list[dict[str, Any]]:
    """Make the chart's points: teachers and plain models once each, and per entry the baseline and the student.

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
        alone = e.read.alone  # the point of an entry is that of the model to take home
        if not e.smaller:  # one without a teacher is its own baseline: one point
            block = student | dict(student["baseline"])
            made += _point(
                e.id if alone else f"{e.id}:baseline", "baseline", e.title if alone else "", block, metric, by, e
            )
        arm = "compressed" if e.smaller else "student"
        if e.read.untaught and not e.smaller:
            continue
        made += _point(f"{e.id}:taught" if alone else e.id, arm, e.label, student, metric, by, e)
    for e, plain in plain_models(found):
        block = {**_plain_costs(plain), "metrics": plain.arm.metrics}
        made += _point(plain_id(e, plain), "plain", differences.plain_label(plain.name), block, metric, by, e)
    return naming.unlike(made, {e.run_id: e.run_name for e in found})


def plain_models(found: Sequence[Entry]) -> list[tuple[Entry, Plain]]:
    """List the plain models that were asked about the test rows, once each, with the first entry set beside it."""
    known: dict[tuple[Any, ...], tuple[Entry, Plain]] = {}
    for e in found:
        for plain in e.read.plains:
            known.setdefault(plain.key, (e, plain))
    return list(known.values())


def plain_id(entry: Entry, plain: Plain) -> str:
    """Name a plain model by the entry that it stands beside."""
    return f"{entry.id}:{plain.place}"


def _plain_costs(plain: Plain) -> dict[str, Any]:
    """Return bytes and times of a plain model; older results have no times of it."""
    return {"size_bytes": plain.bytes, "latency_ms": plain.raw.get("latency_ms")}


def plain_candidates(found: Sequence[Entry], metric: str, lost: float | None = None) -> list[Candidate]:
    """Describe the plain models, which have no teacher, as ones that could be shipped, too; `lost` as in `candidate`."""
    made = []
    for e, plain in plain_models(found):
        costs = _plain_costs(plain)
        told = {by: cost(costs, by) for by in COSTS}
        surely = standing.worse_end(e.result, plain.versus_teacher, metric)
        made.append(
            Candidate(
                plain_id(e, plain),
                differences.plain_label(plain.name),
                plain.arm.mean(metric),
                told,
                against=standing.against(plain.versus_teacher, metric, lost),
                surely=surely,
                unsure=surely is None,
            )
        )
    return made


def missing(found: Sequence[Entry], metric: str, by: str) -> int:
    """Count models that can't be drawn because the metric or the cost is unknown."""
    teachers = {
        (e.result["teacher"]["name"], e.result["teacher"]["size_bytes"], e.result["teacher"]["metrics"].get(metric))
        for e in found
    }
    models = sum(1 if e.smaller or e.read.untaught else 2 for e in found)
    return len(teachers) + models + len(plain_models(found)) - len(points(found, metric, by))


def _point(id: str, arm: str, label: str, block: Result, metric: str, by: str, e: Entry) -> list[dict[str, Any]]:
    x, y = cost(block, by), block["metrics"].get(metric)
    spread = y if isinstance(y, Mapping) else {"mean": y, "values": []}
    if x is None or spread.get("mean") is None:
        return []
    low, high = bounds(spread["values"], metric)
    name = t(f"runs.arm.{'baseline_short' if arm == 'baseline' else arm}")
    shown = f"{text.score(spread['mean'])}" + (f" [{text.score(low)}, {text.score(high)}]" if low is not None else "")
    hover = f"{name} {escape(label or e.label)}<br>{escape(e.run_name)}<br>"
    hover += f"{escape(differences.metric_title(metric))} {shown}<br>{written(by)(x)}"
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
    sign = -1.0 if differences.lower_is_better(metric) else 1.0
    known = [e.result["teacher"] for e in found if e.result["teacher"]["metrics"].get(metric) is not None]
    return max(known, key=lambda x: sign * x["metrics"][metric], default=None)


def candidate(e: Entry, metric: str, lost: float | None = None) -> Candidate:
    """Describe the model to take home as one that could be shipped; `lost`: what may be lost against the teacher."""
    read = e.read
    picks = [p.get("score_selected") for p in (e.student.get("selection") or {}).get(read.taken) or ()]
    known = [v for v in picks if v is not None] if metric == e.result["metric"].get("selection") else []
    surely = standing.surely(e.result, read, metric)
    return Candidate(
        e.id,
        e.title,
        read.own.mean(metric),
        {by: cost(e.student, by) for by in COSTS},
        sum(known) / len(known) if known else None,
        standing.less(e.result["compressed"], metric)
        if e.smaller
        else standing.against(read.own_versus_teacher, metric, lost),
        surely,
        surely is None,
    )
