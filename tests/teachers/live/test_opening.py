"""Teachers asked about new rows: several together as in the run, an address only when it is asked, others with their reason."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import KDError
from kd_core.specs import Choice
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.live import opening
from tests.laws.test_given_teachers import lightgbm_file, served, weights
from tests.runs.tables import small_spec, write_table
from tests.teachers.sources.endpoint_server import endpoint

TREES = Choice(name="lightgbm")


def several(*members, combine="mean"):
    return Choice(name="ensemble", settings={"members": [m.model_dump() for m in members], "combine": combine})


@pytest.fixture
def given(tmp_path, own_workspace):
    place = write_table(tmp_path / "a.csv", "multiclass", 300)
    choices = [
        Choice(name=name, settings=make(place, "multiclass"))
        for name, make in (("lightgbm_file", lightgbm_file), ("weights", weights))
    ]
    return prepare(small_spec(place, "multiclass").dataset), choices


@pytest.mark.slow
@pytest.mark.parametrize("combine", ["mean", "weighted", "confidence", "per_class"])
def test_several_answer_a_new_row_as_they_answered_the_rows_of_the_data(given, combine):
    dataset, members = given
    choice = several(*members, combine=combine)
    known = teacher_answers(
        dataset, choice, folds=2, seed=0, cache=None, notify=lambda event: None, should_stop=lambda: False
    )
    rows = dataset.rows.iloc[dataset.test.row_ids]
    assert opening.why_not(choice) is None and opening.sends(choice) == ()
    model = opening.opened(dataset, choice)
    np.testing.assert_allclose(model.ask(rows), known.logits["test"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.ask(rows.iloc[[3]]), known.logits["test"][[3]], rtol=1e-4, atol=1e-5)


def test_who_can_not_be_asked_is_said_with_the_reason(given):
    dataset, members = given
    assert opening.why_not(TREES).startswith("it was trained for this run")
    assert opening.why_not(Choice(name="soft_labels")) == "only its answers to the rows of the data are known"
    reason = opening.why_not(several(members[0], TREES))
    assert reason.startswith("of its teachers 2, ") and "can't be: it was trained for this run" in reason
    with pytest.raises(KDError, match="can't be asked about new rows: it was trained") as raised:
        opening.opened(dataset, TREES)
    assert raised.value.code == "not_live"


def test_an_address_is_sent_only_the_rows_that_it_is_asked_about(given, monkeypatch):
    dataset, members = given
    with endpoint(served(dataset.classes)) as there:
        monkeypatch.setenv("KD_ENDPOINTS", there.url)
        away = Choice(name="endpoint", settings={"url": there.url, "per_second": 1000})
        choice = several(members[0], away)
        assert opening.sends(choice) == (away,) and opening.sends(away) == (away,)
        model = opening.opened(dataset, choice)
        assert not there.questions
        model.ask(dataset.rows.iloc[[0]])
        assert len(there.rows) == 1 and "target" not in there.rows[0]
        with pytest.raises(KDError, match="all of which would be sent again"):
            opening.opened(dataset, several(members[0], away, combine="weighted"))
        assert len(there.rows) == 1
    with pytest.raises(KDError, match="did not answer") as raised:
        model.ask(dataset.rows.iloc[[0]])
    assert raised.value.code == "endpoint_failed"
    monkeypatch.delenv("KD_ENDPOINTS")
    with pytest.raises(KDError, match="not among the addresses that may be asked"):
        model.ask(dataset.rows.iloc[[0]])
