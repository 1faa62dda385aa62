"""Heavy-tailed numbers mapped to a normal distribution, by straight lines between a few knots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.floating]
KNOTS = 33  # evenly spaced in the normal distribution, so that the tails have their share
_EDGE = 5e-4  # furthest tail share: values beyond the training range end at +-3.3


def curve(values: Floats) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Find knots of values, and the normal quantile of each knot's rank; equal values share the middle of their ranks.

    scikit-learn's QuantileTransformer puts a mass at the smallest value (durations of 0) at -5.2 instead, which swamps a
    network's first layer. Between two knots a straight line is drawn, so that a graph of plain operations can do the same.

    Shape: (N,) -> K ascending knots, K ascending values, mean about 0, sd about 1; K at most `KNOTS`.
    """
    ordered = np.sort(values).astype(np.float32)
    last = len(ordered) - 1
    levels = ndtr(np.linspace(ndtri(_EDGE), -ndtri(_EDGE), KNOTS))
    at = np.concatenate([[0], np.rint(levels[1:-1] * last).astype(np.int64), [last]])
    knots = np.unique(ordered[at])
    below, above = (np.searchsorted(ordered, knots, side=side) for side in ("left", "right"))
    rank = (below + above) / (2 * len(ordered))
    return knots, ndtri(np.clip(rank, _EDGE, 1 - _EDGE)).astype(np.float32)


def bent(values: Floats, knots: Floats, heights: Floats) -> Floats:
    """Map values by straight lines between knots, constant beyond them. Shape: (N,) -> (N,)."""
    found: Floats = np.interp(values, knots, heights)
    return found


def heavy_tailed(values: Floats) -> bool:
    """Say whether a few values lie so far out that scaling would squeeze all the others together."""
    spread = values.std()
    if spread == 0:
        return False
    z = (values - values.mean()) / spread
    return bool(np.abs(z).max() > 5 or abs(float((z**3).mean())) > 2)
