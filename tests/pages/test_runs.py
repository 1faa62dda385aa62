"""Runs: the list, a run in every state, and its result."""

from __future__ import annotations

import html
import json
import sys

import pytest

from kd_core.data.types.answered import NO_TRUTH
from kd_core.errors import KDError
from pages.ui.result import mistakes, recipe, result_tabs
from pages.ui.runs import run_head
from pages.ui.shared import engine
from pages.ui.shared.text import catalogue, t
from tests.pages.fixtures import HOSTILE, curve_events, done_run, make_run, result, spec, store
from tests.pages.screen import Jobs, jobs, live_charts, open_page, words  # noqa: F401

TABS = ("overview", "curves", "soft", "mistakes", "calibration", "latency", "recipe", "log")


def labels(at):
    return [b.label for b in at.button]


def drawn(at):
    """Keys of the charts on the page, in order."""
    return [c.proto.id.rsplit("-None", 1)[0] for c in at.get("plotly_chart")]


def test_a_waiting_run_tells_its_place_and_can_be_cancelled(buttons):
    make_run("queued", name="first")
    run_id = make_run("queued", name="second")
    at = open_page("runs", run=run_id)
    assert not at.exception
    assert "Place 2 in the queue" in words(at) and t("runs.live.waiting") in words(at)
    button = at.button(key="run-stop")
    assert button.label == t("runs.head.cancel")
    button.click().run()
    assert buttons.asked == [("stop", run_id)]


def test_a_running_run_shows_curves_phases_room_and_warnings(buttons):
    run_id = make_run("running", students=("tiny", "small"))
    at = open_page("runs", run=run_id)
    assert not at.exception
    said = words(at)
    assert t("runs.title") in said
    assert "12 of 12 trainings" in said and "812 MB" in said and "41 k rows/s" in said
    assert "Column 'id' looks like a row number." in said.replace("&#39;", "'")
    assert said.count("something to learn") == 1 and "Baselines 2.0 s" in said
    assert "is better than each student alone" in said
    assert "small 0.880 (+5.0 [+3.0, +7.0] points; 3 seeds)" in html.unescape(said)
    scores, losses = live_charts(at)
    assert not at.get("plotly_chart") and scores["name"].startswith("curves-live")
    assert {c["name"] for c in scores["curves"] if c["legend"]} >= {"Teacher", "Baseline", "Student"}
    assert losses["y"]["title"] == t("runs.overview.loss_axis") and "validation" in scores["alt"].lower()
    at.button(key="run-stop").click().run()
    assert buttons.asked == [("stop", run_id)]


@pytest.mark.slow
def test_seed_by_seed_draws_one_small_chart_per_seed(buttons):
    import json

    run_id = make_run("running")
    at = open_page("runs", run=run_id)
    view = next(g for g in at.get("button_group") if "view-" in g.proto.id)
    view.set_value("apart").run()
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    assert [a["text"] for a in spec["layout"]["annotations"]] == ["seed 0", "seed 1", "seed 2"]


def room_row(state, mean, low, high, student="tiny"):
    gain = {"mean": mean, "ci95": [low, high], "seeds_half": 0.01, "rows_half": 0.017, "n": 3}
    return {
        "student": student,
        "teacher": 0.8,
        "baseline": 0.88,
        "gain": gain,
        "units": 1800,
        "state": state,
        "room": state != "none",
    }


@pytest.mark.slow
def test_no_room_is_a_warning_before_students_are_trained(buttons):
    events = [e for e in curve_events(("tiny",), 3, "roc_auc") if e["kind"] != "room" and e.get("arm") != "student"]
    events.append(
        {
            "kind": "room",
            "metric": "roc_auc",
            "students": [
                room_row("none", -0.08, -0.1, -0.06),
                room_row("unclear", -0.01, -0.03, 0.01, "small"),
                {"student": "old", "teacher": 0.8, "baseline": 0.88, "room": False},
            ],
        }
    )
    at = open_page("runs", run=make_run("running", events=events))
    (warned,) = [w.value for w in at.warning if "room" in w.value]
    assert "No room to gain for tiny" in warned and "You can stop now" in warned
    events.append({"kind": "chosen", "student": "tiny", "arm": "baseline"})
    (alone,) = [w.value for w in open_page("runs", run=make_run("running", events=events)).warning if "room" in w.value]
    assert "The model that was chosen was trained alone, so nothing is lost" in alone and "stop now" not in alone
    assert "(−8.0 points, 95 %: −10.0 to −6.0; seeds ±1.0, rows ±1.7; 3 seeds)" in html.unescape(warned)
    said = html.unescape(words(at))
    assert (
        "Not clear yet whether these students have something to learn from the teacher" in said
        and "small 0.880 (−1.0 [−3.0, +1.0] points; 3 seeds), old 0.880 (no interval)" in said
    )  # old: an event of before has two means, no claim


def test_stopping_disables_the_button(buttons):
    run_id = make_run("running")
    store().folder(run_id).stop_path.touch()
    at = open_page("runs", run=run_id)
    assert not at.exception
    assert at.button(key="run-stop").disabled and "stopping" in words(at)


