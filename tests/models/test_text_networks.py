"""Networks over word pieces: what fills up a text counts for nothing."""

import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.models.building import build
from kd_core.specs import Choice

WORDS = torch.tensor([[3, 7, 2, 9], [5, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.int32)
KINDS = {
    "text_transformer": Choice(name="text_transformer", settings={"size": "small"}),
    "gru": Choice(name="recurrent", settings={"size": "tiny", "directions": 1}),
    "lstm": Choice(name="recurrent", settings={"size": "tiny", "directions": 1, "cell": "lstm"}),
}


def network(choice, length):
    torch.manual_seed(0)
    return build(choice, InputSpec("tokens", (length,), "int32", high=12), 3).eval()


@pytest.mark.parametrize("choice", KINDS.values(), ids=KINDS)
def test_longer_filling_changes_no_answer(choice):
    short, long = network(choice, 4), network(choice, 9)
    weights = {n: w[:4] if n == "place" else w for n, w in long.state_dict().items()}
    short.load_state_dict(weights)
    filled = torch.nn.functional.pad(WORDS, (0, 5))
    torch.testing.assert_close(short(WORDS).logits, long(filled).logits)


@pytest.mark.parametrize("choice", KINDS.values(), ids=KINDS)
def test_a_text_without_words_has_an_answer(choice):
    assert torch.isfinite(network(choice, 4)(WORDS).logits).all()


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("lstm", 4)])
@pytest.mark.parametrize("directions", [1, 2])
def test_cell_and_directions_are_those_of_the_settings(cell, gates, directions):
    settings = {"size": None, "embedding": 5, "width": 7, "cell": cell, "directions": directions}
    layer = network(Choice(name="recurrent", settings=settings), 4).layer
    assert layer.weight_ih_l0.shape == (7 * gates, 5)
    assert hasattr(layer, "weight_ih_l0_reverse") is (directions == 2)
