"""The grammar of charts: up and right are better, intervals are drawn alike, legends stand above, and many lines hide nobody."""

from __future__ import annotations

import pytest

from pages.ui import look
from pages.ui.charts import lesson, marks, result, runs
from pages.ui.shared import text
from pages.ui.shared.text import t
from tests.pages.shared.test_charts import CHARTS, NAMES, curve


def test_right_is_better_in_pairs_too():
    told = {"metric": "m", "seed_title": "{seed}", "names": NAMES, "lower_is_better": True}
    assert result.paired([0], [0.8], [0.7], **told).to_dict()["layout"]["xaxis"]["autorange"] == "reversed"


def test_one_answer_is_drawn_on_its_own_scale():
    made = lesson.softened(["a", "b", "c"], [0.05, 0.25, 0.2], [0.1, 0.2, 0.15], "T = 1", "T = 4").to_dict()
    first, second = made["data"]
    assert (first["x"], second["x"]) == ([0.25, 0.2, 0.05], [0.2, 0.15, 0.1])  # the most likely on top
    assert made["layout"]["yaxis"]["ticktext"] == ["b", "c", "a"]
    assert 0.25 < made["layout"]["xaxis"]["range"][1] < 0.3


def test_a_long_training_does_not_squeeze_the_others():
    told = {"metric": "m", "names": NAMES, "epoch_title": "e", "best_name": "b"}
    short = [curve("student", i, epochs=20) for i in range(5)]
    long = runs.curves([*short, curve("student", 9, epochs=180)], **told).to_dict()["layout"]["xaxis"]
    assert long["range"] == [0, 40]
    assert "range" not in runs.curves([*short, curve("student", 9, epochs=38)], **told).to_dict()["layout"]["xaxis"]
    assert runs.outside([*short, curve("student", 9, epochs=180)], None, False) >= 140


def test_many_curves_are_thin_and_the_placebo_hides_nobody():
    told = {"metric": "m", "names": NAMES, "epoch_title": "e", "best_name": "b"}
    drawn = [curve(arm, i) for i in range(8) for arm in ("baseline", "placebo", "student")]
    made = runs.curves(drawn, **told).to_dict()["data"]
    lines = [d for d in made if d["mode"] == "lines"]
    assert {d["line"]["width"] for d in lines} == {look.THIN}
    assert [d["name"] for d in lines] == ["Placebo", "Baseline", "Student"]  # as they are drawn, not as they are named
    few = runs.curves([curve("student")], **told).to_dict()["data"]
    assert few[0]["line"]["width"] == look.LINE


def test_curves_of_many_seeds_are_one_line_with_gaps_that_knows_each_seed():
    drawn = [curve("student", i, epochs=3 + i % 2) for i in range(8)]
    told = {"metric": "m", "names": NAMES, "epoch_title": "e", "best_name": "b"}
    line, best = runs.curves(drawn, **told).to_dict()["data"]
    whole = [v for c in drawn for v in (*c["score"], None)][:-1]
    assert line["y"] == whole and len(line["x"]) == len(line["customdata"]) == len(whole)
    gaps = [i for i, v in enumerate(line["x"]) if v is None]
    assert len(gaps) == 7 and [line["customdata"][i - 1] for i in gaps] == list(range(7))
    assert best["customdata"] == list(range(8)) and best["x"] == [c["best"] for c in drawn]
    assert "seed %{customdata}" in line["hovertemplate"] and "seed %{customdata}" in best["hovertemplate"]
    parts = runs.losses(drawn, names=NAMES, log=False, epoch_title="e", y="loss").to_dict()["data"]
    assert [p["name"] for p in parts] == [NAMES[n] for n in ("hard", "soft", "loss") if drawn[0].get(n)]
    assert parts[-1]["y"] == [v for c in drawn for v in (*c["loss"], None)][:-1]


def test_a_gap_between_measured_batches_is_not_joined():
    times = {"arm": "student", "p50": [0.1, 5.0], "p95": [0.2, 6.0]}
    whole = {**times, "name": "whole", "way": 0, "batch": [1, 1000]}
    every = {"arm": "student", "name": "alone", "way": 1, "batch": [1, 32], "p50": [0.1, 0.2], "p95": [0.2, 0.3]}
    first = result.latency([whole, every], x_title="x", y_title="y", written=str).to_dict()["data"][0]
    assert (first["x"], first["y"], first["connectgaps"]) == ([1, 32, 1000], [0.1, None, 5.0], False)


