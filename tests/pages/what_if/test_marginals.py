"""The tabs under the map: which are offered, the curve of each setting, and goals on the front."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest

from pages.ui import look
from pages.ui.evidence import marginals
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_views
from tests.pages.screen import jobs  # noqa: F401
from tests.pages.sweeps import make_sweep
from tests.pages.what_if.test_what_if import _quiet, charts, grid_of, run_page, said  # noqa: F401


def test_parallel_axes_come_with_the_third_setting_and_curves_with_the_second():
    one = grid_of(make_sweep(temperature=(4,), alpha=(0, 0.5, 1)))
    two = grid_of(make_sweep())
    three = grid_of(make_sweep(students=("tiny", "small")))
    also = grid_of(make_sweep(temperature=(1, 4), alpha=(0, 1), learning_rate=(0.001, 0.01)))
    assert whatif_views.offered(one) == ["cost", "table"]
    assert whatif_views.offered(two) == ["each", "cost", "table"]
    assert whatif_views.offered(three) == ["each", "sizes", "settings", "cost", "table"]
    assert whatif_views.offered(also) == ["each", "settings", "cost", "table"]


def test_a_curve_is_the_mean_of_its_cells_without_those_that_learn_nothing():
    grid = grid_of(make_sweep(students=("tiny", "small")))
    cells = grid.cells
    for name, values in (("temperature", (1, 4, 16)), ("student", ("tiny", "small"))):
        found = marginals.of(grid, name)
        taught = cells[cells["alpha"] != 0]
        for value in values:
            assert found.curve[value].mean == pytest.approx(taught[taught[name] == value]["gain"].mean())
    found = marginals.of(grid, "alpha")
    assert found.curve[0.0].mean == 0 == found.curve[0.0].low and found.combinations == 6
    assert found.curve[0.5].mean == pytest.approx(cells[cells["alpha"] == 0.5]["gain"].mean())


def test_a_setting_that_is_not_varied_parts_no_combination():
    """Seen in a trial: a linear student has no dropout, so it shared no combination with a network, which has."""
    grid = grid_of(make_sweep(students=("tiny", "small")))
    cells = grid.cells.copy()
    cells["dropout"] = [0.1 if student == "tiny" else float("nan") for student in cells["student"]]
    found = marginals.of(replace(grid, cells=cells), "student")
    assert found.combinations == 6 and set(found.curve) == {"tiny", "small"}


def test_an_errors_curve_gains_upwards():
    grid = grid_of(make_sweep(task="regression", alpha=(0, 0.5, 1), learning_rate=(0.001, 0.01)))
    assert marginals.of(grid, "alpha").curve[0.5].mean > 0


@pytest.mark.slow
def test_the_page_draws_a_chart_a_setting_on_one_scale_and_says_what_is_averaged():
    at = run_page(run=make_sweep(students=("tiny", "small")))
    assert not at.exception
    drawn = [c for c in charts(at) if c["layout"].get("height") == 230]
    assert len(drawn) == 3 and len({tuple(c["layout"]["yaxis"]["range"]) for c in drawn}) == 1
    assert [html.unescape(c["layout"]["xaxis"]["title"]["text"]) for c in drawn] == ["Student", "T", "α"]
    assert "not at the best of them" in said(at) and said(at).count("Mean over 6 combinations") == 2


@pytest.mark.slow
def test_goals_in_bytes_and_milliseconds_mark_every_point_of_the_front():
    run_id = make_sweep(students=("tiny", "small"))
    at = run_page(run=run_id)
    at.session_state["whatif-tab"] = str(t("what_if.tab.cost"))
    at.run()
    assert not at.exception and at.segmented_control(key="whatif-way").value == "absolute"
    at.number_input(key="whatif-value-roc_auc").set_value(0.0)
    at.number_input(key="whatif-most-latency").set_value(None)
    at.number_input(key="whatif-most-size").set_value(2.0).run()
    words = said(at)
    front = [
        m.value
        for m in at.markdown
        if m.value.startswith((":green[:material/check_circle:]", ":red[:material/cancel:]"))
    ]
    assert len(front) == 2 and "**✓** tiny" in front[0] and "**✗** small" in front[1]
    assert (
        "misses size by 3.9 KB (5.9 KB, asked 2 KB)" in html.unescape(front[1])
        and "9 of 18 cells meet the goals" in words
    )
    (drawn,) = [c for c in charts(at) if c["layout"].get("height") == 430]
    (region,) = drawn["layout"]["shapes"]
    assert region["x1"] == 2048 and region["y0"] == 0.0
    texts = [text for d in drawn["data"] for text in d.get("text") or () if text]
    assert any("✓" in text for text in texts) and any("✗" in text for text in texts)
    faded = [d for d in drawn["data"] if d.get("marker", {}).get("opacity", 1) <= max(look.FADED.values())]
    assert sum(len(d["x"]) for d in faded) == sum(len(d["x"]) for d in drawn["data"] if "customdata" in d) - 3
    assert np.isfinite(region["x1"])
