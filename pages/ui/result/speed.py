"""Size and time of a student beside its teacher's, in words that hold: of times that scatter a bound is told in place of a ratio, and that they do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

Result = Mapping[str, Any]
SCATTER = 2.0  # a slow end (p95) of more than this times the middle (p50): the machine was busy, a ratio would be luck
LEAST = (1000, 100, 10, 5, 2)  # bounds that are said of times that scatter: few, so that the next run says the same one
STEPS = (
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    7.0,
    10.0,
)  # what a ratio of times is worth: one recipe measured 28 and 35 in two runs
WHOLE = "whole"  # from the raw row to the answer, beside the runtimes that time a model alone
RUNTIME = {"onnxruntime": "ONNX Runtime", "torch": "torch", "sklearn": "scikit-learn", "native": "scikit-learn"}


@dataclass(frozen=True)
class Pair:
    """Times of teacher and student for one batch. Units: ms. `steady` is False where either scatters, or a time beside them; `least`: how many times the faster
    one's slow end (p95) fits into the other's middle (p50)."""

    teacher: float
    student: float
    teacher_runtime: str
    student_runtime: str
    steady: bool
    least: float


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


def runtime_title(name: str) -> str:
    """Name a runtime as people write it, or the whole way from a raw row to the answer."""
    return str(t("runs.latency.whole")) if name == WHOLE else RUNTIME.get(name, name)


def in_order(names: Iterable[str]) -> list[str]:
    """List runtimes once each, the whole way first: that is what a person waits for."""
    return sorted(dict.fromkeys(names), key=lambda n: n != WHOLE)


def latency_pair(teacher: Result, student: Result, batch: str = "1", beside: Sequence[Result] = ()) -> Pair | None:
    """Return the times of teacher and student, measured the same way where both have it.

    The plain model of the student, and what is told `beside` it, was timed in the same minutes: where its times scatter, all do.
    """
    ours, theirs = runtimes(student.get("latency_ms")), runtimes(teacher.get("latency_ms"))
    near = [runtimes(b.get("latency_ms")) for b in (*beside, (student.get("reference") or {}).get("best") or {})]
    for name in (WHOLE, "onnxruntime", "torch"):
        if batch in ours.get(name, {}) and batch in theirs.get(name, {}):
            calm = all(steady(times[name][batch]) for times in near if batch in times.get(name, {}))
            pair = _pair(theirs[name][batch], ours[name][batch], name, name)
            return pair if calm else replace(pair, steady=False)
    own = next((n for n in theirs if batch in theirs[n]), None)
    name = next((n for n in ("onnxruntime", "torch") if batch in ours.get(n, {})), "")
    return _pair(theirs[own][batch], ours[name][batch], own, name) if own and name else None


def is_whole(teacher: Result, student: Result) -> bool:
    """Say whether teacher and student are timed from the raw row on."""
    pair = latency_pair(teacher, student)
    return pair is not None and pair.student_runtime == WHOLE


def _pair(teacher: Mapping[str, float], student: Mapping[str, float], own: str, name: str) -> Pair:
    faster, slower = sorted((teacher, student), key=lambda times: times["p50"])
    least = slower["p50"] / faster.get("p95", faster["p50"])
    return Pair(teacher["p50"], student["p50"], own, name, steady(teacher) and steady(student), least)


def steady(times: Mapping[str, float]) -> bool:
    """Say whether the slow end lies near the middle, so that the middle says something."""
    return times.get("p95", times["p50"]) <= SCATTER * times["p50"]


def told(pair: Pair) -> Safe:
    """Say about how many times faster the student is; of times that scatter the largest bound that holds, and that they do.

    All words about speed are these: a headline, a table and a sentence of one run say the same.
    """
    return _times_faster(pair) if pair.steady else t("runs.speed.uneven", about=_at_least(pair))


def uneven(pair: Pair | None) -> Safe | None:
    """Say what "measured unevenly" means; None of times that are steady."""
    return None if pair is None or pair.steady else t("runs.speed.uneven_note", scatter=f"{SCATTER:g}")


def _times_faster(pair: Pair) -> Safe:
    """Say how many times faster the student is, as roughly as the next run would say it again: about 30 times faster."""
    ratio = pair.teacher / pair.student
    rough = step(max(ratio, 1 / ratio))
    if rough == STEPS[0]:
        return t("runs.speed.same")
    return t(
        "runs.speed.faster" if ratio > 1 else "runs.speed.slower",
        times=f"{rough:,g}" if rough < 10 else f"{rough:,.0f}",
    )


def _at_least(pair: Pair) -> Safe:
    """Say the largest bound that holds; only that it seems so where the slow end of the one comes near the middle of the other."""
    ratio = pair.teacher / pair.student
    if step(max(ratio, 1 / ratio)) == STEPS[0]:
        return t("runs.speed.same")
    way = "faster" if ratio > 1 else "slower"
    bound = next((one for one in LEAST if pair.least > one), None)
    return t(f"runs.speed.some_{way}") if bound is None else t(f"runs.speed.least_{way}", times=f"{bound:,}")


def step(ratio: float) -> float:
    """Return the step nearest to a ratio of at least 1: 1, 1.5, 2, 3, 5 and 7, and these times 10, 100 and so on.

    Example:
        >>> [step(ratio) for ratio in (1.2, 28, 35, 1400)]
        [1.0, 30.0, 30.0, 1500.0]
    """
    size = 10 ** math.floor(math.log10(ratio))
    return size * min(STEPS, key=lambda one: abs(math.log(ratio / size / one)))


def sentence(teacher: Result, student: Result) -> Safe | None:
    """Say how many times faster the student is, with both times; a bound where one of them scatters."""
    pair = latency_pair(teacher, student)
    if pair is None:
        return None
    times = {"teacher": text.milliseconds(pair.teacher), "student": text.milliseconds(pair.student)}
    return t("runs.speed.ratio", times=told(pair), **times)


def note(teacher: Result, student: Result, hardware: str) -> Safe | None:
    """Say how the times were measured, and when the ratio is rough."""
    pair = latency_pair(teacher, student)
    if pair is None:
        return None
    if pair.student_runtime == WHOLE:
        return t("runs.speed.note_whole", hardware=hardware, scatter=f"{SCATTER:g}")
    own, theirs = runtime_title(pair.student_runtime), runtime_title(pair.teacher_runtime)
    where = own if own == theirs else t("runs.speed.two_runtimes", teacher=theirs, student=own)
    return t("runs.speed.note", runtime=where, hardware=hardware, scatter=f"{SCATTER:g}")


def hardware(result: Result) -> str:
    """Name the machine the numbers were measured on."""
    found = result.get("environment", {})
    name = str(found.get("device_name") or found.get("device") or "")
    for noise in ("(R)", "(TM)", " Processor", " CPU"):
        name = name.replace(noise, "")
    return " ".join(name.split("@")[0].split())
