"""Made-up photos of vessels: bodies turned on a wheel, with light, pattern, shadow, clutter and noise.

What a vessel is shows in its outline alone, and outlines of neighbouring sorts overlap; colour, pattern and place say nothing.
Legend: S side of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
SIDE, FINE = 32, 2  # pixels of a side, and how many times finer it is drawn


@dataclass(frozen=True)
class Vessel:
    """How vessels of a sort are formed: mean and spread of each measure, in shares of the picture, and how often they have a handle."""

    height: tuple[float, float]
    foot: tuple[float, float]
    belly: tuple[float, float]
    rim: tuple[float, float]
    neck: tuple[float, float]  # where the belly ends, from the top
    handle: float


VESSELS = {
    "bottle": Vessel((0.72, 0.07), (0.26, 0.05), (0.30, 0.05), (0.12, 0.04), (0.34, 0.08), 0.04),
    "bowl": Vessel((0.34, 0.06), (0.26, 0.06), (0.52, 0.08), (0.66, 0.07), (0.30, 0.15), 0.05),
    "glass": Vessel((0.52, 0.09), (0.30, 0.06), (0.35, 0.06), (0.40, 0.07), (0.30, 0.15), 0.06),
    "jug": Vessel((0.60, 0.08), (0.34, 0.06), (0.42, 0.06), (0.27, 0.06), (0.30, 0.10), 0.82),
    "mug": Vessel((0.44, 0.07), (0.36, 0.06), (0.39, 0.05), (0.40, 0.05), (0.30, 0.15), 0.80),
    "vase": Vessel((0.64, 0.09), (0.24, 0.06), (0.40, 0.07), (0.24, 0.08), (0.38, 0.10), 0.10),
}


def photo(rng: np.random.Generator, sort: str, side: int = SIDE) -> Pixels:
    """Draw one vessel. Shape: (S, S, 3)."""
    size = side * FINE
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    picture = _background(rng, x, y)
    turned = rng.normal(0, 0.09)
    middle, foot = 0.5 + rng.normal(0, 0.05), 0.86 + rng.normal(0, 0.03)
    dx, dy = x - middle, y - foot
    along, across = -(dy * np.cos(turned) - dx * np.sin(turned)), dx * np.cos(turned) + dy * np.sin(turned)
    body, place, half = _body(rng, VESSELS[sort], along, across)
    picture *= (1 - 0.35 * np.exp(-((across / 0.3) ** 2 + (dy / 0.05) ** 2)))[..., None]  # its shadow
    colour = _colour(rng)
    light = 0.75 + 0.35 * np.clip(1 - np.abs(across / np.maximum(half, 1e-3) - rng.uniform(-0.6, 0.6)), -0.5, 1)
    drawn = colour * light[..., None]
    drawn = np.where(_pattern(rng, place, across)[..., None], _colour(rng) * light[..., None], drawn)
    picture = np.where(body[..., None], drawn, picture)
    if rng.random() < 0.2:  # something stands before it
        picture = np.where(_clutter(rng, x, y, low=0.55)[..., None], _colour(rng) * 0.8, picture)
    small = picture.reshape(side, FINE, side, FINE, 3).mean(axis=(1, 3))
    noisy = small * rng.uniform(0.7, 1.15) + rng.normal(0, 3, small.shape)
    drawn_bytes: Pixels = noisy.clip(0, 255).astype(np.uint8)
    return drawn_bytes


def _body(
    rng: np.random.Generator, vessel: Vessel, along: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Turn a body: its places, where on its height they are, and half its width there."""

    def drawn(measure: tuple[float, float]) -> float:
        return float(max(0.05, rng.normal(*measure)))

    height, neck = drawn(vessel.height), min(0.8, drawn(vessel.neck))
    place = along / height  # 0 at the foot, 1 at the rim
    ends = [0.0, (1 - neck) * 0.6, 1 - neck, 1.0]
    belly, rim = drawn(vessel.belly), drawn(vessel.rim)
    half = np.interp(place, ends, [drawn(vessel.foot) / 2, belly / 2, (belly + rim) / 4, rim / 2])
    body = (place >= 0) & (place <= 1) & (np.abs(across) <= half)
    if rng.random() < vessel.handle:
        to, thick = rng.choice([-1, 1]), rng.uniform(0.03, 0.05)
        radius = rng.uniform(0.16, 0.26) * height
        ring = np.hypot(across - to * belly / 2, along - height * rng.uniform(0.45, 0.6))
        body |= (np.abs(ring - radius) < thick) & (to * across > 0)
    return body, place, half


def _background(
    rng: np.random.Generator, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """A wall and a table, light from a side, and a few things that stand about."""
    slope = rng.normal(0, 0.3) * (x - 0.5) + rng.normal(0, 0.3) * (y - 0.5)
    edge = y > rng.uniform(0.55, 0.85)
    picture = np.where(edge[..., None], _colour(rng), _colour(rng)) * (0.9 + slope)[..., None]
    for _ in range(rng.integers(0, 3)):
        picture = np.where(_clutter(rng, x, y, low=0.0)[..., None], _colour(rng) * 0.9, picture)
    return np.asarray(picture)


def _clutter(
    rng: np.random.Generator, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], low: float
) -> npt.NDArray[np.bool_]:
    """A box or a ball somewhere below `low`."""
    at = rng.uniform(0, 1), rng.uniform(low, 1)
    wide, high = rng.uniform(0.04, 0.16, 2)
    if rng.random() < 0.5:
        return np.asarray((np.abs(x - at[0]) < wide) & (np.abs(y - at[1]) < high))
    return np.asarray(((x - at[0]) / wide) ** 2 + ((y - at[1]) / high) ** 2 < 1)


def _pattern(
    rng: np.random.Generator, place: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Bands, stripes, dots or nothing."""
    kind, often = rng.integers(4), rng.uniform(4, 9)
    if kind == 0:
        return np.asarray(np.sin(2 * np.pi * often * place) > rng.uniform(0, 0.9))
    if kind == 1:
        return np.asarray(np.sin(2 * np.pi * often * 2 * across) > rng.uniform(0, 0.9))
    if kind == 2:
        return np.asarray(np.sin(2 * np.pi * often * place) * np.sin(2 * np.pi * often * 2 * across) > 0.5)
    return np.zeros(place.shape, bool)


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return rng.uniform(40, 235, 3)
