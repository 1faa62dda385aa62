"""What a result means, in plain sentences made from result.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.runs.rows import headline
from pages.ui import text
from pages.ui.text import Safe, t

Result = Mapping[str, Any]
COLOUR = {"beats": "green", "ties": "blue", "hurts": "red", "inconclusive": "orange"}
ICON = {
    "beats": ":material/trending_up:",
    "ties": ":material/drag_handle:",
    "hurts": ":material/trending_down:",
    "inconclusive": ":material/help:",
}


@dataclass(frozen=True)
class Judgement:
    """One student's verdict in words. `reason` and `next` are empty where nothing needs explaining."""

    word: str
    gain: Safe
    keeps: Safe | None
    reason: Safe | None
    next: Safe | None
    warnings: tuple[Safe, ...]


def metric_title(name: str) -> str:
    """Name a metric as people write it: ROC-AUC, RMSE."""
    return METRICS.get(name).title if name in METRICS.names() else name


def metric_word(name: str) -> str:
    """Name a metric inside a sentence: accuracy, but ROC-AUC."""
    title = metric_title(name)
    return (
        title
        if any(c.isupper() for c in title[1:]) or title[1:2].isdigit() or title[1:2] == "²"
        else title[0].lower() + title[1:]
    )


def lower_is_better(name: str) -> bool:
    """Say whether a metric counts errors."""
    return bool(name in METRICS.names() and METRICS.get(name).facts["better"] == "lower")


def is_share(name: str) -> bool:
    """Say whether a metric is a share of one, so that differences are told in points."""
    return bool(name in METRICS.names() and METRICS.get(name).facts["unit"] == "share")


def points(name: str, value: float | None) -> str:
    """Write a difference without its sign: 0.9 points for shares, else in the metric's own unit."""
    if value is None:
        return "–"
    if not is_share(name):
        return text.score(abs(value))
    size = abs(100 * value)
    shown = f"{size:.2f}" if size < 0.095 else f"{size:.1f}"
    return t("runs.verdict.points", value=shown) if shown != "1.0" else t("runs.verdict.point", value=shown)


def signed_points(name: str, value: float | None) -> str:
    """Write a difference with its sign; above 0 means better (see `gain` in result.json)."""
    if value is None:
        return "–"
    if not is_share(name):
        return text.signed(value)
    digits = 2 if abs(value) < 0.00095 else 1
    shown = f"{abs(100 * value):.{digits}f}"
    return f"{'+' if value >= 0 or not float(shown) else '−'}{shown}"


def interval_words(name: str, gain: Mapping[str, Any]) -> Safe:
    """Tell the 95 % interval and how many seeds it rests on."""
    low, high = gain["ci95"]
    num = gain.get("n", 1)
    if low is None or high is None:
        return t("runs.verdict.no_interval")
    key = "interval_lower" if lower_is_better(name) else "interval"
    return t(f"runs.verdict.{key}", low=signed_points(name, low), high=signed_points(name, high), n=num)


def best_student(result: Result) -> int:
    """Choose the student to show first: the one the list of runs shows, best on the run's metric."""
    found = headline(dict(result))
    names = [s["name"] for s in result["students"]]
    return names.index(found.student_name) if found and found.student_name in names else 0


def gain_sentence(result: Result, student: Mapping[str, Any]) -> Safe:
    """Say what the teacher was worth to the student, with the interval."""
    name = result["metric"]["name"]
    gain = student["gain"][name]
    way = "lower" if lower_is_better(name) else "higher"
    word = student["verdict"]
    mean = gain["mean"]
    key = word if word in ("ties", "inconclusive") else f"{word}_{way}"
    signed = signed_points(name, mean) + (f" {t('runs.verdict.points_word')}" if is_share(name) else "")
    return t(
        f"runs.verdict.{key}",
        student=student["name"],
        metric=metric_word(name),
        gain=points(name, mean),
        signed=signed,
        interval=interval_words(name, gain),
        margin=points(name, student["margin"]),
    )


def latency_pair(
    teacher: Mapping[str, Any], student: Mapping[str, Any], batch: str = "1"
) -> tuple[float, float, str] | None:
    """Return p50 of teacher and student and the runtime, measured the same way where both have it."""
    ours, theirs = runtimes(student.get("latency_ms")), runtimes(teacher.get("latency_ms"))
    for name in ("onnxruntime", "torch"):
        if batch in ours.get(name, {}) and batch in theirs.get(name, {}):
            return theirs[name][batch]["p50"], ours[name][batch]["p50"], name
    own = next((n for n in theirs if batch in theirs[n]), None)
    name = next((n for n in ("onnxruntime", "torch") if batch in ours.get(n, {})), None)
    if own is None or name is None:
        return None
    return theirs[own][batch]["p50"], ours[name][batch]["p50"], f"{own}, {name}"


