"""One look: spacing, type scale, colours and the grammar of charts. Nothing on a page sets its own; tests hold them to it.

What means the same looks the same: a part played (teacher, student, ...) has one colour, one mark, one dash and one pattern;
an interval is a thin bar with caps, a level a dotted line, what is named as the answer has a ring, what is picked a frame. Colours are seen on a white and on a dark
page (at least 3 to 1) and stay apart for colour-blind eyes; marks, dashes and patterns differ as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# --- space and type, in rem; CSS has them as --kd-space-m, --kd-text-small (see `look_css`)
SPACE = {"xxs": 0.125, "xs": 0.25, "s": 0.5, "sm": 0.75, "m": 1.0, "l": 1.5, "xl": 2.5}
TYPE = {"tiny": 0.75, "small": 0.85, "body": 1.0, "lead": 1.15, "title": 1.4, "page": 2.0}
RADIUS = {"s": 0.35, "m": 0.5}
# pixels: Plotly knows no rem
TICK, TEXT, NOTE = 12, 13, 12  # at an axis; titles, legends and what is told under the pointer; words inside a plot

# --- colours: by part played; `ARMS` as they are drawn, the student on top, `LEGEND` as they are named
ARMS = ("teacher", "baseline", "placebo", "plain", "helper", "compressed", "student")
LEGEND = ("teacher", "student", "compressed", "baseline", "placebo", "plain", "helper")
COLOUR = {
    "teacher": "#0072B2",
    "baseline": "#7F7F7F",
    "placebo": "#8E44D8",
    "plain": "#D339C5",
    "helper": "#806D3A",
    "student": "#D55E00",
    "compressed": "#2E9E68",
}
SYMBOL = {
    "teacher": "square",
    "baseline": "x",
    "placebo": "triangle-up",
    "plain": "star",
    "helper": "pentagon",
    "student": "circle",
    "compressed": "diamond",
}
DASH = {
    "teacher": "dash",
    "baseline": "dot",
    "placebo": "longdashdot",
    "plain": "longdash",
    "helper": "2px,6px",
    "student": "solid",
    "compressed": "dashdot",
}
PATTERN = {
    "teacher": "",
    "baseline": "x",
    "placebo": "\\",
    "plain": "+",
    "helper": "-",
    "student": "/",
    "compressed": "|",
}  # of bars
FADED = {
    "teacher": 0.85,
    "baseline": 0.75,
    "placebo": 0.75,
    "plain": 0.65,
    "helper": 0.75,
    "compressed": 0.65,
    "student": 0.6,
}  # of a mark that another one beats; dark colours at less than this are lost on a dark page
# Good, bad, not clear and no matter: Streamlit's name for a badge, its icon, a colour and a pattern for charts.
TONES = {
    "good": ("green", ":material/trending_up:", "#1A8F6A", ""),
    "bad": ("red", ":material/trending_down:", "#C0392B", "/"),
    "unclear": ("orange", ":material/help:", "#B07A00", "x"),
    "same": ("blue", ":material/drag_handle:", "#2B78C9", "."),
}
TERMS = (
    ("#B07A00", "dot"),
    ("#B8619A", "dash"),
    ("#3A93C8", "solid"),
    ("#1A8F6A", "dashdot"),
    ("#8C6BB1", "longdash"),
    ("#8A8A2B", "longdashdot"),
    ("#7F7F7F", "solid"),
)  # parts of a lesson: labels first, then terms in their order
# what is worked out from a teacher's shares, by temperature: neither of them is a model
SHARES = {
    "soft_share": ("#B07A00", "solid", "triangle-down"),
    "entropy": ("#1A8F6A", "dash", "hexagon"),
    "beside_top": ("#B8619A", "dashdot", "bowtie"),
    "beside_true": ("#8C6BB1", "dot", "hourglass"),
}
DATA = "#6C8EAD"  # neither teacher, baseline nor student: data

# by dark page: as .streamlit/config.toml has them
PAPER = {False: "#FFFFFF", True: "#12171D"}
INK = {False: "#0B1218", True: "#E4EAF0"}
AXIS_TEXT = {False: "#5B6876", True: "#9AA8B5"}  # no grey is readable on both
EDGE = {False: "#DDE3E9", True: "#2E3945"}
WELL = {False: "#F4F6F8", True: "#1C242D"}
BOX = {False: "#7B8794", True: "#6B7987"}  # around a box or circle that is not chosen: seen at 3 to 1
PRIMARY = {False: "#1F5F99", True: "#62A6E0"}
# Streamlit writes white on it in every theme; ours is a light blue in the dark
ON_PRIMARY = {False: "#FFFFFF", True: "#0B1218"}
FRAME = {False: "#1B2733", True: "#FFFFFF"}  # around the best cell of a map
# contrast of words in a part's colour: 4.5 also on a tinted region, and thin on a dark page
READ = {False: 5.3, True: 7.0}
# behind words, and the words on it: what is right, one part of a text, the next part
TINT = {
    "right": ({False: "#D9F0E8", True: "#12382D"}, {False: "#00664A", True: "#4FD0A8"}),
    "part": ({False: "#E3EEF8", True: "#1D3347"}, INK),
    "next": ({False: "#F6EAD9", True: "#3A2F1D"}, {False: "#8A5A00", True: "#D9A441"}),
}

CLEAR = "rgba(0,0,0,0)"
GREY = "#7F7F7F"
GRID = "rgba(127,127,127,0.18)"
VEIL = "rgba(127,127,127,0.28)"  # over a cell that is missing
FAINT = "rgba(127,127,127,0.45)"
FRONT = "rgba(127,127,127,0.9)"  # the line that joins what nothing beats
HALO = "rgba(255,255,255,0.85)"  # around a mark, so that two on each other are told apart
STRIPE = "rgba(255,255,255,0.6)"  # of a pattern
FAINTEST, STRONGEST = 0.04, 0.95  # of a hue over the page: a cell of nothing, and the strongest
# The same of a cell that holds words in the ink of its page: on a dark page more of a hue is needed to be told apart, and less than all to read on.
CELL_STRONGEST = {False: 0.52, True: 0.72}
CELL_NOTHING = 0.12  # grey over the page: a cell without a gain
# Purple loses, orange gains: a pair that stays apart for every kind of colour blindness (ColorBrewer PuOr).
SHIFT_HUES = ("#5E3C99", "#D55E00")
SHIFTS = [
    [0.0, f"rgba(94,60,153,{STRONGEST})"],
    [0.5, f"rgba(127,127,127,{FAINTEST})"],
    [1.0, f"rgba(213,94,0,{STRONGEST})"],
]
# The same in steps, for lines: grey in the middle is seen on a light and on a dark page.
SHIFT_STEPS = ("#7B5FB0", "#8268AE", "#9187A8", "#8E8E8E", "#B98F70", "#C87A42", "#D55E00")

# --- grammar of charts: pixels
# a point that is compared; one of many, or on a line; one of thousands; around what is picked; a cell to press
MARK, SMALL_MARK, DOT, RING, CELL = 12, 7, 5, 24, 22
ROOM, TITLED = 34, 60  # above a plot: for its legend; for a legend and the titles of small charts
LINE, THIN, WIDE = 2, 1.5, 5  # a curve; a level, a front, an interval; an interval beside a longer bar
CONFIG: dict[str, Any] = {"displaylogo": False, "displayModeBar": False}
# number formats of Plotly (d3), for hover and ticks; `written` and `change` are the same in Python
SCORE, VALUE, COUNT, CHANGE = ".4f", ".4~g", ",.0f", "+.3~g"


def layout(height: int, *, x: str = "", y: str = "", legend: bool = True) -> dict[str, Any]:
    """Return the layout all charts share: a legend above at the left, quiet grid lines, no title of its own, no paper."""
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "tickfont": {"size": TICK}}
    return {
        "height": height,
        "margin": {"l": 8, "r": 12, "t": ROOM if legend else 12, "b": 8},
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.02,
            "xanchor": "left",
            "x": 0,
            "title": {"text": ""},
            "font": {"size": TEXT},
            "traceorder": "normal",  # as drawn: of bars on each other Plotly would turn it round
        },
        "hoverlabel": {"align": "left", "font": {"size": TEXT}},
        "font": {"size": TEXT},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "uirevision": "keep",
        "xaxis": {**axis, "title": {"text": x, "font": {"size": TEXT}}},
        "yaxis": {**axis, "title": {"text": y, "font": {"size": TEXT}}},
    }


def line(arm: str, *, width: float = LINE) -> dict[str, Any]:
    """Return how a curve of this part is drawn."""
    return {"color": COLOUR[arm], "dash": DASH[arm], "width": width}


def mark(arm: str, *, size: float | Sequence[float] = MARK, hollow: bool = False) -> dict[str, Any]:
    """Return how a point of this part is drawn; `hollow`: another reading of the same model."""
    cross = arm == "baseline"  # all edge: a halo would eat it, and it looks larger than the others
    drawn = size * 0.85 if cross and isinstance(size, int | float) else size
    halo = {"width": 2, "color": COLOUR[arm]} if hollow else {"width": 0 if cross else 1, "color": HALO}
    return {"color": COLOUR[arm], "symbol": SYMBOL[arm] + ("-open" if hollow else ""), "size": drawn, "line": halo}


def ring() -> dict[str, Any]:
    """Return what is drawn around the point that is named as the answer."""
    return {"size": RING, "symbol": "circle-open", "color": COLOUR["compressed"], "line": {"width": 2.5}}


def frame() -> dict[str, Any]:
    """Return what is drawn around a point that a person picked."""
    return {"size": RING, "symbol": "square-open", "color": GREY, "line": {"width": 2}}


def area(arm: str) -> dict[str, Any]:
    """Return how a region of a chart stands in its legend; its colour is that of the region."""
    edge = {"width": THIN, "color": COLOUR[arm]}
    return {"color": faint(COLOUR[arm], 0.12), "symbol": "square", "size": MARK, "line": edge}


def fill(arm: str) -> dict[str, Any]:
    """Return how a bar of this part is filled: its colour and its pattern."""
    return filled(COLOUR[arm], PATTERN[arm])


def outlined(arm: str) -> dict[str, Any]:
    """Return a bar of this part that stands beside the filled one: as it was before."""
    return {"color": faint(COLOUR[arm], 0.3), "line": {"color": COLOUR[arm], "width": THIN}}


def filled(colour: str, pattern: str) -> dict[str, Any]:
    """Return a fill by colour and pattern, for bars that stand for no part."""
    stripes = {"shape": pattern, "size": 6, "solidity": 0.3, "fillmode": "overlay", "fgcolor": STRIPE}
    return {"color": colour, "pattern": stripes, "line": {"width": 0}}


def rank(arm: str) -> int:
    """Return the place of a part in every legend, and among bars that stand beside each other; what plays no part comes last."""
    return LEGEND.index(arm) + 1 if arm in LEGEND else 1000


def level() -> dict[str, Any]:
    """Return the line of a level: guessing, no gain, a goal, the diagonal."""
    return {"color": FAINT, "width": THIN, "dash": "dot"}


def interval(
    values: Sequence[float],
    low: Sequence[float | None],
    high: Sequence[float | None],
    colour: str,
    *,
    faded: bool = False,
) -> dict[str, Any]:
    """Return error bars from `low` to `high`; a None leaves that side out."""
    up = [0.0 if h is None else max(h - v, 0.0) for v, h in zip(values, high, strict=True)]
    down = [0.0 if w is None else max(v - w, 0.0) for v, w in zip(values, low, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "thickness": THIN,
        "width": 4,
        "color": faint(colour, 0.55 if faded else 0.85),
        "visible": any(up) or any(down),
    }


def scale(title: str = "", dark: bool | None = None) -> dict[str, Any]:
    """Return the bar that tells what colours mean; `dark`: of the page, where it is known."""
    ink = {} if dark is None else {"color": AXIS_TEXT[dark]}
    found: dict[str, Any] = {"thickness": 9, "outlinewidth": 0, "len": 0.9, "tickfont": {"size": TICK, **ink}}
    return found | ({"title": {"text": title, "side": "right", "font": {"size": TICK, **ink}}} if title else {})


def band(colour: str) -> str:
    """Return the fill between the ends of intervals along a curve."""
    return faint(colour, 0.15)


def note(size: int = NOTE, **more: Any) -> dict[str, Any]:
    """Return the settings of words inside a plot."""
    return {"showarrow": False, "font": {"size": size}, **more}


def hover(*lines: str) -> str:
    """Return a hover template of these lines; Plotly's own box beside it is left out."""
    return "<br>".join(lines) + "<extra></extra>"


