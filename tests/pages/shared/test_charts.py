"""Charts: one meaning per colour, literal text, and specs that Plotly's own checks accept."""

from __future__ import annotations

import math

import plotly.graph_objects as go
import pytest

from pages.ui import look
from pages.ui.charts import compare, compress, confusion, marks, result, runs, soft_labels
from pages.ui.charts.drawing import Drawing
from tests.pages.fixtures import HOSTILE

NAMES = {
    "helper": "Helper",
    "teacher": "Teacher",
    "baseline": "Baseline",
    "placebo": "Placebo",
    "plain": "Plain",
    "student": "Student",
    "compressed": "Smaller",
    "hard": "Hard",
    "soft": "Soft",
    "loss": "All",
}
H = HOSTILE[0]


def point(arm, x, y, **more):
    return {
        "id": f"{arm}{x}",
        "arm": arm,
        "label": H,
        "x": x,
        "y": y,
        "low": y - 0.01,
        "high": y + 0.02,
        "hover": "h",
        **more,
    }


def curve(arm, seed=0, epochs=5, **more):
    e = list(range(1, epochs + 1))
    return {
        "arm": arm,
        "student": "tiny",
        "seed": seed,
        "epoch": e,
        "score": [0.5 + 0.01 * i for i in e],
        "loss": [1 / i for i in e],
        "hard": [0.4 / i for i in e],
        "soft": [0.6 / i for i in e],
        "best": 3,
        **more,
    }


