"""What can't be made smaller is said before anything is trained."""

from __future__ import annotations

import pytest

from kd_core.errors import KDError
from kd_core.runs.compressing.asked import chains_of
from kd_core.runs.compressing.check import MOST_STAGES, check, first_that_learns
from kd_core.runs.compressing.foreseen import Lesson, seconds
from kd_core.runs.compressing.tree import tree_of
from kd_core.specs import Choice, CompressSpec, RunSpec
from kd_core.training.plan import TrainingPlan
from tests.runs.compressing.rounding import NAME, registered


@pytest.fixture(autouse=True)
def rounding():
    with registered():
        yield


def recipe(*chains, arch="mlp", **changes):
    values = {
        "dataset": {"source": "old.csv", "target": "y"},
        "teacher": {"name": "gradient_boosting"},
        "students": [{"name": "tiny", "arch": {"name": arch}}],
        "objective": {"name": "hinton"},
        "training": {"seeds": 3},
        "compress": {"run": "first", "student": "tiny", "chains": [[{"name": n} for n in chain] for chain in chains]},
    }
    return RunSpec.parse({**values, **changes})


def test_chains_in_order_can_be_carried_out_and_other_runs_are_not_asked():
    assert check(recipe(("prune_structured", "distill", NAME), (NAME,))) == []
    assert check(recipe(compress=None, sweep={})) == []


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (lambda: recipe(("distill",), sweep={}), "compress_ordinary"),
        (lambda: recipe(("distill",), choose={}), "compress_ordinary"),
        (lambda: recipe(("distill",), evaluation={"splits": 3}), "compress_ordinary"),
        (lambda: recipe(("distill",), continues={"run": "a", "source": "b"}), "compress_ordinary"),
        (lambda: recipe((NAME, "distill")), "compress_order"),
        (lambda: recipe(("prune",)), "unknown_name"),
        (lambda: recipe((NAME,), arch="trees"), "compress_trees"),
        (lambda: recipe(("distill",), mode={"name": "data_free"}), "compress_mode"),
    ],
)
def test_what_does_not_go_with_it(spec, code):
    assert [p.code for p in check(spec())] == [code]


def test_a_mode_without_rows_may_round_and_prune():
    assert check(recipe((NAME,), mode={"name": "data_free"})) == []
    searched = recipe(mode={"name": "data_free"})
    assert check(searched) == [] and first_that_learns(searched) is None
    assert first_that_learns(recipe((NAME,), ("prune_structured", "distill"))) == "distill"
    assert first_that_learns(recipe((NAME,))) is None and first_that_learns(recipe()) is not None


def test_a_step_that_may_learn_needs_a_lesson_only_where_it_is_asked_to():
    def pruned(**settings):
        chain = [{"name": "prune_magnitude", "settings": settings}]
        return recipe(compress={"run": "first", "student": "tiny", "chains": [chain]}, mode={"name": "data_free"})

    assert [p.code for p in check(pruned())] == ["compress_mode"] and first_that_learns(pruned()) == "prune_magnitude"
    for settings in ({"epochs": 0}, {"share": 0}):
        assert check(pruned(**settings)) == [] and first_that_learns(pruned(**settings)) is None
        tree = tree_of(pruned(**settings).compress.chains)
        lesson = Lesson(TrainingPlan(epochs=60, batch_size=128, patience=12, rounds=6), 100.0)
        whole = tree_of([pruned().compress.chains[0]])
        assert seconds(tree, 3, lesson, timed=False) < 10 < seconds(whole, 3, lesson, timed=False)


@pytest.mark.parametrize(
    "step",
    [
        {"name": "prune_structured", "settings": {"share": 1e9}},
        {"name": "prune_structured", "settings": {"share": -1}},
        {"name": "prune_structured", "settings": {"share": float("nan")}},
        {"name": "prune_structured", "settings": {"share": float("inf")}},
        {"name": "prune_structured", "settings": {"share": [0.5]}},
        {"name": "prune_magnitude", "settings": {"epochs": 1e12}},
        {"name": "int4", "settings": {"block": 0}},
        {"name": "int8", "settings": {"rows": 10**12}},
        {"name": "distill", "settings": {"epochs": 0}},
        {"name": "distill", "settings": {"steps": 3}},
        {"name": "../distill", "settings": {}},
        {"name": "__class__", "settings": {}},
        {"name": "", "settings": {}},
    ],
)
def test_settings_beyond_their_bounds_are_refused_in_words(step):
    try:
        found = check(recipe(compress={"run": "first", "student": "tiny", "chains": [[step]]}))
    except KDError as error:
        found = [error.problem()]
    assert found and all(p.severity == "error" and p.message and p.hint for p in found)


@pytest.mark.parametrize(
    "values",
    [
        {"chains": [[]]},
        {"chains": [[{"name": "distill"}] * 13]},
        {"chains": [[{"name": "distill"}]] * 25},
        {"chains": "distill"},
        {"minutes": float("nan")},
        {"minutes": 0},
        {"most_lost": float("inf")},
        {"bytes": -1},
        {"bytes": 10**30},
        {"microseconds": float("nan")},
        {"weights": "../../weights"},
        {"run": ""},
    ],
)
def test_a_recipe_from_elsewhere_is_refused_in_words(values):
    with pytest.raises(KDError) as caught:
        recipe(compress={"run": "first", "student": "tiny", "chains": [[{"name": "distill"}]], **values})
    assert caught.value.message and caught.value.hint


def test_so_many_stages_and_no_more():
    chains = [[{"name": NAME, "settings": {"to": (i + 1) / 1000 + j / 100_000}} for j in range(12)] for i in range(6)]
    spec = recipe(compress={"run": "first", "student": "tiny", "chains": chains})
    (found,) = check(spec)
    assert found.code == "compress_stages" and "72" in found.message and str(MOST_STAGES) in found.message


def test_the_work_is_named_by_weights_not_by_place_and_old_recipes_keep_their_names():
    first = CompressSpec(run="first", weights="1" * 64, student="tiny", chains=((Choice(name=NAME),),))
    moved, other = first.model_copy(update={"run": "/else"}), first.model_copy(update={"most_lost": 2.0})
    hashes = [recipe(compress=c and c.model_dump()).work_hash() for c in (first, moved, other, None)]
    assert hashes[0] == hashes[1] and len(set(hashes)) == 3
    assert "compress" not in recipe(compress=None).model_dump()


def test_chains_as_they_are_typed():
    asked = chains_of(["prune_structured=0.3", "distill"], [f"distill=1,{NAME}=0.5", NAME], ["distill.rate=2"])
    told = [[(s.name, s.settings) for s in chain] for chain in asked]
    assert told == [
        [("prune_structured", {"share": 0.3}), ("distill", {"rate": 2})],
        [("distill", {"epochs": 1, "rate": 2}), (NAME, {"to": 0.5})],
        [(NAME, {})],
    ]
    assert chains_of([], [], []) == []
    with pytest.raises(KDError, match="no compression step"):
        chains_of(["halve"], [], [])
    with pytest.raises(KDError) as caught:
        chains_of(["distill"], [], ["int9.x=1"])
    assert caught.value.code == "bad_setting"
