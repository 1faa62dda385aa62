import pytest
import torch
from safetensors.torch import save_file

from kd_core.data.input_spec import table_inputs
from kd_core.models.building import build
from kd_core.models.sizes import Sizes, counted, file_bytes, sizes
from kd_core.specs import Choice


def test_the_tiny_mlp_by_hand():
    # 28 x 8 + 8 and 8 x 2 + 2 weights; 2 operations per multiply-accumulate
    found = sizes(Choice(name="mlp", settings={"size": "tiny"}), table_inputs(28), 2)
    assert (found.parameters, found.flops) == (250, 2 * (28 * 8 + 8 * 2))


def test_the_small_mlp_stays_below_2500_parameters_on_100_inputs():
    assert (
        sizes(Choice(name="mlp", settings={"size": "small"}), table_inputs(100), 2).parameters
        == 100 * 20 + 20 + 420 + 42
        <= 2500
    )


def test_bytes_are_those_of_the_file_on_disk(tmp_path):
    choice = Choice(name="resmlp", settings={"size": "small"})
    state = build(choice, table_inputs(11), 4).state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    size = (tmp_path / "weights.safetensors").stat().st_size
    assert file_bytes(state) == sizes(choice, table_inputs(11), 4).size_bytes == size
    assert size > 4 * sizes(choice, table_inputs(11), 4).parameters


def test_nothing_is_allocated_for_a_network_larger_than_memory_would_like():
    inputs = 2_000_000_000  # 16 TB of weights in the first layer
    found = sizes(Choice(name="mlp", settings={"size": None, "width": 2048, "depth": 8}), table_inputs(inputs), 1000)
    assert found.parameters == inputs * 2048 + 2048 + 7 * (2048 * 2048 + 2048) + 2048 * 1000 + 1000


def test_the_random_stream_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    assert isinstance(sizes(Choice(name="tabm"), table_inputs(5), 2), Sizes)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bool])
def test_other_number_types_are_counted(dtype, tmp_path):
    state = {"b": torch.zeros(3, 2).to(dtype), "a": torch.zeros(5)}
    save_file(state, tmp_path / "w.safetensors")
    assert file_bytes(state) == (tmp_path / "w.safetensors").stat().st_size


@pytest.mark.parametrize("name", ["mlp", "resmlp", "linear", "trees", "ft_transformer"])
def test_counts_are_those_known_before(name):
    arch = Choice(name=name)
    before = sizes(arch, table_inputs(7), 3)
    found = counted(build(arch, table_inputs(7), 3), name, table_inputs(7))
    assert (found.parameters, found.flops) == (before.parameters, before.flops)
    assert found.nonzero <= found.parameters


def test_weights_of_zero_are_no_longer_counted_but_are_still_computed():
    arch = Choice(name="mlp")
    module = build(arch, table_inputs(7), 3)
    full = counted(module, "mlp", table_inputs(7))
    first = next(p for p in module.parameters() if p.dim() == 2)
    with torch.no_grad():
        lost = int(torch.count_nonzero(first[0]))
        first[0] = 0
    found = counted(module, "mlp", table_inputs(7))
    assert found.nonzero == full.nonzero - lost
    assert (found.parameters, found.flops) == (full.parameters, full.flops)
