"""Pictures of a zip brought to one size; runs in a child process, for what decodes pictures can be made to explode.

Legend: N pictures, H rows and W columns of pixels, K bands.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from kd_core import limits
from kd_core.data.files.caps import check_bytes
from kd_core.data.plain.picture import FORMATS, other, pixels, short

__all__ = ["FORMATS", "common_size", "decode", "other", "pixels", "short"]

LEAST_SIDE = 8  # smaller pictures are enlarged: networks halve them up to three times
_GREY = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I")
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)


def decode(path: str, members: list[str], side: int, target: str, name: str) -> dict[str, Any]:
    """Write the pictures as one `.npy` of (N, H, W, K) uint8; return what was found.

    Every picture is turned as its camera says, laid on white where it is transparent, and stretched to the common
    size: the middle width and height, at most `side`. Grey when all are. `broken` has [position, why] of those left out.
    Errors: DataError `unpacks_too_large`.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own, lower bound refuses with a reason, where Pillow's warns
    broken: list[list[Any]] = []
    sizes: list[tuple[int, int]] = []
    grey, turned, moving, usable = True, 0, 0, []
    with zipfile.ZipFile(path) as archive:
        for at, picture, why in _opened(archive, members):
            if picture is None:
                broken.append([at, why])
                continue
            orientation = picture.getexif().get(_ORIENTATION, 1) if picture.format != "PNG" else 1
            sizes.append(picture.size[::-1] if orientation in _SIDEWAYS else picture.size)
            turned += orientation not in (0, 1)
            moving += getattr(picture, "n_frames", 1) > 1
            grey = grey and picture.mode in _GREY
            usable.append(at)
        if not usable:
            return {"broken": broken, "kept": [], "sizes": 0}
        shape = (*common_size(sizes, side), 1 if grey else 3)
        check_bytes(name, len(usable) * int(np.prod(shape)))
        out = np.lib.format.open_memmap(target, "w+", np.uint8, (len(usable), *shape))
        kept: list[int] = []
        for place, picture, why in _opened(archive, [members[at] for at in usable]):
            try:
                if picture is None:
                    raise OSError(why)
                out[len(kept)] = pixels(picture, shape)
            except MemoryError:
                raise
            except Exception as error:  # hostile bytes raise anything; the picture is named with what was said
                broken.append([usable[place], short(error)])
                continue
            kept.append(usable[place])
        out.flush()
    scaled = sum((h, w) != shape[:2] for w, h in sizes)
    return {
        "broken": broken,
        "kept": kept,
        "sizes": len(set(sizes)),
        "turned": turned,
        "moving": moving,
        "scaled": scaled,
    }


def _opened(archive: zipfile.ZipFile, members: list[str]) -> Iterator[tuple[int, Image.Image | None, str]]:
    """Open the pictures one after another, their heads read and bounded; None with the reason where one can't be."""
    for at, member in enumerate(members):
        try:
            data = archive.read(member)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                large = width * height > limits.PICTURE_PIXELS
                yield at, None if large else picture, f"{width:,} x {height:,} pixels" if large else ""
        except MemoryError:
            raise
        except UnidentifiedImageError:
            yield at, None, other(data)
        except Exception as error:  # as above
            yield at, None, short(error)


def common_size(sizes: list[tuple[int, int]], side: int) -> tuple[int, int]:
    """Choose the height and width for pictures of these (width, height): the middle of each, the longer at most `side`."""
    width, height = (median(s[axis] for s in sizes) for axis in (0, 1))
    shrink = min(1.0, side / max(width, height))
    return max(LEAST_SIDE, round(height * shrink)), max(LEAST_SIDE, round(width * shrink))
