"""The lesson without a teacher: as smooth as the teacher on average, alike for every row of a class."""

import numpy as np
import pytest

from kd_core.distill import LOSSES
from kd_core.distill.placebo import mixes, placebo_logits, shuffles, why_none
from kd_core.specs import Choice

# those that soften at one temperature, which may be the mean of several or the one that learning starts from
SOFT = [entry for entry in LOSSES.entries() if entry.facts.get("soft_labels")]


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_true_class_gets_the_teachers_mean_share_at_this_temperature(temperature):
    rng = np.random.default_rng(0)
    labels, z = rng.integers(0, 4, 500), rng.normal(size=(500, 4)) * 3
    lesson = Choice(name="hinton", settings={"temperature": temperature})
    taught = softmax(placebo_logits(labels, z, lesson, None) / temperature)
    wanted = softmax(z / temperature)[np.arange(500), labels].mean()
    assert taught[np.arange(500), labels] == pytest.approx(wanted, abs=1e-6)


def test_the_rest_goes_by_the_share_of_the_rows():
    labels = np.array([0] * 60 + [1] * 30 + [2] * 10)
    taught = softmax(
        placebo_logits(labels, np.zeros((100, 3)), Choice(name="hinton", settings={"temperature": 1.0}), None)
    )
    assert taught[0] == pytest.approx([1 / 3, 2 / 3 * 0.75, 2 / 3 * 0.25], abs=1e-6)
    assert taught[-1] == pytest.approx([2 / 3 * 2 / 3, 2 / 3 / 3, 1 / 3], abs=1e-6)


def test_weighted_classes_share_by_their_weight():
    labels = np.array([0] * 60 + [1] * 30 + [2] * 10)
    weights = 100 / (3 * np.array([60, 30, 10]))
    lesson = Choice(name="hinton", settings={"temperature": 1.0})
    taught = softmax(placebo_logits(labels, np.zeros((100, 3)), lesson, weights))
    assert taught[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3], abs=1e-6)


def test_a_class_without_rows_and_a_certain_teacher_leave_finite_logits():
    z = np.tile([90.0, -90.0, -90.0], (20, 1))
    assert np.isfinite(placebo_logits(np.zeros(20, int), z, Choice(name="hinton"), None)).all()


@pytest.mark.parametrize("entry", SOFT, ids=lambda entry: entry.name)
def test_every_loss_of_soft_labels_can_be_taught_the_placebo(entry):
    rng = np.random.default_rng(1)
    labels, z = rng.integers(0, 4, 300), rng.normal(size=(300, 4)) * 3
    lesson = Choice(name=entry.name)
    given = placebo_logits(labels, z, lesson, None)
    temperature = getattr(entry.spec(), "temperature", 1.0)
    taught, heard = softmax(given / temperature), softmax(z / temperature)
    assert taught.sum(axis=1) == pytest.approx(np.ones(300))
    rows = np.arange(300)
    assert taught[rows, labels] == pytest.approx(heard[rows, labels].mean(), abs=1e-6)
    assert all(len(np.unique(given[labels == c], axis=0)) == 1 for c in range(4))
    assert why_none("multiclass", lesson) is None


def lesson_of(*terms):
    """A lesson of several losses by name, each with its temperature where it has one."""
    parts = [{"name": n, "settings": {} if t is None else {"temperature": t}} for n, t in terms]
    return Choice(name="several", settings={"hard": 1.0, "terms": parts})


@pytest.mark.parametrize(
    ("task", "lesson", "why"),
    [
        ("binary", Choice(name="hinton"), None),
        ("binary", Choice(name="hinton", settings={"alpha": 0.0}), "no_soft_share"),
        ("binary", Choice(name="mse"), "no_soft_labels"),
        ("binary", Choice(name="sp"), None),
        ("regression", Choice(name="fitnets"), None),
        ("multiclass", Choice(name="at", settings={"alpha": 0.0}), "no_soft_share"),
        ("regression", Choice(name="mse"), "regression"),
        ("multiclass", lesson_of(("hinton", 2.0), ("soft_ce", 2.0)), None),
        ("multiclass", lesson_of(("hinton", 2.0), ("soft_ce", 4.0)), "several_temperatures"),
        ("multiclass", lesson_of(("hinton", 2.0), ("mse", None)), "no_soft_labels"),
        ("multiclass", lesson_of(("hinton", 2.0), ("at", None)), None),
        ("multiclass", lesson_of(("review", None), ("hinton", 2.0), ("soft_ce", 2.0)), None),
        ("multiclass", lesson_of(("hinton", 2.0), ("soft_ce", 4.0), ("sp", None)), "several_temperatures"),
        ("multiclass", lesson_of(("mse", None), ("sp", None)), "no_soft_labels"),
        ("multiclass", lesson_of(("sp", None), ("fitnets", None)), None),
        ("regression", lesson_of(("mse", None), ("fitnets", None)), "regression"),
    ],
)
def test_why_there_is_none(task, lesson, why):
    assert why_none(task, lesson) == why


def test_labels_of_a_mixed_lesson_are_smoothed_at_the_temperature_of_those_that_hear_answers():
    rng = np.random.default_rng(2)
    labels, z = rng.integers(0, 4, 200), rng.normal(size=(200, 4)) * 3
    alone = placebo_logits(labels, z, lesson_of(("hinton", 5.0)), None)
    for beside in ("at", "fitnets", "minilm"):
        both = lesson_of((beside, None), ("hinton", 5.0))
        assert np.array_equal(placebo_logits(labels, z, both, None), alone)
        assert mixes(both) and not shuffles(both)
    for lesson in (lesson_of(("hinton", 5.0)), Choice(name="sp"), lesson_of(("sp", None), ("at", None))):
        assert not mixes(lesson)
