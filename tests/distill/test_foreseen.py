"""What a lesson would do to a student that knows nothing: the same as what is measured when its training begins."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.distill import LOSSES, foreseen
from kd_core.evaluate.soft_labels import effective_soft_share
from kd_core.registry import Situation
from kd_core.specs import LABELS, SEVERAL, Choice

ROWS, CLASSES = 60, 4
rng = np.random.default_rng(3)
Z = (rng.normal(size=(ROWS, CLASSES)) * 3).astype(np.float32)
Y = rng.integers(0, CLASSES, ROWS)


def several(*terms, hard=1.0):
    return Choice(name=SEVERAL, settings={"hard": hard, "terms": list(terms)})


@pytest.mark.parametrize(("alpha", "temperature"), [(0.9, 4.0), (0.3, 1.0)])
def test_the_share_of_soft_labels_is_that_of_the_formula(alpha, temperature):
    found = foreseen.foresee(
        "multiclass", Choice(name="hinton", settings={"alpha": alpha, "temperature": temperature}), Y, Z
    )
    fresh = np.random.default_rng(0).normal(0.0, foreseen.FRESH, Z.shape).astype(np.float32)
    assert found["hinton"] == pytest.approx(effective_soft_share(Z, fresh, Y, temperature, alpha), rel=1e-4)
    assert sum(found.values()) == pytest.approx(1.0)


def test_every_loss_of_answers_alone_is_foreseen_and_the_others_are_named():
    at = Situation(
        "multiclass", CLASSES, frozenset({"logits", "features", "maps"}), students_give=frozenset({"logits"})
    )
    inside = {"fitnets", "at", "rkd", "crd"}
    for entry in LOSSES.entries():
        if entry.suits is not None and entry.why_not(at) and not foreseen.unforeseen(Choice(name=entry.name)):
            continue
        lesson = Choice(name=entry.name)
        found = foreseen.foresee("multiclass", lesson, Y, Z)
        if foreseen.unforeseen(lesson):
            inside.discard(entry.name)
            assert found == {}, entry.name
        else:
            assert found and 0 < found[entry.name] <= 1, entry.name
    assert not inside


def test_twice_the_weight_is_twice_the_pull_and_schedules_do_not_count():
    one = {"name": "hinton", "weight": 1.0, "settings": {"temperature": 2.0}}
    once = foreseen.foresee("multiclass", several(one, {"name": "mse", "weight": 0.5}), Y, Z)
    more = several({**one, "weight": 2.0, "schedule": {"kind": "warm_up", "epochs": 9}}, {"name": "mse", "weight": 0.5})
    twice = foreseen.foresee("multiclass", more, Y, Z)
    assert set(once) == {LABELS, "hinton", "mse"}
    assert twice["hinton"] / twice["mse"] == pytest.approx(2 * once["hinton"] / once["mse"], rel=1e-4)
    assert twice[LABELS] / twice["mse"] == pytest.approx(once[LABELS] / once["mse"], rel=1e-4)


def test_a_loss_that_looks_inside_is_left_out_of_several_and_named():
    mixed = several({"name": "hinton", "weight": 1.0}, {"name": "rkd", "weight": 25.0})
    assert foreseen.unforeseen(mixed) == ("rkd",)
    assert set(foreseen.foresee("multiclass", mixed, Y, Z)) == {LABELS, "hinton"}


def test_a_long_table_is_looked_at_in_part_and_alike():
    long = (np.repeat(Y, 50), np.repeat(Z, 50, axis=0))
    lesson = Choice(name="hinton", settings={"temperature": 4.0})
    found = [foreseen.foresee("multiclass", lesson, y, z)["hinton"] for y, z in ((Y, Z), long)]
    assert found[0] == pytest.approx(found[1], abs=0.05)
