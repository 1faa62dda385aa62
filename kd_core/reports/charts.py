"""Which charts a report holds, and the numbers in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.evaluate.intervals.compare import Gain, paired
from kd_core.reports import written
from kd_core.reports.drawing import Mark, Place, diagonal, lines, scatter
from kd_core.reports.markup import Markup
from kd_core.runs.outcome import Outcome, StudentOutcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.store.measured import Arm

RUNTIMES = {
    "whole": "from the raw row on",
    "onnxruntime": "the network alone, ONNX Runtime",
    "torch": "the network alone, torch",
    "native": "the model alone, its own library",
}
_SHORT = {"whole": "raw row", "onnxruntime": "ONNX alone", "torch": "torch alone", "native": "alone"}
Json = Mapping[str, Any]


def charts_of(found: Outcome, student: StudentOutcome) -> list[Markup]:
    """Draw one student: what it scores, what it gains, how long it takes and how far its shares can be trusted."""
    drawn = [scores(found, student), gains(found, student)]
    for one in (times(found, student), calibration(found, student)):
        drawn += [one] if one else []
    return drawn


def scores(found: Outcome, student: StudentOutcome) -> Markup:
    """Draw the metric of teacher, plain model, baseline, placebo and student with their intervals over seeds."""
    name, title = found.metric.name, found.metric.title
    marks = [] if found.teacher.get(name) is None else [Mark("Teacher", "teacher", float(found.teacher[name] or 0.0))]
    for label, arm, block in _arms(student):
        mean = block.mean(name)
        if mean is not None:
            marks.append(Mark(label, arm, mean, *_bounds(block, name), tuple(_values(block, name))))
    better = "less is better" if found.metric.better == "lower" else "more is better"
    return lines(
        marks, f"{title} on test rows, {student.name}", f"{title} ({better}); small dots: single seeds", written.short
    )


def gains(found: Outcome, student: StudentOutcome) -> Markup:
    """Draw what the student gains over each of those it is compared with; above 0 is better."""
    name = found.metric.name
    factor, unit = (100.0, ", points") if found.metric.unit == "share" else (1.0, "")
    compared = [("over its baseline", "baseline", student.judged(name))]
    compared.append(("over the placebo", "placebo", student.placebo.gain.get(name) if student.placebo else None))
    compared += [(f"over a {_plain(p).lower()}", "plain", p.judged(name)) for p in student.plains]
    compared.append(("over the teacher", "teacher", student.own_versus_teacher.get(name)))
    marks = [_gain(label, arm, gain, factor) for label, arm, gain in compared if gain is not None]
    title = f"What the {student.name} student gains in {found.metric.title}, with 95 % intervals"
    return lines(marks, title, f"{found.metric.title}{unit}; right of the line is better", _shown, zero=True)


def against_size(found: Outcome) -> Markup:
    """Draw metric against bytes for the teacher and for every student with its baseline and plain model."""
    name, teacher = found.metric.name, found.raw["teacher"]
    places = []
    if (score := found.teacher.get(name)) is not None and teacher.get("size_bytes"):
        places.append(Place("Teacher", "teacher", teacher["size_bytes"] / 1024, score))
    for student in found.students:
        size = student.bytes or student.raw["size_bytes"]
        sized = {_plain(p): p.bytes for p in student.plains}
        for label, arm, block in _arms(student):
            mean = block.mean(name)
            if mean is not None:
                low, high = _bounds(block, name)
                places.append(Place(f"{label}, {student.name}", arm, sized.get(label, size) / 1024, mean, low, high))
    title = f"{found.metric.title} against the size of the file"
    return scatter(places, title, ("size", found.metric.title), (lambda kb: f"{kb:,.3g} KB", written.short))


def times(found: Outcome, student: StudentOutcome) -> Markup | None:
    """Draw the time of one row for teacher and student, middle and slow end; None where nothing was timed."""
    marks = []
    for arm, block in (("teacher", found.raw["teacher"]), ("student", student.raw)):
        measured = timed(block)
        for runtime, batches in measured.items():
            if "1" in batches and not (runtime == "torch" and "onnxruntime" in measured):
                one = batches["1"]
                told = f"{arm.capitalize()}, {_SHORT.get(runtime, runtime)}"
                marks.append(Mark(told, arm, one["p50"], one["p50"], one.get("p95", one["p50"])))
    if not marks:
        return None
    return lines(
        marks,
        "Time for one row, teacher and student",
        "middle (mark) and slow end, p95 (end of the bar)",
        written.time,
        log=True,
    )


def calibration(found: Outcome, student: StudentOutcome) -> Markup | None:
    """Draw how often answers of a stated share are right; None for numbers and where it was not kept."""
    curves = []
    for arm, block in (
        ("teacher", found.raw["teacher"]),
        ("baseline", student.raw["baseline"]),
        *(() if student.untaught else (("student", student.raw),)),
    ):
        points = _bins(block.get("calibration") or ())
        if points:
            curves.append((arm, points))
    if not curves:
        return None
    axes = ("the share that a model gives its first class", "how often that class is right")
    return diagonal(
        curves, "Do stated shares come true? On the dashed line they do", axes, lambda v: f"{100 * v:.0f} %"
    )


def _bins(found: Any) -> list[tuple[float, float]]:
    """Read stated shares and how often they came true, as rows or as the columns of an older result."""
    rows = found.get("bins", found) if isinstance(found, Mapping) else found
    if isinstance(rows, Mapping):
        return list(zip(rows["confidence"], rows["accuracy"], strict=True))
    return [(b["confidence"], b["accuracy"]) for b in rows]


def timed(block: Json) -> dict[str, dict[str, dict[str, float]]]:
    """Keep what was measured of a block of times: runtime -> batch -> p50, p95, p99 in ms."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for runtime, batches in (block.get("latency_ms") or {}).items():
        measured = batches if isinstance(batches, Mapping) else {}
        kept = {n: dict(t) for n, t in measured.items() if isinstance(t, Mapping) and t.get("p50") is not None}
        if kept:
            found[str(runtime)] = kept
    return found


def _arms(student: StudentOutcome) -> list[tuple[str, str, Arm]]:
    arms = [(_plain(p), "plain", p.arm) for p in student.plains]
    arms.append(("Baseline", "baseline", student.baseline))
    arms += [("Placebo", "placebo", student.placebo.arm)] if student.placebo else []
    return arms if student.untaught else [*arms, ("Student", "student", student.arm)]


def _plain(plain: Plain) -> str:
    return "Plain model" if plain.place == "plain" else "Smaller plain model"


def _values(block: Arm, name: str) -> list[float]:
    return [float(v) for v in (block.metrics.get(name) or {}).get("values") or () if v is not None]


def _bounds(block: Arm, name: str) -> tuple[float | None, float | None]:
    """The 95 % interval of the mean over seeds; (None, None) below two."""
    values = _values(block, name)
    if len(values) < 2:
        return None, None
    found = paired(values, [0.0] * len(values))
    return found.low, found.high


def _gain(label: str, arm: str, gain: Gain, factor: float) -> Mark:
    low, high = (None if v is None else factor * v for v in (gain.low, gain.high))
    return Mark(label, arm, factor * gain.mean, low, high)


def _shown(value: float) -> str:
    return written.sentence(f"{value:+.3g}") if value else "0"
