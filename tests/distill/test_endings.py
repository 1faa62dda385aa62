"""Trainings that go on by rounds: a stack and one by one agree on when each ends, and a resumed stack goes on as if it had not stopped."""

import pytest

from kd_core.distill.sweep import sequential
from kd_core.machine import device as devices
from kd_core.training import ending, plan
from tests.distill.eager import make_dataset, make_teacher
from tests.distill.fused_runs import assert_equal, impatient, run, training_spec
from tests.distill.test_fused_resume import Crash, crash_at, saves_often  # noqa: F401
from tests.distill.training import train

AUTO = training_spec(epochs=None, patience=3)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch):
    """Rounds of four epochs, four of them, and any gain is worth another."""
    for name, value in {"MIN_EPOCHS": 4, "MAX_EPOCHS": 4, "ROUNDS": 4}.items():
        monkeypatch.setattr(plan, name, value)
    monkeypatch.setattr(ending, "WORTH", 1e-6)
    with devices.threads(1):
        yield


@pytest.fixture(params=["binary", "regression"])
def dataset(request):
    return make_dataset(request.param, rows=100)


def variants(dataset):
    found = impatient()
    if dataset.task == "binary":
        return found
    hinton = {"name": "mse", "settings": {}}
    return [
        v if v.objective is None else type(v)(**{**vars(v), "objective": type(v.objective)(**hinton)}) for v in found
    ]


def test_a_stack_and_one_by_one_end_in_the_same_epochs(dataset):
    asked, metric = variants(dataset), "log_loss" if dataset.task == "binary" else "rmse"
    together = run(dataset, asked, AUTO, precision="float32", metric=metric)
    alone = train(sequential.train, dataset, asked, make_teacher(dataset), AUTO, metric=metric, precision="float32")
    for a, b in zip(together, alone, strict=True):
        assert (a.selected_epoch, a.last_epoch) == (b.selected_epoch, b.last_epoch)
        assert a.score_selected == pytest.approx(b.score_selected, rel=1e-4)
    assert len({r.last_epoch for r in alone}) > 1 and max(r.last_epoch for r in alone) > 4


def test_what_ends_in_its_first_round_is_the_same_where_there_is_no_other(dataset, monkeypatch):
    more = run(dataset, variants(dataset), AUTO)
    monkeypatch.setattr(plan, "ROUNDS", 1)
    one = run(dataset, variants(dataset), AUTO)
    early = [(a, b) for a, b in zip(more, one, strict=True) if a.last_epoch <= 4]
    assert early and len(early) < len(more)
    for a, b in early:
        assert_equal(a, b, 0)
        assert a.history == b.history


@pytest.mark.usefixtures("saves_often")
@pytest.mark.parametrize("epoch", [4, 5, 8])
def test_a_resumed_stack_goes_on_bit_for_bit(dataset, epoch, tmp_path, monkeypatch):
    asked = [v for v in variants(dataset) if v.student.arch.settings["width"] > 8]
    whole = run(dataset, asked, AUTO, metric="log_loss" if dataset.task == "binary" else "rmse")
    heal = crash_at(monkeypatch, epoch)
    again = {"folder": tmp_path, "metric": "log_loss" if dataset.task == "binary" else "rmse"}
    done = {}
    with pytest.raises(Crash):
        run(dataset, asked, AUTO, on_trained=done.__setitem__, **again)
    heal()
    rest = [p for p in range(len(asked)) if p not in done]
    assert rest
    for p, found in zip(rest, run(dataset, [asked[p] for p in rest], AUTO, **again), strict=True):
        assert_equal(whole[p], found, 1e-12)
        assert whole[p].history == found.history
