"""Charts as SVG that is written by hand: a few hundred bytes each, sharp on paper, coloured by the page's own styles.

Plotly's figure would bring 4 MB along for what is a handful of points, and needs a script to be seen at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kd_core.reports import ticks
from kd_core.reports.markup import Markup, element

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 440, 34, 146, 16, 8, 44
Written = Callable[[float], str]


@dataclass(frozen=True)
class Mark:
    """One line of a chart: whose it is, a value with its interval, and the single values behind it. `arm` decides colour and symbol."""

    label: str
    arm: str
    value: float
    low: float | None = None
    high: float | None = None
    single: tuple[float, ...] = ()


@dataclass(frozen=True)
class Place:
    """A point of a chart with two axes."""

    label: str
    arm: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None


def lines(
    marks: Sequence[Mark], title: str, axis: str, written: Written, *, zero: bool = False, log: bool = False
) -> Markup:
    """Draw one line per mark: its value, its interval as a bar and the single values as small dots; `zero` draws the line of no difference."""
    values = [v for m in marks for v in (m.value, m.low, m.high, *m.single) if v is not None]
    low, high = _range([*values, *([0.0] if zero else [])], log)
    height = TOP + ROW * len(marks) + BOTTOM
    scale = _Scale(low, high, LEFT, WIDTH - RIGHT, log)
    drawn = [_across(scale, TOP, height - BOTTOM, axis, written, height)]
    if zero:
        drawn.append(element("line", x1=_n(scale(0.0)), x2=_n(scale(0.0)), y1=TOP, y2=height - BOTTOM, class_="zero"))
    for number, mark in enumerate(marks):
        y = TOP + ROW * number + ROW / 2
        drawn += _line(mark, scale, y, written)
    return _figure(
        title, height, drawn, "; ".join(f"{m.label}: {_told(m.value, m.low, m.high, written)}" for m in marks)
    )


def scatter(places: Sequence[Place], title: str, axes: tuple[str, str], written: tuple[Written, Written]) -> Markup:
    """Draw points over a logarithmic axis, with their intervals; the legend names the parts."""
    left, height = 62, 300
    bottom = height - BOTTOM - 22
    across = _Scale(*_range([p.x for p in places], True), left, WIDTH - RIGHT, True)
    tall = [v for p in places for v in (p.y, p.low, p.high) if v is not None]
    up = _Scale(*_range(tall, False), bottom, TOP + 6)
    drawn = [_across(across, TOP, bottom, axes[0], written[0], height - 22), _upright(up, left, axes[1], written[1])]
    for p in places:
        x, y = across(p.x), up(p.y)
        if p.low is not None and p.high is not None:
            drawn.append(
                element("line", x1=_n(x), x2=_n(x), y1=_n(up(p.low)), y2=_n(up(p.high)), class_=f"bar {p.arm}")
            )
        drawn.append(_symbol(p.arm, x, y, f"{p.label}: {written[0](p.x)}, {_told(p.y, p.low, p.high, written[1])}"))
    drawn += _legend({p.arm: p.arm for p in places}, height - 8)
    said = "; ".join(f"{p.label}: {written[0](p.x)}, {_told(p.y, p.low, p.high, written[1])}" for p in places)
    return _figure(title, height, drawn, said)


def diagonal(
    curves: Sequence[tuple[str, Sequence[tuple[float, float]]]], title: str, axes: tuple[str, str], written: Written
) -> Markup:
    """Draw curves of shares against shares, with the line on which both are equal. `curves`: arm and its points."""
    left, height = 62, 300
    bottom = height - BOTTOM - 22
    least = min((v for _, points in curves for p in points for v in p), default=0.0)
    start = math.floor(10 * least) / 10
    across, up = _Scale(start, 1.0, left, WIDTH - RIGHT), _Scale(start, 1.0, bottom, TOP + 6)
    drawn = [_across(across, TOP, bottom, axes[0], written, height - 22), _upright(up, left, axes[1], written)]
    drawn.append(
        element("line", x1=_n(across(start)), y1=_n(up(start)), x2=_n(across(1.0)), y2=_n(up(1.0)), class_="zero")
    )
    for arm, points in curves:
        way = " ".join(f"{_n(across(x))},{_n(up(y))}" for x, y in points)
        drawn.append(element("polyline", points=way, class_=f"curve {arm}"))
        drawn += [_symbol(arm, across(x), up(y), f"{arm}: {written(x)}, {written(y)}") for x, y in points]
    drawn += _legend({arm: arm for arm, _ in curves}, height - 8)
    return _figure(title, height, drawn, title)


class _Scale:
    """From values to places on the paper."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool = False) -> None:
        self.low, self.high, self.start, self.end, self.log = low, high, start, end, log

    def __call__(self, value: float) -> float:
        low, high, at = (
            (math.log10(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return self.start + (self.end - self.start) * (at - low) / (high - low)

    def ticks(self, most: int) -> list[float]:
        """Choose round values; of a logarithmic axis powers of ten, with 2 and 5 between them where there is room."""
        if self.log:
            for steps in (ticks.ROUND, ticks.ROUND[:1]):
                found = ticks.at_powers(self.low, self.high, steps)
                if 2 <= len(found) <= most + 2:
                    return found
            return found[:: -(-len(found) // most)] if found else [self.low, self.high]
        step = ticks.apart(self.low, self.high, most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * i for i in range(first, last + 1)]


def _range(values: Sequence[float], log: bool) -> tuple[float, float]:
    """Leave some room around the values; equal ones get some of their own."""
    known = [v for v in values if math.isfinite(v) and (v > 0 or not log)] or [1.0]
    low, high = min(known), max(known)
    if log:
        return (low / 1.3, high * 1.3) if high > low else (low / 3, high * 3)
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _across(scale: _Scale, top: float, bottom: float, axis: str, written: Written, base: float) -> Markup:
    drawn = []
    for tick in scale.ticks(5):
        x = _n(scale(tick))
        drawn.append(element("line", x1=x, x2=x, y1=_n(top), y2=_n(bottom), class_="grid"))
        drawn.append(element("text", written(tick), x=x, y=_n(bottom + 16), class_="tick", text_anchor="middle"))
    middle = _n((scale.start + scale.end) / 2)
    drawn.append(element("text", axis, x=middle, y=_n(base - 8), class_="axis", text_anchor="middle"))
    return element("g", *drawn)


def _upright(scale: _Scale, left: float, axis: str, written: Written) -> Markup:
    drawn = []
    for tick in scale.ticks(5):
        y = scale(tick)
        drawn.append(element("line", x1=_n(left), x2=WIDTH - RIGHT, y1=_n(y), y2=_n(y), class_="grid"))
        drawn.append(element("text", written(tick), x=_n(left - 6), y=_n(y + 4), class_="tick", text_anchor="end"))
    middle = (scale.start + scale.end) / 2
    turned = f"rotate(-90 12 {_n(middle)})"
    drawn.append(element("text", axis, x=12, y=_n(middle), class_="axis", text_anchor="middle", transform=turned))
    return element("g", *drawn)


def _line(mark: Mark, scale: _Scale, y: float, written: Written) -> list[Markup]:
    name = element(
        "text",
        shortened(mark.label),
        element("title", mark.label),
        x=LEFT - 8,
        y=_n(y + 4),
        class_="name",
        text_anchor="end",
    )
    drawn = [name]
    if mark.low is not None and mark.high is not None:
        drawn.append(
            element(
                "line", x1=_n(scale(mark.low)), x2=_n(scale(mark.high)), y1=_n(y), y2=_n(y), class_=f"bar {mark.arm}"
            )
        )
    drawn += [element("circle", cx=_n(scale(v)), cy=_n(y + 8), r=2, class_=f"single {mark.arm}") for v in mark.single]
    return [
        *drawn,
        _symbol(mark.arm, scale(mark.value), y, f"{mark.label}: {_told(mark.value, mark.low, mark.high, written)}"),
    ]


def _symbol(arm: str, x: float, y: float, told: str) -> Markup:
    """Draw what stands for a part: each has a form of its own, so that nothing depends on colour."""
    title, at = element("title", told), f"translate({_n(x)} {_n(y)})"
    forms: dict[str, tuple[str, dict[str, object]]] = {
        "teacher": ("rect", {"x": -5, "y": -5, "width": 10, "height": 10}),
        "placebo": ("polygon", {"points": "0,-6 6,5 -6,5"}),
        "plain": ("polygon", {"points": "0,-7 6,0 0,7 -6,0"}),
        "baseline": ("path", {"d": "M-5,-5L5,5M-5,5L5,-5"}),
    }
    name, given = forms.get(arm, ("circle", {"r": 5.5}))
    return element(name, title, transform=at, class_=f"mark {arm}", **given)


def _legend(arms: dict[str, str], y: float) -> list[Markup]:
    names = {
        "teacher": "Teacher",
        "baseline": "Baseline",
        "placebo": "Placebo",
        "plain": "Plain model",
        "student": "Student",
    }
    drawn, x = [], 20.0
    for arm in (a for a in names if a in arms):
        drawn += [_symbol(arm, x, y - 4, names[arm]), element("text", names[arm], x=_n(x + 11), y=_n(y), class_="tick")]
        x += 26 + 6.6 * len(names[arm])
    return drawn


def shortened(text: str, most: int = 20) -> str:
    """Shorten in the middle, so that both ends of a name stay readable."""
    return text if len(text) <= most else f"{text[: most - 8].rstrip()}…{text[-7:].lstrip()}"


def _told(value: float, low: float | None, high: float | None, written: Written) -> str:
    bounds = "" if low is None or high is None else f" ({written(low)} to {written(high)})"
    return f"{written(value)}{bounds}"


def _figure(title: str, height: float, drawn: Sequence[Markup], said: str) -> Markup:
    box = f"0 0 {WIDTH} {_n(height)}"
    picture = element("svg", *drawn, viewBox=box, role="img", aria_label=f"{title}. {said}")
    return element("figure", element("figcaption", title), picture)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
