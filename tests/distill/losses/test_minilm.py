"""Relations among words: heads cut anew, places without words, and who can teach this way."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.distill import LOSSES
from kd_core.distill.losses.minilm import heads_of, relations
from kd_core.models.building import build, start_weights
from kd_core.registry import Situation
from kd_core.runs.plan import situation
from kd_core.specs import Choice
from tests.laws.loss_cases import GIVES, batch, modules, reference, value

ENTRY = LOSSES.get("minilm")


def shown(seed, width=8, depth=2, heads=2):
    inputs = InputSpec("tokens", (6,), "int32", high=20)
    with start_weights(seed):
        spec = {"size": None, "width": width, "depth": depth, "heads": heads}
        made = build(Choice(name="text_transformer", settings=spec), inputs, 3).eval()
    x = torch.tensor([[3, 4, 5, 0, 0, 0], [7, 8, 9, 10, 11, 12], [0] * 6, [2, 0, 0, 0, 0, 0]])
    plain = made(x)
    made.shows_relations = True
    found = made(x)
    assert torch.equal(found.logits, plain.logits) and not plain.hidden
    return made, x, found


def test_heads_are_as_many_as_asked_where_both_widths_can_be_cut_so():
    assert [heads_of(4, 16, 192), heads_of(12, 192, 96), heads_of(5, 16, 8), heads_of(7, 9, 6), heads_of(64, 8, 8)] == [
        4, 12, 4, 3, 8,
    ]  # fmt: skip


def test_a_transformer_shows_what_its_last_block_attends_by():
    made, x, found = shown(0)
    block, query, key = made.blocks[1], found.hidden["query"], found.hidden["key"]
    seen = []
    block.norm_attention.register_forward_hook(lambda m, given, out: seen.append(out))
    made(x)
    assert torch.equal(torch.cat([query, key, found.hidden["value"]], dim=2), block.asked(seen[0]))
    assert torch.equal(made.norm(found.hidden["word"])[1].mean(0), found.features[1])  # all six are words
    assert found.hidden["words"].tolist() == (x > 0).float().tolist()


def test_it_is_zero_for_the_same_network_and_not_for_another():
    _, _, own = shown(0)
    _, _, other = shown(1, width=24, heads=3)
    y = torch.zeros(4, dtype=torch.long)
    assert value(ENTRY, {}, own, own, y).item() == pytest.approx(0, abs=1e-7)
    assert value(ENTRY, {}, own, other, y).item() > 1e-4


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_places_without_a_word_say_nothing(weight):
    student, teacher, y = batch(ENTRY)
    plain = value(ENTRY, {"hidden": weight}, student, teacher, y).item()
    gone = student.hidden["words"] == 0
    assert gone.any(1).all() or gone.any()
    for outputs, place in ((student, 0), (teacher, 1)):
        hidden = dict(outputs.hidden)
        for name in ("query", "key", "value", "word"):
            hidden[name] = torch.where(gone[:, :, None], 7.0, hidden[name])
        given = [student, teacher]
        given[place] = replace(outputs, hidden=hidden)
        assert value(ENTRY, {"hidden": weight}, *given, y).item() == pytest.approx(plain, rel=1e-9)


def test_what_becomes_of_a_word_is_compared_through_the_projector():
    student, teacher, y = batch(ENTRY)
    own = modules(ENTRY, ENTRY.spec(), student, teacher)
    plain = value(ENTRY, {}, student, teacher, y, own)
    one, two = (value(ENTRY, {"hidden": h}, student, teacher, y, own) - plain for h in (1.0, 2.0))
    assert one.item() > 0 and two.item() == pytest.approx(2 * one.item(), rel=1e-9)
    made = {**teacher.hidden, "word": own[0](student.hidden["word"]).detach()}
    met = value(ENTRY, {"hidden": 1.0}, student, replace(teacher, hidden=made), y, own)
    assert met.item() == pytest.approx(plain.item(), rel=1e-9)
    one.backward()
    assert own[0].weight.grad.abs().sum() > 0


def test_where_two_texts_meet_only_places_that_both_read_count():
    student, teacher, y = batch(ENTRY)
    words = teacher.hidden["words"].flip(0)
    other = replace(teacher, hidden={**teacher.hidden, "words": words})
    own = modules(ENTRY, ENTRY.spec(), student, other)
    expected = reference(ENTRY, {}, student, other, y, own)
    assert value(ENTRY, {}, student, other, y).item() == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(reference(ENTRY, {}, student, teacher, y, own), rel=1e-3)


def test_a_relation_is_a_share_of_each_word():
    x = torch.tensor(np.random.default_rng(0).normal(size=(2, 5, 8)))
    away = torch.zeros(2, 1, 1, 5, dtype=x.dtype)
    away[:, :, :, 4] = -1e9
    found = relations(x, 2, away).exp()
    assert found.shape == (2, 2, 5, 5) and found.sum(-1).allclose(torch.ones(2, 2, 5, dtype=x.dtype))
    assert found[..., 4].max() == 0
    by_hand = torch.softmax(x[0, :4, 4:] @ x[0, :4, 4:].T / 2, dim=1)
    torch.testing.assert_close(found[0, 1, :4, :4], by_hand)


def test_who_can_teach_and_learn_this_way():
    at = Situation("multiclass", 4, GIVES, students_give=GIVES)
    assert ENTRY.why_not(at) is None
    told = situation("multiclass", 4, "text_transformer", ("tokens",), ("text_transformer",))
    assert ENTRY.why_not(told) is None
    for teacher in ("pretrained", "random_forest"):
        said = ENTRY.why_not(situation("multiclass", 4, teacher, ("tokens", "texts"), ("text_transformer",)))
        assert "same pieces of words" in said
    other = situation("multiclass", 4, "text_transformer", ("tokens",), ("text_transformer", "bag"))
    assert "every student must be one" in ENTRY.why_not(other)