def test_a_failed_run_says_what_and_what_next(buttons):
    error = {
        "code": "out_of_memory",
        "message": "Memory ran out at 3.9 GB.",
        "hint": "Use a smaller batch.",
        "error_id": "ab12",
    }
    run_id = make_run("failed", error=error)
    at = open_page("runs", run=run_id)
    assert not at.exception
    said = "\n".join(e.value for e in at.error).replace("&#46;", ".")
    assert "Memory ran out at 3.9 GB." in said and "Use a smaller batch." in said and "ab12" in said
    assert t("runs.ended.failed_next") in said
    assert len(live_charts(at)) == 2
    at.button(key="run-resume").click().run()
    assert buttons.asked == [("resume", run_id)]


def test_a_refused_resume_shows_the_reason(buttons):
    buttons.refuse = KDError("Only 3 MB are free.", "Delete something.", "disk_low")
    at = open_page("runs", run=make_run("interrupted"))
    assert t("runs.ended.interrupted") in words(at)
    at.button(key="run-resume").click().run()
    assert any("Only 3 MB are free." in e.value for e in at.error)


def test_a_cancelled_run_without_a_pair_says_that_there_is_nothing_to_compare(buttons):
    at = open_page("runs", run=make_run("cancelled", events=[]))
    assert not at.exception
    assert any(t("runs.ended.cancelled") in w.value for w in at.warning)
    assert t("runs.live.nothing_yet") in words(at)


def test_a_cancelled_run_with_a_pair_is_judged(buttons):
    found = result(reason={"code": "stopped_early", "values": {}}, verdict="inconclusive")
    at = open_page("runs", run=make_run("cancelled", found=found))
    assert not at.exception
    assert any(t("runs.ended.cancelled_partial") in w.value for w in at.warning)
    assert "NOT CLEAR YET" in words(at) and catalogue()["runs.reason.stopped_early.why"] in words(at)


def test_a_done_run_without_its_result_file_says_so(buttons):
    at = open_page("runs", run=make_run("done"))
    assert not at.exception
    assert any(t("runs.ended.no_result") in e.value for e in at.error)


def test_an_unknown_run_is_an_error_with_a_way_back(buttons):
    at = open_page("runs", run="20990101-0000-none")
    assert not at.exception
    assert any("There is no run" in e.value for e in at.error)
    at.button(key="runs-back").click().run()
    assert t("runs.title_list") in words(at)


@pytest.mark.slow
@pytest.mark.parametrize("task", [pytest.param("binary", marks=pytest.mark.slow), "multiclass", "regression"])
def test_a_result_stands_in_words_and_side_by_side(buttons, task):
    at = open_page("runs", run=done_run(task))
    assert not at.exception
    frame = at.table[0].value
    placebo = [] if task == "regression" else ["Placebo"]
    assert list(frame.columns) == [
        "Teacher",
        "Baseline",
        *placebo,
        "Student",
        "Student better than baseline by",
        "Student better than teacher by",
        "Gap closed",
    ]
    names = {"binary": "ROC-AUC", "multiclass": "Accuracy", "regression": "RMSE"}
    assert names[task] in frame.index[0] and frame["Student better than baseline by"].iloc[0].startswith(":green[")
    assert (
        frame["Student better than teacher by"].iloc[0].startswith(":red[")
        and "60&nbsp;% &#91;40,&nbsp;90&#93;" in frame["Gap closed"].iloc[0]
    )
    assert "AMD EPYC 7B13" in words(at)
    assert len(at.get("plotly_chart")) == 2


@pytest.mark.parametrize(
    ("tab", "task"),
    [(tab, "binary") for tab in TABS] + [pytest.param(tab, "regression", marks=pytest.mark.slow) for tab in TABS],
)
def test_every_tab_opens_and_only_the_open_one_is_computed(buttons, monkeypatch, tab, task):
    run_id = done_run(task)
    others = [n for n in ("overview", "mistakes", "calibration", "latency") if n != tab]
    for name in others:
        place, called = (mistakes, "show") if name == "mistakes" else (result_tabs, name)
        monkeypatch.setattr(place, called, lambda *a: (_ for _ in ()).throw(AssertionError("hidden tab computed")))
    at = open_page("runs", {"tab": str(t(f"runs.result.tabs_{tab}"))}, run=run_id)
    assert not at.exception
    if tab == "recipe":
        assert any("python -m kd_core run" in c.value for c in at.code)
        assert any("RECIPE = {" in c.value and "run_here(RunSpec.parse(RECIPE" in c.value for c in at.code)
        assert len(at.get("download_button")) == 7  # with the report's
    if tab == "mistakes" and task == "binary":
        assert len(at.get("plotly_chart")) == 2


def test_one_of_several_students_can_be_chosen(buttons):
    run_id = done_run(students=("tiny", "small"))
    at = open_page("runs", run=run_id)
    group = next(g for g in at.get("button_group") if "student-" in g.proto.id)
    group.set_value(1).run()
    assert "The small student gains" in words(at)


