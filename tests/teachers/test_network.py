import numpy as np
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.teachers.base import SOURCES
from tests.teachers.tables import fit_data


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
