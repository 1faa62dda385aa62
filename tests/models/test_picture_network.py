"""Networks over pixels: pictures are varied while they learn and answered as they are; facts of how they learn best."""

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.archs.resnet import NARROW, Entry
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


@pytest.mark.parametrize("channels", [1, 4, NARROW - 1, NARROW, 12])
def test_a_residual_block_is_entered_as_by_a_convolution_with_a_stride(channels):
    torch.manual_seed(0)
    entry = Entry(channels, 5, 1, stride=2, bias=False).to(memory_format=torch.channels_last)
    plain = nn.Conv2d(channels, 5, 1, stride=2, bias=False).double()  # in float64 no fast path is taken
    plain.load_state_dict(entry.state_dict())
    x = torch.randn(6, channels, 7, 10).to(memory_format=torch.channels_last)
    ours, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
    found, wanted = entry(ours), plain(theirs)
    assert found.shape == (6, 5, 4, 5) and torch.allclose(found.double(), wanted, atol=1e-5)
    found.square().sum().backward()
    wanted.square().sum().backward()
    assert torch.allclose(entry.weight.grad.double(), plain.weight.grad, atol=1e-3)
    assert torch.allclose(ours.grad.double(), theirs.grad, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(entry(x), found, atol=1e-6)


def test_no_stride_of_few_channels_is_left_to_the_backward_pass():
    """What ends the process on some processors is not asked of any."""
    with torch.profiler.profile(record_shapes=True) as seen:
        Entry(4, 5, 1, stride=2, bias=False)(torch.randn(2, 4, 6, 6, requires_grad=True)).sum().backward()
    convolved = [event for event in seen.events() if event.name == "aten::convolution"]
    assert convolved and all(event.input_shapes[0] == [2, 4, 3, 3] for event in convolved)
