"""How a student stands against its teacher, and a smaller one against itself as it was: in words, and at the worse end of its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import StudentOutcome
from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds
from kd_core.runs.view.smaller import verdict as verdict_of
from pages.ui.charts.spread import bounds
from pages.ui.compress.typeset import typeset
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

Result = Mapping[str, Any]


def less(block: Result, metric: str) -> str:
    """Say what a student that was made smaller lost against itself as it was, on the metric that it was judged by."""
    one = compress_words.chosen(block)
    if one is None or metric != block["metric"]["name"]:
        return ""
    lost = text.plain(t("compare.goal.against_itself", lost=typeset(compress_words.lost_briefly(block, one))))
    word = verdict_of.standing(block, one)
    said = [lost, seeds(block, one), "" if word == "kept" else text.plain(t(f"compress.within.{word}"))]
    return ", ".join(filter(None, said))


def seeds(block: Result, one: Result) -> str:
    """Say over how many seeds a stage is told that could not be made for all, and what the student as it was reaches over these; empty of others."""
    if (share := same_seeds.share(block, one)) is None:
        return ""
    reached = compress_words.score(same_seeds.student(block, one))
    return text.plain(t("compress.reached", share=share, value=reached))


def surely(result: Result, read: StudentOutcome, metric: str) -> float | None:
    """Return the value that is reached at the worse end of the interval: of the difference to its teacher, else over seeds."""
    told = worse_end(result, read.own_versus_teacher, metric)
    if told is not None:
        return told
    low, high = bounds((read.own.metrics.get(metric) or {}).get("values") or (), metric)
    return high if differences.lower_is_better(metric) else low


def worse_end(result: Result, versus: Mapping[str, Gain], metric: str) -> float | None:
    """Return the value at the worse end of a difference to the teacher; None where that has no interval."""
    gain, teacher = versus.get(metric), result["teacher"]["metrics"].get(metric)
    if gain is None or gain.low is None or teacher is None:
        return None
    return float(teacher) + (-gain.low if differences.lower_is_better(metric) else gain.low)


def against(versus: Mapping[str, Gain], metric: str, lost: float | None = None) -> str:
    """Say what is lost against the teacher, with its interval and in a word whether that is sure; `lost`: what may be, whose number no other one looks like."""
    gain = versus.get(metric)
    if gain is None:
        return ""
    shown = differences.Written.of(metric, gain)
    sure = gain.low is not None and gain.high is not None and not gain.low <= 0 <= gain.high
    key = "compare.goal.against_sure" if sure else "compare.goal.against_unclear"
    unit = f" {t('runs.verdict.points_word')}" if shown.share else ""
    cell = shown.cell(gain, *([] if lost is None else [-lost]))
    return text.plain(t(key, gap=Safe(f"{cell}{unit}")))
