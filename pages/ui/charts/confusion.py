"""Which classes are taken for which: counts of one model, what moves from one model to another, and of a yes or no what another threshold gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import cells, figure, literal, share_axis, short

Mark = Mapping[str, Any]  # name, recall, precision, hover, filled
LEAST_SHIFT = 0.02  # share of a class: a smaller move is pale, however large it is beside the others
FEW_ROWS = 3  # a move of fewer rows is pale, however small its class
WHOLE = 100  # rows from which a tenth of one is not written
LEVEL = 6  # classes whose names fit beside each other
LOOKS = ("good", "bad", "unclear")  # found, missed, called wrongly


def confusion(
    counts: Sequence[Sequence[float]],
    classes: Sequence[str],
    *,
    true_title: str,
    predicted_title: str,
    hover: str,
    dark: bool = False,
    height: int | None = None,
) -> Drawing:
    """Draw counts by true and predicted class; shade = share of the true class, number = rows.

    A heat map can't be picked in the browser, so transparent squares on top carry (true, predicted).
    `hover` is a template with {true}, {predicted}, {count} and {share}.
    """
    num = len(classes)
    sums = [sum(row) or 1.0 for row in counts]
    share = [[v / s for v in row] for row, s in zip(counts, sums, strict=True)]
    fig = figure(height or max(260, 60 + 34 * min(num, 24)), x=predicted_title, y=true_title, legend=False)
    _squares(fig, share, look.ramp(look.shaded, 0, dark), 0, 1)
    text = [
        [f"{v:,.0f}" if v >= WHOLE else _plain(v) for v in row] for row in counts
    ]  # of a mean over seeds, not 0 or 1
    said = [
        [
            hover.format(
                true=literal(classes[i]),
                predicted=literal(classes[j]),
                count=_plain(counts[i][j]),
                share=f"{100 * share[i][j]:.1f} %",
            )
            for j in range(num)
        ]
        for i in range(num)
    ]
    cells(fig, share, text, said, written=num <= 12, dark=dark)
    _named(fig, classes)
    return fig


def confusion_shift(
    counts: Sequence[Sequence[float]],
    others: Sequence[Sequence[float]],
    classes: Sequence[str],
    *,
    true_title: str,
    predicted_title: str,
    hover: str,
    dark: bool = False,
    height: int | None = None,
) -> Drawing:
    """Draw how many rows more or fewer than another model the student puts into each cell.

    Orange is better (more on the diagonal, fewer beside it), purple worse; the number has its sign, the shade is the
    share of the true class. `hover` is a template with {true}, {predicted}, {count}, {share}, {ours} and {theirs}.
    """
    num = len(classes)
    moved = [[a - b for a, b in zip(ours, theirs, strict=True)] for ours, theirs in zip(counts, others, strict=True)]
    share = [[v / (sum(row) or 1.0) for v in moves] for moves, row in zip(moved, counts, strict=True)]
    strong = [
        [v * min(1.0, abs(n) / FEW_ROWS) for v, n in zip(*pair, strict=True)] for pair in zip(share, moved, strict=True)
    ]
    good = [[v if i == j else -v for j, v in enumerate(row)] for i, row in enumerate(strong)]
    most = max(LEAST_SHIFT, *(abs(v) for row in good for v in row))
    fig = figure(height or max(260, 60 + 34 * min(num, 24)), x=predicted_title, y=true_title, legend=False)
    _squares(fig, good, look.ramp(look.shifted, -1, dark), -most, most)
    said = [
        [
            hover.format(
                true=literal(classes[i]),
                predicted=literal(classes[j]),
                count=_signed(moved[i][j]),
                share=f"{_signed(100 * share[i][j])} %",
                ours=_plain(counts[i][j]),
                theirs=_plain(others[i][j]),
            )
            for j in range(num)
        ]
        for i in range(num)
    ]
    text = [[_signed(v) for v in row] for row in moved]
    shade = [[v / most for v in row] for row in good]
    cells(fig, shade, text, said, written=num <= 12, dark=dark, fill=look.shifted)
    _named(fig, classes)
    return fig


def _squares(fig: Drawing, z: Sequence[Sequence[float]], colours: list[list[Any]], low: float, high: float) -> None:
    fig.add_heatmap(z=z, colorscale=colours, zmin=low, zmax=high, showscale=False, xgap=2, ygap=2, hoverinfo="skip")


def _named(fig: Drawing, classes: Sequence[str]) -> None:
    """Name lines and columns; many names end below their column, or the last would have no room and Plotly would leave it out."""
    num = len(classes)
    ticks = {"tickvals": list(range(num)), "ticktext": [short(c, 18) for c in classes], "showgrid": False}
    fig.update_xaxes(**ticks, range=[-0.5, num - 0.5], **({"tickangle": -60} if num > LEVEL else {}))
    fig.update_yaxes(**ticks, range=[num - 0.5, -0.5])


def _plain(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _signed(value: float) -> str:
    shown = _plain(abs(value))
    return shown if shown == "0" else f"{'+' if value > 0 else '−'}{shown}"


def found_and_missed(
    counts: Sequence[Sequence[float]], labels: Sequence[str], *, words: Sequence[str], x_title: str
) -> Drawing:
    """Draw three bars on each other for every label: rows in which it was found, missed, and called wrongly. Shape: counts (K, 3)."""
    fig = figure(140 + 26 * len(labels), x=x_title)
    places = list(range(len(labels)))
    for part, (word, tone) in enumerate(zip(words, LOOKS, strict=True)):
        fig.add_bar(
            y=places,
            x=[float(row[part]) for row in counts],
            orientation="h",
            name=word,
            marker=look.filled(*look.TONES[tone][2:]),
            customdata=[literal(name) for name in labels],
            hovertemplate=look.hover(literal(word), f"%{{customdata}}: %{{x:{look.VALUE}}}"),
        )
    fig.update_layout(barmode="stack", bargap=0.3)
    ticks = [str(short(name, 20)) for name in labels]
    fig.update_yaxes(tickvals=places, ticktext=ticks, range=[len(labels) - 0.5, -0.5], showgrid=False)
    return fig


def precision_recall(
    curve: Mapping[str, Sequence[float]],
    marks: Sequence[Mark],
    *,
    name: str,
    x_title: str,
    y_title: str,
    hover: str,
    guess: tuple[float, str],
    height: int = 360,
) -> Drawing:
    """Draw how many of the called rows are right against how many of the right ones are called; `guess`: the share of positive rows, with its name."""
    fig = figure(height, x=x_title, y=y_title)
    share, said = guess
    fig.add_scatter(x=[0, 1], y=[share, share], mode="lines", name=literal(said), line=look.level(), hoverinfo="skip")
    fig.add_scatter(
        x=list(curve["recall"]),
        y=list(curve["precision"]),
        mode="lines",
        name=literal(name),
        line={**look.line("student"), "shape": "hv"},
        customdata=[[100 * value] for value in curve["threshold"]],
        hovertext=[
            f"{look.share(x, 0)} · {look.share(y, 0)}" for x, y in zip(curve["recall"], curve["precision"], strict=True)
        ],
        hovertemplate=look.hover(f"{literal(hover)} %{{customdata[0]:{look.VALUE}}} %", "%{hovertext}"),
    )
    for mark in marks:
        fig.add_scatter(
            x=[mark["recall"]],
            y=[mark["precision"]],
            mode="markers",
            name=literal(mark["name"]),
            marker=look.mark("student", hollow=not mark["filled"]),
            hovertemplate=look.hover(literal(mark["hover"])),
            cliponaxis=False,
        )
    fig.update_xaxes(range=[-0.02, 1.02], **share_axis(0, 1))
    fig.update_yaxes(range=[-0.02, 1.05], **share_axis(0, 1))
    return fig
