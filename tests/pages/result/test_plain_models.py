"""Plain models beside the students: their sentence, their mark, the file that sizes speak of, and whole times."""

from __future__ import annotations

import html
import json

import pytest

from kd_core.reports import charts as report_charts
from kd_core.runs.outcome import read_outcome
from kd_core.runs.plain.items import TABLES
from kd_core.runs.plain.lists import NETWORKS, PICTURES, PLAIN, TEXTS
from kd_core.runs.view.report import verdict_lines
from pages.ui.arms import table
from pages.ui.charts import result as charts
from pages.ui.result import comparison, differences, result_tabs, speed, verdict
from pages.ui.shared.text import plain, t
from tests.pages.fixtures import done_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401

INTERVAL = "(95 % for all such statements of the run together: "


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def said(found):
    return [plain(line) for line in verdict.judge(found, 0).plain]


def drawn(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def symbols(fig):
    return {d["name"]: d["marker"]["symbol"] for d in fig["data"] if d.get("marker", {}).get("symbol")}


@pytest.mark.parametrize(
    ("standing", "start", "end"),
    [
        (
            "ahead",
            "No plain model of this size comes near: +0.90 points of ROC-AUC over the best of them, 30 trees",
            "",
        ),
        (
            "behind",
            "A plain model of this size is better: −1.10 points of ROC-AUC over 30 trees of 4 leaves without",
            "",
        ),
        ("level", "A plain model of this size does as well: −0.10 points of ROC-AUC over 30 trees of 4 leaves", ""),
        ("unclear", "Not clear whether a plain model of this size does as well: +0.30 points of ROC-AUC over 30", ""),
    ],
)
def test_the_standing_beside_a_plain_model_is_said_with_interval_and_both_sizes(standing, start, end):
    (line,) = said(result(plain=standing))
    assert line.startswith(start) and INTERVAL in line and "at 1.2 KB against 1.1 KB." in line
    assert ("Distilling this student does not pay here." in line) == (standing == "behind")


def test_the_interval_beside_a_plain_model_is_the_one_that_its_word_follows():
    found = result(plain="unclear")
    found["students"][0]["reference"]["best"]["ci_family"] = [-0.0123, 0.0183]
    assert "together: −1.2 to +1.8; 3 seeds)" in said(found)[0]


def test_the_report_and_its_chart_give_the_same_interval_beside_a_plain_model():
    found = result(plain="unclear")
    found["students"][0]["reference"]["best"]["ci_family"] = [-0.0123, 0.0345]
    outcome = read_outcome(found)
    drawn = str(report_charts.gains(outcome, outcome.students[0]))
    told = next(line for line in verdict_lines(found) if "plain model of this size does as well" in line)
    assert "-1.23 to +3.45" in told and "all such statements together" in told
    assert "over a plain model: +0.3 (−1.23 to +3.45)" in drawn


def test_without_plain_models_nothing_is_said():
    assert said(result()) == []
    without = {**result(plain="ahead"), "references": None}
    assert said(without) == []


def test_where_none_is_as_small_that_is_said():
    found = result(plain="ahead", size_bytes=900)
    found["students"][0]["reference"]["best"] = None
    assert said(found)[0] == "No plain model of the list is as small as this student (900 B)."


@pytest.mark.parametrize(
    ("known", "missing", "words"),
    [
        (True, [], ["No plain model was set beside this student: the run was stopped before."]),
        (False, [], ["No plain model was set beside this student: the run was stopped before."]),
        (
            False,
            [{"name": "linear", "title": "a linear model", "reason": "It has no file."}],
            [
                "No plain model was set beside this student: none could be had.",
                "Left out: a linear model. It has no file.",
            ],
        ),
    ],
)
def test_why_there_is_none_is_told_apart(known, missing, words):
    found = result(plain="ahead")
    found["students"][0]["reference"] = {"best": None, "smallest": None}
    found["references"] = {"known": found["references"]["known"] if known else [], "missing": missing}
    assert said(found) == words


@pytest.mark.parametrize(
    ("arm", "start"),
    [
        ("baseline", "The best plain model of its size is this one, 30 trees of 4 leaves: it was trained alone"),
        ("student", "A plain model of this size does as well: −0.10 points of ROC-AUC over the same model without a"),
    ],
)
def test_the_same_model_trained_the_same_way_is_no_alternative(arm, start):
    found = result(plain="level", size_bytes=1100)
    one = found["students"][0]
    one["reference"]["best"]["arch"] = one["arch"]
    one["deployed"] |= {"arm": arm, "versus_teacher": {}}
    (line,) = said(found)  # nor is it named as the smallest that keeps up
    told = "\n".join(verdict_lines(found))
    assert line.startswith(start) and "stopped" not in line and "stopped before" not in told
    assert ("is this one" in told) == (arm == "baseline") and "30 trees of 4 leaves, 1.1 KB" not in told


def test_the_smallest_that_keeps_up_is_named_where_it_is_another():
    found = result(plain="ahead")
    assert len(said(found)) == 1
    found["students"][0]["reference"]["smallest"] = found["references"]["known"][1]
    assert (
        said(found)[1] == "The smallest plain model that keeps up with it on validation rows: a linear model, 1000 B."
    )


def test_a_plain_model_of_another_version_keeps_its_name():
    assert differences.plain_model("linear") == "a linear model" and differences.plain_label("linear") == "linear model"
    assert plain(differences.plain_model("forest_9x9")) == "forest_9x9" == differences.plain_label("forest_9x9")


def test_the_verdict_has_a_line_against_plain_models_after_the_one_against_the_teacher():
    shown = html.unescape(words(open_page("runs", run=done_run(plain="behind"))))
    places = [shown.index(w) for w in ("AGAINST THE TEACHER", "AGAINST PLAIN MODELS", "A plain model of this size is")]
    assert places == sorted(places)
    assert "AGAINST PLAIN MODELS" not in words(open_page("runs", run=done_run()))


@pytest.mark.parametrize("where", ["runs", "compare"])
def test_plain_models_are_a_family_of_their_own_in_the_size_charts(where):
    asked = "run" if where == "runs" else "runs"
    at = open_page(where, **{asked: done_run(plain="ahead")})
    fig, shown = drawn(at)[0], words(at)
    (trace,) = [d for d in fig["data"] if d.get("name") == "Plain model"]
    assert symbols(fig)["Plain model"] == "star" and trace["x"] == [1100]
    labels = [
        *trace["text"],
        *(note["text"] for note in fig["layout"].get("annotations", ())),
    ]  # beside it, or led to it
    assert "30 trees of 4 leaves" in trace["customdata"][0][1]
    assert sum("30 trees" in label for label in labels) == 1
    assert "Stars are the best plain models" in html.unescape(shown)
    assert "Plain model 30 trees of 4 leaves 0.880 at 1.1 KB" in at.get("plotly_chart")[0].proto.alt


@pytest.mark.parametrize("where", ["runs", "compare"])
def test_an_older_result_draws_no_plain_model(where):
    at = open_page(where, **{"run" if where == "runs" else "runs": done_run()})
    assert "Plain model" not in symbols(drawn(at)[0]) and "Stars are" not in words(at)


def test_one_plain_model_beside_two_students_stands_once():
    found = result(students=("tiny", "small"), plain="level")
    assert [p["arm"] for p in result_tabs.size_points(found)].count("plain") == 1
    runs, made = store(), done_run(students=("tiny", "small"), plain="level")
    entries = comparison.entries(runs.get(made), runs.folder(made))
    assert [p["id"] for p in comparison.points(entries, "roc_auc", "size") if p["arm"] == "plain"] == [
        f"{made}:0:plain"
    ]
    assert comparison.missing(entries, "roc_auc", "size") == 0
    assert comparison.missing(entries, "roc_auc", "latency") == 0
    del entries[0].student["reference"]["best"]["latency_ms"]  # older results have no times of it
    assert comparison.missing(entries, "roc_auc", "latency") == 1


def test_a_click_on_a_plain_model_picks_the_student_it_stands_beside():
    made = done_run(plain="ahead")
    at = open_page("compare", runs=made)
    at.session_state["pareto"] = {"selection": {"points": [{"customdata": [f"{made}:0:plain", ""]}]}}
    at.run()
    assert not at.exception and at.session_state["compare-picked"] == [f"{made}:0"]


def test_the_size_row_says_what_file_it_is_of():
    frame = table.comparison_frame(result(plain="ahead"), 0)
    assert frame.loc["Size of the deployed file", "Student"] == "1.2 KB" and "Size" not in frame.index
    assert "Size" in table.comparison_frame(result(), 0).index
    assert "the one file that is deployed" in words(open_page("runs", run=done_run(plain="ahead")))
    assert "file that is deployed" not in words(open_page("runs", run=done_run()))


@pytest.mark.parametrize(
    ("deployed", "start"),
    [
        (
            {"form": "onnx", "bytes": 9, "inputs": "columns"},
            "Size: for the student the one file that is deployed (ONNX, raw",
        ),
        (
            {"form": "onnx", "bytes": 9, "inputs": "raw rows"},
            "Size: for the student the one file that is deployed (ONNX, raw texts or pictures in",
        ),
        (
            {"form": "onnx", "bytes": 9, "inputs": "encoded rows"},
            "Size: for the student the one file that is deployed (ONNX; its",
        ),
        (
            {"form": None, "bytes": None, "reason": "no operator."},
            "The student has no file to deploy, so its size is that of the weights: no",
        ),
    ],
)
def test_the_note_on_size_names_the_form(deployed, start):
    assert plain(table.deployed({"deployed": deployed})).startswith(start)
    assert table.deployed({}) is None


def test_the_whole_way_leads_the_lines_of_the_table_and_has_the_ratio():
    frame = table.comparison_frame(result(plain="ahead"), 0)
    lines = [n for n in frame.index if "Latency" in n or "alone" in n]
    assert lines[0] == "Latency p50, raw row to answer" and "Model alone, ONNX Runtime" in lines[1:]
    assert [frame.loc[n, "Student better than teacher by"] for n in lines] == ["about 30 times faster", "", "", ""]
    assert list(frame.loc[lines, str(t("runs.arm.plain_best"))]) == ["20 µs", "", "", ""]
    older = table.comparison_frame(result(), 0)
    assert not [n for n in older.index if "alone" in n or "raw row" in n]


def test_the_ratio_stands_on_the_line_it_is_about():
    found = result()
    found["students"][0]["latency_ms"] = dict(reversed(found["students"][0]["latency_ms"].items()))
    frame = table.comparison_frame(found, 0)
    assert frame.loc["Latency p50, ONNX Runtime", "Student better than teacher by"] == "about 150 times faster"
    assert frame.loc["Latency p50, torch", "Student better than teacher by"] == ""


@pytest.mark.parametrize(
    ("more", "start", "note"),
    [
        (
            {"plain": "ahead"},
            "One row, from its raw values to the answer: about 30 times faster",
            "Time is per row, from its raw values",
        ),
        ({}, "One row, already encoded: about 150 times faster", "Time is per row that is already encoded"),
    ],
)
def test_the_latency_tab_says_what_is_timed(more, start, note):
    at = open_page("runs", {"tab": str(t("runs.result.tabs_latency"))}, run=done_run(**more))
    (line,) = [m for m in at.markdown if m.value.startswith("One row")]
    assert line.value.startswith(start) and line.proto.help.startswith(note)
    fig, whole = drawn(at)[0], "plain" in more
    names = [d["name"] for d in fig["data"]]
    assert ("Student, raw row to answer" in names) == whole == ("model alone" in words(at))
    timed = next(d.value for d in at.dataframe if "What is timed" in d.value)["What is timed"]
    assert ("model alone, torch" in set(timed)) == whole and ("torch" in set(timed)) != whole
    if whole:
        mine = [d for d in fig["data"] if d["name"].startswith("Student")]
        assert mine[0]["name"] == "Student, raw row to answer" and mine[0]["line"]["dash"] == "solid"
        assert len({(d["line"]["dash"], d["marker"]["symbol"]) for d in mine}) == 3


def test_the_whole_way_has_a_name_and_comes_first():
    assert speed.runtime_title("whole") == "raw row to answer" and speed.runtime_title("torch") == "torch"
    assert speed.in_order(["torch", "whole", "torch", "native"]) == ["whole", "torch", "native"]
    assert len(charts.WAYS) == len(set(charts.WAYS))


def test_the_form_offers_them_beside_the_placebo_and_can_leave_them_out(jobs):  # noqa: F811
    at = open_page("distill")
    plain_models = at.toggle(key="distill.evaluation.references")
    assert (plain_models.label, plain_models.value) == ("Plain models beside each student", True)
    assert "beside the best plain model of its size" in plain_models.help
    plain_models.set_value(False).run()
    at.button(key="distill-start").click().run()
    assert not at.exception and jobs.submitted[-1][0].evaluation.references is False


@pytest.mark.parametrize(("name", "title"), [(n, title) for n, title, _ in (*PLAIN, *TEXTS, *PICTURES, *NETWORKS)])
def test_every_plain_model_of_the_lists_is_named_in_the_catalogue(name, title):
    assert plain(differences.plain_model(name)) == title


@pytest.mark.parametrize("most", TABLES)
def test_every_table_of_followers_has_words(most):
    name = f"neighbours_{most}" if most else "popularity"
    assert name not in differences.plain_model(name) and name not in differences.plain_label(name).split("_")
    assert differences.plain_model(name) != t("runs.plain.model.other", name=name)


def test_calibration_tells_the_plain_model_of_the_students_size():
    tab = {"tab": str(t("runs.result.tabs_calibration"))}
    made = done_run(plain="ahead")
    own = store().folder(made).result()["students"][0]["reference"]["best"]["metrics"]["ece"]["mean"]
    line = f"The plain model of its size, 30 trees of 4 leaves: {own:.3f}; its bins"
    assert line in words(open_page("runs", tab, run=made))
    assert "The plain model of its size" not in words(open_page("runs", tab, run=done_run()))