def test_an_interval_is_drawn_alike_everywhere():
    bars = [
        trace[axis]
        for name in ("size", "pareto", "splits", "latency")
        for trace in CHARTS[name]().to_dict()["data"]
        for axis in ("error_x", "error_y")
        if trace.get(axis)
    ]
    assert len(bars) >= 6 and {(b["thickness"], b["width"]) for b in bars} == {(look.THIN, 4)}


@pytest.mark.parametrize("name", CHARTS)
def test_legends_stand_above_and_nothing_lies_on_them(name):
    layout = CHARTS[name]().to_dict()["layout"]
    if not layout.get("showlegend"):
        return
    assert layout["legend"]["orientation"] == "h" and layout["legend"]["y"] > 1
    assert all(
        a.get("yref") != "paper" or a.get("yanchor") == "top" or a.get("y", 0) < 1
        for a in layout.get("annotations", [])
        if name != "seeds"
    )


@pytest.mark.parametrize("name", CHARTS)
def test_parts_are_named_in_one_order_in_every_legend(name):
    drawn = CHARTS[name]().to_dict()["data"]
    shown = [d for d in drawn if d.get("name") and d.get("showlegend", True)]
    names = [d["name"] for d in sorted(shown, key=lambda d: d.get("legendrank", 1000))]  # stable, as Plotly's is
    order = [NAMES[arm] for arm in look.LEGEND]
    parts = [order.index(one) for one in names if one in order]
    assert parts == sorted(parts)
    assert all(d["legendrank"] == order.index(d["name"]) + 1 for d in shown if d["name"] in order)
    assert look.LEGEND[:5] == ("teacher", "student", "compressed", "baseline", "placebo")
    assert set(look.LEGEND) == set(look.ARMS)


def test_a_pair_lies_on_one_height_and_no_mark_is_hidden():
    made = result.paired(
        [0, 1], [0.8, 0.7], [0.8, 0.9], metric="m", seed_title="{seed}", names=NAMES, placebo=[0.8, 0.8]
    )
    data = made.to_dict()["data"]
    assert all(d["y"][0] == d["y"][1] for d in data if d["mode"] == "lines")
    marks = [d for d in data if d["mode"] == "markers"]
    assert [d["name"] for d in marks] == ["Student", "Placebo", "Baseline"]  # the cross on top leaves the others seen
    assert all(d["y"] == [0, 1] for d in marks)


def test_ways_to_run_a_model_differ_in_mark_and_in_line():
    times = {"arm": "student", "batch": [1, 32], "p50": [0.012, 0.2], "p95": [0.02, 1.3]}
    series = [{**times, "name": f"way {way}", "way": way} for way in range(4)]
    data = result.latency(series, x_title="x", y_title="y", written=text.milliseconds).to_dict()
    looks = [(d["marker"]["symbol"], d["line"]["dash"]) for d in data["data"]]
    assert len({mark for mark, _ in looks}) == len({dash for _, dash in looks}) == 4
    ticks = dict(zip(data["layout"]["yaxis"]["tickvals"], data["layout"]["yaxis"]["ticktext"], strict=True))
    assert ticks[0.01] == "0.01 ms" and ticks[1.0] == "1 ms" and not any("µs" in one for one in ticks.values())
    assert t("runs.latency.title").lower() in t("runs.latency.y")


@pytest.mark.parametrize("name", CHARTS)
def test_shares_at_axes_are_written_as_in_text(name):
    layout = CHARTS[name]().to_dict()["layout"]
    for axis in (layout["xaxis"], layout["yaxis"]):
        assert "%" not in axis.get("tickformat", "")
        assert all(" %" in one for one in axis.get("ticktext", ()) if "%" in one)


def test_shares_at_axes_are_round_and_few():
    told = {end: marks.share_axis(0, end)["ticktext"] for end in (1, 0.25, 0.03)}
    assert told[1] == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
    assert told[0.25][1] == "5 %" and told[0.03][1] == "0.5 %"
    assert marks.share_axis(0.4, 1)["ticktext"] == ["40 %", "50 %", "60 %", "70 %", "80 %", "90 %", "100 %"]
    assert marks.share_axis(0, 1, most=4)["tickvals"] == [0, 0.25, 0.5, 0.75, 1]


def test_calibration_has_the_same_words_wherever_it_is_drawn():
    assert t("soft_labels.live.right_share") == t("runs.calibration.y")
    assert t("soft_labels.live.said_share") == t("runs.calibration.x")
    same = "On the dotted diagonal a model is as often right as it says"
    assert same in t("runs.calibration.note")
    assert all(same in t(f"soft_labels.{kind}.calibration_note") for kind in ("live", "labels"))
