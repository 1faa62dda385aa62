"""What-if: its numbers to take home, odd names and addresses, and what went wrong."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from kd_core.errors import KDError
from pages.ui.shared.text import t
from pages.ui.what_if import (
    whatif_cell,
    whatif_cells,
    whatif_map,
    whatif_points,
    whatif_reader,
    whatif_table,
    whatif_words,
)
from tests.pages.fixtures import HOSTILE, done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import make_sweep
from tests.pages.what_if.test_what_if import _quiet, charts, grid_of, map_of, run_page, said  # noqa: F401


@pytest.mark.slow
def test_the_csv_holds_every_seed_of_every_cell():
    run_id = make_sweep()
    rows = list(csv.DictReader(io.StringIO(whatif_table.csv(grid_of(run_id)))))
    assert len(rows) == 27 and {r["seed"] for r in rows} == {"0", "1", "2"}
    best = [r for r in rows if r["best"] == "True"]
    assert len(best) == 3 and float(best[0]["roc_auc"]) > float(best[0]["baseline_roc_auc"])


def test_a_cell_alone_is_no_verdict():
    grid = grid_of(make_sweep())
    table = whatif_table.lines(grid).set_index(str(t("what_if.column.cell")))
    told = table[str(t("what_if.column.word"))].to_dict()
    taught = [c for c in grid.each(grid.cells) if not c.is_baseline]
    assert {told[c.cell] for c in taught} & {"above 0", "around 0", "near 0", "below 0"}
    for c in taught:
        assert told[c.cell] == str(t(f"what_if.column.word_{c.word}")) and "elp" not in told[c.cell]
        assert f"interval {told[c.cell]}, by itself" in whatif_words.hover(grid, c)


@pytest.mark.slow
def test_names_are_shown_literally():
    run_id = make_sweep(students=(HOSTILE[0],))
    grid = grid_of(run_id)
    assert "<script" not in whatif_words.hover(grid, grid.cell(4))
    at = run_page(run=run_id, cell="4")
    assert not at.exception and "<script" not in "".join(json.dumps(c) for c in charts(at))


@pytest.mark.slow
def test_every_run_opens_on_one_page_whose_map_appears_where_a_student_has_several_cells():
    many = open_page("runs", run=make_sweep())
    assert not many.exception and t("what_if.map.title") in said(many) and len(many.tabs) == 12
    places = [
        said(many).index(str(w))
        for w in ("over the same student alone", "Gain over the baseline, on", "on 200 test rows")
    ]
    assert places == sorted(places)
    for run_id in (make_sweep(temperature=(2,), alpha=(0.5,)), done_run(), done_run(students=("tiny", "small"))):
        one = open_page("runs", run=run_id)
        assert not one.exception and "over the same student alone" in said(one)
        assert t("what_if.map.title") not in said(one) and len(one.tabs) == 9 and "variants" not in said(one)


def test_the_number_in_the_address_must_be_one(monkeypatch):
    for value, found in (("7", 7), ("-1", None), ("x", None), ("", None)):
        monkeypatch.setattr(whatif_map.st, "query_params", {"cell": value})
        assert whatif_map.picked() == found


def test_a_diverged_baseline_counts_once_for_all_its_cells():
    grid = grid_of(make_sweep(diverged=(0,)))  # the baseline of the first seed serves the three cells with alpha 0
    assert grid.cells.loc[grid.cells["alpha"] == 0, "diverged"].tolist() == [1, 1, 1]
    assert grid.diverged == 1


@pytest.mark.slow
def test_a_failed_what_if_keeps_what_is_known_of_its_cells_and_promises_no_verdict():
    at = open_page("runs", run=make_sweep("failed", finished=3))
    assert not at.exception and "3 of 21 trainings" in said(at) and t("what_if.map.title") in said(at)
    assert "over the same student alone" not in said(at) and "whatif-clear" not in [b.key for b in at.button]


def _cell_four(**changes):
    return lambda found: found["cells"][4].update(changes)


HARM = {
    "'cells'": lambda found: found.pop("cells"),
    "'mean'": lambda found: found["cells"][4].pop("mean"),
    "'room'": lambda found: found.pop("room"),
    "'list' object has no attribute 'items'": lambda found: found["sweep"].update(best_of=[1]),
    "two cells have one number": _cell_four(cell=0),
    "a cell has the word 'wins'": _cell_four(word="wins"),
    "a number is str": _cell_four(mean="high"),
    "a number is infinite": _cell_four(scores=[float("inf"), 0.9, 0.9]),
    "'ci95'": _cell_four(gain={"mean": 0.1, "n": 3}),
    "'int' object is not subscriptable": _cell_four(behind={"mean": 0.1, "ci95": 1}),
    "must be an iterable, not int": _cell_four(scores=1),
    "a cell has more scores than seeds": _cell_four(seeds=[0]),
}


@pytest.mark.parametrize("why", HARM)
def test_a_damaged_grid_is_named(why):
    folder = store().folder(make_sweep())
    found = json.loads((folder.path / "result.json").read_text())
    HARM[why](found)
    (folder.path / "result.json").write_text(json.dumps(found))
    with pytest.raises(
        KDError, match=r"result\.json holds no what-if that can be read: |The result can't be read: "
    ) as told:
        whatif_reader.read(folder)
    assert why in str(told.value)


def test_a_grid_that_is_none_is_named():
    folder = store().folder(make_sweep())
    found = json.loads((folder.path / "result.json").read_text())
    (folder.path / "result.json").write_text(json.dumps({**found, "sweep": 5}))
    with pytest.raises(KDError, match="The result can't be read: AttributeError 'int' object has no attribute 'get'"):
        whatif_reader.read(folder)


@pytest.mark.slow
def test_a_page_with_a_damaged_grid_has_one_message_and_the_map_of_the_events():
    run_id = make_sweep()
    place = store().folder(run_id).path / "result.json"
    found = json.loads(place.read_text())
    HARM["a number is str"](found)
    place.write_text(json.dumps(found))
    at = run_page(run=run_id, cell="4")
    assert not at.exception and [e.value for e in at.error if "holds no what-if" in e.value] == [at.error[0].value]
    assert map_of(at)["cells"]


def test_every_seed_of_a_cell_has_a_place_in_each_of_its_columns():
    told = {"cell": 7, "student": "tiny", **dict.fromkeys(whatif_cells.SETTINGS), "mean": 0.9, "gain": None}
    made = whatif_reader.frame([{**told, "seeds": [3, 4], "scores": [0.9], "baseline": [], "diverged": 0}])
    cell = whatif_cells.rows(made)[0]
    assert cell.scores == (0.9, None) and cell.baseline == cell.selected_epochs == (None, None)
    assert (cell.gain, cell.pairs, cell.latency_ms, cell.word, cell.pending) == (None,) * 4 + (False,)
    assert whatif_reader.frame([]).empty


def test_a_cell_is_made_once_and_lines_of_the_table_keep_their_order():
    grid = grid_of(make_sweep())
    lines = grid.cells[::-2]
    assert grid.each(lines) == whatif_cells.rows(lines) and len(lines) == 5
    assert grid.each(lines)[0] is grid.cell(int(lines.index[0])) is not None
    assert grid.cell(99) is grid.cell(None) is None and grid.each(grid.cells[:0]) == []


def test_a_baseline_is_one_point_and_a_measured_latency_holds_for_all_cells_of_its_student():
    grid = grid_of(make_sweep())  # three of the nine cells have alpha 0
    arms = [p["arm"] for p in whatif_points.front_points(grid, "size")]
    assert arms.count("baseline") == 1 and arms.count("student") == 6
    cells = grid.cells.copy()
    cells.loc[cells.index[1:], "latency_ms"] = None
    assert {c.costs["latency"] for c in whatif_points.candidates(replace(grid, cells=cells))} == {0.005}


@pytest.mark.slow
def test_a_damaged_file_of_answers_is_told_in_words():
    run_id = make_sweep()
    folder = store().folder(run_id)
    place = folder.path / "artifacts" / "cells.npz"
    for damage in (
        lambda: np.savez(place, other=1),
        lambda: place.write_bytes(b"PK\x03\x04"),
        lambda: place.write_bytes(b"no zip"),
    ):
        damage()
        with pytest.raises(KDError, match=r"The answers of the cells of run .* can't be read"):
            whatif_cell.kept(folder, "artifacts/cells.npz")
    at = run_page(run=run_id, cell="4")
    at.segmented_control(key="whatif-part").set_value("soft").run()
    assert not at.exception and any("can't be read" in e.value for e in at.error)