def test_a_student_as_large_as_its_teacher_is_flagged(buttons):
    at = open_page("runs", run=done_run(size_bytes=900_000))
    assert any("not smaller than the teacher" in e.value for e in at.error)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(buttons, name):
    run_id = done_run(
        "multiclass", students=(name[:40],), name=name, dataset=name, target=name, teacher="t", classes=(name, "b", "c")
    )
    opened = open_page("runs", run=run_id)
    for page in (opened, open_page("runs")):
        assert not page.exception
        said = words(page) + "".join(page.table[0].value.to_string() if page.table else "")
        assert "<script" not in said and "![x](" not in said and "$\\href" not in said
    charts = "".join(c.proto.spec for c in opened.get("plotly_chart"))
    assert "<script" not in charts and "$\\\\href" not in charts


def test_star_note_clone_and_delete(buttons):
    run_id = done_run()
    at = open_page("runs", run=run_id)
    at.button(key="run-star").click().run()
    assert store().get(run_id).star
    at.text_area(key=f"note-{run_id}").set_value("worth a look").run()
    at.button(key="run-note-save").click().run()
    assert store().get(run_id).note == "worth a look" and "worth a look" in words(at)
    assert at.button(key="run-delete").disabled
    at.checkbox(key=f"sure-{run_id}").check().run()
    at.button(key="run-delete").click().run()
    assert not at.exception and t("runs.empty") in words(at)
    assert store().count() == 0


def test_what_weakens_a_verdict_stands_beside_it(buttons):
    found = result()
    note = {"severity": "warning", "hint": "", "column": None, "count": 22}
    found["problems"] = [
        {**note, "code": "small_test", "message": "The test part holds only 22 rows."},
        {**note, "code": "encoding", "message": "It was read as GB18030."},
        {**note, "code": NO_TRUTH.code, "message": NO_TRUTH.message},
    ]
    at = open_page("runs", run=make_run(found=found))
    assert [w.value for w in at.warning] == ["The test part holds only 22 rows.", NO_TRUTH.message]


def test_the_first_outline_of_a_fresh_server_names_parts_by_their_titles(monkeypatch):
    """Torch is still being loaded then; the titles come without it."""
    for module in ("kd_core.distill", "kd_core.teachers"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    said = run_head.outline(spec())
    assert "teacher Gradient boosting" in said and "Soft labels (KD)" in said
    assert "kd_core.distill" not in sys.modules and "kd_core.teachers" not in sys.modules
    assert engine.part_title("loss", "gone_since") == "gone since"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("gradient_boosting", "teacher Best of several: Gradient boosting · "),
        ("their average", "teacher Best of several: their average · "),
        (None, "teacher Best of several · "),  # a result from before it was told
    ],
)
def test_of_several_teachers_the_head_names_who_taught(buttons, chosen, said):
    found = result()
    found["teacher"] |= {"chosen": chosen} if chosen else {}
    at = open_page("runs", run=make_run(found=found, teacher="best"))
    assert not at.exception and any(said in c.value for c in at.caption)


def test_every_target_of_several_is_named_in_the_outline_and_of_very_many_the_first():
    def of(*more):
        data = spec().dataset
        return run_head.outline(spec().model_copy(update={"dataset": data.model_copy(update={"more_targets": more})}))

    target = spec().dataset.target
    assert f"predicts {target} · teacher" in of()
    assert f"predicts {target}, b, c · teacher" in of("b", "c")
    assert f"predicts {target}, b, c, d, e and 2 more · teacher" in of("b", "c", "d", "e", "f", "g")


def test_automatic_seeds_and_splits_are_said_in_the_outline_and_in_the_recipe():

    automatic = spec().model_copy(update={"training": spec().training.model_copy(update={"seeds": None})})
    several = automatic.model_copy(update={"evaluation": automatic.evaluation.model_copy(update={"splits": 5})})
    assert run_head.outline(several).endswith("seeds automatic · 5 splits")
    assert run_head.outline(spec(seeds=4)).endswith("4 seeds")
    lines = dict(recipe.settings(automatic).itertuples(index=False))
    assert (
        lines["training.seeds"] == "auto"
        and dict(recipe.settings(spec()).itertuples(index=False))["training.seeds"] == "3"
    )


def test_a_student_before_its_first_epoch_has_no_empty_chart_of_losses(jobs):  # noqa: F811
    run_id = make_run("running", ("tiny", "small"))
    path = store().folder(run_id).path / "events.jsonl"
    assert str(t("runs.live.loss")) in words(open_page("runs", run=run_id))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [e for e in lines if e["kind"] != "epoch" or e["student"] != "tiny"]
    path.write_text("".join(f"{json.dumps(e)}\n" for e in kept))
    at = open_page("runs", run=run_id)
    assert not at.exception and str(t("runs.live.loss")) not in words(at) and len(live_charts(at)) == 1


def test_the_address_names_the_student_that_is_told(buttons):
    run_id = done_run(students=("tiny", "small"))
    at = open_page("runs", run=run_id, student="small")
    assert "The small student gains" in words(at)
    next(g for g in at.get("button_group") if "student-" in g.proto.id).set_value(0).run()
    assert "The tiny student gains" in words(at)  # and then the person's choice counts