def runtimes(latency: Mapping[str, Any] | None) -> dict[str, dict[str, dict[str, float]]]:
    """Keep the measured part of a latency block: runtime -> batch -> p50, p95, p99."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, batches in (latency or {}).items():
        if not isinstance(batches, Mapping):
            continue
        timed = {str(b): dict(v) for b, v in batches.items() if isinstance(v, Mapping) and v.get("p50") is not None}
        if timed:
            found[str(name)] = timed
    return found


RUNTIME = {"onnxruntime": "ONNX Runtime", "torch": "torch", "sklearn": "scikit-learn", "native": "scikit-learn"}


def runtime_title(name: str) -> str:
    """Name a runtime as people write it."""
    return RUNTIME.get(name, name)


def keeps_sentence(result: Result, student: Mapping[str, Any]) -> Safe | None:
    """Say how much of the teacher is left at which size and latency."""
    name, teacher = result["metric"]["name"], result["teacher"]
    ours, theirs = student["metrics"][name]["mean"], teacher["metrics"].get(name)
    if ours is None or not theirs:
        return None
    size = text.fraction(student["size_bytes"], teacher["size_bytes"])
    pair = latency_pair(teacher, student)
    speed = ""
    if pair:
        own = pair[2].split(", ")
        speed = t(
            "runs.verdict.speed" if len(own) == 1 else "runs.verdict.speed_mixed",
            ratio=text.fraction(pair[1], pair[0]),
            runtime=runtime_title(own[-1]),
            teacher=runtime_title(own[0]),
            hardware=hardware(result),
        )
    if is_share(name) and not lower_is_better(name):
        key = "keeps" if ours <= theirs else "reaches"
        return t(
            f"runs.verdict.{key}", share=text.percent(ours / theirs), metric=metric_word(name), size=size, speed=speed
        )
    return t(
        "runs.verdict.keeps_value",
        metric=metric_word(name),
        student=text.score(ours),
        teacher=text.score(theirs),
        size=size,
        speed=speed,
    )


def hardware(result: Result) -> str:
    """Name the machine the numbers were measured on."""
    found = result.get("environment", {})
    name = str(found.get("device_name") or found.get("device") or "")
    for noise in ("(R)", "(TM)", " Processor", " CPU"):
        name = name.replace(noise, "")
    return " ".join(name.split("@")[0].split())


def reason_words(result: Result, student: Mapping[str, Any]) -> tuple[Safe | None, Safe | None]:
    """Say the likely reason of a verdict and the next thing to try."""
    reason = student.get("reason") or {}
    code, values = str(reason.get("code", "")), reason.get("values") or {}
    if code in ("", "gain"):
        return None, None
    if f"runs.reason.{code}.why" not in text.catalogue():
        return None, None
    name = result["metric"]["name"]
    said = {
        "metric": metric_word(name),
        "alpha": f"{values['alpha']:g}" if values.get("alpha") is not None else "–",
        "margin": points(name, student["margin"]),
        "width": points(name, values.get("width")),
        "n": values.get("n", len(student.get("seeds", ()))),
    }
    return t(f"runs.reason.{code}.why", **said), t(f"runs.reason.{code}.next", **said)


def room(result: Result, student: Mapping[str, Any]) -> bool:
    """Say whether the teacher was better than this student alone, on validation."""
    rows = result.get("room") or []
    return all(bool(r.get("room", True)) for r in rows if r.get("student") == student["name"])


def warnings(result: Result, student: Mapping[str, Any]) -> tuple[Safe, ...]:
    """Raise red flags: a student that is not smaller or not faster than its teacher."""
    found = []
    teacher = result["teacher"]
    if student["size_bytes"] >= teacher["size_bytes"]:
        found.append(
            t("runs.flag.size", student=text.size(student["size_bytes"]), teacher=text.size(teacher["size_bytes"]))
        )
    pair = latency_pair(teacher, student)
    if pair and pair[1] >= pair[0]:
        found.append(t("runs.flag.speed", student=text.milliseconds(pair[1]), teacher=text.milliseconds(pair[0])))
    return tuple(found)


def judge(result: Result, index: int) -> Judgement:
    """Put one student's verdict into words."""
    student = result["students"][index]
    why, then = reason_words(result, student)
    if why is None and student["verdict"] != "beats" and not room(result, student):  # a proven gain had room
        why, then = (
            t("runs.reason.no_room.why", metric=metric_word(result["metric"]["name"])),
            t("runs.reason.no_room.next"),
        )
    return Judgement(
        word=student["verdict"],
        gain=gain_sentence(result, student),
        keeps=keeps_sentence(result, student),
        reason=why,
        next=then,
        warnings=warnings(result, student),
    )
