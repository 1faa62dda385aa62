"""The panel before training: what T and alpha do, from answers the teacher has already given."""

from __future__ import annotations

import html

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.specs import Choice
from kd_core.workspace import workspace
from pages.ui.shared import engine, example
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_instant
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import sweep_spec


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def form():
    return open_page("what_if", data=engine.library().save_spec(sweep_spec().dataset))


@pytest.mark.slow
def test_the_panel_says_when_the_teacher_has_not_answered_yet():
    at = form()
    assert any(t("what_if.instant.later") in i.value for i in at.info)


@pytest.mark.slow
def test_the_panel_follows_temperature_and_alpha(monkeypatch):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(5000, 4)) * 4, rng.integers(0, 4, 5000)
    found = whatif_instant.soften_all(z, y)
    monkeypatch.setattr(whatif_instant, "read", lambda *_: found)
    at = form()
    assert not at.exception and "From 2,000 of 5,000 validation rows" in html.unescape(words(at)).replace("\u2060", "")
    before = [m.value for m in at.metric]
    at.select_slider(key="whatif-instant-T").set_value(16.0).run()
    after = [m.value for m in at.metric]
    assert before != after and float(after[0].split()[0]) > float(before[0].split()[0])
    at.slider(key="whatif-instant-alpha").set_value(1.0).run()
    assert at.metric[3].value == "100.0 %"


def test_the_curves_are_what_the_engine_computes():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(50, 3)) * 3, rng.integers(0, 3, 50)
    found = whatif_instant.soften_all(z, y)
    at = whatif_instant.TEMPERATURES.index(4.0)
    p = soft_labels.soften(z, 4.0)
    assert found.entropy[at] == pytest.approx(soft_labels.entropy(p).mean())
    assert found.beside_top[at] == pytest.approx((1 - p.max(axis=1)).mean())
    assert found.beside_true[at] == pytest.approx(1 - p[np.arange(50), y].mean())
    for alpha in (0.0, 0.25, 0.9, 1.0):
        want = soft_labels.effective_soft_share(z, np.zeros_like(z), y, 4.0, alpha)
        assert found.soft_share(at, alpha) == pytest.approx(want)


def test_the_shipped_example_fills_the_panel_where_its_teacher_is_asked_about_its_data():
    spec, found = example.read()
    told = whatif_instant.read(spec.dataset, spec.teacher.model_dump())
    assert told.part == "test" and told.rows_of == found["dataset"]["rows"]["test"]
    with np.load(example.FOLDER / found["artifacts"]["soft_labels"]) as kept:
        p = soft_labels.soften(kept["teacher"].astype(np.float64), 4.0)
    at = whatif_instant.TEMPERATURES.index(4.0)
    assert told.entropy[at] == pytest.approx(soft_labels.entropy(p).mean(), rel=1e-6)
    other = Choice(name="gradient_boosting", settings={"rounds": 7})
    assert whatif_instant.read(spec.dataset, other.model_dump()) is None
    elsewhere = spec.dataset.model_copy(update={"test_share": 0.3})
    assert whatif_instant.read(elsewhere, spec.teacher.model_dump()) is None


@pytest.mark.slow
def test_the_page_of_the_example_says_whose_rows_it_shows():
    at = open_page("what_if", data=example.data())
    said = html.unescape(words(at)).replace("\u2060", "")
    assert not at.exception and "1,800 test rows of the shipped example" in said and len(at.metric) == 4


def test_answers_are_read_from_the_cache_once_there_are_some():
    spec = sweep_spec()
    assert whatif_instant.read(spec.dataset, {"name": "gradient_boosting"}) is None
    (workspace() / "teachers").mkdir(parents=True)
    assert whatif_instant.read(spec.dataset, {"name": "gradient_boosting"}) is None
    with pytest.raises(KDError, match="nobody"):
        whatif_instant.read(spec.dataset, Choice(name="nobody").model_dump())
