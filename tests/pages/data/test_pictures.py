"""A zip of pictures on the screens: what was understood, examples, and only what fits to choose from."""

from __future__ import annotations

import pytest

from kd_core.specs import DatasetSpec
from pages.ui.shared import engine
from tests.data.pictures.zips import shapes, zipped
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path):
    stored = engine.library().add(zipped(tmp_path / "shapes.zip", shapes(20)).read_bytes(), "shapes.zip")
    return engine.library().save_spec(DatasetSpec(source=stored.source, name="shapes.zip", target="class"))


def test_what_was_understood_is_one_sentence_with_examples_of_each_class(dataset):
    at = open_page("data", data=dataset)
    assert not at.exception and not at.error
    assert "60 pictures in 3 classes (20 each), 16 x 16, grey" in words(at)
    shown = [c.value for c in at.caption]
    assert [c for c in shown if c.startswith("**")] == ["**bars** · 20", "**rings** · 20", "**stars** · 20"]
    assert len(at.get("image")) == 3
    assert at.number_input(key="data.read.picture_side").value == 64
    assert not [w for w in at.text_input if w.key == "data.read.separator"]


def test_a_table_is_not_asked_for_the_size_of_pictures():
    at = open_page("data")
    at.button(key="data-sample-visits").click().run()
    assert not [w for w in at.number_input if w.key == "data.read.picture_side"]
    assert not at.get("image")


def test_only_what_reads_pixels_is_offered_and_can_be_started(dataset, jobs):  # noqa: F811
    at = open_page("distill", data=dataset)
    assert not at.exception and "cnn small, cnn tiny, resnet tiny, mobilenet tiny, cnn base" in words(
        at
    )  # candidates for the best one
    at.radio(key="distill.choose.way").set_value("named").run()
    assert [c.label for c in at.checkbox if "cnn" in c.label or c.label == "tiny"] == ["cnn tiny", "cnn small"]
    at.button(key="distill-start").click().run()
    ((spec, _, _),) = jobs.submitted
    assert spec.teacher.name == "cnn" and {s.arch.name for s in spec.students} == {"cnn"}


def test_a_what_if_begins_with_a_student_that_fits(dataset):
    at = open_page("what_if", data=dataset)
    assert not at.exception
    assert "cnn tiny" in words(at)
