"""What going on takes is said in the browser before Start, and rows without a label are taken as they are."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kd_core.runs.asked import make_spec
from kd_core.runs.continuing import foreseen
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec
from pages.ui.go_on import offer
from tests.runs.continuing.test_going import carry_out, table

pytestmark = pytest.mark.slow


def drawn(file: str, word: str, share: float):
    """The part of the popover that follows a file."""
    from pathlib import Path

    from pages.ui.go_on import offer

    content = Path(file).read_bytes()
    getattr(offer, word)("first", content, share, 0.25)


@pytest.fixture
def place(own_workspace, tmp_path, monkeypatch):
    """A finished run in the workspace, and files of new rows; what would be started is written on the page."""
    monkeypatch.setattr(offer.launch, "start", lambda spec, page: st.code(spec.to_json()))
    table(900, 1).to_csv(tmp_path / "old.csv", index=False)
    table(400, 2, 0.7).to_csv(tmp_path / "new.csv", index=False)
    pd.read_csv(tmp_path / "new.csv").drop(columns="bought").to_csv(tmp_path / "bare.csv", index=False)
    data = DatasetSpec(source=str(tmp_path / "old.csv"), target="bought")
    judged = EvaluationSpec(folds=2, references=False, latency=False)
    teacher = Choice(name="gradient_boosting", settings={"rounds": 20})
    spec = make_spec(data, teacher, ["tiny"], Choice(name="hinton"), (6, 2, 0), evaluation=judged)
    (own_workspace / "runs").mkdir(parents=True, exist_ok=True)
    carry_out(spec, own_workspace / "runs/first")
    return tmp_path


def draw(file, word, share=1.0):
    at = AppTest.from_function(drawn, args=(str(file), word, share), default_timeout=60).run()
    assert not at.exception
    return at


def test_its_time_is_said_before_start_and_follows_the_share(place, monkeypatch):
    asked = []
    kept = foreseen.going
    monkeypatch.setattr(foreseen, "going", lambda *a: asked.append(a) or kept(*a))
    (said,) = [c.value for c in draw(place / "new.csv", "foresee").caption]
    assert "400 new rows" in said and "about **" in said
    draw(place / "new.csv", "foresee", 0.1)
    (spec, old, train, _, outputs, new), (less, *_) = asked
    assert (old, outputs, new) == (900, 2, 400) and 500 < train < 700
    rows = [foreseen.learned_rows(s, train, new) for s in (spec, less)]
    assert rows[0] == round(train + (1 - 0.25 - spec.dataset.validation_share) * 400)
    assert rows[0] - rows[1] == pytest.approx(0.9 * train, abs=1)


def test_what_does_not_fit_is_said_as_soon_as_the_file_is_there(place):
    (place / "few.csv").write_text("a,b,c\n1,2\n")
    at = draw(place / "few.csv", "foresee")
    assert not at.caption and at.error


def test_rows_without_a_label_go_on_from_the_page(place, own_workspace):
    assert "400 new rows" in draw(place / "bare.csv", "foresee").caption[0].value
    spec = RunSpec.from_json(draw(place / "bare.csv", "start").code[0].value)
    found = carry_out(spec, own_workspace / "runs/second")
    assert found["continued"]["rows"]["bare"] == found["continued"]["rows"]["learned"] > 200
    assert found["continued"]["students"][0]["new"]["against"] == "teacher"
    assert json.loads(spec.to_json())["continues"]["source"].startswith("sha256:")
    assert offer.offered("done", spec)