POINTS = [
    point("teacher", 260_000, 0.93),
    point("baseline", 1240, 0.88, faded=True),
    point("placebo", 1240, 0.89),
    point("plain", 1100, 0.89),
    point("compressed", 700, 0.89),
    point("student", 1240, 0.9),
]
CHARTS = {
    "curves": lambda: runs.curves(
        [curve("baseline"), curve("placebo"), curve("student", 1)],
        metric=H,
        names=NAMES,
        epoch_title="epoch",
        best_name="best",
        teacher_score=0.95,
    ),
    "losses": lambda: runs.losses([curve("student")], names=NAMES, log=True, epoch_title="epoch", y="loss"),
    "seeds": lambda: runs.seeds(
        [curve("student", i) for i in range(5)], names=NAMES, seed_title="seed {seed}", best_name="b"
    ),
    "size": lambda: result.against_size(POINTS, metric=H, x_title="size", names=NAMES, written=str),
    "paired": lambda: result.paired(
        [0, 1], [0.8, 0.81], [0.82, 0.83], metric=H, seed_title="seed {seed}", names=NAMES, placebo=[0.81, 0.82]
    ),
    "shift": lambda: confusion.confusion_shift(
        [[3, 1], [0, 4]],
        [[2, 2], [1, 3]],
        [H, "b"],
        true_title="t",
        predicted_title="p",
        hover="{true} {predicted} {count} {share} {ours} {theirs}",
    ),
    "splits": lambda: result.splits(
        [0, 1], [0.5, 0.7], [0.1, None], [0.9, None], x_title="x", split_title="split {seed}", name="n"
    ),
    "confusion": lambda: confusion.confusion(
        [[3, 1], [0, 4]], [H, "b"], true_title="t", predicted_title="p", hover="{true} {predicted} {count} {share}"
    ),
    "reliability": lambda: soft_labels.reliability(
        {"teacher": {"confidence": [0.6, None], "accuracy": [0.5, None], "count": [9, 0]}},
        names=NAMES,
        x_title="x",
        y_title="y",
        perfect="p",
        rows_word="rows",
    ),
    "latency": lambda: result.latency(
        [{"arm": "student", "name": H, "way": 1, "batch": [1, 32], "p50": [0.1, 0.2], "p95": [0.2, 0.3]}],
        x_title="x",
        y_title="y",
        written=str,
    ),
    "pareto": lambda: compare.pareto(
        POINTS,
        ["student1240", "teacher260000"],
        metric=H,
        x_title="x",
        names=NAMES,
        written=str,
        lower_is_better=False,
        front_name="front",
        picked=["student1240"],
        goal=(5000.0, 0.89),
        paths=[["student1240", "compressed700"]],
    ),
    "sensitivity": lambda: compress.sensitivity(
        [
            {"name": H, "layers": [H, "b"], "lost": [2.0, -0.1], "written": ["2", "0"], "hover": ["h", "i"]},
            {"name": "n", "layers": [H, "b"], "lost": [1.0, 0.1], "written": ["1", "0"], "hover": ["h", "i"]},
        ],
        x_title="x",
        goal=(1.0, H),
    ),
    "bars": lambda: soft_labels.bars(
        {"teacher": [0.7, 0.3], "student": [0.6, 0.4]}, [H, "b"], names=NAMES, x_title="x"
    ),
    "predictions": lambda: soft_labels.predictions(
        [1.0, 2.0],
        {"teacher": [1.1, 2.1]},
        names=NAMES,
        x_title=marks.literal(H),
        y_title="y",
        diagonal="d",
        row_ids=[1, 2],
        row_title="row",
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_passes_plotlys_checks_and_shows_names_literally(name):
    made = CHARTS[name]()
    plain = made.to_dict()
    assert go.Figure(plain).to_dict()["data"]
    assert "<script" not in made.to_json() and plain["data"]


@pytest.mark.parametrize("name", ["curves", "size", "paired", "pareto"])
def test_colour_symbol_and_dash_mean_one_part_everywhere(name):
    for trace in CHARTS[name]().to_dict()["data"]:
        for arm in marks.ARMS:
            if trace.get("name") == NAMES[arm] and "lines" in trace["mode"]:
                assert (trace["line"]["color"], trace["line"]["dash"]) == (marks.COLOUR[arm], marks.DASH[arm])
            elif trace.get("name") == NAMES[arm]:
                assert (trace["marker"]["color"], trace["marker"]["symbol"]) == (marks.COLOUR[arm], marks.SYMBOL[arm])


def test_the_best_epoch_is_marked_and_a_teacher_without_epochs_is_level():
    data = CHARTS["curves"]().to_dict()["data"]
    assert [d["x"] for d in data if d["name"] == "best"] == [[3], [3], [3]]
    teacher = next(d for d in data if d["name"] == "Teacher")
    assert teacher["y"] == [0.95, 0.95] and teacher["x"] == [1, 5]


def test_a_drawing_has_no_unchecked_property():
    made = Drawing().add_scatter(x=[1], y=[1], colour="red")
    with pytest.raises(ValueError, match="Invalid property"):
        made.checked()


def test_settings_merge_and_short_names_are_spelled_out():
    made = marks.figure(100, x="a", legend=False).update_layout(xaxis_title_standoff=4, legend={"y": 2})
    layout = made.to_dict()["layout"]
    assert layout["xaxis"]["title"] == {"text": "a", "standoff": 4, "font": {"size": 13}} and layout["legend"]["y"] == 2
    assert layout["legend"]["orientation"] == "h" and made.layout.height == 100 and made.data == ()


def test_the_goal_region_lies_on_the_good_side():
    shape = CHARTS["pareto"]().to_dict()["layout"]["shapes"][0]
    assert shape["x1"] == 5000.0 and shape["y0"] == 0.89 and shape["y1"] > 0.93


def test_a_chain_is_joined_in_its_order_and_layers_are_read_from_the_top():
    drawn = CHARTS["pareto"]().to_dict()["data"]
    (way,) = [d for d in drawn if d["mode"] == "lines" and d["line"].get("dash") == marks.DASH["compressed"]]
    assert (way["x"], way["y"]) == ([1240, 700], [0.9, 0.89])
    made = CHARTS["sensitivity"]().to_dict()
    assert [d["x"] for d in made["data"]] == [[2.0, -0.1], [1.0, 0.1]]
    assert made["layout"]["yaxis"]["autorange"] == "reversed"
    assert {d["marker"]["pattern"]["shape"] for d in made["data"]} == {"", "/"}  # not by shade alone
    low, high = made["layout"]["xaxis"]["range"]
    assert low < -0.1 and high > 2.0


def test_log_ticks_for_bytes_are_round_in_their_own_unit():
    axis = marks.log_axis([1200, 250_000], str, binary=True)
    assert {1024.0, 4096.0, 65536.0} <= set(axis["tickvals"])
    assert axis["range"][0] < math.log10(1200) and axis["range"][1] > math.log10(250_000)
    assert set(marks.log_axis([1, 20], str)["tickvals"]) >= {1, 2, 5, 10, 20}
    assert marks.log_axis([], str)["type"] == "log"


def test_files_of_nearly_one_size_have_a_tick_among_them():
    axis = marks.log_axis([5200.0, 6100.0], str, binary=True)
    low, high = axis["range"]
    assert any(low <= math.log10(v) <= high for v in axis["tickvals"])
    axis = marks.log_axis([60_000.0, 150_000.0], str, binary=True)  # one power of 4 lies among them
    low, high = axis["range"]
    assert sum(low <= math.log10(v) <= high for v in axis["tickvals"]) > 1
    assert marks.log_axis([1000.0, 20_000.0], str, binary=True)["tickvals"][6] == 4.0**6


def test_a_range_has_room_and_survives_equal_values():
    assert marks.padded([]) is None and marks.padded([1.0, 2.0]) == [0.92, 2.08]
    assert marks.padded([3.0, 3.0])[0] < 3.0 < marks.padded([3.0, 3.0])[1]


def test_long_names_are_shortened_in_the_middle():
    assert marks.short("a" * 30 + "end", 12) == "aaaaa…aaaend"


def test_confusion_cells_can_be_picked_and_tell_true_and_predicted():
    data = CHARTS["confusion"]().to_dict()["data"]
    cells = [c for d in data if d["type"] == "scatter" for c in d["customdata"]]
    assert sorted(cells) == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_the_axis_of_curves_leaves_the_first_epochs_out_but_no_best_score():
    early = {**curve("student", epochs=8), "score": [0.1, 0.3, 0.8, 0.81, 0.82, 0.83, 0.84, 0.85]}
    peak = {**curve("baseline", epochs=8), "score": [0.2, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]}
    told = {"metric": "m", "names": NAMES, "epoch_title": "e", "best_name": "b", "teacher_score": 0.95}
    low, high = runs.curves([early, peak], **told).to_dict()["layout"]["yaxis"]["range"]
    assert 0.7 < low < 0.8 and high > 0.95
    assert runs.outside([early, peak], 0.95, False) == 3
    falling = {**early, "score": [9.0, 5.0, 0.8, 0.7, 0.6, 0.6, 0.6, 0.05]}
    low, high = runs.curves([falling], **{**told, "teacher_score": 0.5}, lower_is_better=True).to_dict()["layout"][
        "yaxis"
    ]["range"]
    assert low < 0.05 and high < 1 and runs.outside([falling], 0.5, True) == 2


def test_the_level_of_guessing_is_drawn_only_inside_the_range():
    near, far = (
        {"chance": (v, "guessing"), "metric": "m", "x_title": "x", "names": NAMES, "written": str} for v in (0.9, 0.5)
    )
    assert result.against_size(POINTS, **near).to_dict()["layout"]["shapes"][0]["y0"] == 0.9
    assert "shapes" not in result.against_size(POINTS, **far).to_dict()["layout"]


def test_moved_rows_are_coloured_by_good_or_bad_and_written_with_their_sign():
    data = CHARTS["shift"]().to_dict()["data"]
    pale = pytest.approx(0.25 / confusion.FEW_ROWS)  # a single row
    assert data[0]["z"] == [[pale, pale], [pale, pale]]  # more on the diagonal, fewer beside it: all of it better
    written = {tuple(at): text for d in data[1:] for at, text in zip(d["customdata"], d["text"], strict=True)}
    assert written == {(0, 0): "+1", (0, 1): "−1", (1, 0): "−1", (1, 1): "+1"}
    assert "&lt;script" in "".join(t for d in data[1:] for t in d["hovertext"]) or "&#" in "".join(
        t for d in data[1:] for t in d["hovertext"]
    )


def test_calibration_begins_where_the_bins_begin():
    bins = {"confidence": [0.52, None, 0.9], "accuracy": [0.47, None, 0.95], "count": [5, 0, 9]}
    fig = soft_labels.reliability(
        {"student": bins}, names=NAMES, x_title="x", y_title="y", perfect="p", rows_word="rows"
    ).to_dict()
    assert fig["layout"]["xaxis"]["range"] == fig["layout"]["yaxis"]["range"] == [0.38, 1.02]
    assert fig["data"][0]["x"] == [0.4, 1]


def test_bins_of_few_rows_are_faint_and_not_joined():
    """Seen in a trial: 27 rows zigzagged from 0 to 100 %."""
    bins = {"confidence": [0.3, 0.5, 0.7, 0.9], "accuracy": [1.0, 0.5, 0.6, 0.95], "count": [3, 40, 9, 50]}
    fig = soft_labels.reliability(
        {"student": bins}, names=NAMES, x_title="x", y_title="y", perfect="p", rows_word="rows"
    )
    _, marks, line = fig.to_dict()["data"]
    assert list(marks["marker"]["opacity"]) == [0.35, 1.0, 0.35, 1.0] and list(marks["x"]) == bins["confidence"]
    assert list(line["x"]) == [None, 0.5, None, 0.9] and not line["connectgaps"]
    few = {**bins, "count": [3, 4, 9, 5]}
    fig = soft_labels.reliability(
        {"student": few}, names=NAMES, x_title="x", y_title="y", perfect="p", rows_word="rows"
    )
    assert len(fig.to_dict()["data"]) == 2  # no line at all


def test_an_axis_ends_at_the_best_score_there_can_be():
    points = [{"id": "a", "arm": "student", "label": "", "x": 1000, "y": 0.99, "low": 0.97, "high": 1.0, "hover": ""}]
    for made in (
        result.against_size(points, metric="m", x_title="x", names=NAMES, written=str, most=1.0),
        compare.pareto(
            points,
            [],
            metric="m",
            x_title="x",
            names=NAMES,
            written=str,
            lower_is_better=False,
            front_name="",
            most=1.0,
        ),
    ):
        low, high = made.to_dict()["layout"]["yaxis"]["range"]
        assert high == 1.0 and low < 0.97


def test_a_move_of_many_rows_has_the_whole_shade_and_one_of_few_is_paler():
    words = {"true_title": "t", "predicted_title": "p", "hover": ""}
    made = confusion.confusion_shift([[30, 0], [1, 9]], [[20, 10], [0, 10]], ["a", "b"], **words).to_dict()["data"][0]
    assert made["z"][0] == pytest.approx([1 / 3, 1 / 3]) and made["z"][1] == pytest.approx([-1 / 30, -1 / 30])


def test_a_baseline_stands_beside_the_student_that_would_hide_it():
    hidden = [point("baseline", 1240, 0.9), point("student", 1240, 0.9), point("teacher", 260_000, 0.93)]
    told = {"metric": "m", "x_title": "x", "names": NAMES, "written": str}
    drawn = result.against_size(hidden, **told).to_dict()
    at = {d["name"]: math.log10(d["x"][0]) for d in drawn["data"]}
    low, high = drawn["layout"]["xaxis"]["range"]
    assert (at["Student"] - at["Baseline"]) / (high - low) * result.WIDE == pytest.approx(look.MARK)
    far = [{**hidden[0], "y": 0.8}, *hidden[1:]]  # nothing hides it: it stays at its cost but for a hair
    drawn = result.against_size(far, **told).to_dict()
    at = {d["name"]: math.log10(d["x"][0]) for d in drawn["data"]}
    assert at["Student"] - at["Baseline"] < 0.05


def test_a_placebo_is_seen_where_it_ends_on_the_cross():
    drawn = result.paired([0], [0.81], [0.82], metric=H, seed_title="seed {seed}", names=NAMES, placebo=[0.81]).data
    size = {one.name: one.marker.size for one in drawn if one.mode == "markers"}
    assert size[NAMES["placebo"]] > 1.3 * size[NAMES["baseline"]]
