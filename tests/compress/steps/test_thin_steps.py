"""Layers and embeddings in thin form: the best of their rank, and only where that is smaller."""

from __future__ import annotations

import pytest
import torch

from kd_core.compress.base import STEPS
from kd_core.compress.thinning import rank_by
from kd_core.errors import KDError
from kd_core.models.reshape.thin import ThinEmbedding, ThinLinear
from kd_core.specs import Choice
from tests.compress.students import CASES, begun, inputs_of, rows

MLP = Choice(name="mlp", settings={"width": 24, "depth": 3})
FIRST = {case.id: case.values[0] for case in CASES}


def made(name, stage, work, **settings):
    entry = STEPS.get(name)
    return entry.make(entry.spec.parse(settings), stage, work)


def test_a_layer_of_few_directions_answers_alike_in_thin_form():
    stage, work = begun(MLP)
    with torch.no_grad():
        for at in (2, 4):
            weight = stage.module.body[at].weight
            weight.copy_(weight[:, :4] @ torch.randn(4, 24))
    found = made("low_rank", stage, work, energy=1 - 1e-9)
    told = {one["layer"]: one for one in found.told[-1]["layers"]}
    assert told["body.2"]["rank"] == told["body.4"]["rank"] == 4 and told["body.2"]["left"] == 4 * 48
    assert "head" not in told and isinstance(found.module.head, torch.nn.Linear)
    assert isinstance(found.module.body[2], ThinLinear) and found.module.body[2].in_features == 24
    torch.testing.assert_close(found.module(rows(MLP)).logits, stage.module(rows(MLP)).logits, rtol=1e-4, atol=1e-5)


def test_a_layer_that_would_not_get_smaller_stays():
    stage, work = begun(MLP)
    with pytest.raises(KDError) as caught:
        made("low_rank", stage, work, energy=1.0)
    assert caught.value.code == "no_thin_layers"
    for name, rank in (("share", 6), ("energy", None)):
        assert rank_by(torch.ones(24), 48, 576, 0.5, None if name == "share" else 1.0) == rank
    assert rank_by(torch.tensor([3.0, 1.0, 0.0]), 10, 100, 0.5, 0.9) == 1
    assert rank_by(torch.tensor([3.0, 1.0, 0.0]), 10, 100, 0.5, 0.95) == 2


@pytest.mark.parametrize("choice", CASES)
def test_a_student_is_suited_to_thin_layers_where_one_can_be_put_in(choice):
    stage, work = begun(choice)
    reason = STEPS.get("low_rank").facts["suits"](stage, inputs_of(choice))
    if reason is None:
        assert made("low_rank", stage, work, energy=1e-9).told[-1]["layers"]
        return
    with pytest.raises(KDError) as caught:
        made("low_rank", stage, work, energy=1e-9)
    assert caught.value.code == "no_thin_layers" and f"{choice.name} {reason}." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("trees-tiny", "has no linear layers:"), ("linear", "has no linear layer between inner units:")],
)
def test_why_a_student_has_no_layer_to_take_apart(name, reason):
    stage, _ = begun(FIRST[name])
    assert STEPS.get("low_rank").facts["suits"](stage, inputs_of(stage.arch)).startswith(reason)


def test_linear_readers_take_the_matrix_in_and_a_transformer_gets_a_layer():
    stage, work = begun(FIRST["recurrent-tiny"])
    found = made("factor_embedding", stage, work).module
    assert isinstance(found.embedding, torch.nn.Embedding) and found.embedding.weight.shape[1] == 4
    assert found.layer.input_size == 4 and (found.embedding.weight[0] == 0).all()
    stage, work = begun(FIRST["text_transformer-tiny"])
    found = made("factor_embedding", stage, work, share=0.6).module
    assert isinstance(found.embedding, ThinEmbedding)
    words, width = inputs_of(stage.arch).high, 16
    rank = found.embedding.rows.embedding_dim
    assert rank == int(0.6 * words * width / (words + width))
    whole = stage.module.embedding.weight
    thin = found.embedding(torch.arange(words))
    assert (thin - whole).detach().square().sum().item() < whole.detach().square().sum().item() and (thin[0] == 0).all()


def test_an_embedding_of_few_directions_is_kept_whole():
    stage, work = begun(FIRST["text_transformer-tiny"])
    with torch.no_grad():
        weight = stage.module.embedding.weight
        weight.copy_(weight[:, :2] @ torch.randn(2, 16))
    found = made("factor_embedding", stage, work, energy=1 - 1e-9)
    assert found.told[-1]["layers"][0]["rank"] == 2
    torch.testing.assert_close(
        found.module(rows(stage.arch)).logits, stage.module(rows(stage.arch)).logits, rtol=1e-4, atol=1e-4
    )
