"""Networks counted as they stand: the same as before they were made, and fewer where weights are 0."""

from __future__ import annotations

import pytest
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.models.building import build
from kd_core.models.sizes import counted, sizes
from kd_core.specs import Choice


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
