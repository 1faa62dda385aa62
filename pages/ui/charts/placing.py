"""Where labels stand beside their marks, so that none lies on a mark, on an interval or on another label."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pages.ui import look

# pixels of a plot in half a page, of one with a smaller chart beside it, and of one beside a form: a label that fits there fits where there is more room
WIDE, MIDDLE, WIDER = 360, 450, 600
AROUND, NARROW = (
    90,
    50,
)  # pixels above and below a plot, of a chart's height; as many more where a legend has three lines
LETTER, HIGH, GAP = 6.4, 15, 5  # pixels: of a letter, of a line, between a mark and its label
# in the order in which they are liked; x to the left, y upwards, in parts of the label's own size from its mark
SIDES = {
    "middle right": (0.0, -0.5),
    "middle left": (-1.0, -0.5),
    "top center": (-0.5, 0.0),
    "bottom center": (-0.5, -1.0),
    "top right": (0.0, 0.0),
    "bottom right": (0.0, -1.0),
    "top left": (-1.0, 0.0),
    "bottom left": (-1.0, -1.0),
}
BORDER = 3  # pixels to each side of the border of a region
CAP = 4  # pixels to each side of an interval
HIDDEN = 0.12  # share of a label that may lie on something; above, it is left to the pointer
GRAZED = (1, 3)  # pixels across and up by which something may touch a label: more crosses its letters
NEARER = 1.6  # how many times as far as its own mark any other is from a label
AWAY = (28, 40, 54, 70, 90, 112)  # pixels from a mark to the near side of a label that a line leads to
TURNS = 16  # directions in which such a label is looked for
STEP = 3  # pixels between two places of a line
Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels
Point = Mapping[str, Any]  # x, y, low, high, label, faded, named: labelled in any case; `x` is drawn on a log axis


class Stand(NamedTuple):
    """Where a label stands, as Plotly names it, and how many of its words are in its first line; 0: all.

    `away`: pixels to the right and upwards from its mark to its middle, where a line leads to it; empty: beside it.
    """

    side: str
    words: int = 0
    away: tuple[float, ...] = ()


def places(
    points: Sequence[Point],
    x_range: Sequence[float],
    y_range: Sequence[float],
    height: int,
    steps: Sequence[Sequence[Point]] = (),
    wide: int = WIDE,
    levels: Sequence[tuple[float, int]] = (),
    paths: Sequence[Sequence[Point]] = (),
    region: Sequence[Point] = (),
) -> list[Stand | None]:
    """Return for each point where its label stands, in two lines where it fits only so; None where it has none or every place is taken. What is not
    faded stands farther away, with a line, where there is no place beside its mark.

    `steps`: the points that each line joins, to the right and then upwards. Units: `x_range` in powers of ten, as a log axis
    has it; `height` of the chart and `wide` of its plot in pixels. `levels`: values of y with a
    dotted line, and how many letters stand at its right end. `paths`: the points that each straight line joins. `region`: two corners of a frame,
    off whose border every label keeps.
    """
    high = float(max(120, height - AROUND - (NARROW if wide < WIDE else 0)))

    def pixels(p: Point) -> tuple[float, float]:
        return wide * _share(math.log10(p["x"]), x_range), high * _share(p["y"], y_range)

    at = [pixels(p) for p in points]
    halves = [look.RING / 2 + 2 if p.get("ringed") else look.MARK / 2 for p in points]
    taken: list[Box] = [(x - half, y - half, x + half, y + half) for (x, y), half in zip(at, halves, strict=True)]
    for (x, _), p in zip(at, points, strict=True):
        if p.get("low") is not None and p.get("high") is not None:
            ends = sorted(high * _share(p[end], y_range) for end in ("low", "high"))
            taken.append((x - CAP, ends[0], x + CAP, ends[1]))
    corners = [pair for line in steps for pair in itertools.pairwise(pixels(p) for p in line)]
    for (x, y), (next_x, next_y) in corners:
        taken += [(x, y - 1, next_x, y + 1), (next_x - 1, min(y, next_y), next_x + 1, max(y, next_y))]
    for line in paths:
        for start, end in itertools.pairwise(pixels(p) for p in line):
            taken += _along(start, end)
    if region:
        (left, low), (right, top) = map(pixels, region)
        low, top = sorted((low, top))
        for y in (low, top):
            taken.append((left - BORDER, y - BORDER, right + BORDER, y + BORDER))
        for x in (left, right):
            taken.append((x - BORDER, low - BORDER, x + BORDER, top + BORDER))
    for value, letters in levels:
        y = high * _share(value, y_range)
        taken += [(0.0, y - 1, float(wide), y + 1), (wide - LETTER * letters, y, float(wide), y + HIGH)]
    labels: list[Box] = []
    found: list[Stand | None] = [None] * len(points)
    for i in sorted(
        range(len(points)), key=lambda i: (not points[i].get("named"), bool(points[i].get("faded")))
    ):  # what is named as the answer comes first, and what is beaten takes what is left
        label = str(points[i].get("label") or "")
        if not label or any(
            found[k] and points[k].get("label") == label and math.dist(at[k], at[i]) < look.MARK for k in range(len(at))
        ):
            continue  # of twins on each other one is named
        ways = _ways(label)
        for words, lines in ways:
            wordy = (max(map(len, lines)), len(lines))
            sides = list(SIDES)[: 2 if points[i].get("ringed") else None]  # only there Plotly's distance can be widened
            options = [(side, _box(*at[i], wordy[0], side, wordy[1], halves[i])) for side in sides]
            costs = [
                1.0 if _foreign(box, at, i) else _hidden(box, taken, (0.0, 0.0, float(wide), high))
                for _, box in options
            ]
            best = min(range(len(options)), key=lambda k: (round(costs[k], 2), k))
            if costs[best] <= HIDDEN:
                found[i] = Stand(options[best][0], words)
                taken.append(options[best][1])
                labels.append(options[best][1])
                break
        else:
            if not points[i].get("faded"):
                led = _led(ways, at, i, halves, taken, labels, (0.0, 0.0, float(wide), high))
                if led is None and points[i].get("named"):
                    side, box = options[best]
                    led = Stand(side, words), [box]
                if led:
                    found[i], boxes = led
                    taken += boxes
                    labels += boxes  # nor do lines cross
    return found


def _foreign(box: Box, at: Sequence[tuple[float, float]], i: int) -> bool:
    """Say whether a label would be read as that of another mark: one that is as near to it as its own."""
    far = NEARER * _far(box, at[i])
    left, bottom, right, top = box[0] - far, box[1] - far, box[2] + far, box[3] + far
    near = [k for k, (x, y) in enumerate(at) if left < x < right and bottom < y < top]
    return any(_far(box, at[k]) < far and math.dist(at[k], at[i]) > STEP for k in near if k != i)


def _far(box: Box, place: tuple[float, float]) -> float:
    """Return how far a place is from a box."""
    return math.hypot(*(max(box[k] - place[k], 0.0, place[k] - box[k + 2]) for k in (0, 1)))


def _led(
    ways: Sequence[tuple[int, list[str]]],
    at: Sequence[tuple[float, float]],
    i: int,
    halves: Sequence[float],
    taken: Sequence[Box],
    labels: Sequence[Box],
    plot: Box,
) -> tuple[Stand, list[Box]] | None:
    """Find the nearest free place to which a line leads from a mark, clear of all other marks; with what it takes."""
    (x, y), others = at[i], [k for k in range(len(at)) if k != i and math.dist(at[k], at[i]) > STEP]
    for away, (words, lines), turn in itertools.product(AWAY, ways, range(TURNS)):
        wide, high = LETTER * max(map(len, lines)) + 4, HIGH * len(lines)
        across, up = (f(2 * math.pi * turn / TURNS) for f in (math.cos, math.sin))
        dx, dy = across * (away + wide / 2), up * (away + high / 2)
        box = (x + dx - wide / 2, y + dy - high / 2, x + dx + wide / 2, y + dy + high / 2)
        inside = box[0] >= plot[0] and box[1] >= plot[1] and box[2] <= plot[2] and box[3] <= plot[3]
        if not inside or _hidden(box, taken, plot) > 0 or any(_far(box, at[k]) < halves[k] + GAP for k in others):
            continue
        line = _along((x, y), (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])))
        outer = [part for part in line if _far(part, (x, y)) > halves[i]]  # the rest lies under its own mark
        crossed = any(_far(part, at[k]) < halves[k] for part in outer for k in others)
        if crossed or any(_common(part, label) for part in line for label in labels):
            continue
        return Stand("middle right", words, (dx, dy)), [box, *line]
    return None


def _ways(label: str) -> list[tuple[int, list[str]]]:
    """Return a label in one line, then in two, broken where they are most alike."""
    words = label.split(" ")
    broken = [(k, [" ".join(words[:k]), " ".join(words[k:])]) for k in range(1, len(words)) if words[k] != "·"]
    return [(0, [label]), *sorted(broken, key=lambda one: max(map(len, one[1])))[:1]]


def _share(value: float, ends: Sequence[float]) -> float:
    """Return where a value lies between the ends of an axis, which may be turned round."""
    return (value - ends[0]) / ((ends[1] - ends[0]) or 1.0)


def _box(x: float, y: float, letters: int, side: str, lines: int = 1, half: float = look.MARK / 2) -> Box:
    wide, high, (across, up) = LETTER * letters + 4, float(HIGH * lines), SIDES[side]
    left = x + across * wide + (GAP + half) * {0.0: 1, -1.0: -1}.get(across, 0)
    bottom = (
        y
        + up * high
        + (GAP if up == 0.0 else -GAP if up == -1.0 else 0)
        + (half * {0.0: 1, -1.0: -1}.get(up, 0) if across == -0.5 else 0)
    )
    return left, bottom, left + wide, bottom + high


def _along(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """Return boxes in a row for a line that may go aslant, of which each is large enough to cross letters."""
    steps = max(1, round(math.dist(start, end) / STEP))
    middles = [[a + (b - a) * k / steps for a, b in zip(start, end, strict=True)] for k in range(steps + 1)]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in middles]


def _hidden(box: Box, taken: Sequence[Box], plot: Box) -> float:
    """Return what share of a box lies on what is taken, or outside the plot; all of it, where something crosses its letters."""
    left, bottom, right, top = box
    near = [o for o in taken if o[0] < right and o[2] > left and o[1] < top and o[3] > bottom]
    if any(_across(box, other) for other in near):
        return 1.0
    whole = (box[2] - box[0]) * (box[3] - box[1])
    outside = whole - _common(box, plot)
    return (sum(_common(box, other) for other in near) + outside) / whole


def _across(box: Box, other: Box) -> bool:
    """Say whether something crosses the letters in a box: a line under or over them only hides a share."""
    sides = [min(box[k + 2], other[k + 2]) - max(box[k], other[k]) for k in (0, 1)]
    return sides[0] > GRAZED[0] and sides[1] > GRAZED[1]


def _common(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
