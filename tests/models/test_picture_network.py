"""Networks over pixels: pictures are varied while they learn and answered as they are; facts of how they learn best."""

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.models.building import build, start_weights
from kd_core.models.dropout import seed_masks
from kd_core.models.picture_network import BATCH, RATE, Varied, VariedSpec
from kd_core.specs import Choice, TrainingSpec
from kd_core.teachers import SOURCES
from kd_core.training.plan import resolve

PICTURES = InputSpec(kind="pixels", shape=(2, 6, 5), dtype="uint8", high=256, sparse=False)


def pictures(count: int = 40) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, 2, 6, 5)).astype(np.float32))


def drawn(seed: int, **settings: object) -> torch.Tensor:
    seed_masks(seed, torch.device("cpu"))
    return Varied(VariedSpec.model_validate(settings)).train()(pictures())


def test_a_moved_picture_is_the_picture_elsewhere_with_its_edge_repeated():
    x, found = pictures(), drawn(3, moved=2)
    places = set()
    for before, after in zip(x.numpy(), found.numpy(), strict=True):
        padded = np.pad(before, ((0, 0), (2, 2), (2, 2)), mode="edge")
        here = [(d, a) for d in range(5) for a in range(5) if (padded[:, d : d + 6, a : a + 5] == after).all()]
        assert here
        places |= set(here)
    assert len(places) > 12  # of 25: each picture goes its own way


def test_half_of_the_pictures_are_mirrored():
    x, found = pictures(200), None
    seed_masks(1, torch.device("cpu"))
    found = Varied(VariedSpec(mirrored=True)).train()(x)
    same, turned = (found == x).all((1, 2, 3)), (found == x.flip(3)).all((1, 2, 3))
    assert (same | turned).all() and 70 < int(turned.sum()) < 130


def test_both_arms_see_the_same_variations_and_answers_see_none():
    assert torch.equal(drawn(5, moved=2, mirrored=True), drawn(5, moved=2, mirrored=True))
    assert not torch.equal(drawn(5, moved=2, mirrored=True), drawn(6, moved=2, mirrored=True))
    x = pictures()
    assert torch.equal(Varied(VariedSpec(moved=2, mirrored=True)).eval()(x), x)


@pytest.mark.parametrize("name", ["cnn", "resnet", "mobilenet"])
def test_a_network_varies_what_it_learns_from(name):
    with start_weights(0):
        module = build(Choice(name=name, settings={"size": "tiny", "moved": 2}), PICTURES, 3).train()
    seed_masks(1, torch.device("cpu"))
    first, second = module(pictures()).logits, module(pictures()).logits
    assert not torch.allclose(first, second)
    module.eval()
    assert torch.equal(module(pictures()).logits, module(pictures()).logits)


@pytest.mark.parametrize("name", ["cnn", "resnet", "mobilenet"])
def test_pictures_are_learned_in_small_batches_and_large_steps(name):
    pixels, table = (resolve(TrainingSpec(), 54_000, arch) for arch in (name, "mlp"))
    assert (pixels.batch_size, table.batch_size) == (BATCH, 1024)
    assert pixels.learning_rate == RATE * table.learning_rate
    assert resolve(TrainingSpec(batch_size=500), 54_000, name).batch_size == 500
    teacher = SOURCES.get(name).spec()
    assert (teacher.moved, teacher.mirrored, teacher.dropout) == (1, False, 0.0)
