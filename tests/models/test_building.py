import numpy as np
import pytest
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.distill.student import train_student
from kd_core.errors import SpecError, UnknownName
from kd_core.models.building import build, build_for, cpu_state, deployed_state, viewed
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.distill.eager import make_dataset, with_columns


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(UnknownName, match=r"no architecture 'mpl'\. Did you mean 'mlp'"):
        build(Choice(name="mpl"), table_inputs(3), 2)


def test_no_columns_is_said():
    with pytest.raises(SpecError, match="at least 1 input and 1 output, got 0 and 2"):
        build(Choice(name="mlp"), table_inputs(0), 2)


def test_wrong_settings_are_listed_together():
    with pytest.raises(SpecError) as caught:
        build(Choice(name="mlp", settings={"width": 0, "depht": 2}), table_inputs(3), 2)
    assert "width" in str(caught.value) and "depht" in str(caught.value) and "2 problems" in str(caught.value)


@pytest.mark.parametrize("arch", ["mlp", "piecewise"])
def test_deployed_weights_fit_in_half_the_bytes_and_what_was_given_stays(arch):
    torch.manual_seed(0)
    data = with_columns(make_dataset("binary"))
    choice = Choice(name=arch)
    module = build_for(data, choice)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn(weight.shape))
    before = cpu_state(module)
    found = deployed_state(data, choice, before)
    learned = {name for name, _ in module.named_parameters()}
    assert found.keys() == before.keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, tensor.half().float() if name in learned else before[name])
    x = torch.from_numpy(viewed(data, choice).parts["test"][:50])
    again = build_for(data, choice)
    again.load_state_dict(found)
    assert torch.allclose(again.eval()(x).logits, module.eval()(x).logits, rtol=2e-2, atol=2e-2)
    if arch == "piecewise":  # the weights of the normal quantiles are part of the others
        assert not found["first.weight"][:, module.front.layout.encoded :].any()
    assert all(
        torch.equal(a, b) for a, b in zip(deployed_state(data, choice, found).values(), found.values(), strict=True)
    )


def test_trees_are_rounded_so_that_no_training_row_changes_side():
    data = with_columns(make_dataset("binary"))
    choice = Choice(name="trees")
    x = viewed(data, choice).parts["train"]
    student = train_student(data, StudentSpec(name="s", arch=choice), None, None, TrainingSpec(), 0)
    found = deployed_state(data, choice, student.state_dict())
    again = build_for(data, choice)
    again.load_state_dict(found)
    z, rounded = (m.eval()(torch.from_numpy(x)).logits.detach().numpy()[:, 1] for m in (student.module, again))
    moved = (rounded - z).std() / z.std()
    assert 1e-5 < moved < 1e-3 and np.abs(rounded - z).max() < 5e-3 * z.std()
    assert not torch.equal(found["threshold"], student.state_dict()["threshold"])
    halved = build_for(data, choice)
    state = {n: t.half().float() if t.is_floating_point() else t for n, t in student.state_dict().items()}
    halved.load_state_dict(state)
    assert np.abs(halved.eval()(torch.from_numpy(x)).logits.detach().numpy()[:, 1] - z).max() > 0.05 * z.std()
    assert all(torch.equal(t, found[n]) for n, t in deployed_state(data, choice, found).items())


def test_a_weight_beyond_half_the_bytes_is_left_as_it_is():
    data = make_dataset("binary")
    state = cpu_state(build_for(data, Choice(name="linear")))
    state["head.bias"] = torch.tensor([1e5, 0.1])
    found = deployed_state(data, Choice(name="linear"), state)
    assert torch.equal(found["head.bias"], state["head.bias"]) and found["head.weight"].half().float().equal(
        found["head.weight"]
    )
