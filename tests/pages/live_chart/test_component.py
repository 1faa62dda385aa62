"""A live chart says all that the figure says, and refuses a figure it could not draw whole."""

from __future__ import annotations

import pytest

from pages.ui import look
from pages.ui.charts import runs as charts
from pages.ui.charts.marks import figure
from pages.ui.live_chart import component
from pages.ui.runs import curves
from pages.ui.shared.text import escape
from tests.pages.fixtures import HOSTILE

NAMES = {k: k.title() for k in ("teacher", "baseline", "placebo", "helper", "student", "hard", "soft", "loss")}


def drawn(seeds=2, epochs=(1, 2, 3)):
    def one(arm, seed):
        falling = [0.5 / e + seed / 100 for e in epochs]
        return {
            "arm": arm,
            "student": "small",
            "seed": seed,
            "epoch": list(epochs),
            "score": [0.6 + e / 10 + seed / 100 for e in epochs],
            "loss": falling,
            "hard": falling,
            "soft": [v / 2 for v in falling],
            "best": epochs[-1],
        }

    return [one(arm, seed) for arm in ("baseline", "student") for seed in range(seeds)]


def scores(seeds=2, **more):
    return charts.curves(
        drawn(seeds),
        metric="ROC-AUC",
        names=NAMES,
        epoch_title="epoch",
        best_name="kept",
        teacher_score=0.85,
        chance=(0.7, "guessing"),
        **more,
    )


def losses(log):
    return charts.losses(drawn(), names=NAMES, log=log, epoch_title="epoch", y="loss")


@pytest.mark.parametrize(
    "fig", [scores(), scores(charts.MANY + 1), losses(False), losses(True)], ids=["few", "many", "losses", "log"]
)
def test_every_value_of_the_figure_is_drawn(fig):
    whole, made = fig.to_dict(), component.content(fig)
    assert len(made["curves"]) == len(whole["data"])
    for curve, trace in zip(made["curves"], whole["data"], strict=True):
        assert (curve["x"], curve["y"]) == (trace["x"], trace["y"])
        assert curve["lines"] == ("lines" in trace["mode"]) and curve["marks"] == ("markers" in trace["mode"])
        assert curve["opacity"] == trace.get("opacity", 1.0) and curve["name"] == trace["name"]
        part = trace["line"] if curve["lines"] else trace["marker"]
        assert curve["colour"] == part["color"]
        if curve["marks"]:
            assert curve["symbol"] == trace["marker"]["symbol"] and curve["size"] == trace["marker"]["size"]
        else:
            assert (curve["dash"], curve["width"]) == (trace["line"]["dash"], trace["line"]["width"])
    assert made["height"] == whole["layout"]["height"]
    for side, axis in (("x", whole["layout"]["xaxis"]), ("y", whole["layout"]["yaxis"])):
        assert made[side]["title"] == axis["title"]["text"] and made[side]["ends"] == axis.get("range")
        assert made[side]["log"] is (axis.get("type") == "log")


def test_each_part_stands_in_the_legend_once_and_a_level_has_its_name():
    made = component.content(scores())
    assert [c["name"] for c in made["curves"] if c["legend"]] == ["Baseline", "Student", "Teacher"]
    (level,) = made["levels"]
    assert (level["at"], level["name"], level["dash"]) == (0.7, "guessing", look.level()["dash"])


def test_what_the_pointer_tells_has_a_line_each_and_a_seed_for_every_value():
    made = component.content(scores())
    first = made["curves"][0]
    assert first["told"] == ["Baseline, seed %{customdata}", "epoch %{x}: %{y:.4f}"]
    assert len(first["of"]) == len(first["x"])


@pytest.mark.parametrize("name", HOSTILE)
def test_names_go_in_as_they_are(name):
    fig = figure(200, x=escape(name), y="y")
    fig.add_scatter(x=[1], y=[2], mode="markers", name=escape(name), marker=look.mark("student"))
    made = component.content(fig)
    assert made["curves"][0]["name"] == made["x"]["title"] == name


def test_another_kind_of_figure_is_refused():
    bars = figure()
    bars.add_bar(x=[1], y=[2])
    with pytest.raises(ValueError, match="bar"):
        component.content(bars)
    with pytest.raises(ValueError, match="one pair of axes"):
        component.content(charts.seeds(drawn(), names=NAMES, seed_title="{seed}", best_name="kept"))


def test_a_mark_that_the_browser_would_not_know_is_refused():
    stars = figure()
    stars.add_scatter(x=[1], y=[2], mode="markers", marker={"symbol": "hexagon"})
    with pytest.raises(ValueError, match="hexagon"):
        component.content(stars)


@pytest.mark.parametrize(("kept", "lower", "said"), [(2, False, True), (1, False, False), (1, True, True), (2, True, False), (None, False, True), (9, False, True)])  # fmt: skip
def test_a_kept_epoch_that_is_not_the_best_of_its_curve_is_noticed(kept, lower, said):
    curve = {"epoch": [0, 1, 2], "score": [None, 0.4, 0.6], "best": kept}
    assert curves._highest(curve, lower) is said
