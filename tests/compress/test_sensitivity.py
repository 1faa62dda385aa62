"""Layers are tried one by one on validation rows, and a cut is dealt out by that."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.compress.base import STEPS
from kd_core.compress.sensitivity import SHARES, dealt, dealt_by_rank, scan
from kd_core.compress.taking_out import Layer, layers_of
from kd_core.compress.validation import Validation
from kd_core.errors import Stopped
from kd_core.models.reshape.units import Place, Units
from kd_core.specs import Choice
from tests.compress.students import begun, same

MLP = Choice(name="mlp", settings={"width": 12, "depth": 2})


def layer(name, importance):
    units = Units(name, "units", ((Place.every(f"{name}.weight", 0, len(importance)),),))
    return Layer(units, (np.array(importance, float),))


def row(name, share, lost):
    return {"layer": name, "share": share, "lost": lost}


def test_each_layer_is_cut_alone_and_scored_on_validation_rows():
    stage, work = begun(MLP)
    layers = layers_of(stage, work, "magnitude")
    found = scan(stage, work, layers)
    assert [(one["layer"], one["share"]) for one in found] == [(n, s) for n in ("body.0", "body.2") for s in SHARES]
    judge = Validation.of(stage, work)
    before = judge.score(stage.module)
    for one in found:
        alone = STEPS.get("prune_structured")
        assert one["lost"] == pytest.approx(100 * (before - one["score"])) and one["kind"] == "units"
        assert alone.title and 0 <= one["score"] <= 1
    inputs = stage.module.body[0].in_features
    assert found[0]["parameters"] == 12 * (inputs + 1) + 12 * 12


def test_a_layer_that_says_nothing_gives_all_and_the_other_keeps_its_units():
    stage, work = begun(MLP)
    with torch.no_grad():
        stage.module.body[2].weight.zero_()  # whatever comes before it, answers are those of its biases
    found = STEPS.get("prune_structured").make(
        STEPS.get("prune_structured").spec.parse({"scope": "sensitive", "share": 0.25}), stage, work
    )
    told = found.told[-1]
    first = [one["lost"] for one in told["sensitivity"] if one["layer"] == "body.0"]
    assert first == [0, 0, 0] and sum(one["left"] for one in told["layers"]) == 18


def test_units_go_where_they_cost_least_by_what_was_tried():
    layers = [layer("a", [1.0] * 8), layer("b", [1.0] * 8)]
    scanned = [row("a", 0.25, 0.1), row("a", 0.5, 0.2), row("a", 0.75, 9.0)]
    scanned += [row("b", 0.25, 1.0), row("b", 0.5, 2.0), row("b", 0.75, 3.0)]
    assert dealt(layers, scanned, 0.25) == [4, 0]  # all that a gives cheaply
    assert dealt(layers, scanned, 0.5) == [4, 4]  # then b, up to its share, before a's dear step
    assert dealt(layers, scanned, 0.95) == [7, 7]  # one of each stays


def test_a_dear_first_step_is_not_passed_over_for_a_cheap_second_one():
    layers = [layer("a", [1.0] * 8), layer("b", [1.0] * 8)]
    scanned = [row("a", 0.25, 4.0), row("a", 0.5, 4.0), row("b", 0.25, 1.0), row("b", 0.5, 2.5)]
    assert dealt(layers, scanned, 0.125) == [0, 2]


def test_one_ranking_over_all_layers_takes_what_matters_least_against_its_layer():
    layers = [layer("a", [10, 10, 1, 1]), layer("b", [0.1, 0.1, 0.1, 0.1])]
    assert dealt_by_rank(layers, 0.25) == [2, 0]
    assert sum(dealt_by_rank(layers, 0.5)) == 4
    assert dealt_by_rank(layers, 0.95) == [3, 3]


def test_it_ends_when_asked_to_stop():
    stage, work = begun(MLP)
    from dataclasses import replace

    with pytest.raises(Stopped):
        scan(stage, replace(work, should_stop=lambda: True), layers_of(stage, work, "magnitude"))


@pytest.mark.parametrize("scope", ["global", "sensitive"])
def test_scopes_take_out_as_many_units_in_all(scope):
    stage, work = begun(MLP)
    entry = STEPS.get("prune_structured")
    found = [entry.make(entry.spec.parse({"scope": scope, "share": 0.5}), stage, work) for _ in range(2)]
    assert sum(one["left"] for one in found[0].told[-1]["layers"]) == 12
    assert same(found[0].module, found[1].module)


def test_errors_are_lost_in_percent_and_shares_in_points():
    stage, work = begun(MLP)
    judge = Validation.of(stage, work)
    assert judge.lost(0.9, 0.88) == pytest.approx(2.0)
    from dataclasses import replace

    error = Validation(judge.x, replace(judge.scoring, metric="log_loss"))
    assert error.lost(0.5, 0.55) == pytest.approx(10.0)
