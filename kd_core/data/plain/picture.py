"""One picture brought to the size that a model was taught with. Legend: H rows and W columns of pixels, K bands."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from kd_core.limits import PICTURE_PIXELS

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
# By how they begin: what people name .png that is none of these. Only named, never opened.
OTHERS = (
    (b"GIF8", "a GIF"),
    (b"8BPS", "a PSD"),
    (b"%!PS", "an EPS"),
    (b"%PDF", "a PDF"),
    (b"SIMPLE  =", "a FITS"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an SVG or XML"),
)


def decoded(data: bytes, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8] | str:
    """Decode the content of a file into the size and bands asked for; or say in words why it can't be. Shape: (H, W, K) uint8."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > PICTURE_PIXELS:
                return f"{width:,} x {height:,} pixels, at most {PICTURE_PIXELS:,} are read"
            return pixels(picture, shape)
    except MemoryError:
        raise
    except UnidentifiedImageError:
        return other(data)
    except Exception as error:  # hostile bytes raise anything; what was said is passed on
        return short(error)


def pixels(picture: Image.Image, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Decode one opened picture into the common size and bands. Shape: (H, W, K) uint8."""
    height, width, bands = shape
    if picture.format == "JPEG":
        picture.draft(None, (2 * width, 2 * height))  # decodes large ones at a half, a quarter or an eighth
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits: the upper 8 count
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("L" if bands == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(picture).reshape(shape)


def other(data: bytes) -> str:
    """Say what bytes are that are no picture we open, where their beginning tells."""
    found = next((what for start, what in OTHERS if data.lstrip().startswith(start)), "")
    return f"it is {found}, not a PNG, JPEG, WebP or BMP" if found else "no PNG, JPEG, WebP or BMP"


def short(error: Exception) -> str:
    """Shorten what a library said."""
    return str(error)[:120] or type(error).__name__
