"""What networks over pixels have in common: how large pictures begin, and how many are answered at once."""

from __future__ import annotations

from kd_core.data.input_spec import InputSpec

LARGE_SIDE = 32  # larger pictures are halved by the first convolution: a quarter of the work
PREDICT_BYTES = 2**27  # of the widest layer at once


def first_stride(inputs: InputSpec) -> int:
    """Return the step of the first convolution: 2 for large pictures."""
    return 2 if max(inputs.shape[1:]) > LARGE_SIDE else 1


def rows_at_once(inputs: InputSpec, filters: int) -> int:
    """Count the pictures that may be answered at once, by what a layer of so many filters takes."""
    _, height, width = inputs.shape
    return max(1, PREDICT_BYTES // (4 * filters * height * width))
