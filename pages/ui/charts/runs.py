"""Charts of a run's training: validation curves, losses, one small chart per seed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, padded
from pages.ui.charts.result import guessing

MANY = 6  # curves of one part; more are drawn thinner and paler, or what lies below is lost
LONGER = 2.0  # times as many epochs as three quarters of the trainings took: an axis to its end would squeeze them
Curve = Mapping[str, Any]  # arm, student, seed, epoch[], score[], loss[], hard[], soft[], best (epoch or None)


def _legend_once(fig: go.Figure, arm: str, name: str, shown: set[str]) -> bool:
    """True the first time an arm is drawn, so that the legend names it once."""
    if arm in shown:
        return False
    shown.add(arm)
    fig.update_layout(showlegend=True)
    return bool(name)


def curves(
    drawn: Sequence[Curve],
    *,
    metric: str,
    names: Mapping[str, str],
    epoch_title: str,
    best_name: str,
    teacher_score: float | None = None,
    lower_is_better: bool = False,
    chance: tuple[float, str] | None = None,
    height: int = 360,
) -> Drawing:
    """Draw the validation score over epochs, one line per training, best epoch marked.

    A teacher without epochs (trees) is a level line. The axis covers what matters (see `telling`); `chance` as in
    `against_size`.
    """
    fig = figure(height, x=epoch_title, y=literal(metric))
    _whole_epochs(fig, drawn)
    shown: set[str] = set()
    most = max((sum(c["arm"] == arm for c in drawn) for arm in look.ARMS), default=0)
    hidden_first = sorted(drawn, key=lambda c: (c["arm"] != "placebo", look.ARMS.index(c["arm"])))  # it hides nobody
    many = most > MANY
    together = [list(found) for _, found in itertools.groupby(hidden_first, key=lambda c: str(c["arm"]))]
    for found in together if many else [[c] for c in hidden_first]:
        _scores(fig, found, names, shown, best_name, many)
    trained = {c["arm"] for c in drawn}
    if teacher_score is not None and "teacher" not in trained:
        _level(fig, teacher_score, names["teacher"], max((max(c["epoch"], default=1) for c in drawn), default=1))
    span = padded(telling(drawn, teacher_score, lower_is_better))
    if span:
        fig.update_yaxes(range=span)
        guessing(fig, chance, span)
    end = last_epoch(drawn)
    if end is not None:
        fig.update_xaxes(range=[0, end])
    return fig


def last_epoch(drawn: Sequence[Curve]) -> float | None:
    """Return where the axis of epochs ends; None where it holds all: a single long training would squeeze all others."""
    ends = sorted(max(c["epoch"]) for c in drawn if c["epoch"])
    if len(ends) < 4:
        return None
    usual = ends[(3 * len(ends) - 1) // 4]
    return LONGER * usual if ends[-1] > LONGER * usual else None


def telling(drawn: Sequence[Curve], teacher_score: float | None, lower_is_better: bool) -> list[float]:
    """Collect the scores that the axis must cover: all best ones and the teacher's, and every curve's from a quarter of its epochs on.

    A network begins anywhere; its first epochs would press everything that is compared into a hair's breadth.
    """
    late = [s for c in drawn for s in c["score"][len(c["score"]) // 4 :]]
    best = [
        (min if lower_is_better else max)(known) for c in drawn if (known := [s for s in c["score"] if s is not None])
    ]
    return [v for v in (*late, *best, teacher_score) if v is not None]


def outside(drawn: Sequence[Curve], teacher_score: float | None, lower_is_better: bool) -> int:
    """Count the epochs that lie outside the drawn range."""
    span = padded(telling(drawn, teacher_score, lower_is_better))
    if span is None:
        return 0
    end = last_epoch(drawn) or float("inf")
    told = [(s, e) for c in drawn for s, e in zip(c["score"], c["epoch"], strict=True) if s is not None]
    return sum(1 for s, e in told if e > end or not span[0] <= s <= span[1])


def _strung(found: Sequence[Curve], part: str) -> dict[str, Any]:
    """Put the curves of many seeds behind each other with a gap between: as lines of their own they cost a browser a millisecond each."""
    x, y, seeds = list[Any](), list[Any](), list[Any]()
    for curve in found:
        x += [*curve["epoch"], None]
        y += [*(curve.get(part) or [None] * len(curve["epoch"])), None]
        seeds += [curve["seed"]] * (len(curve["epoch"]) + 1)
    longest = max((len(c["epoch"]) for c in found), default=0)
    return {"x": x[:-1], "y": y[:-1], "customdata": seeds[:-1], "mode": "lines" if longest > 1 else "markers"}


def _scores(
    fig: go.Figure,
    found: Sequence[Curve],
    names: Mapping[str, str],
    shown: set[str],
    best_name: str,
    many: bool = False,
    **place: Any,
) -> None:
    """Draw curves of one part as one line, and over them their best epochs; of many seeds thin and pale."""
    arm = found[0]["arm"]
    label, told = names[arm], f"epoch %{{x}}: %{{y:{look.SCORE}}}"
    fig.add_scatter(
        **_strung(found, "score"),
        name=label,
        legendgroup=arm,
        legendrank=look.rank(arm),
        showlegend=_legend_once(fig, arm, label, shown),
        line=look.line(arm, width=look.THIN if many else look.LINE),
        marker=look.mark(arm, size=look.SMALL_MARK),
        opacity=look.FADED[arm] if many else 1.0,
        hovertemplate=look.hover(f"{literal(label)}, seed %{{customdata}}", told),
        **place,
    )
    best = [(c["best"], c["score"][list(c["epoch"]).index(c["best"])], c["seed"]) for c in found if _has_best(c)]
    if best:
        epochs, scores, seeds = zip(*best, strict=True)
        fig.add_scatter(
            x=list(epochs),
            y=list(scores),
            customdata=list(seeds),
            mode="markers",
            name=best_name,
            legendgroup=arm,
            showlegend=False,
            marker=look.mark(arm, size=look.SMALL_MARK if many else look.MARK),
            hovertemplate=look.hover(f"{literal(best_name)}: {literal(label)}, seed %{{customdata}}", told),
            **place,
        )


def _has_best(curve: Curve) -> bool:
    return curve.get("best") is not None and curve["best"] in list(curve["epoch"])


def _level(fig: go.Figure, score: float, name: str, last: float) -> None:
    fig.add_scatter(
        x=[1, max(last, 2)],
        y=[score, score],
        mode="lines",
        name=name,
        legendrank=look.rank("teacher"),
        line=look.line("teacher"),
        hovertemplate=look.hover(f"{literal(name)}: %{{y:{look.SCORE}}}"),
    )


def losses(
    drawn: Sequence[Curve], *, names: Mapping[str, str], log: bool, epoch_title: str, y: str, height: int = 300
) -> Drawing:
    """Draw what the students' training minimises: hard labels, soft labels, together."""
    fig = figure(height, x=epoch_title, y=y)
    _whole_epochs(fig, drawn)
    looks = {"hard": look.TERMS[0], "soft": look.TERMS[1], "loss": (look.COLOUR["student"], look.DASH["student"])}
    for part, (colour, dash) in looks.items():
        having = [c for c in drawn if any(v is not None for v in c.get(part) or ())]
        together = [having] if len(drawn) > MANY else [[c] for c in having]
        for place, found in enumerate(together if having else ()):
            arm = found[0]["arm"]
            fig.add_scatter(
                **_strung(found, part),
                name=names[part],
                legendgroup=part,
                showlegend=place == 0,
                line={
                    "color": look.COLOUR[arm] if part == "loss" else colour,
                    "dash": dash,
                    "width": look.THIN if len(drawn) > MANY else look.LINE,
                },
                opacity=look.FADED["student"] if len(drawn) > MANY else 1.0,
                hovertemplate=look.hover(
                    f"{literal(names[part])}, seed %{{customdata}}", f"epoch %{{x}}: %{{y:{look.VALUE}}}"
                ),
            )
    if log:
        fig.update_yaxes(type="log", dtick=1)
    end = last_epoch(drawn)
    if end is not None:
        fig.update_xaxes(range=[0, end])
    return fig


