"""A student's file packed without loss: the very same model in fewer bytes, in a format that `xz` itself opens."""

from __future__ import annotations

import lzma

from kd_core.errors import KDError

SUFFIX = ".onnx.xz"
MOST_BYTES = (
    200 * 2**20
)  # of a model: a student's file has some hundred kilobytes, and few bytes can claim to be gigabytes
# Weights of two bytes suit the first, lists of trees and names the others; which one is shortest is tried. lc, lp, pb: see xz(1).
_WAYS = ((0, 1, 1), (3, 0, 2), (3, 0, 0), (0, 0, 0))
LARGE = 2**20  # a file beyond is weights for the most part, and each way takes two seconds for 2 MB


def packed(data: bytes) -> bytes:
    """Pack a file; the same bytes give the same bytes."""
    longest = max(4096, len(data))
    ways = _WAYS if len(data) <= LARGE else _WAYS[:1]
    return min((lzma.compress(data, check=lzma.CHECK_CRC32, filters=[_way(*way, longest)]) for way in ways), key=len)


def _way(lc: int, lp: int, pb: int, longest: int) -> dict[str, int]:
    level = 9 | lzma.PRESET_EXTREME
    return {"id": lzma.FILTER_LZMA2, "preset": level, "dict_size": longest, "lc": lc, "lp": lp, "pb": pb}


def unpacked(data: bytes, most: int = MOST_BYTES) -> bytes:
    """Unpack what `packed` made. Errors: KDError `compact_damaged`, `compact_large`. Units: bytes."""
    opened = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * most)
    try:
        found = opened.decompress(data, max_length=most)
    except lzma.LZMAError as error:
        if "Memory usage limit" in str(error):
            raise _large(most) from None
        raise _damaged(str(error)) from None
    if opened.eof and opened.unused_data:
        raise _damaged(f"{len(opened.unused_data):,} bytes follow its end")
    if not opened.eof:
        raise _large(most) if len(found) >= most else _damaged("it is cut off")
    return found


def _damaged(why: str) -> KDError:
    return KDError(
        "The packed file can't be opened: {why}.",
        "Copy it again from the run, or use the .onnx file beside it.",
        "compact_damaged",
        why=why.rstrip("."),
    )


def _large(most: int) -> KDError:
    return KDError(
        "The packed file holds more than {most:,} MB, which no student's file does.",
        "Do not open it; copy it again from the run.",
        "compact_large",
        most=most // 2**20,
    )
