"""The Distill screen: good defaults, costs before training, reasons, what survives a refresh."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import Field

from kd_core.distill import LOSSES
from kd_core.distill.base import LossSpec
from kd_core.errors import KDError
from kd_core.models import ARCHS
from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from pages.ui.runs import launch, live
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture
def best(jobs, monkeypatch):  # noqa: F811
    """The Distill screen on the binary sample as it is first seen, on an idle machine."""
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)
    dataset = engine.library().save_spec(default_spec("purchase").dataset)
    return open_page("distill", data=dataset)


@pytest.fixture
def at(best):
    """The same where students are named."""
    return name_students(best)


def name_students(at):
    """Choose 'These students'."""
    return at.radio(key="distill.choose.way").set_value("named").run()


def start(at, jobs):  # noqa: F811
    at.button(key="distill-start").click().run()
    assert not at.exception
    return jobs.submitted[-1][0]


def test_named_students_are_the_samples_own_run(at, jobs):  # noqa: F811
    assert not at.exception and not at.button(key="distill-start").disabled
    assert "18 trainings" in words(at)
    spec = start(at, jobs)
    assert spec.work_hash() == default_spec("purchase").work_hash()
    assert jobs.submitted[0][1] and jobs.submitted[0][2] is False
    assert at.query_params["run"] == engine.store().list()[0].id


@pytest.mark.slow
def test_a_run_without_a_name_is_named_by_its_settings_and_a_clone_by_its_own(at, jobs):  # noqa: F811
    at.slider(key="distill.objective.hinton.alpha").set_value(0.9).run()
    assert start(at, jobs).name == "Visits to purchase: T=2 α=.9 tiny+small"
    again = open_page("distill", clone=engine.store().list()[0].id)
    again.slider(key="distill.objective.hinton.alpha").set_value(0.5).run()
    assert start(again, jobs).name == "Visits to purchase: T=2 α=.5 tiny+small"


def test_the_time_of_the_teacher_is_told_unless_it_is_kept(at, jobs, monkeypatch):  # noqa: F811
    assert "of it for the teacher" in words(at) and "busy" not in words(at)
    from kd_core.teachers.answer_cache.cache import TeacherCache

    monkeypatch.setattr(TeacherCache, "holds", lambda self, *asked: True)
    at.run()
    assert "kept from before and cost nothing" in words(at) and "of it for the teacher" not in words(at)


def test_other_work_on_the_machine_is_told_beside_the_time(at, monkeypatch):
    monkeypatch.setattr(estimate, "busy", lambda: 4.0)
    at.run()
    assert "this machine is busy: about 4 times as long" in words(at)


def test_sizes_are_known_before_training(at):
    assert [c.label for c in at.checkbox][:2] == ["tiny", "small"]  # names of widgets hold no markup
    titles, first = [str(e.proto.body) for e in at.get("html") if 'class="kd-weighs"' in str(e.proto.body)][:2]
    assert "Weights" in titles and "FLOPs" in titles and "<span>≈ 250</span>" in first and "KB" in first


@pytest.mark.slow
@pytest.mark.parametrize(("name", "task"), [("recommendation", "multiclass"), ("logistics", "regression")])
def test_other_tasks_have_working_defaults_too(jobs, name, task):  # noqa: F811
    dataset = engine.library().save_spec(default_spec(name).dataset)
    at = open_page("distill", data=dataset)
    assert not at.exception
    assert len(start(at, jobs).students) == 12
    at = name_students(open_page("distill", data=dataset))
    assert start(at, jobs).work_hash() == default_spec(name).work_hash()
    assert bool(at.select_slider) is False or task == "multiclass"


@pytest.mark.slow
def test_rows_of_a_picture_and_more_are_taught_by_who_reads_them_all(jobs, tmp_path):  # noqa: F811
    scenario = default_spec("product_category").dataset
    own = scenario.model_copy(update={"source": str(engine.library().resolve(scenario.source))})  # no sample's own run
    dataset = engine.library().save_spec(own)
    for _ in range(2):  # the second time by the facts that were kept
        at = open_page("distill", data=dataset)
        assert not at.exception
    name_students(at)
    spec = start(at, jobs)
    assert spec.teacher.name == "fusion" and {s.arch.name for s in spec.students} == {"fusion"}


@pytest.mark.slow
def test_no_student_disables_start_with_the_reason(at):
    for box in at.checkbox:
        box.uncheck()
    at.run()
    assert at.button(key="distill-start").disabled and t("distill.no_students") in words(at)


def test_what_is_set_is_what_is_run(at, jobs):  # noqa: F811
    at.select_slider(key="distill.objective.hinton.temperature").set_value(20.0)
    at.slider(key="distill.objective.hinton.alpha").set_value(0.5)
    at.number_input(key="distill.training.seeds").set_value(5)
    at.selectbox(key="distill.training.class_weights").set_value("balanced")
    at.selectbox(key="distill.evaluation.metric").set_value("accuracy")
    at.checkbox(key="distill.students.2.base").check()
    at.run()
    assert "45 trainings" in words(at)
    spec = start(at, jobs)
    assert spec.objective.settings == {"temperature": 20.0, "alpha": 0.5}
    assert (spec.training.seeds, spec.training.class_weights, spec.evaluation.metric) == (5, "balanced", "accuracy")
    assert [s.name for s in spec.students] == ["tiny", "small", "base"]


@pytest.mark.slow
def test_a_student_of_ones_own_shape(at, jobs):  # noqa: F811
    assert "TabM ensemble" in at.selectbox(key="distill_own_arch").options
    at.selectbox(key="distill_own_arch").set_value("mlp").run()
    at.number_input(key="distill_own.mlp.width").set_value(12)
    at.number_input(key="distill_own.mlp.depth").set_value(3).run()
    at.button(key="distill-add").click().run()
    assert not at.exception
    spec = start(at, jobs)
    own = spec.students[-1]
    assert own.name == "mlp 3x12" and own.arch.settings["width"] == 12 and own.arch.settings["size"] is None


@pytest.mark.slow
def test_a_new_loss_appears_with_its_form_without_touching_a_page(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(LOSSES, "_entries", dict(LOSSES._entries))

    class DummySpec(LossSpec):
        """Settings of a loss that only this test has."""

        sharpness: float = Field(0.5, ge=0, le=1, description="How sharp.")

    made = LOSSES.register("dummy", title="Dummy loss", spec=DummySpec)
    made(lambda student, teacher, labels, spec: spec.sharpness * student.logits.square().mean())
    dataset = engine.library().save_spec(default_spec("purchase").dataset)
    at = open_page("distill", data=dataset)
    assert "Dummy loss" in at.selectbox(key="distill.objective").options
    at.selectbox(key="distill.objective").set_value("dummy").run()
    assert not at.exception
    assert at.slider(key="distill.objective.dummy.sharpness").value == 0.5
    at.slider(key="distill.objective.dummy.sharpness").set_value(0.75).run()
    assert start(at, jobs).objective.settings == {"sharpness": 0.75}


@pytest.mark.slow
def test_a_new_architecture_appears_with_its_form(jobs, monkeypatch):  # noqa: F811
    from kd_core.models.archs.mlp import MLPSpec, build

    monkeypatch.setattr(ARCHS, "_entries", dict(ARCHS._entries))
    ARCHS.register("dummy", title="Dummy network", spec=MLPSpec, roles=("student",), takes=("table",), presets={})(
        build
    )
    dataset = engine.library().save_spec(default_spec("purchase").dataset)
    at = name_students(open_page("distill", data=dataset))
    assert "Dummy network" in at.selectbox(key="distill_own_arch").options
    at.selectbox(key="distill_own_arch").set_value("dummy").run()
    assert at.number_input(key="distill_own.dummy.width").value == 16


def test_parts_for_other_tasks_are_named_with_the_reason(at):
    assert "predicts a number; here it is yes or no" in words(at)
    assert "bounded_mse" not in at.selectbox(key="distill.objective").options


@pytest.mark.slow
def test_the_form_survives_a_page_switch_and_a_refresh(at, jobs):  # noqa: F811
    dataset = at.query_params["data"]
    at.slider(key="distill.objective.hinton.alpha").set_value(0.3).run()
    at.switch_page("start.py").run()
    at.query_params["data"] = dataset
    at.switch_page("distill.py").run()
    assert at.slider(key="distill.objective.hinton.alpha").value == 0.3
    fresh = open_page("distill", data=dataset)
    assert fresh.slider(key="distill.objective.hinton.alpha").value == 0.3
    fresh.button(key="distill-reset").click().run()
    assert fresh.slider(key="distill.objective.hinton.alpha").value == 0.9


@pytest.mark.slow
def test_a_student_that_was_added_or_removed_survives_a_refresh(at, jobs):  # noqa: F811
    dataset = at.query_params["data"]
    at.button(key="distill-add").click().run()
    fresh = open_page("distill", data=dataset)
    assert "mlp 1x16" in [s["name"] for s in fresh.session_state["distill_draft"]["values"]["students"]]
    remove = next(b for b in fresh.button if str(b.key).startswith("distill-remove-"))
    remove.click().run()
    again = open_page("distill", data=dataset)
    assert "mlp 1x16" not in [s["name"] for s in again.session_state["distill_draft"]["values"]["students"]]


def test_finished_work_is_offered_instead_of_trained_again(at, jobs):  # noqa: F811
    run_id = engine.store().create(default_spec("purchase"))
    engine.store().folder(run_id).write_status(state="done")
    engine.store().refresh(run_id)
    at.run()
    assert t("distill.done_before") in words(at)
    assert "distill-start" not in [b.key for b in at.button]  # two ways to begin the same would be a riddle
    at.button(key="distill-again").click().run()
    assert jobs.submitted[0][2] is True


def test_a_refused_start_says_why(at, jobs):  # noqa: F811
    jobs.refuse = KDError("Only {free} MB are free.", "Delete runs first.", "disk_low", free=3)
    at.button(key="distill-start").click().run()
    assert "Only 3 MB are free." in at.error[0].value


@pytest.mark.slow
def test_automatic_seeds_placebo_and_splits_are_said_in_words(at, jobs):  # noqa: F811
    at.number_input(key="distill.training.seeds").set_value(None).run()
    seeds = at.number_input(key="distill.training.seeds")
    assert seeds.value is None and seeds.proto.placeholder == "auto"
    assert "2 students × 3 seeds at first, each with the teacher, alone, and on labels smoothed without it" in words(at)
    assert "**18 trainings**" in words(at)
    placebo, splits = at.toggle(key="distill.evaluation.placebo"), at.number_input(key="distill.evaluation.splits")
    assert (placebo.label, placebo.value, splits.label, splits.value) == ("Placebo arm", True, "Random splits", 1)
    placebo.set_value(False)
    at.number_input(key="distill.training.seeds").set_value(2)
    at.number_input(key="distill.evaluation.splits").set_value(3)
    at.run()
    assert not at.exception
    assert "2 students × 2 seeds × 3 splits, each with the teacher and alone" in words(at)
    spec = start(at, jobs)
    assert (spec.training.seeds, spec.evaluation.placebo, spec.evaluation.splits) == (2, False, 3)


def test_a_time_over_a_minute_is_told_in_whole_minutes():
    works = tuple(estimate.Work(kind, s, s) for kind, s in (("teacher:boosting", 65.0), ("training:stacks", 61.0)))
    assert "about **2 min**, 1 min of it" in launch.time(estimate.Estimate(2, works, 0))
    now = SimpleNamespace(elapsed_s=130.0, outlook=SimpleNamespace(since=0.0), eta_s=10.0)
    assert live.elapsed(now) == "**2 min 10 s** of about 3 min"  # never less than what is gone
