"""The charts of the What-if page: Plotly accepts them, colours keep their meaning, cells can be picked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.ui.charts import marks, parallel, soft_labels, what_if
from tests.pages.fixtures import HOSTILE

H = HOSTILE[0]
NAMES = {"teacher": "Teacher", "baseline": "Baseline", "student": "Student"}


def cell(index, row, column, gain, **more):
    return {
        "id": index,
        "row": row,
        "column": column,
        "gain": gain,
        "low": None if gain is None else gain - 0.2,
        "high": None if gain is None else gain + 0.2,
        "text": "x",
        "hover": marks.literal(H),
        **dict.fromkeys(("best", "like", "picked", "faded"), False),
        **more,
    }


CELLS = pd.DataFrame(
    [
        cell(0, 0, 0, 0.0),
        cell(1, 0, 1, 1.0, best=True, like=True),
        cell(2, 1, 0, None),
        cell(3, 1, 1, -0.5, picked=True),
    ]
)


def size_point(x, y):
    return {"label": H, "x": x, "y": y, "low": y - 0.01, "high": y + 0.01, "hover": "h"}


CHARTS = {
    "heat": lambda: what_if.heat(CELLS, ["0", "1"], ["1", "2"], x_title="T", y_title="a", gain_title="g", scale=1.0),
    "dark": lambda: what_if.heat(
        CELLS, ["0", "1"], ["1", "2"], x_title="T", y_title="a", gain_title="g", scale=1.0, dark=True
    ),
    "alone": lambda: what_if.alone(
        CELLS, x_title="a", y_title="g", name="gain", zero_name="Baseline", ticks=["0", "1"]
    ),
    "sizes": lambda: what_if.sizes(
        {
            "baseline": [size_point(100, 0.8), size_point(900, 0.85)],
            "student": [size_point(100, 0.82), size_point(900, 0.88)],
        },
        teacher=0.9,
        names=NAMES,
        x_title="x",
        y_title="AUC",
        written=str,
        lower_is_better=False,
    ),
    "one size": lambda: what_if.sizes(
        {"baseline": [size_point(100, 0.8)], "student": [size_point(100, 0.82)]},
        teacher=None,
        names=NAMES,
        x_title="x",
        y_title="RMSE",
        written=str,
        lower_is_better=True,
    ),
    "parallel": lambda: parallel.parallel(
        [parallel.Axis(H, [0, 1], 0, 1, [H, "b"]), parallel.Axis("m", [0.1, 0.2], 0.1, 0.2)],
        [0.1, -0.2],
        [marks.literal(H), "h"],
        scale=0.2,
        gain_title="g",
    ),
    "temperature": lambda: soft_labels.over_temperature(
        [{"name": H, "values": [0.1, 0.5, 0.9], "colour": "#D55E00", "dash": "solid", "symbol": "circle"}],
        [0.5, 1, 20],
        1,
        x_title="T",
        y_title="share",
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_passes_plotlys_checks_and_shows_names_literally(name):
    made = CHARTS[name]()
    assert go.Figure(made.to_dict()).to_dict()["data"]
    assert "<script" not in made.to_json()


def test_every_cell_can_be_picked_and_missing_ones_are_grey():
    plain = CHARTS["heat"]().to_dict()
    squares = [d for d in plain["data"] if d["type"] == "scatter"]
    assert sorted(c[0] for d in squares for c in d["customdata"]) == [0, 1, 2, 3]
    assert plain["data"][0]["z"] == [[0.0, 1.0], [None, -0.5]]
    assert plain["data"][1]["z"] == [[None, None], [None, None]]
    filled = [s for s in plain["layout"]["shapes"] if s.get("fillcolor")]
    assert len(filled) == 1 and filled[0]["x0"] < 0 < filled[0]["x1"] and filled[0]["y0"] < 1 < filled[0]["y1"]


def test_best_is_framed_wider_and_the_chosen_one_in_its_own_colour():
    lines = [s["line"] for s in CHARTS["heat"]().to_dict()["layout"]["shapes"] if s["line"]["width"]]
    assert sorted(line["width"] for line in lines) == [3, 4]
    assert {line["color"] for line in lines} == {"#1B2733", marks.COLOUR["compressed"]}


def test_choosing_fades_nothing():
    for square in [d for d in CHARTS["heat"]().to_dict()["data"] if d["type"] == "scatter"]:
        assert square["unselected"]["textfont"]["color"] == square["textfont"]["color"]
        assert square["unselected"]["marker"]["opacity"] == 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("faded", [False, True])
def test_text_is_readable_on_every_colour_of_the_map(dark, faded):
    gains = np.linspace(-1, 1, 21)
    cells = pd.DataFrame([cell(i, 0, i, float(g), faded=faded) for i, g in enumerate(gains)])
    made = what_if.heat(
        cells, ["0"], [str(i) for i in range(21)], x_title="T", y_title="a", gain_title="g", scale=1.0, dark=dark
    ).to_dict()["data"]
    inks = {c[0]: d["textfont"]["color"] for d in made if d["type"] == "scatter" for c in d["customdata"]}
    for i, g in enumerate(gains):
        assert marks.contrast(inks[i], what_if.gain_colour(float(g), dark=dark, faded=faded)) >= 4.5


def test_what_may_be_nothing_is_pale_and_the_rest_is_bold():
    made = what_if.heat(
        pd.DataFrame([cell(0, 0, 0, 1.0), cell(1, 0, 1, 1.0, faded=True)]),
        ["0"],
        ["1", "2"],
        x_title="",
        y_title="",
        gain_title="",
        scale=1.0,
    ).to_dict()["data"]
    clear, pale = (d for d in made if d["type"] == "heatmap")
    assert clear["z"] == [[1.0, None]] and pale["z"] == [[None, 1.0]] and not pale["showscale"]
    near = [marks.contrast(d["colorscale"][2][1], marks.PAPER[False]) for d in (clear, pale)]
    assert near[0] > 3 > 2 > near[1]
    assert sorted(text for d in made if d["type"] == "scatter" for text in d["text"]) == ["<b>x</b>", "x"]


@pytest.mark.parametrize(("margin", "ticks"), [(0.5, [-1.5, -0.5, 0, 0.5, 1.5]), (0.01, [-1.5, 0, 1.5])])
def test_the_colour_bar_marks_the_margin_where_it_can_be_seen(margin, ticks):
    made = what_if.heat(CELLS, ["0", "1"], ["1", "2"], x_title="", y_title="", gain_title="", scale=1.5, margin=margin)
    assert made.to_dict()["data"][0]["colorbar"]["tickvals"] == ticks


def test_the_missing_point_of_a_line_is_left_out():
    line = next(d for d in CHARTS["alone"]().to_dict()["data"] if d.get("name") == "gain")
    assert [c[0] for c in line["customdata"]] == [0, 1, 3] and line["marker"]["symbol"][1] == "star"


def test_size_curves_keep_the_parts_colours_and_turn_errors_over():
    for trace in CHARTS["sizes"]().to_dict()["data"]:
        for arm, name in NAMES.items():
            if trace.get("name") == name:
                assert trace["line"]["color"] == marks.COLOUR[arm] and trace["line"]["dash"] == marks.DASH[arm]
    low, high = CHARTS["one size"]().to_dict()["layout"]["yaxis"]["range"]
    assert low > high


def test_every_cell_is_one_line_from_its_settings_to_its_score():
    lines = [d for d in CHARTS["parallel"]().to_dict()["data"] if d["mode"] == "lines+markers"]
    assert sorted(tuple(d["y"][:2]) for d in lines) == [(0.0, 0.0), (1.0, 1.0)]
    colours = {d["y"][0]: d["line"]["color"] for d in lines}
    assert colours[1.0] == parallel.STEPS[0] and colours[0.0] == parallel.STEPS[4]
