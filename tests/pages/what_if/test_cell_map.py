"""The map of cells as the browser gets it: names, intervals on one scale, frames by the engine's rule, panels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kd_core.runs.settings import reading
from pages.ui.evidence import cell_map, cell_words
from pages.ui.shared.text import catalogue, t
from pages.ui.what_if import whatif_cells, whatif_reader, whatif_words
from pages.ui.what_if.answers import answer_line
from tests.pages.fixtures import HOSTILE, store
from tests.pages.screen import jobs  # noqa: F401
from tests.pages.sweeps import make_sweep
from tests.pages.what_if.test_what_if import _quiet, grid_of  # noqa: F401


def payload(grid, student=None, **more):
    cells = grid.cells[grid.cells["student"] == (student or grid.students[0])]
    return cell_map.payload(grid, cells, **{"panel": True, "choose": True, "name": "map", **more})


def test_a_cell_says_itself_in_one_sentence():
    grid = grid_of(make_sweep(students=("tiny", "small"), seeds=5))
    cell = grid.cell(4)
    name = cell_words.name(grid, cell)
    gain, low, high = (f"{100 * v:+.1f}" for v in (cell.gain, cell.low, cell.high))
    assert name.startswith(f"T 4, alpha 0.5, student tiny: {gain} points [{low}, {high}], 5 seeds")
    assert str(t("what_if.hover.best")) in cell_words.name(grid, grid.cell(grid.best))
    assert cell_words.name(grid, grid.cell(0)).startswith("T 1, alpha 0, student tiny: its own baseline")


def test_every_place_with_intervals_says_of_how_many_seeds_they_are():
    for seeds, said in ((3, "only 3 seeds"), (5, "5 seeds"), (1, "only 1 seed")):
        grid = grid_of(make_sweep(students=("tiny", "small"), seeds=seeds))
        assert str(whatif_words.seeds_shown(grid)).replace("\u2060", "") == said
        assert f"{said}," in payload(grid)["legend"]
    of = "what_if.{}"
    for place in (
        "map.legend",
        "map.legend_dots",
        "each.note",
        "size.note",
        "size.note_lower",
        "cost.note",
        "cost.note_lower",
    ):
        assert "{seeds}" in catalogue()[of.format(place)], place


def test_few_seeds_are_told_below_the_answer():
    for seeds, few in ((3, True), (6, False)):
        run = make_sweep(students=("tiny", "small"), seeds=seeds)
        folder = store().folder(run)
        told = reading.of_result(folder.result(), folder.spec())
        said = answer_line._meant(told, reading.unit_of("roc_auc"))
        assert ("3 seeds are few" in said) == few


def test_a_lost_training_and_one_seed_are_told():
    grid = grid_of(make_sweep(diverged=(4,)))
    lost = next(c for c in whatif_cells.rows(grid.cells) if c.diverged)
    assert "2 of 3 seeds" in cell_words.name(grid, lost)
    assert any("diverged" in said for said in cell_words.panel(grid, lost)["wary"])
    one = grid_of(make_sweep(seeds=1))
    assert ", 1 seed" in cell_words.name(one, one.cell(4))
    assert {c["low"] for c in payload(one)["cells"]} == {None}
    assert payload(one)["legend"].startswith("Dot:")


def test_bars_are_the_paired_intervals_on_one_scale_for_all_students():
    grid = grid_of(make_sweep(students=("tiny", "small")))
    for student in grid.students:
        made = payload(grid, student)
        assert made["span"] == payload(grid)["span"] and made["span"][0] < 0 < made["span"][1]
        for c in made["cells"]:
            own = grid.cell(c["id"])
            assert c["gain"] == pytest.approx(100 * own.gain)
            if own.is_baseline:
                assert c["low"] is None and c["high"] is None
            else:
                assert (c["low"], c["high"]) == (pytest.approx(100 * own.low), pytest.approx(100 * own.high))
                assert made["span"][0] <= c["low"] and c["high"] <= made["span"][1]


def test_an_interval_far_beyond_all_others_does_not_squeeze_them():
    grid = grid_of(make_sweep())
    whole = cell_map.span(grid)
    grid.cells.loc[1, "low"] = -50.0  # 5,000 points
    grid.__dict__.pop("judged", None)
    low, high = cell_map.span(grid)
    assert high == pytest.approx(whole[1], rel=0.3) and -20 < low < whole[0]


def test_the_frame_is_what_the_engine_can_not_tell_from_the_best():
    grid = grid_of(make_sweep())
    folder = store().folder(store().list(limit=1)[0].id)
    like = set(reading.of_result(folder.result(), folder.spec()).alike)
    assert {c["id"] for c in payload(grid)["cells"] if c["like"]} == like | {grid.best} and len(like) < len(grid.cells)


def test_a_panel_holds_every_seed_and_its_means_add_up():
    grid = grid_of(make_sweep())
    cell, lines = grid.cell(4), cell_words.by_seed(grid, grid.cell(4))
    assert [line[2] for line in lines[:-1]] == [f"{v:.4f}" for v in cell.scores]
    assert lines[-1][2] == f"{np.mean(cell.scores):.4f}" and lines[-1][1] == f"{np.mean(cell.baseline):.4f}"
    panel = cell_words.panel(grid, cell)
    assert "One of 9 cells: the best of many is partly the luckiest." in panel["lines"][0]
    assert panel["lines"][1].startswith("On validation the teacher reaches 0.9300 ROC-AUC, this cell")
    assert "250 weights · 1.2 KB" in panel["costs"]
    assert not {str(t(f"runs.word.{word}")) for word in ("beats", "ties", "hurts", "inconclusive")} & set(
        map(str, panel.values())
    )  # rows that a cell was picked by give no verdict on it


def test_an_error_gains_by_going_down():
    grid = grid_of(make_sweep(task="regression"))
    cell = grid.cell(1)
    lines = cell_words.by_seed(grid, cell)
    assert cell.scores[0] < cell.baseline[0] and lines[0][3].startswith("+")
    made = payload(grid)
    assert made["columns"] == ["–"] and made["cells"][1]["gain"] == pytest.approx(cell.gain) and cell.gain > 0


def test_its_key_follows_the_content_and_not_the_choice():
    grid = grid_of(make_sweep())
    again = whatif_reader.of_result(grid.result)
    assert payload(grid)["key"] == payload(again)["key"] != payload(grid, choose=False)["key"]
    cells = again.cells.copy()
    cells.loc[3, "gain"] += 0.001
    assert payload(replace(again, cells=cells))["key"] != payload(grid)["key"]


def test_names_go_to_the_browser_as_they_are():
    grid = grid_of(make_sweep(students=(HOSTILE[0], "b")))
    assert HOSTILE[0] in payload(grid)["cells"][4]["name"] and HOSTILE[0] in payload(grid)["cells"][4]["panel"]["title"]


def test_the_browser_has_every_word_it_asks_for():
    script = "\n".join(part.read_text("utf-8") for part in cell_map.PARTS if part.parent.name == "cell_map")
    import re

    asked = set(re.findall(r"\bwords\.(\w+)", script))
    assert asked and asked == {k.removeprefix(cell_map.WORDS) for k in catalogue() if k.startswith(cell_map.WORDS)}
