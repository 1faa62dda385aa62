"""Small zips of drawn pictures for the tests."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def encoded(picture: Image.Image, form: str = "PNG", **more: object) -> bytes:
    """Write a picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, form, **more)
    return file.getvalue()


def drawn(kind: str, rng: np.random.Generator, side: int = 16, colour: bool = False) -> Image.Image:
    """Draw a bar, a ring or a star somewhere on noise."""
    yy, xx = np.mgrid[:side, :side] - rng.uniform(0.35, 0.65, 2).reshape(2, 1, 1) * side
    radius = side * rng.uniform(0.2, 0.3)
    shape = {
        "bar": (np.abs(yy) < side / 10) & (np.abs(xx) < 1.5 * radius),
        "ring": np.abs(np.hypot(yy, xx) - radius) < side / 12,
        "star": (np.minimum(np.abs(yy), np.abs(xx)) < side / 12) & (np.maximum(np.abs(yy), np.abs(xx)) < radius),
    }[kind]
    grey = rng.normal(60, 25, (side, side)) + 110 * shape
    if colour:
        grey = np.stack([grey * f for f in rng.uniform(0.5, 1, 3)], axis=2)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """Pack files by member name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def shapes(each: int = 60, kinds: tuple[str, ...] = ("bar", "ring", "star"), **more: object) -> dict[str, bytes]:
    """Draw class folders of pictures."""
    rng = np.random.default_rng(0)
    return {f"{kind}s/{i:03}.png": encoded(drawn(kind, rng, **more)) for kind in kinds for i in range(each)}
