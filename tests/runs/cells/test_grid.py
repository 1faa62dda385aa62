"""The grid of a what-if: stable order, shared baselines, recipes that are ordinary runs, and zooming in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kd_core.distill import LOSSES
from kd_core.errors import SpecError
from kd_core.models import ARCHS
from kd_core.runs.cells import grid
from kd_core.specs import Choice, RunSpec, StudentSpec, SweepSpec
from tests.runs.tables import TINY, small_spec

BASE = small_spec(Path("t.csv"), seeds=3)
LINEAR = StudentSpec(name="linear", arch=Choice(name="linear"))
SQUARE = SweepSpec(temperature=(1, 2, 4, 8, 16), alpha=(0, 0.25, 0.5, 0.75, 1))


def asking(sweep: SweepSpec | None, **changes) -> RunSpec:
    return BASE.model_copy(update={"sweep": sweep, **changes})


def numbers(low, high, most):
    return st.lists(st.floats(low, high, allow_nan=False), max_size=most).map(tuple)


SWEEPS = st.builds(
    SweepSpec,
    temperature=numbers(0.5, 20, 4),
    alpha=numbers(0, 1, 4),
    learning_rate=numbers(1e-5, 0.1, 2),
    weight_decay=numbers(0, 0.1, 2),
    dropout=numbers(0, 0.8, 2),
)
BY_EACH = tuple(TINY.model_copy(update={"name": f"tiny {n}", "objective": n}) for n in ("hinton", "dkd", "mse"))
SPECS = st.builds(
    lambda sweep, both, seeds: asking(
        sweep,
        students=(*BY_EACH, StudentSpec(name="b", arch=Choice(name="resmlp"))) if both else (TINY,),
        training=BASE.training.model_copy(update={"seeds": seeds}),
    ),
    SWEEPS,
    st.booleans(),
    st.integers(1, 4),
)


def test_five_by_five_by_three_is_75_variants_and_63_trainings():
    spec = asking(SQUARE)
    assert grid.count(spec) == grid.GridCount(cells=25, variants=75, trainings=63)
    assert [(c.temperature, c.alpha) for c in grid.cells(spec)[:3]] == [(1, 0), (1, 0.25), (1, 0.5)]
    first = grid.trainings(spec)[0]
    assert (first.arm, first.seed, first.cells) == ("baseline", 0, (0, 5, 10, 15, 20))


@settings(max_examples=60, deadline=None)
@given(SPECS)
def test_every_cell_has_its_trainings_and_a_baseline_of_equal_budget(spec):
    cells, trainings, count = grid.cells(spec), grid.trainings(spec), grid.count(spec)
    assert (count.cells, count.trainings) == (len(cells), len(trainings))
    assert [c.index for c in cells] == list(range(len(cells))) and cells == grid.cells(spec)
    assert [t.position for t in trainings] == list(range(len(trainings)))
    served = sorted((c, t.seed) for t in trainings for c in t.cells)
    assert served == sorted((c.index, seed) for c in cells for seed in grid.seeds(spec))
    alone = {(grid.budget(spec, t.like), t.seed) for t in trainings if t.arm == "baseline"}
    assert alone == {(grid.budget(spec, c), seed) for c in cells for seed in grid.seeds(spec)}
    for t in trainings:
        for c in t.cells:
            assert grid.budget(spec, cells[c]) == grid.budget(spec, t.like)
            assert (cells[c].alpha == 0) == (t.arm == "baseline")


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SPECS)
def test_every_recipe_is_a_valid_ordinary_run_of_its_cell(spec):
    for cell in grid.cells(spec):
        recipe = grid.cell_spec(spec, cell)
        assert recipe.sweep is None and len(recipe.students) == 1
        assert RunSpec.from_json(recipe.to_json()) == recipe
        loss = LOSSES.get(recipe.objective.name).spec.parse(recipe.objective.settings)
        arch = ARCHS.get(recipe.students[0].arch.name).spec.parse(recipe.students[0].arch.settings)
        assert (getattr(loss, "temperature", None), loss.alpha, arch.dropout) == (
            cell.temperature,
            cell.alpha,
            cell.dropout,
        )
        assert (recipe.training.learning_rate, recipe.training.weight_decay) == (cell.learning_rate, cell.weight_decay)
        (again,) = grid.cells(recipe)
        assert grid.cell_spec(recipe, again).work_hash() == recipe.work_hash()


def test_a_recipe_finds_the_run_that_was_set_up_by_hand():
    """A form leaves a setting at its default unnamed unless it was named before, and so does a recipe."""
    by_hand = asking(None, objective=Choice(name="hinton", settings={"temperature": 4.0, "alpha": 0.25}))
    at = {(c.temperature, c.alpha): c for c in grid.cells(asking(SQUARE))}
    assert grid.cell_spec(asking(SQUARE), at[4, 0.25]).work_hash() == by_hand.work_hash()
    plain = asking(SweepSpec(temperature=(2, 4), alpha=(0.7, 1)), objective=Choice(name="hinton"))
    assert grid.cell_spec(plain, grid.cells(plain)[0]).objective == Choice(name="hinton")
    whole = asking(SweepSpec(temperature=(2, 4)), objective=Choice(name="hinton", settings={"temperature": 2}))
    assert grid.cell_spec(whole, grid.cells(whole)[0]).objective.settings == {"temperature": 2}


def test_a_student_or_loss_without_a_setting_has_no_axis_for_it():
    spec = asking(SweepSpec(alpha=(0, 1), dropout=(0, 0.5)), students=(TINY, LINEAR))
    assert [(c.student, c.alpha, c.dropout) for c in grid.cells(spec)] == [
        (0, 0, 0),
        (0, 0, 0.5),
        (0, 1, 0),
        (0, 1, 0.5),
        (1, 0, None),
        (1, 1, None),
    ]
    assert "dropout" not in grid.cell_spec(spec, grid.cells(spec)[5]).students[0].arch.settings
    mse = asking(SweepSpec(alpha=(0.5, 1)), objective=Choice(name="mse"))
    assert {c.temperature for c in grid.cells(mse)} == {None} and grid.axes(mse)["temperature"] == []
    assert grid.axes(spec)["dropout"] == [0, 0.5]


def test_an_ordinary_run_is_one_cell_per_student_and_names_say_what_varies():
    assert grid.count(asking(None)) == grid.GridCount(1, 3, 6)
    assert grid.cell_spec(asking(SQUARE), grid.cells(asking(SQUARE))[13]).name == "small · T 4, alpha 0.75"
    rates = asking(SweepSpec(learning_rate=(0.001, 0.01)))
    assert grid.cell_spec(rates, grid.cells(rates)[1]).name == "small · learning rate 0.01"
    nameless = asking(SQUARE, name="", dataset=BASE.dataset.model_copy(update={"name": "Shop"}))
    assert grid.cell_spec(nameless, grid.cells(nameless)[13]).name == f"{nameless.title()} · T 4, alpha 0.75"
    assert nameless.title().startswith("Shop · ")
    assert grid.zoom(nameless, grid.cells(nameless)[13]).name.startswith("Shop · ")
    long = asking(SQUARE, name="x" * 120)
    assert len(grid.cell_spec(long, grid.cells(long)[0]).name) <= 120
    assert len(grid.zoom(long, grid.cells(long)[0]).name) <= 120


def test_zoom_holds_neighbours_midpoints_and_the_cell():
    spec = asking(SQUARE)
    near = grid.zoom(spec, grid.cells(spec)[13])
    assert near.sweep.temperature == (2, 2.828, 4, 5.657, 8) and near.sweep.alpha == (0.5, 0.625, 0.75, 0.875, 1)
    assert near.name == "small · closer at T 4, alpha 0.75"
    assert grid.zoom(near, grid.cells(near)[12]).name.count("closer") == 1


def test_zoom_at_the_edge_goes_on_beyond_it_within_the_bounds_of_the_field():
    spec = asking(SQUARE)
    corner = grid.zoom(spec, grid.cells(spec)[24]).sweep
    assert corner.temperature == (8, 11.31, 16, 17.89, 20) and corner.alpha == (0.75, 0.8125, 0.875, 0.9375, 1)
    assert grid.zoom(spec, grid.cells(spec)[0]).sweep.temperature == (0.5, 0.7071, 1, 1.414, 2)
    rates = asking(SweepSpec(learning_rate=(0.001, 0.004), weight_decay=(0, 0.01)))
    found = grid.zoom(rates, grid.cells(rates)[2]).sweep
    assert found.learning_rate == (0.001, 0.002, 0.004, 0.008, 0.016)
    assert found.weight_decay == (0, 0.0025, 0.005, 0.0075, 0.01)


def test_zoom_refines_two_axes_and_keeps_the_student_and_the_rest():
    spec = asking(
        SweepSpec(temperature=(1, 4), alpha=(0.5, 1), learning_rate=(0.001, 0.002), mode="sequential"),
        students=(TINY, LINEAR),
    )
    cell = next(c for c in grid.cells(spec) if c.student == 1 and c.learning_rate == 0.002)
    near = grid.zoom(spec, cell)
    assert near.students == (LINEAR,) and near.sweep.learning_rate == (0.002,) and near.sweep.mode == "sequential"
    assert grid.count(near).cells == 25


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SPECS, st.data())
def test_a_zoom_is_valid_holds_the_cell_and_can_be_zoomed_again(spec, data):
    for _ in range(3):
        cell = data.draw(st.sampled_from(grid.cells(spec)))
        near = grid.zoom(spec, cell)
        assert RunSpec.from_json(near.to_json()) == near
        assert grid.count(near).cells <= 25
        same = [c for c in grid.cells(near) if all(getattr(c, n) == getattr(cell, n) for n in grid.AXES)]
        assert len(same) == 1
        assert grid.cell_spec(near, same[0]).work_hash() == grid.cell_spec(spec, cell).work_hash()
        spec = near


def test_a_setting_that_is_no_number_is_said():
    with pytest.raises(SpecError, match="A setting of the what-if is 'warm', not a number"):
        grid.cells(asking(SweepSpec(alpha=(0, 1)), objective=Choice(name="hinton", settings={"temperature": "warm"})))


class TestLossesAsAnAxis:
    SPEC = asking(SweepSpec(temperature=(2.0, 4.0), alpha=(0.0, 0.5)), students=BY_EACH)

    def test_students_that_differ_by_their_loss_share_a_baseline(self):
        count, seeds = grid.count(self.SPEC), self.SPEC.training.seeds_at_first
        assert count.cells == 4 + 4 + 2  # mse has no temperature
        assert count.trainings == (2 + 2 + 1 + 1) * seeds
        shared = [t for t in grid.trainings(self.SPEC) if t.arm == "baseline"]
        assert len(shared) == seeds and len(shared[0].cells) == 5

    def test_each_cell_is_taught_by_the_loss_of_its_student(self):
        found = [grid.objective_of(self.SPEC, c) for c in grid.cells(self.SPEC)]
        assert [o.name for o in found] == ["hinton"] * 4 + ["dkd"] * 4 + ["mse"] * 2
        told = [LOSSES.get(o.name).spec.parse(o.settings).model_dump() for o in found]
        assert [(s.get("temperature"), s["alpha"]) for s in told[3:5]] == [(4.0, 0.5), (2.0, 0.0)]

    def test_a_cells_recipe_is_an_ordinary_run_of_that_loss(self):
        made = grid.cell_spec(self.SPEC, grid.cells(self.SPEC)[6])
        assert made.objective.name == "dkd" and made.sweep is None
        assert made.students[0].objective is None and made.students[0].name == "tiny dkd"
        assert "objective" not in made.students[0].model_dump(mode="json")

    def test_the_plan_tells_whose_baseline_is_shared(self):
        told = grid.plan_fields(self.SPEC)["settings"]
        assert "alone" not in told[0] and told[4]["alone"] == told[9]["alone"] == "tiny hinton"
