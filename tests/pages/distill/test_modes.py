"""The mode on the Distill form: one paragraph each, its settings, and the reason where one can't work."""

import pytest

from kd_core.distill import MODES
from kd_core.runs.cells import modes
from kd_core.runs.view.naming import short_name
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from pages.ui.runs import run_head
from tests.pages.distill.test_distill import at, best, start  # noqa: F401
from tests.pages.fixtures import spec as plain_spec
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_the_usual_mode_is_chosen_and_leaves_the_recipe_as_it_was(at, jobs):  # noqa: F811
    assert at.selectbox(key="distill.mode").value == "offline"
    assert MODES.get("offline").facts["about"] in words(at)
    assert start(at, jobs).work_hash() == default_spec("purchase").work_hash()


@pytest.mark.slow
def test_another_mode_is_explained_has_its_settings_and_is_started(at, jobs):  # noqa: F811
    at.selectbox(key="distill.mode").set_value("born_again").run()
    assert MODES.get("born_again").facts["about"] in words(at)
    at.number_input(key="distill.mode.born_again.generations").set_value(2).run()
    assert "needs a teacher that is a network trained here" in words(at)  # of mutual
    spec = start(at, jobs)
    assert spec.mode.name == "born_again" and spec.mode.settings == {"generations": 2}
    again = open_page("distill", clone=jobs.submitted and at.query_params["run"])
    assert again.selectbox(key="distill.mode").value == "born_again"
    assert again.number_input(key="distill.mode.born_again.generations").value == 2


@pytest.mark.slow
@pytest.mark.parametrize("way", ("best", "named"))
def test_no_mode_that_is_offered_stands_in_the_way_of_start(best, way):  # noqa: F811
    best.radio(key="distill.choose.way").set_value(way).run()
    offered = {title: name for name in MODES.names() if (title := MODES.get(name).title)}
    for title in best.selectbox(key="distill.mode").options:
        best.selectbox(key="distill.mode").set_value(offered[title]).run()
        assert not best.exception and not best.button(key="distill-start").disabled, title
        assert ":red[" not in words(best) and "mode 'offline'" not in words(best), title
    assert ("for students that you name: choose These students" in words(best)) == (way == "best")


@pytest.mark.slow
def test_a_mode_gives_way_in_words_when_the_best_student_is_asked_for(at):  # noqa: F811
    at.selectbox(key="distill.mode").set_value("assistant").run()
    at.radio(key="distill.choose.way").set_value("best").run()
    assert not at.exception and at.selectbox(key="distill.mode").value == "offline"
    assert "can't work with what you chose since" in words(at) and not at.button(key="distill-start").disabled
    at.run()
    assert "can't work with what you chose since" not in words(at)


def test_an_assistant_is_offered_beside_students_that_come_in_sizes_only(at):  # noqa: F811
    assert MODES.get("assistant").title in at.selectbox(key="distill.mode").options
    bare = next(c for c in at.checkbox if c.label.startswith(("additive", "linear")))
    for one in [c.key for c in at.checkbox if c.value and str(c.key).startswith("distill.students")]:
        at.checkbox(key=one).uncheck()
    at.checkbox(key=bare.key).check().run()
    assert MODES.get("assistant").title not in at.selectbox(key="distill.mode").options
    assert "for students whose network comes in sizes" in words(at) and "mode.network" not in words(at)


@pytest.mark.slow
def test_alpha_is_not_asked_for_where_no_label_is_heard_and_comes_back(at, jobs):  # noqa: F811
    at.slider(key="distill.objective.hinton.alpha").set_value(0.5).run()
    at.selectbox(key="distill.mode").set_value("data_free").run()
    assert not [s for s in at.slider if str(s.key).endswith(".alpha")]
    assert "Labels are not heard in this mode" in words(at) and "% Labels" not in words(at)
    assert "α" not in start(at, jobs).name
    again = open_page("distill", data=at.query_params["data"])
    again.selectbox(key="distill.mode").set_value("offline").run()
    assert again.slider(key="distill.objective.hinton.alpha").value == 0.5


@pytest.mark.parametrize("name", MODES.names())
def test_a_mode_says_that_it_hears_no_label_where_its_recipe_leaves_none(name):
    spec = default_spec("purchase").model_copy(
        update={"mode": Choice(name=name), "objective": Choice(name="hinton", settings={"alpha": 0.5})}
    )
    assert modes.unlabelled(name) == (modes.soft_share(modes.carried_out(spec).objective) == 1.0)
    assert ("α" in short_name(spec)) != modes.unlabelled(name)


@pytest.mark.slow
def test_a_mode_that_another_teacher_can_t_do_gives_way_to_the_usual_one(at):  # noqa: F811
    at.selectbox(key="distill.teacher.from").set_value("here").run()
    at.selectbox(key="distill.teacher").set_value("mlp").run()
    at.selectbox(key="distill.mode").set_value("mutual").run()
    assert not at.exception and MODES.get("mutual").facts["about"] in words(at)
    at.selectbox(key="distill.teacher").set_value("gradient_boosting").run()
    assert not at.exception and at.selectbox(key="distill.mode").value == "offline"


def test_what_cant_work_names_the_teachers_that_would_do_and_no_names_of_code(at):  # noqa: F811
    said = [m.value for m in at.markdown if "Not here: " in m.value]
    (mutual,) = [one for one in said if MODES.get("mutual").title in one]
    named = mutual.split("Teachers here that would do: ")[1]
    assert "MLP" in named and "boosting" not in named
    at.selectbox(key="distill.teacher").set_value("mlp").run()
    assert MODES.get("mutual").title in at.selectbox(key="distill.mode").options
    (number,) = [one for one in said if "predicts a number" in one]
    assert "here it is yes or no" in number
    assert not any(word in one for one in said for word in ("binary", "(mse)", "next_item", "(folds"))


@pytest.mark.parametrize(("mode", "told"), [("offline", True), ("born_again", True), ("data_free", False)])
def test_the_outline_tells_alpha_where_labels_are_heard_only(mode, told):
    said = run_head.outline(
        plain_spec().model_copy(
            update={"mode": Choice(name=mode), "objective": Choice(name="hinton", settings={"alpha": 0.9})}
        )
    )
    assert ("α = 0.9" in said) == told


def test_a_method_names_the_teachers_that_give_what_it_reads(at):  # noqa: F811
    (said,) = [m.value for m in at.markdown if "Not here: " in m.value and "FitNets" in m.value]
    assert (
        "MLP" in said.split("Teachers here that would do with 1 fold, set under Training and evaluation settings: ")[1]
    )
    at.selectbox(key="distill.teacher").set_value("mlp").run()
    at.number_input(key="distill.evaluation.folds").set_value(1).run()
    assert any("FitNets" in option for option in at.selectbox(key="distill.objective").options)
