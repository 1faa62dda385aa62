"""What a grade is worth to whoever looks for good rows."""

from __future__ import annotations

from typing import Any


def gains(y: Any) -> Any:
    """Turn grades into gains, 2^grade - 1: 0 where a row is not relevant. `y`: an array or a tensor.

    Source: Burges et al. 2005, Learning to Rank using Gradient Descent.
    """
    return 2.0**y - 1.0
