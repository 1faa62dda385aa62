"""The mode on the Distill form: one paragraph each, its settings, and the reason where one can't work."""

from kd_core.distill import MODES
from kd_core.scenarios import default_spec
from tests.pages.distill.test_distill import at, best, start  # noqa: F401
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_the_usual_mode_is_chosen_and_leaves_the_recipe_as_it_was(at, jobs):  # noqa: F811
    assert at.selectbox(key="distill.mode").value == "offline"
    assert MODES.get("offline").facts["about"] in words(at)
    assert start(at, jobs).work_hash() == default_spec("purchase").work_hash()


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


def test_a_mode_that_another_teacher_can_t_do_gives_way_to_the_usual_one(at):  # noqa: F811
    at.selectbox(key="distill.teacher.from").set_value("here").run()
    at.selectbox(key="distill.teacher").set_value("mlp").run()
    at.selectbox(key="distill.mode").set_value("mutual").run()
    assert not at.exception and MODES.get("mutual").facts["about"] in words(at)
    at.selectbox(key="distill.teacher").set_value("gradient_boosting").run()
    assert not at.exception and at.selectbox(key="distill.mode").value == "offline"
