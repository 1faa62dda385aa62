"""Runs that versions 2 and 3 left: finished ordinary runs, a finished what-if, and a what-if that was killed."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.errors import DataError
from kd_core.runs.direct import run_here
from kd_core.runs.outcome import read_outcome
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.service.recover import recover
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_reader
from tests.pages.fixtures import store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.tables import write_table

KEPT = Path(__file__).resolve().parents[2] / "runs" / "kept"
FINISHED = ("version_2", "version_2_what_if", "version_3")


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def among_the_runs(name):
    """Put a kept folder among the runs of the workspace, and find it as a starting server does."""
    runs = store()
    shutil.copytree(KEPT / name, runs.runs / name)
    recover(runs)
    runs.refresh(name)
    return runs.folder(name)


def plain(at):
    return html.unescape(words(at)).replace("\u2060", "")


def test_all_are_listed_and_compared_with_their_intervals():
    for name in FINISHED:
        among_the_runs(name)
    listed = open_page("runs")
    frame = listed.dataframe[0].value
    assert not listed.exception and set(frame["name"]) == {"tiny and small", "T and alpha"}
    assert set(frame["state"]) == {"done"} and all("[" in g for g in (*frame["gain"], *frame["versus"]))
    compare = open_page("compare", runs=",".join(FINISHED))
    assert not compare.exception and not compare.error
    table = compare.dataframe[0].value
    assert len(table) == 5 and table["Against teacher [95 %]"].notna().all()


@pytest.mark.parametrize("name", FINISHED)
def test_its_page_has_the_verdict_and_the_map_where_there_are_several_cells(name):
    folder = among_the_runs(name)
    at = open_page("runs", run=name, cell="1")
    assert (
        not at.exception and not at.error and "NOT CLEAR YET" in plain(at) and "this result is older" not in plain(at)
    )
    many = name == "version_2_what_if"
    assert (str(t("what_if.map.title")) in plain(at)) is many and ("T = 1, α = 0.5" in plain(at)) is many
    grid = whatif_reader.read(folder)
    assert (grid is not None) is many
    if grid is not None:
        assert (len(grid.cells), grid.best, grid.seeds, grid.trainings) == (6, 5, 2, 10)
        assert list(grid.cell(1).scores) == folder.result()["sweep"]["cells"][1]["scores"]


@pytest.mark.parametrize("name", FINISHED)
def test_the_terminal_shows_it(name):
    shown = CliRunner().invoke(app, ["show", str(KEPT / name)])
    assert shown.exit_code == 0 and "INCONCLUSIVE: it is not clear yet" in shown.stdout
    if name == "version_2_what_if":
        assert "    0.5  +0.34*  +0.63*\n      1  +0.34*  +0.97#\n" in shown.stdout
        assert "Best of 6 cells on validation: T 4, alpha 1; on the test rows +0.34 points" in shown.stdout


def test_an_ordinary_run_has_one_cell_for_each_student_and_leaves_open_what_it_did_not_say():
    found = read_outcome(among_the_runs("version_2").result())
    tiny, small = found.cells
    assert (tiny.number, tiny.student, small.number, small.student) == (0, "tiny", 1, "small")
    assert tiny.settings == {**dict.fromkeys(tiny.settings), "temperature": 2.0, "alpha": 0.7, "made_rows": 0}
    picks = found.students[1].raw["selection"]
    assert small.raw["scores"] == [p["score_selected"] for p in picks["student"]]
    assert small.gain.mean == pytest.approx(small.raw["mean"] - sum(small.raw["baseline"]) / 2)
    assert (found.best, small.raw["behind"], small.like_best) == (1, None, True) and not found.has_map


def test_a_run_of_version_3_says_why_it_answers_no_raw_rows_and_has_no_plain_models():
    folder = among_the_runs("version_3")
    with pytest.raises(DataError, match="Column b was scaled as an earlier version did it") as caught:
        kd_core.load(folder.path)
    assert caught.value.code == "earlier_encoding"
    for student in read_outcome(folder.result()).students:
        assert (student.plain, student.smallest_like_it, student.bytes) == (None, None, None)


@pytest.mark.slow
def test_a_killed_one_says_that_it_can_be_resumed_and_then_what_is_trained_again(tmp_path, monkeypatch):
    folder = among_the_runs("version_2_cut_off")
    at = open_page("runs", run=folder.id)
    assert not at.exception and "run-resume" in [b.key for b in at.button]
    assert any(str(t("runs.ended.interrupted_next")) in w.value for w in at.warning)
    assert "2 of 10 trainings" in plain(at) and str(t("what_if.map.title")) in plain(at)
    write_table(tmp_path / "t.csv")
    monkeypatch.chdir(tmp_path)  # its recipe names the file without a folder
    events = []
    result, _ = run_here(folder.spec(), folder.path, events.append, StopSignal())
    (said,) = [e for e in events if e.get("code") == "trained_again"]
    assert (
        said["message"].startswith("5 trainings of an earlier attempt belong to")
        and "version of the code" in said["message"]
    )
    assert result["schema"] == 4 and result["sweep"]["trained"] == 10 and len(result["cells"]) == 6
