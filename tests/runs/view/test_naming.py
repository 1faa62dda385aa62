"""Names by what was chosen: short where all is usual, different where recipes differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core.runs.view.naming import MOST, short_name
from kd_core.scenarios import default_spec
from kd_core.specs import SEVERAL, Choice, ChooseSpec, StudentSpec, SweepSpec, TrainingSpec
from tests.runs.tables import small_spec

SPEC = default_spec("purchase").model_copy(update={"name": ""})


def named(**update):
    return short_name(SPEC.model_copy(update=update))


def test_a_usual_run_is_named_by_its_lesson_and_students():
    lesson = Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.9})
    assert named(objective=lesson) == "Visits to purchase: T=2 α=.9 tiny+small"
    assert (
        named(objective=Choice(name="hinton")) == "Visits to purchase: T=2 α=.7 tiny+small"
    )  # defaults of the loss are told as well


@pytest.mark.parametrize(
    ("update", "end"),
    [
        ({"training": TrainingSpec(seeds=5)}, "tiny+small seeds=5"),
        ({"training": TrainingSpec(learning_rate=0.01, class_weights="balanced")}, "lr=.01 class weights=balanced"),
        ({"teacher": Choice(name="mlp", settings={"dropout": 0.1})}, "tiny+small by mlp teacher dropout=.1"),
        (
            {"teacher": Choice(name="soft_labels", settings={"path": f"sha256:{'ab' * 32}", "columns": ("p", "q")})},
            "tiny+small by soft_labels teacher path=abababab teacher columns=p,q",
        ),
        ({"evaluation": SPEC.evaluation.model_copy(update={"folds": 10})}, "tiny+small folds=10"),
        ({"dataset": SPEC.dataset.model_copy(update={"split_seed": 3})}, "tiny+small split=3"),
        ({"students": (StudentSpec(name="mlp 3x12", arch=Choice(name="mlp")),)}, "mlp 3x12"),
    ],
)
def test_whatever_else_was_chosen_is_told(update, end):
    assert named(**update).endswith(end) and named(**update) != short_name(SPEC)


def test_a_loss_without_temperature_and_an_unknown_one_have_names_too():
    regression = small_spec(Path("t.csv"), "regression")
    assert short_name(
        regression.model_copy(update={"objective": Choice(name="mse", settings={"alpha": 0.5})})
    ).startswith("target: α=.5 tiny")
    assert short_name(SPEC.model_copy(update={"objective": Choice(name="gone", settings={"beta": 2})})).startswith(
        "Visits to purchase: gone beta=2 tiny"
    )


def test_a_what_if_is_named_by_what_it_varies():
    sweep = SweepSpec(temperature=(1, 2, 16), alpha=(0, 0.5))
    assert named(sweep=sweep) == "Visits to purchase: what-if T=1–16 (3) α=0,.5 tiny+small"


def test_a_run_that_chooses_is_named_by_its_goals():
    students = tuple(SPEC.students[0].model_copy(update={"name": str(i)}) for i in range(12))
    assert named(students=students, choose=ChooseSpec()) == short_name(SPEC).replace("tiny+small", "best student")
    for size, shown in ((40_960, "40 KB"), (40_000, "39.06 KB"), (700, "700 bytes"), (3 * 2**20, "3072 KB")):
        assert named(students=students, choose=ChooseSpec(minutes=1, bytes=size)).endswith(
            f"best student minutes=1 {shown}"
        )
    for most, shown in ((1000.0, "1 ms a row"), (120.0, "120 µs a row")):
        assert named(students=students, choose=ChooseSpec(microseconds=most)).endswith(f"best student {shown}")


def test_the_data_stand_first_and_a_long_name_of_theirs_is_cut():
    of = SPEC.dataset.model_copy(update={"name": "customers of the last seven years"})
    assert named(dataset=of).startswith("customers of the last seven yea…: T=")
    assert named(dataset=of.model_copy(update={"name": ""})).startswith(f"{SPEC.dataset.target}: T=")
    assert named(teacher=Choice(name="best")).endswith("by best teacher")


def test_a_long_name_is_cut_at_its_end():
    many = tuple(StudentSpec(name=f"a rather long student {i}", arch=Choice(name="mlp")) for i in range(12))
    assert len(named(students=many)) == MOST and named(students=many).endswith("…")


def test_several_terms_are_named_with_their_weights_and_what_is_not_usual():
    terms = [
        {"name": "hinton", "weight": 0.5, "settings": {"temperature": 4.0}, "schedule": {"kind": "warm_up"}},
        {"name": "mse", "weight": 1.0, "settings": {}},
    ]
    lesson = Choice(name=SEVERAL, settings={"hard": 0.3, "terms": terms})
    assert named(objective=lesson) == "Visits to purchase: hinton:.5 T=4 warm-up mse:1 hard=.3 tiny+small"