def share(value: float, digits: int = 1) -> str:
    """Write a share as text has it: 60.0 %; Plotly's own format leaves the space out."""
    return f"{100 * value:.{digits}f}\u00a0%"


def told(template: str) -> list[str]:
    """Take a hover template apart into its lines again."""
    return template.removesuffix("<extra></extra>").split("<br>") if template else []


def change(value: float, digits: int = 3) -> str:
    """Write a change with its sign and so many digits: +0.0123, −4.5, 0, +1,200."""
    whole = abs(value) >= 10**digits
    return "0" if not value else (f"{value:+,.0f}" if whole else f"{value:+.{digits}g}").replace("-", "−")


def faint(colour: str, opacity: float) -> str:
    """Give a #RRGGBB colour an opacity."""
    r, g, b = channels(colour)
    return f"rgba({r},{g},{b},{opacity:g})"


def mixed(colour: str, paper: str, share: float) -> str:
    """Lay `share` of a #RRGGBB colour over another; the result is opaque."""
    pairs = zip(channels(colour), channels(paper), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    """Take a #RRGGBB colour apart."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(a: str, b: str) -> float:
    """How well one #RRGGBB colour is read on the other: 1 to 21. Source: WCAG 2.2, contrast ratio."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [v / 255 for v in channels(colour)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def inked(colour: str, dark: bool) -> str:
    """Return a part's colour as words on its page have it: as much ink in it as small letters need to be read."""
    steps = (mixed(colour, INK[dark], 1 - share / 20) for share in range(20))
    return next((one for one in steps if contrast(one, PAPER[dark]) >= READ[dark]), INK[dark])


def readable_on(colour: str) -> str:
    """Black or white, whichever is read better: at least 4.5 on every colour, where a dark grey is not."""
    return max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, colour))


def shifted(share: float, dark: bool) -> str:
    """Return the colour of a change on its page: purple lost, orange gained; `share` from -1, all lost, to 1, all gained."""
    return _laid(GREY if not share else SHIFT_HUES[share > 0], abs(share), dark)


def shaded(share: float, dark: bool) -> str:
    """Return the colour of a share on its page, in one hue; `share` from 0 to 1."""
    return _laid(COLOUR["teacher"], max(0.0, share), dark)


def _laid(hue: str, share: float, dark: bool) -> str:
    vivid = mixed(hue, "#FFFFFF", 0.6) if dark else hue  # on a dark page the strongest is the lightest
    return mixed(vivid, PAPER[dark], FAINTEST + (STRONGEST - FAINTEST) * min(1.0, share))


def ramp(fill: Callable[[float, bool], str], low: float, dark: bool) -> list[list[Any]]:
    """Return the colours of `fill` from `low` to 1 as Plotly takes them: opaque, so that words are read on what is drawn."""
    return [[at / 40, fill(low + (1 - low) * at / 40, dark)] for at in range(41)]
