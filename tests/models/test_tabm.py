import torch

from kd_core.data.input_spec import table_inputs
from kd_core.models.building import build
from kd_core.specs import Choice


def made(outputs, members=4):
    torch.manual_seed(0)
    return build(Choice(name="tabm", settings={"size": "tiny", "members": members}), table_inputs(6), outputs).eval()


def test_probabilities_are_the_mean_over_members():
    out = made(3)(torch.randn(9, 6))
    assert out.members.shape == (9, 4, 3)
    mean = torch.softmax(out.members, -1).mean(1)
    torch.testing.assert_close(torch.softmax(out.logits, -1), mean)
    torch.testing.assert_close(out.logits.exp().sum(-1), torch.ones(9))


def test_a_number_is_the_mean_over_members():
    out = made(1)(torch.randn(9, 6))
    torch.testing.assert_close(out.logits, out.members.mean(1))


def test_members_differ():
    out = made(2)(torch.randn(9, 6))
    assert out.members.std(dim=1).min() > 0


def test_a_member_equals_a_plain_network_with_its_scalings():
    """Reference: arXiv:2002.06715, eq. 5, in float64: the member's own matrix is W times the outer product."""
    module, x = made(2).double(), torch.randn(5, 6, dtype=torch.float64)
    for k in range(4):
        layer = module.layers[0]
        own = layer.weight * torch.outer(layer.after[k], layer.before[k])
        hidden = torch.relu(x @ own.T + layer.bias[k])
        z = hidden @ module.head_weight[k] + module.head_bias[k]
        torch.testing.assert_close(module(x).members[:, k], z)
