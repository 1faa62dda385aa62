"""The result of a run on its page: verdict lines first, then the rows, and what an older result can't say."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from pages.ui.arms import table
from pages.ui.result import mistakes, splits
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.fixtures import difference, done_run, store
from tests.pages.fixtures import result as made
from tests.pages.screen import jobs, live_charts, open_page, words  # noqa: F401

VERSION_1 = Path(__file__).resolve().parents[2] / "runs" / "kept" / "version_1"
OLDER = "This result is older: its interval covers seeds only"


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


@pytest.fixture
def older():
    """A finished run of version 1 among the runs."""
    runs = store()
    shutil.copytree(VERSION_1, runs.runs / "older")
    runs.refresh("older")
    return "older"


def plain(at):
    return html.unescape(words(at)).replace("\u2060", "")


def open_tab(run_id, tab):
    return open_page("runs", {"tab": str(t(f"runs.result.tabs_{tab}"))}, run=run_id)


def drawn(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def test_the_verdict_comes_first_and_its_words_explain_themselves():
    at = open_page("runs", run=done_run(advice={"kind": "rows", "need": 900}, test_reads=12))
    assert not at.exception
    said = plain(at)
    order = [
        "DISTILLING HELPED",
        "gains 0.90 points",
        "From this teacher",
        "AGAINST THE TEACHER",
        "What would settle it",
        "read by 12 runs",
        "Teacher, baseline and student on 200 test rows",
    ]
    places = [said.index(w) for w in order]
    helps = [m.proto.help for m in at.markdown if m.proto.help]
    assert places[:4] == sorted(places[:4])
    for words_of in (
        "it speaks of this training set",
        "smoothed as much as the teacher smooths them",
        "more seeds narrow it",
    ):
        assert any(words_of in h for h in helps), words_of
    assert "speaks of this training set" in said and "Guessing reaches 0.500 ROC-AUC" in said


def test_the_table_tells_both_differences_and_the_placebo():
    frame = table.comparison_frame(made(), 0)
    assert list(frame.columns) == [
        "Teacher",
        "Baseline",
        "Placebo",
        "Student",
        "Student better than baseline by",
        "Student better than teacher by",
        "Gap closed",
    ]
    first = frame.iloc[0]
    assert (
        first["Placebo"] == "**0.883&nbsp;±&nbsp;0.001**" and first["Gap closed"] == "60&nbsp;% &#91;40,&nbsp;90&#93;"
    )
    assert (
        html.unescape(first["Student better than teacher by"]).replace("\xa0", " ")
        == ":red[−3.70 points [−4.02, −3.38]]"  # as the verdict says it; scores stay shares
    )
    assert frame.loc["Latency p50, ONNX Runtime", "Student better than teacher by"] == "about 150 times faster"
    without = table.comparison_frame(made(placebo_reason="not_asked"), 0)
    assert "Placebo" not in without.columns


def test_times_that_scatter_have_a_rough_ratio_in_the_table():
    found = made()
    found["students"][0]["latency_ms"]["onnxruntime"]["1"]["p95"] = 0.02
    frame = table.comparison_frame(found, 0)
    assert (
        frame.loc["Latency p50, ONNX Runtime", "Student better than teacher by"]
        == "more than 10 times faster, measured unevenly"
    )


def test_the_placebo_stands_in_charts_and_in_the_list_of_trainings():
    at = open_page("runs", {"overview.selection": True}, run=done_run())
    size, paired = drawn(at)[:2]
    for fig in (size, paired):
        looks = {d["name"]: d["marker"]["symbol"] for d in fig["data"] if d.get("name")}
        assert looks["Placebo"] == "triangle-up" and looks["Student"] == "circle"
    listed = next(d.value for d in at.dataframe if "Part" in d.value)
    assert list(dict.fromkeys(listed["Part"])) == ["Baseline", "Placebo", "Student"]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (None, ()),
        ({"epochs": 8, "rounds": 1, "most_epochs": 8}, ("at most 8 epochs.",)),
        (
            {"epochs": 60, "rounds": 6, "most_epochs": 360},
            ("60 epochs, and as many again while the score still gains, at most 360.",),
        ),
    ],
)
def test_the_list_of_trainings_says_what_all_were_allowed(budget, words):
    at = open_page("runs", {"overview.selection": True}, run=done_run(**({"budget": budget} if budget else {})))
    notes = [c.value for c in at.caption if "epoch is chosen on validation rows only" in c.value]
    assert len(notes) == 1 and all(w in notes[0] for w in words) and ("budget" in notes[0]) == bool(budget)


def test_curves_draw_the_placebo_and_say_what_lies_outside():
    from tests.pages.fixtures import curve_events, make_run

    events = curve_events(("tiny",), 3, "roc_auc")
    events += [
        {**e, "arm": "placebo"} for e in events if e.get("arm") == "student" and e["kind"] in ("epoch", "trained")
    ]
    at = open_tab(make_run("done", found=made(), events=events), "curves")
    assert not at.exception
    curves = live_charts(at)[0]
    assert {d["name"] for d in curves["curves"]} >= {"Baseline", "Placebo", "Student"}
    assert curves["y"]["ends"][0] > 0.7
    assert "first epochs lie outside the drawn range" in plain(at) and "Guessing reaches 0.5 ROC-AUC" in plain(at)


def test_moved_rows_are_told_against_baseline_and_teacher():
    found = made(task="multiclass")
    found["students"][0]["confusion"] = [[70, 10, 21], [5, 85, 5], [5, 5, 85]]
    found["students"][0]["baseline"]["confusion"] = [[50, 30, 21], [5, 85, 5], [5, 5, 85]]
    from tests.pages.fixtures import make_run

    at = open_tab(make_run(found=found, task="multiclass"), "mistakes")
    assert not at.exception and len(drawn(at)) == 2
    assert "Largest difference to the baseline: books is taken for garden 20 rows less often." in plain(at)
    assert "books taken for toys, 21 rows in the mean of" in plain(at)
    shift = drawn(at)[1]
    assert max(max(row) for row in shift["data"][0]["z"]) == pytest.approx(20 / 101)
    group = next(g for g in at.get("button_group") if "mistakes-against" in g.proto.id)
    group.set_value("teacher").run()
    assert "Largest difference to the teacher: books is recognised" in plain(at)
    assert mistakes.largest_shift([[1.0]], [[1.0]]) is None


def test_the_student_that_is_shown_is_marked_in_every_drawing_of_the_page():
    """A browser may draw only the second of two quick runs: each says by itself which one is chosen."""
    students = ("tiny", "small")
    at = open_page("runs", run=done_run(students=students))

    def marked():
        (group,) = (g.proto for g in at.get("button_group") if "student-" in g.proto.id)
        return list(group.raw_values) if group.set_value else [group.options[i].content for i in group.default]

    first = marked()
    at.run()
    assert len(first) == 1 and marked() == first


def splits_block(task="binary", metric="roc_auc"):
    gains = [difference([0.88 + g, 0.88 + g], [0.88, 0.881], metric) for g in (0.004, 0.010, 0.007)]
    return {
        "asked": 3,
        "done": [
            {
                "split_seed": i,
                "teacher": 0.93,
                "students": [{"name": "tiny", "gain": g, "verdict": "beats", "versus_teacher": g}],
            }
            for i, g in enumerate(gains)
        ],
    }


@pytest.mark.slow
def test_a_run_on_several_splits_shows_the_gain_of_each_and_the_spread():
    at = open_page("runs", run=done_run(splits=splits_block()))
    assert not at.exception
    assert "On 3 random splits the gain runs from +0.35 to +0.95 points" in plain(at)
    fig = drawn(at)[0]
    assert fig["data"][0]["x"] == pytest.approx([0.35, 0.95, 0.65]) and fig["data"][0]["error_x"]["array"][0] > 0
    frame = splits.frame(made(splits=splits_block()), 0)
    assert list(frame["Split seed"]) == ["0", "1", "2", "mean"] and list(frame["Distilling"])[:3] == ["helped"] * 3
    assert frame.iloc[-1, 1] == "+0.65" and frame.iloc[0, 1].startswith("+0.35 [")
    assert t("runs.splits.title") not in plain(open_page("runs", run=done_run()))


def test_an_older_result_opens_and_says_what_its_interval_leaves_out(older):
    at = open_page("runs", run=older)
    assert not at.exception and not at.error
    said = plain(at)
    assert any(OLDER in i.value for i in at.info) and "DISTILLING HELPED" in said
    assert "how much of it is this teacher's own is not known: this older result has no placebo" in said
    assert "0.042 points of ROC-AUC below the teacher (no interval in this older result)" in said
    assert "seeds only: this result is older" in said and "rows ±" not in said
    assert "Placebo" not in at.table[0].value.columns


@pytest.mark.parametrize("tab", ["curves", "soft", "mistakes", "calibration", "latency", "recipe", "log"])
def test_every_tab_of_an_older_result_opens(older, tab):
    at = open_tab(older, tab)
    assert not at.exception and not at.error


def test_an_older_result_stands_in_the_list_in_compare_and_in_soft_labels(older):
    listed = open_page("runs")
    row = listed.dataframe[0].value.iloc[0]
    assert (
        not listed.exception
        and row["verdict"] == "Helped"
        and row["versus"].startswith("−0.")
        and "[" not in row["versus"]
    )
    compare = open_page("compare", runs=older)
    assert not compare.exception and not compare.error
    table = compare.dataframe[0].value
    assert list(table["Distilling"]) == ["Helped", "Helped"] and table["Against teacher [95 %]"].isna().all()
    soft = open_page("soft_labels", run=older)
    assert not soft.exception and not soft.error and soft.get("bidi_component")


def test_an_older_result_is_shown_in_the_terminal_with_the_same_words(older):
    shown = CliRunner().invoke(app, ["show", str(engine.store().folder(older).path)])
    assert shown.exit_code == 0
    assert f"{OLDER}, not the draw of the test rows." in shown.stdout and "BEATS: distilling helped" in shown.stdout
    assert "rows +-" not in shown.stdout
