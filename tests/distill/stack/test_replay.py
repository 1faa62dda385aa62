"""A replayed step takes the same steps as calling it."""

import pytest
import torch

from kd_core.distill.stack.replay import WARM_STEPS, Replay

CPU = torch.device("cpu")


class Sums:
    """A step that changes a tensor in place and remembers where its inputs lay."""

    def __init__(self, device=CPU):
        self.total = torch.zeros(3, device=device)
        self.addresses = []

    def __call__(self, x, factor):
        self.addresses.append(x.data_ptr())
        self.total += x.sum(0) * factor


def inputs(rows=4, device=CPU):
    return torch.randn(rows, 3, device=device), torch.tensor(0.5, device=device)


def test_reads_copies_at_fixed_addresses_and_leaves_the_inputs_alone():
    torch.manual_seed(0)
    direct, replayed = Sums(), Sums()
    replay = Replay(replayed, CPU)
    for _ in range(6):
        given = inputs()
        before = [t.clone() for t in given]
        direct(*given)
        replay(*given)
        assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
        assert replayed.addresses[-1] != given[0].data_ptr()
    assert len(set(replayed.addresses)) == 1
    assert torch.equal(direct.total, replayed.total)


def test_inputs_of_another_shape_pass_through():
    torch.manual_seed(0)
    direct, replayed = Sums(), Sums()
    replay = Replay(replayed, CPU)
    for rows in (4, 4, 2, 4, 5):
        given = inputs(rows)
        direct(*given)
        replay(*given)
        assert (replayed.addresses[-1] == given[0].data_ptr()) is (rows != 4)
    assert torch.equal(direct.total, replayed.total)


def test_a_missing_input_is_an_error():
    replay = Replay(Sums(), CPU)
    replay(*inputs())
    with pytest.raises(ValueError, match="longer"):
        replay(inputs()[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_recorded_graph_takes_every_step_once():
    device = torch.device("cuda")
    torch.manual_seed(0)
    direct, replayed = Sums(device), Sums(device)
    replay = Replay(replayed, device)
    for k in range(WARM_STEPS + 6):
        given = inputs(2 if k == WARM_STEPS + 2 else 4, device)
        direct(*given)
        replay(*given)
    torch.testing.assert_close(direct.total, replayed.total)
    assert len(replayed.addresses) == WARM_STEPS + 2  # warm, recorded, the odd shape; the rest is replayed
