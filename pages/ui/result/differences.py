"""How a difference of a metric is written: points for shares, else the metric's unit, with digits that its interval deserves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import Gain
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

MOST_DIGITS = 6
MINUS = "−"


@dataclass(frozen=True)
class Written:
    """Writes differences of one metric with the same digits, so that they can be compared by eye; a bound beside 0 has more."""

    share: bool
    digits: int

    @classmethod
    def of(cls, name: str, gain: Gain) -> Written:
        """Choose two digits of half the interval.

        Example:
            >>> Written.of("accuracy", Gain(0.009, 0.005, 0.013, 0.002, 0.003, 3)).signed(0.009)
            '+0.90'
        """
        factor = 100.0 if is_share(name) else 1.0
        half = gain.high - gain.mean if gain.high is not None else gain.rows_half or abs(gain.mean)
        size = factor * abs(half)
        digits = min(MOST_DIGITS, max(1 if factor > 1 else 0, 1 - math.floor(math.log10(size)))) if size > 0 else 2
        return cls(factor > 1, digits)

    def signed(self, value: float | None) -> str:
        """Write with a sign; above 0 is better."""
        if value is None:
            return "–"
        shown = self.half(value)
        bare = shown.replace(",", "")
        return f"{'+' if value >= 0 or not float(bare) else MINUS}{shown}"

    def bound(self, value: float, *beside: float) -> str:
        """Write an end of an interval with its sign, with more digits where it would else look like 0, or like a limit `beside` it.

        Example:
            >>> Written(share=True, digits=1).bound(0.00002)
            '+0.002'
        """
        return self._off(value, 0.0, *beside)

    def _off(self, value: float, *limits: float) -> str:
        """Write a value with its sign, with as many digits as tell it from each of the limits that it is not."""
        factor = 100.0 if self.share else 1.0
        digits, edges = self.digits, [edge for edge in limits if edge != value]
        while digits < MOST_DIGITS and any(
            float(f"{factor * value:.{digits}f}") == round(factor * edge, digits) for edge in edges
        ):
            digits += 1
        return Written(self.share, digits).signed(value)

    def half(self, value: float) -> str:
        """Write the size alone, as for half an interval."""
        return f"{abs(value) * (100.0 if self.share else 1.0):,.{self.digits}f}"

    def amount(self, value: float) -> str:
        """Write the size with its unit: 0.9 points."""
        shown = self.half(value)
        if not self.share:
            return shown
        return str(
            t("runs.verdict.point" if float(shown.replace(",", "")) == 1 else "runs.verdict.points", value=shown)
        )

    def signed_amount(self, value: float) -> str:
        """Write with sign and unit: +0.9 points."""
        return f"{self.signed(value)} {t('runs.verdict.points_word')}" if self.share else self.signed(value)

    def interval(
        self, gain: Gain, *, lower: bool = False, level: Safe | None = None, beside: Sequence[float] = ()
    ) -> Safe:
        """Tell the 95 % interval with its two parts, or why there is none; `level`: what it holds for, where it is a wider one; `beside`: limits as in `bound`."""
        k = "runs.verdict."
        rows = t(f"{k}rows_part", rows=self.half(gain.rows_half)) if gain.rows_half is not None else ""
        if gain.low is None or gain.high is None:
            why = t(f"{k}no_interval" if gain.n < 2 else f"{k}no_rows")
            return Safe(f"{why}; {rows}") if rows else why
        ends = {
            "level": level or t(f"{k}level"),
            "low": self.bound(gain.low, *beside),
            "high": self.bound(gain.high, *beside),
        }
        found = t(f"{k}bounds_lower" if lower else f"{k}bounds", **ends)
        if gain.seeds_half is not None and rows:
            found = Safe(f"{found}; {t(f'{k}seeds_part', seeds=self.half(gain.seeds_half))}, {rows}")
        return Safe(f"{found}; {t(f'{k}seeds_num', n=gain.n)}")

    def cell(self, gain: Gain, *beside: float) -> str:
        """Write mean and interval for a cell of a table: +0.90 [+0.50, +1.30]; none of them looks like a limit `beside` it that it is not."""
        mean = self._off(gain.mean, *beside)
        if gain.low is None or gain.high is None:
            return mean
        return f"{mean} [{self.bound(gain.low, *beside)}, {self.bound(gain.high, *beside)}]"


def told(name: str, mean: float, low: float | None, high: float | None) -> str:
    """Write a difference with its unit and its interval, where there is one: +0.90 points [+0.50, +1.30].

    Example:
        >>> told("rmse", -0.0123, None, None)
        '−0.0123'
    """
    written = Written.of(name, Gain(mean, low, high, None, None, 0))
    shown = written.signed_amount(mean)
    return shown if low is None or high is None else f"{shown} [{written.bound(low)}, {written.bound(high)}]"


def is_share(name: str) -> bool:
    """Say whether a metric is a share of one, so that differences are told in points."""
    return bool(name in METRICS.names() and METRICS.get(name).facts["unit"] == "share")


def lower_is_better(name: str) -> bool:
    """Say whether a metric counts errors."""
    return bool(name in METRICS.names() and METRICS.get(name).facts["better"] == "lower")


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
    return f"{'+' if value >= 0 or not float(shown) else MINUS}{shown}"


def plain_model(name: str) -> text.Safe:
    """Name a plain model of the list; one of another version by its own name."""
    key = f"runs.plain.model.{name}"
    return t(key) if key in text.catalogue() else t("runs.plain.model.other", name=name)


def plain_label(name: str) -> str:
    """Name a plain model beside its mark, as plain text without an article."""
    key = f"runs.plain.label.{name}"
    return text.plain(t(key) if key in text.catalogue() else plain_model(name))


def arm_names() -> dict[str, str]:
    """The parts' names as legends show them."""
    return {
        "teacher": t("runs.arm.teacher"),
        "baseline": t("runs.arm.baseline_short"),
        "placebo": t("runs.arm.placebo_short"),
        "plain": t("runs.arm.plain"),
        "student": t("runs.arm.student"),
    }
