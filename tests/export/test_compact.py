"""The packed form of a student's file, and what hostile bytes are told."""

from __future__ import annotations

import lzma

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.export import compact


def model(size=20_000):
    return np.random.default_rng(0).integers(0, 40, size, dtype=np.uint8).tobytes()


def test_packing_loses_nothing_and_xz_itself_opens_it():
    data = model()
    small = compact.packed(data)
    assert compact.unpacked(small) == data == lzma.decompress(small) and compact.packed(data) == small
    assert len(small) <= len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) < len(data)
    assert compact.unpacked(compact.packed(b"")) == b""


def refused(data, code, most=compact.MOST_BYTES):
    with pytest.raises(KDError) as caught:
        compact.unpacked(data, most)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.slow
def test_a_file_that_holds_too_much_is_not_unpacked():
    bomb = lzma.compress(bytes(50 * 2**20), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 4096}])
    assert len(bomb) < 10_000
    assert "holds more than 1 MB, which no student's file does" in refused(bomb, "compact_large", 2**20)
    assert compact.unpacked(compact.packed(bytes(2**20 - 1)), 2**20) == bytes(2**20 - 1)
    greedy = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**30}])
    refused(greedy, "compact_large")  # asks for a gigabyte before the first byte


def test_a_broken_file_is_named():
    small = compact.packed(model())
    assert "is cut off" in refused(small[:-20], "compact_damaged")
    assert "3 bytes follow its end" in refused(small + b"abc", "compact_damaged")
    assert "can't be opened: Input format not supported by decoder" in refused(b"not packed at all", "compact_damaged")
    assert "cut off" in refused(b"", "compact_damaged")
    middle = bytearray(small)
    middle[len(small) // 2] ^= 255
    refused(bytes(middle), "compact_damaged")
    refused(lzma.compress(model(), format=lzma.FORMAT_ALONE), "compact_damaged")