def seeds(
    drawn: Sequence[Curve],
    *,
    names: Mapping[str, str],
    seed_title: str,
    best_name: str,
    lower_is_better: bool = False,
    height: int = 190,
) -> go.Figure:
    """Draw one small chart per seed, student against its baseline, all on the same axes."""
    found = sorted({c["seed"] for c in drawn if c["arm"] != "teacher"})
    columns = min(max(len(found), 1), 4)
    rows = max(1, -(-len(found) // columns))
    fig = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes="all",
        shared_xaxes="all",
        subplot_titles=[seed_title.format(seed=s) for s in found],
        horizontal_spacing=0.03,
        vertical_spacing=0.22 / rows,
    )
    base = figure(height * rows + 30)
    plain = base.to_dict()["layout"]
    fig.update_layout({k: v for k, v in plain.items() if k not in ("xaxis", "yaxis")})
    fig.update_layout(legend={"y": 1.0 + 0.28 / rows}, margin={"t": look.TITLED})
    shown: set[str] = set()
    for curve in drawn:
        if curve["arm"] == "teacher":
            continue
        at = found.index(curve["seed"])
        _scores(fig, [curve], names, shown, best_name, row=at // columns + 1, col=at % columns + 1)
    fig.update_xaxes(**plain["xaxis"])
    fig.update_yaxes(**plain["yaxis"])
    span = padded(telling([c for c in drawn if c["arm"] != "teacher"], None, lower_is_better))
    if span:
        fig.update_yaxes(range=span)
    fig.update_annotations(**look.note())
    return fig


def _whole_epochs(fig: Drawing, drawn: Sequence[Curve]) -> None:
    """Keep the epoch axis on whole numbers while the first epochs come in."""
    if max((max(c["epoch"], default=1) for c in drawn), default=1) < 8:
        fig.update_xaxes(dtick=1, range=[0.5, 8.5])
