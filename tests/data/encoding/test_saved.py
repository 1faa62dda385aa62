"""What was learned is written as JSON and npz, and comes back as it was."""

import json

import numpy as np
import pytest

from kd_core.data.encoding.saved import pack, unpack


def test_values_and_arrays_come_back_part_by_part():
    parts = {
        "a": {"mean": 0.1 + 0.2, "names": ("x", "y"), "knots": np.arange(3.0), "_tool": object()},
        "b/c": {"known": {"red": 0}, "knots": np.ones((2, 2), np.float32)},
    }
    files = pack("learned", parts)
    assert set(files) == {"learned.json", "learned.npz"} and json.loads(files["learned.json"])["a"]["names"] == [
        "x",
        "y",
    ]
    back = unpack("learned", files)
    assert list(back) == ["a", "b/c"] and back["a"]["mean"] == 0.1 + 0.2 and back["a"]["names"] == ("x", "y")
    assert "_tool" not in back["a"] and back["b/c"]["known"] == {"red": 0}
    assert np.array_equal(back["a"]["knots"], np.arange(3.0)) and back["b/c"]["knots"].dtype == np.float32
    assert pack("learned", back) == files


def test_what_is_no_plain_value_is_refused():
    with pytest.raises(TypeError):
        pack("learned", {"a": {"scale": lambda x: x}})
    with pytest.raises(ValueError, match="Out of range float"):
        pack("learned", {"a": {"mean": float("nan")}})
