import numpy as np
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.models.base import Outputs
from kd_core.teachers.base import SOURCES
from kd_core.teachers.network import hard_label_loss
from tests.teachers.tables import fit_data


def test_members_are_taught_alone():
    torch.manual_seed(0)
    members, y = torch.randn(6, 4, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    terms = hard_label_loss("multiclass", y)(Outputs(members.mean(1), None, members), torch.tensor([5, 0, 1, 2, 3, 4]))
    order = y[[5, 0, 1, 2, 3, 4]].numpy()
    z = members.double().numpy()
    log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
    expected = np.mean([-log_p[i, k, order[i]] for i in range(6) for k in range(4)])
    np.testing.assert_allclose(float(terms.total), expected, rtol=1e-6)


def test_numbers_are_taught_by_squared_error():
    z, y = torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])
    assert float(hard_label_loss("regression", y)(Outputs(z), torch.tensor([0, 1])).total) == 2.5


def test_the_callers_random_stream_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    entry = SOURCES.get("mlp")
    entry.make(entry.spec(size="tiny", epochs=1), fit_data("binary"), 5, lambda e: None, lambda: False)
    assert torch.equal(torch.rand(3), expected)


def test_wide_tables_are_told_that_columns_share_tokens():
    rng = np.random.default_rng(0)
    data = fit_data(
        "binary",
        inputs=table_inputs(300),
        x=rng.standard_normal((200, 300)).astype("f4"),
        x_validation=rng.standard_normal((100, 300)).astype("f4"),
    )
    events, entry = [], SOURCES.get("ft_transformer")
    entry.make(entry.spec(size="tiny", epochs=1), data, 0, events.append, lambda: False)
    said = [e for e in events if e["kind"] == "warning"]
    assert [e["code"] for e in said] == ["columns_share_tokens"]
    assert "300 encoded columns share tokens, 3 neighbours each" in said[0]["message"]
