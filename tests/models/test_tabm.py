from dataclasses import dataclass

import numpy as np
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.evaluate.latency import onnx_session
from kd_core.models import building
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.task import task_of
from kd_core.tasks.regression import Regression


@dataclass(frozen=True)
class Parted(Regression):
    """A number, and beside it two classes."""

    def parts(self, y, z, mean, std):
        return {"side": ("binary", (y > mean).astype(np.int64), z[:, 1:3])}


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


def test_each_part_of_a_task_is_averaged_as_its_kind_is():
    module, x = made(5), torch.randn(9, 6)
    alone = module(x)
    module.combine([("number", (0, 3)), ("classes", (4, 2)), ("classes", (1,))])
    out = module(x)
    assert torch.equal(out.members, alone.members)
    torch.testing.assert_close(out.logits[:, [0, 3]], out.members[..., [0, 3]].mean(1))
    mean = torch.softmax(out.members[..., [4, 2]], -1).mean(1)
    torch.testing.assert_close(out.logits[:, [4, 2]].exp(), mean)
    assert torch.equal(out.logits[:, 1], torch.zeros(9))  # the only class there is


def test_a_task_tells_an_ensemble_its_parts(monkeypatch):
    known = Parted(name="parted", title="a number and a side", primary="rmse", stopping="rmse", objective="mse")
    assert known.kinds(3) == (("number", (0,)), ("classes", (1, 2)))
    assert task_of("regression").kinds(1) == (("number", (0,)),)
    assert task_of("multiclass").kinds(4) == (("classes", (0, 1, 2, 3)),)
    monkeypatch.setattr(building, "task_of", lambda name: known)
    module = build(Choice(name="tabm", settings={"size": "tiny", "members": 4}), table_inputs(6), 3, "parted").eval()
    out = module(torch.randn(9, 6))
    torch.testing.assert_close(out.logits[:, 0], out.members[..., 0].mean(1))
    torch.testing.assert_close(out.logits[:, 1:].exp().sum(1), torch.ones(9))
    session = onnx_session(module, table_inputs(6))
    x = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], module(torch.from_numpy(x)).logits.detach(), atol=1e-5)


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


def test_labels_are_averaged_each_by_itself():
    network = made(3)
    network.combine(task_of("multilabel").kinds(3))
    out = network(torch.randn(9, 6))
    torch.testing.assert_close(torch.sigmoid(out.logits), torch.sigmoid(out.members).mean(1))
