"""The cost of a day: plain arithmetic, followed by hand."""

from __future__ import annotations

import pytest

from kd_core.errors import SpecError
from kd_core.evaluate.cost import CostSpec, cost


def test_a_day_followed_by_hand():
    asked = CostSpec(per_day=1_000_000, price=0.05, utilisation=0.5, batch=1)
    found = cost(3.6, 1, asked)  # a million times 3.6 ms: 3,600 s, an hour of work, two that are paid for
    assert found.seconds == pytest.approx(3600) and found.core_hours == pytest.approx(2)
    assert found.money == pytest.approx(0.10) and found.cores == pytest.approx(2 / 24)


def test_batches_share_their_time_and_threads_do_not():
    asked = CostSpec(per_day=256_000, price=1.0, utilisation=1.0, batch=256)
    one, two = cost(10.0, 1, asked), cost(10.0, 2, asked)
    assert one.seconds == pytest.approx(10.0) and two.seconds == pytest.approx(20.0)
    assert one.core_hours == pytest.approx(10 / 3600) == one.money


@pytest.mark.parametrize(
    "wrong", [{"per_day": 0}, {"price": -1}, {"utilisation": 0}, {"utilisation": 1.1}, {"batch": 0}]
)
def test_assumptions_that_can_not_be_are_refused(wrong):
    with pytest.raises(SpecError) as refused:
        CostSpec.parse(wrong, "cost")
    assert next(iter(wrong)) in str(refused.value)
