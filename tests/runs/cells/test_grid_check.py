"""What keeps a what-if from being trained is said before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core import limits
from kd_core.data.input_spec import table_inputs
from kd_core.runs import estimate, plan
from kd_core.runs.cells.grid_check import check
from kd_core.specs import Choice, StudentSpec, SweepSpec
from tests.runs.tables import TINY, small_spec

SPEC = small_spec(Path("t.csv"), seeds=3)
MSE = Choice(name="mse")
LINEAR = StudentSpec(name="line", arch=Choice(name="linear"))
FT = StudentSpec(name="ft", arch=Choice(name="ft_transformer"))


def said(sweep, task="binary", **changes):
    found = plan.check(SPEC.model_copy(update={"sweep": sweep, **changes}), task, 2)
    return [(p.code, p.message) for p in found]


def test_a_good_grid_has_no_problem():
    assert said(SweepSpec(temperature=(1, 4), alpha=(0, 1), dropout=(0, 0.2))) == []
    assert said(SweepSpec(temperature=(4,), alpha=(1,))) == []  # a single cell is a grid as well
    assert said(SweepSpec(alpha=(0, 1)), "regression", objective=MSE) == []


@pytest.mark.parametrize(
    ("sweep", "changes", "code", "message"),
    [
        (SweepSpec(temperature=(1, 2)), {"objective": MSE}, "no_temperature", "The loss 'mse' has no temperature."),
        (
            SweepSpec(dropout=(0, 0.1)),
            {"students": (TINY, LINEAR)},
            "no_dropout",
            "The architecture 'linear' of student 'line' has no dropout.",
        ),
    ],
)
def test_an_axis_or_mode_that_cannot_work_is_named_with_its_reason(sweep, changes, code, message):
    task = "regression" if changes.get("objective") == MSE else "binary"
    assert said(sweep, task, **changes) == [(code, message)]


def test_a_student_that_has_no_stack_is_refused_for_the_fused_mode_only():
    ((code, message),) = [
        (p.code, p.message)
        for p in check(SPEC.model_copy(update={"sweep": SweepSpec(mode="fused"), "students": (FT,)}))
    ]
    assert code == "cannot_fuse" and "'ft_transformer' of student 'ft' can't be trained in a stack" in message
    assert check(SPEC.model_copy(update={"sweep": SweepSpec(), "students": (FT,)})) == []


def test_too_many_trainings_are_counted_without_listing_them():
    many = SweepSpec(
        temperature=tuple(1 + i / 10 for i in range(16)),
        alpha=tuple(i / 20 for i in range(21)),
        learning_rate=tuple(0.001 * i for i in range(1, 13)),
        weight_decay=tuple(i / 100 for i in range(12)),
        dropout=tuple(i / 20 for i in range(12)),
    )
    ((code, message),) = said(many)
    assert code == "too_many_trainings"
    assert message == f"The grid asks for 1,664,064 trainings, at most {limits.SWEEP_TRAININGS:,} are allowed."


def test_unknown_parts_are_named_once_and_the_grid_is_not_asked():
    assert said(SweepSpec(alpha=(0, 1)), objective=Choice(name="hintn")) == [("unknown_name", "no loss 'hintn'.")]


def test_a_value_outside_of_a_part_s_own_bounds_is_named_once(monkeypatch):
    from pydantic import Field

    from kd_core.distill import LOSSES
    from kd_core.distill.base import LossSpec

    class Narrow(LossSpec):
        temperature: float = Field(2.0, ge=1, le=3, description="Narrow.")

    entry = LOSSES.get("hinton")
    import dataclasses

    monkeypatch.setitem(LOSSES._entries, "hinton", dataclasses.replace(entry, spec=Narrow))
    found = said(SweepSpec(temperature=(2, 8), alpha=(0, 0.5, 1)))
    assert [code for code, _ in found] == ["bad_spec"] and "temperature" in found[0][1] and "got 8" in found[0][1]


def test_no_alpha_is_said(monkeypatch):
    import dataclasses

    from kd_core.distill import LOSSES
    from kd_core.specs import Spec

    monkeypatch.setitem(LOSSES._entries, "mse", dataclasses.replace(LOSSES.get("mse"), spec=Spec))
    assert ("no_alpha", "The loss 'mse' has no alpha.") in said(SweepSpec(alpha=(0, 1)), "regression", objective=MSE)


def test_the_estimate_of_a_stacked_grid_is_a_fraction_of_the_single_trainings():
    """Measured: 75 MLPs of 2 x 64 units train as one in the time of about 7; the estimate is rough, not wild."""
    student = StudentSpec(name="s", arch=Choice(name="mlp", settings={"width": 64, "depth": 2}))
    square = SweepSpec(temperature=(1, 2, 4, 8, 16), alpha=(0, 0.25, 0.5, 0.75, 1))
    spec = SPEC.model_copy(update={"students": (student,), "sweep": square})
    one = estimate.foresee(spec.model_copy(update={"sweep": None}), 20_000, {"table": table_inputs(64)}, 10)
    fused = estimate.foresee(spec, 20_000, {"table": table_inputs(64)}, 10)
    apart = estimate.foresee(
        spec.model_copy(update={"sweep": square.model_copy(update={"mode": "sequential"})}),
        20_000,
        {"table": table_inputs(64)},
        10,
    )
    single = apart.student_seconds / 63
    assert (fused.trainings, one.trainings) == (63, 9)
    assert one.student_seconds < 6 * single  # an ordinary run trains as a stack, too
    assert 3 < fused.student_seconds / single < 30
    assert fused.memory_bytes > one.memory_bytes
    spread = estimate.foresee(
        spec.model_copy(update={"sweep": square.model_copy(update={"mode": "processes"})}),
        20_000,
        {"table": table_inputs(64)},
        10,
    )
    assert spread.student_seconds <= apart.student_seconds
    mixed = estimate.foresee(
        spec.model_copy(update={"students": (student, FT)}), 20_000, {"table": table_inputs(64)}, 10
    )
    assert mixed.trainings == 126 and mixed.student_seconds > 2 * fused.student_seconds
