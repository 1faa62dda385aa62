"""The made-up table of a scenario as a file: gzipped CSV, or a zip of a CSV and the pictures that it names. Same seed, same rows."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from kd_core.data.pictures.column import pixels_of, shape_of
from kd_core.scenarios.base import SCENARIOS
from kd_core.seeding import derive

SEED = 20261120
QUALITY = 80  # of WebP: a picture of 32 x 32 takes 500 to 700 bytes, as PNG 2,500
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows: the same rows give the same bytes


def write_sample(name: str, folder: Path, rows: int | None = None) -> Path:
    """Make a scenario's table, as many rows as it has by itself where none are said, and write it. Errors: UnknownName."""
    entry = SCENARIOS.get(name)
    frame = entry.make(np.random.default_rng(derive(SEED, name)), rows or entry.facts["rows"])
    pictures = [str(n) for n in frame.columns if shape_of(frame[n])]
    path = folder / f"{entry.facts['sample']}{'.zip' if pictures else '.csv.gz'}"
    path.write_bytes(_zipped(frame, pictures) if pictures else _packed(frame))
    return path


def _packed(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as out:
        out.write(_csv(frame))
    return file.getvalue()


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _zipped(frame: pd.DataFrame, pictures: list[str]) -> bytes:
    """Write each picture as a file, and its name in the table."""
    from PIL import Image

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for column in pictures:
            names = [f"{column}s/{number:04}.webp" for number in range(len(frame))]
            for name, pixels in zip(names, pixels_of(frame[column]), strict=True):
                one = io.BytesIO()
                Image.fromarray(pixels).save(one, "WEBP", quality=QUALITY, method=6)
                archive.writestr(zipfile.ZipInfo(name, _TIME), one.getvalue())
            frame = frame.assign(**{column: names})
        archive.writestr(zipfile.ZipInfo("offers.csv", _TIME), _csv(frame), zipfile.ZIP_DEFLATED, 9)
    return file.getvalue()
