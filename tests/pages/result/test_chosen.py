"""The result of a run that chose its student: why this one, and all candidates in a fold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from kd_core.runs.choosing.against import Against
from kd_core.runs.choosing.rule import Candidate
from kd_core.runs.choosing.told import read_choice
from kd_core.runs.outcome import read_outcome
from kd_core.specs import ChooseSpec
from pages.ui.arms import table
from pages.ui.result import comparison, comparison_table
from pages.ui.runs import chosen
from pages.ui.shared import text
from pages.ui.shared.text import Safe, plain
from tests.pages.fixtures import make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.choosing.blocks import TRIED, block, of_pictures


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def told(base=None, /, **more):
    found = {**(base or result()), "choice": block(**more)}
    return read_choice(found, read_outcome(found))


def said(base=None, /, **more):
    return plain(Safe(" ".join(chosen.sentences(told(base, **more), "ROC-AUC"))))


def test_the_paragraph_says_why_and_who_was_left_out():
    assert said() == (
        "piecewise small (15 KB) was chosen of 7 candidates (4 left out): the smallest whose ROC-AUC on validation, 0.8605, lies within 0.005 of "
        "the best (trees large: 0.8642, 54 KB). Larger than the limit before they learn anything, and so not trained: mlp small. "
        "Not finished, as the time was up: tabm tiny, linear. Could not be trained: cnn. Trying took 30 s of 1 min; the test rows were "
        "read for the chosen one only."
    )


@pytest.mark.parametrize(
    ("goals", "start"),
    [
        (
            {"bytes": 10_000},
            "trees tiny (5.7 KB) was chosen of 7 candidates (4 left out): its ROC-AUC on validation, 0.8574, is the best within 9.8 KB.",
        ),
        (
            {"score": 0.86},
            "piecewise small (15 KB) was chosen of 7 candidates (4 left out): the smallest whose ROC-AUC on validation, 0.8605, reaches 0.8600.",
        ),
        (
            {"found": TRIED[:1]},
            "piecewise small (15 KB) was chosen of 1 candidate: its ROC-AUC on validation, 0.8605, is the best, and none",
        ),
        (
            {"score": 0.9, "bytes": 60_000},
            ":orange[:material/warning:] The ROC-AUC of none of 7 candidates (4 left out) within 59 KB reaches 0.9000",
        ),
        (
            {"bytes": 100, "microseconds": 90},
            ":orange[:material/warning:] None of 7 candidates (4 left out) keeps to 100 B and 90 µs. trees tiny (5.7 KB,",
        ),
    ],
)
def test_each_rule_has_its_sentence(goals, start):
    assert said(**goals).startswith(start)


def test_a_loss_is_told_with_the_teachers_score_and_what_it_asks_for():
    points = Against(0.853, 0.843, False, True)
    kept = said(lost=1.0, against=points, bytes=60_000)
    assert "On validation it loses at most 1 point: teacher 0.8530, so at least 0.8430." in kept
    assert "The teacher did not learn from these rows;" in kept and "either" not in kept
    assert "Whether the teacher has seen these rows before is not known" in said(
        lost=1.0, against=replace(points, unseen=False)
    )
    near = Against(0.87424, 0.86424, False, True)  # the best has 0.8642
    missed = said(lost=1.0, against=near)
    assert "within" not in missed.split("nearest")[0] and "reaches 0.86424 on validation" in missed
    assert "comes nearest: 0.86420." in missed
    assert "On validation it loses more than 1 point: teacher 0.8742, so at least 0.86424 was needed." in missed
    loss = {**result(), "metric": {**result()["metric"], "better": "lower"}}
    errors = said(loss, better="lower", lost=2.5, against=Against(0.9, 0.9225, True, True))
    assert "On validation it loses at most 2.5 %: teacher 0.9000, so at most 0.9225." in errors


def test_what_else_a_person_should_know_is_said():
    assert "The first one alone took longer than 1 min." in said(longer=True)
    assert "Its ROC-AUC does not reach 0.9000 either." in said(bytes=100, score=0.9)
    large = result()
    large["students"][0]["deployed"] = {"bytes": 15_000}
    assert "With the other seeds no file keeps the limit of 9.8 KB: the smallest takes 15 KB." in said(
        large, bytes=10_000
    )
    assert "no file keeps the limit" not in said(large, bytes=20_000)
    behind = result(plain="behind")
    assert "The better thing to take home may be a plain model: 30 trees of 4 leaves of 1.1 KB" in said(behind)
    assert "The run keeps its file" not in said(behind)  # an older result has none
    behind["artifacts"]["plain"] = [{"name": f"plain {behind['students'][0]['reference']['best']['name']}"}]
    assert "The run keeps its file: take it home on Export." in said(behind)


ALONE = (Candidate("a", 9_000, 90.0, 0.85, 0.84), Candidate("b_*x*", 30_720, 90.0, 0.84, 0.87, arm="baseline"))


def alone():
    """A result whose model to take home was trained without a teacher."""
    found = result(plain="behind", choice=block(found=ALONE))
    versus = {"roc_auc": {"mean": -0.04, "ci95": [-0.05, -0.03], "n": 3}}
    found["students"][0]["deployed"] |= {"arm": "baseline", "versus_teacher": versus}
    return found


def test_a_model_without_a_teacher_is_named_and_said_why():
    words = said(found=ALONE, bytes=40_000)
    assert words.startswith(
        "b_*x* without a teacher (30 KB) was chosen of 2 candidates: its ROC-AUC on validation, 0.8700, is"
    )
    why = "Chosen without a teacher: the teacher did not help b_*x* on validation rows (0.8700 alone, 0.8400 taught)."
    assert why in words
    cheap = (Candidate("a", 9_000, 90.0, 0.85, 0.84, other={"bytes": 4_000, "microseconds": 80.0}),)
    words = said(found=cheap, bytes=5_000)
    assert "taught by it a scores 0.8500 instead of 0.8400 on validation rows, but meets the goals less well." in words
    frame = chosen.table(told(found=ALONE, bytes=20_000), "ROC-AUC")
    assert list(frame["What became of it"]) == ["chosen", "beyond a limit"]
    assert list(chosen.table(told(found=ALONE), "ROC-AUC")["What became of it"]) == ["", "chosen, without a teacher"]


def test_the_page_tells_whose_file_sizes_and_times_are():
    at = open_page("runs", run=make_run("done", ("tiny",), alone()))
    shown = words(at)
    assert not at.exception
    assert (
        "The model to take home was trained without a teacher: the file, its size and its times are those of the baseline."
        in shown
    )
    assert "Trained alone, as it is taken home: " in shown and "Distilling this student does not pay here" not in shown
    frame = table.comparison_frame(alone(), 0)
    own = frame.loc["Size of the deployed file"]
    assert own["Baseline, to take home"] and not own["Student"]
    ordinary = words(open_page("runs", run=make_run("done", ("tiny",), result(plain="behind"))))
    assert "take home" not in ordinary and "Distilling this student does not pay here." in ordinary


def test_the_page_shows_the_paragraph_and_the_fold():
    found = {**result(), "choice": block()}
    run_id = make_run("done", ("tiny",), found)
    at = open_page("runs", run=run_id)
    assert (
        not at.exception
        and "**WHY THIS STUDENT** piecewise small (15 KB) was chosen of 7 candidates (4 left out)" in words(at)
    )
    assert [e.label for e in at.expander if "candidates" in e.label] == ["All 7 candidates"]
    frame = chosen.table(told(), "ROC-AUC")
    assert list(frame["What became of it"])[:4] == ["chosen", "", "", "not trained: 8.8 KB before it learned anything"]
    assert frame["What became of it"].iloc[-1].startswith("It {can") and frame.index[0] == "**piecewise small (MLP)**"
    assert "WHY THIS STUDENT" not in words(open_page("runs", run=make_run("done", ("tiny",), result())))


def test_what_is_taken_instead_of_the_student_is_said_first_and_once():
    found = {**result(plain="behind"), "choice": block()}
    shown = words(open_page("runs", run=make_run("done", ("tiny",), found))).replace("\u2060", "")
    first = (
        "**To take is the plain model (30 trees of 4 leaves)**, as the first line says: it is better without a teacher."
    )
    assert "Take the plain model (30 trees of 4 leaves)" in shown
    assert shown.index(first) < shown.index("WHY THIS STUDENT")
    assert "The better thing to take home may be" not in shown
    taken = words(open_page("runs", run=make_run("done", ("tiny",), {**result(), "choice": block()})))
    assert "To take is" not in taken and "WHY THIS STUDENT" in taken


def test_a_metric_is_written_as_inside_a_sentence():
    found = {**result(), "choice": block()}

    def page():
        import streamlit as st

        from pages.ui.runs import chosen

        chosen.show(st.session_state["found"], "a-run")

    at = AppTest.from_function(page)
    at.session_state["found"] = found | {"metric": {**found["metric"], "name": "accuracy"}}
    said = words(at.run())
    assert "whose accuracy on validation" in said or "its accuracy on validation" in said, said


def test_the_head_and_the_live_page_name_the_candidates():
    from pages.ui.runs import run_head
    from tests.runs.services import run_spec

    spec = run_spec("a").model_copy(update={"choose": ChooseSpec()})
    assert "the best of 1 candidate" in run_head.outline(spec)


def test_a_model_without_a_teacher_is_what_would_be_shipped():
    base = result()
    base["students"][0]["deployed"] = {
        "form": None,
        "bytes": None,
        "reason": "none",
        "arm": "baseline",
        "versus_teacher": {"roc_auc": {"mean": -0.02, "ci95": [-0.05, 0.01], "n": 3}},
    }
    runs = store()
    run_id = make_run("done", ("tiny",), base)
    (found,) = comparison.entries(runs.refresh(run_id), runs.folder(run_id))
    one = comparison.candidate(found, "roc_auc")
    assert one.name == "tiny, alone" and one.value == base["students"][0]["baseline"]["metrics"]["roc_auc"]["mean"]
    alone = [t["score_selected"] for t in base["students"][0]["selection"]["baseline"]]
    assert one.validation == pytest.approx(sum(alone) / len(alone))
    row, student = comparison_table.line(found, "roc_auc", None, []), base["students"][0]
    own, taught = student["baseline"]["metrics"]["roc_auc"], student["metrics"]["roc_auc"]["mean"]
    assert row["Student"] == "tiny, alone" and taught != own["mean"]
    assert row["Student ROC-AUC"] == text.plus_minus(own["mean"], own["std"]) and row["Gain [95 %]"] is None
    assert row["Against teacher [95 %]"].startswith("−2.0 [")
    assert row["Taught (gain [95 %])"].startswith(f"{taught:.3f} (+0.9")
    drawn = {p["id"]: p for p in comparison.points([found], "roc_auc", "size")}
    assert drawn[found.id]["y"] == own["mean"] and drawn[found.id]["label"] == "tiny, alone"
    assert drawn[f"{found.id}:taught"]["y"] == taught and drawn[f"{found.id}:taught"]["label"] == "tiny"


def test_the_table_says_which_candidates_know_a_part_of_the_names():
    names = {"columns": {"code": [7, 90]}, "bytes": 2_048, "of_bytes": 20_480}
    tried = (
        replace(TRIED[0], names=names, changed={"label_bytes": 2_100, "width": 14}),
        replace(TRIED[1], names=names),
        TRIED[2],
    )
    frame = chosen.table(told(found=tried, bytes=16_000), "ROC-AUC")
    cells = dict(zip(frame.index, frame[frame.columns[-1]], strict=True))
    assert [plain(Safe(cells[name])) for name in cells] == [
        "chosen, 14 wide so that it fits, with 2 KB of 20 KB of names",
        "with 2 KB of 20 KB of names",
        "beyond a limit",
    ]
    assert "Its hidden layers were made 14 wide, so that it fits." in said(found=tried, bytes=16_000)
    assert "so that it fits" not in said(found=TRIED, bytes=16_000)


def test_the_smallest_of_several_equally_good_ones_is_not_called_the_best():
    equal = tuple(
        replace(one, score=0.9, alone=0.8, left_out=None, bytes=b)
        for one, b in zip(TRIED[:2], (9_000, 500), strict=True)
    )
    words = said(found=equal)
    assert "2 of them share the best ROC-AUC on validation, 0.9000, and it is the smallest of those." in words


def test_the_chosen_one_has_one_size_that_of_the_file_that_was_kept():
    base = result()
    kept = {**base, "students": [{**base["students"][0], "deployed": {"bytes": 15_400}}, *base["students"][1:]]}
    one = told(kept)
    assert one.chosen.bytes != 15_400 and one.chosen_bytes == 15_400 and "(15 KB) was chosen" in said(kept)
    beyond = told(kept, bytes=10_000)
    assert (
        beyond.too_large == 15_400 and beyond.chosen_bytes == beyond.chosen.bytes
    )  # that it grew beyond the limit is said apart


def small_file():
    """A result whose file takes 2.7 KB of a limit."""
    found = result()
    found["students"][0]["deployed"] = {"bytes": 2_700, "inputs": "columns"}
    return found


NEAREST = "The nearest network that was left out, cnn tiny, takes 24 KB; Compress, which writes weights as whole numbers, often leaves a quarter to a half"


def test_what_is_left_of_a_limit_and_who_may_yet_fit_are_said_with_a_way_there():
    found = {**small_file(), "choice": of_pictures(bytes=20_480)}
    at = open_page("runs", run=(run := make_run("done", ("tiny",), found)))
    shown = words(at)
    assert not at.exception and "**Most of the limit is unspent:** 2.6 KB of 20 KB." in shown and NEAREST in shown
    (link,) = [one for one in at.get("page_link") if one.proto.label == "Set up cnn tiny by itself"]
    assert f"clone={run}" in link.proto.query_string and "student=cnn" in link.proto.query_string
    told = read_choice(found, read_outcome(found))
    assert told.may_fit.name == "cnn tiny" and told.unspent  # the trees are smaller, and Compress does not make them so


@pytest.mark.parametrize(("most", "name"), [(12_105, None), (12_106, "cnn tiny"), (None, None), (1_000, None)])
def test_a_network_is_named_where_half_of_its_file_would_keep_the_limit(most, name):
    found = {**small_file(), "choice": of_pictures(**({} if most is None else {"bytes": most}))}
    one = read_choice(found, read_outcome(found)).may_fit
    assert (one and one.name) == name


def test_a_limit_of_which_half_is_used_is_not_called_unspent():
    for most, unspent in ((5_399, False), (5_401, True)):
        found = {**small_file(), "choice": of_pictures(bytes=most)}
        assert read_choice(found, read_outcome(found)).unspent == unspent
