"""A way made ready: what is said while it is compiled, and what fails in words."""

import contextlib
import warnings

import pytest

from kd_core.errors import KDError
from kd_core.runs.timing.ways import Ready


def made(predict):
    return Ready(predict, lambda rows: [rows], contextlib.nullcontext, 0.0)


def test_the_compilers_advice_to_round_products_is_not_passed_on_and_other_warnings_are():
    made(
        lambda x: warnings.warn("TensorFloat32 tensor cores for float32 matrix multiplication available", stacklevel=1)
    ).turn(1)
    with pytest.raises(KDError, match="It can't be timed so: UserWarning: something else"):
        made(lambda x: warnings.warn("something else", stacklevel=1)).turn(1)
