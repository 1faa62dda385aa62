"""The charts of the What-if page: Plotly accepts them, colours keep their meaning, cells can be picked."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from pages.ui import look
from pages.ui.charts import marks, parallel, soft_labels, what_if
from tests.pages.fixtures import HOSTILE

H = HOSTILE[0]
NAMES = {"teacher": "Teacher", "baseline": "Baseline", "student": "Student"}


CURVE = [
    {"name": H, "gain": 0.0, "low": 0.0, "high": 0.0, "hover": marks.literal(H)},
    {"name": "4", "gain": 1.0, "low": 0.5, "high": 1.5, "hover": "h"},
]


def size_point(x, y):
    return {"label": H, "x": x, "y": y, "low": y - 0.01, "high": y + 0.01, "hover": "h"}


CHARTS = {
    "curve": lambda: what_if.curve(CURVE, x_title=H, y_title="g", zero_name="Baseline", scale=[-0.2, 1.7]),
    "one seed": lambda: what_if.curve(
        [{**p, "low": None, "high": None} for p in CURVE], x_title="T", y_title="g", zero_name="Baseline", scale=None
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
        [{"name": H, "values": [0.1, 0.5, 0.9], "part": "beside_true"}], [0.5, 1, 20], 1, x_title="T", y_title="share"
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_passes_plotlys_checks_and_shows_names_literally(name):
    made = CHARTS[name]()
    assert go.Figure(made.to_dict()).to_dict()["data"]
    assert "<script" not in made.to_json()


def test_what_t_does_is_drawn_as_no_model_is():
    line, mark = CHARTS["temperature"]().to_dict()["data"]
    assert line["line"]["color"] not in look.COLOUR.values() and line["line"]["color"] == mark["marker"]["color"][0]
    assert not {*mark["marker"]["symbol"]} & {*look.SYMBOL.values()}


def test_a_curve_has_its_band_its_baseline_and_the_scale_it_shares():
    made = CHARTS["curve"]().to_dict()
    zero, band, line = made["data"]
    assert zero["y"] == [0, 0] and zero["line"]["dash"] == look.DASH["baseline"]
    assert band["fill"] == "toself" and sorted(zip(band["x"], band["y"], strict=True)) == [
        (0, 0),
        (0, 0),
        (1, 0.5),
        (1, 1.5),
    ]
    assert line["y"] == [0.0, 1.0] and made["layout"]["yaxis"]["range"] == [-0.2, 1.7]
    assert len(CHARTS["one seed"]().to_dict()["data"]) == 2


def test_size_curves_keep_the_parts_colours_and_turn_errors_over():
    for trace in CHARTS["sizes"]().to_dict()["data"]:
        for arm, name in NAMES.items():
            if trace.get("name") == name:
                assert trace["line"]["color"] == look.COLOUR[arm] and trace["line"]["dash"] == look.DASH[arm]
    low, high = CHARTS["one size"]().to_dict()["layout"]["yaxis"]["range"]
    assert low > high


def test_every_cell_is_one_line_from_its_settings_to_its_score():
    lines = [d for d in CHARTS["parallel"]().to_dict()["data"] if d["mode"] == "lines+markers"]
    assert sorted(tuple(d["y"][:2]) for d in lines) == [(0.0, 0.0), (1.0, 1.0)]
    colours = {d["y"][0]: d["line"]["color"] for d in lines}
    assert colours[1.0] == look.SHIFT_STEPS[0] and colours[0.0] == look.SHIFT_STEPS[4]


def test_names_of_an_axis_that_lines_pass_stand_on_a_framed_plate():
    axes = [parallel.Axis(name, [0, 1], 0, 1, ["a long name of a student", "b"]) for name in "xyz"]
    layout = parallel.parallel(axes, [0, 1], ["", ""], scale=1.0, gain_title="gain").to_dict()["layout"]
    names = [a for a in layout["annotations"] if "bgcolor" in a]
    assert len(names) == 6 and all(("bordercolor" in a) == (a["x"] == 1) for a in names)
    assert layout["margin"]["l"] >= parallel.LETTER * max(len(a["text"]) for a in names)
