"""A package of soft labels in the browser: made from a real run, refused where a teacher would have to be trained, and read as data."""

from __future__ import annotations

import pytest

from kd_core.data.types.answered import MADE_TARGET
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.safe_io import sha256_file
from kd_core.specs import Choice
from pages.ui.shared import engine, example
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow


def recipe_of(run_id):
    at = open_page("runs", {"tab": str(t("runs.result.tabs_recipe"))}, run=run_id)
    assert not at.exception
    return at


@pytest.fixture
def run(tmp_path, jobs):  # noqa: F811
    """A finished run of two forests in the workspace."""
    members = [{"name": "random_forest", "settings": {"trees": n}} for n in (20, 30)]
    teacher = Choice(name="ensemble", settings={"members": members, "combine": "weighted"})
    spec = small_spec(write_table(tmp_path / "t.csv"))
    data = spec.dataset.model_copy(
        update={"sha256": sha256_file(tmp_path / "t.csv")}
    )  # as every file of a person has it
    spec = spec.model_copy(update={"teacher": teacher, "dataset": data})
    _, place = run_here(spec, None, lambda event: None, StopSignal())
    engine._store.cache_clear()
    return place.name


def test_a_package_is_made_of_chosen_columns_and_taken_as_data_without_a_target(run, jobs):  # noqa: F811
    at, key = recipe_of(run), f"package.{run}"
    assert at.button(key=f"{key}.make").disabled  # nothing is shared by default
    assert at.multiselect(key=f"{key}.names").options == ["a", "b", "kind"]
    at.multiselect(key=f"{key}.names").set_value(["a", "kind"]).run()
    at.button(key=f"{key}.make").click().run()
    assert not at.exception
    said = words(at)
    assert "400 rows, 2 columns, no labels; 0 rows without an answer were left out." in said
    assert "What it tells anyway: The teacher's highest answer is the true label in" in said
    data = at.session_state[f"{key}.made_for"][2]
    at.multiselect(key=f"{key}.names").set_value(["a"]).run()
    assert "400 rows, 2 columns" not in words(at)  # it was made of other columns
    page = open_page("data")
    page.get("file_uploader")[0].upload("package.zip", data)
    page.run()
    assert not page.exception and page.selectbox(key="data.target").value == MADE_TARGET
    assert "figures measure agreement with the teacher, not truth" in words(page)
    page.button(key="data-use").click().run()
    assert not page.exception and page.title[0].value == t("distill.title")
    _, spec = engine.library().specs()[0]
    assert spec.answer_columns == spec.drop == ("p(no)", "p(yes)") and spec.part == "split_part"
    assert page.selectbox(key="distill.teacher").value == "soft_labels"
    assert not page.button(key="distill-start").disabled


def test_each_teacher_stands_beside_all_together(run):
    at = open_page("runs", {"tab": str(t("runs.result.tabs_overview"))}, run=run)
    assert not at.exception
    table = next(one.value for one in at.dataframe if "Weight" in one.value.columns)
    assert table["Teacher"].tolist() == ["Together", "1 · Random forest", "2 · Random forest"]
    assert table["Weight"].tolist()[0] == "" and sum(map(float, table["Weight"][1:])) == pytest.approx(1, abs=0.002)
    assert t("runs.members.combine_weighted") in words(at)


def test_answers_that_are_kept_no_longer_are_not_made_by_a_page(jobs):  # noqa: F811
    _, run_id = example.adopt()
    at, key = recipe_of(run_id), f"package.{run_id}"
    at.multiselect(key=f"{key}.names").set_value(at.multiselect(key=f"{key}.names").options[:1]).run()
    at.button(key=f"{key}.make").click().run()
    assert not at.exception and "are not kept any more" in words(at) and "export-labels" in words(at)
