"""Heavy-tailed numbers mapped to a normal distribution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
KNOTS = 500
_EDGE = 5e-4  # furthest tail share: values beyond the training range end at +-3.3


def knots_of(values: Floats) -> Floats:
    """Take the quantiles of values at even levels. Shape: (N,) -> (K,), K at most `KNOTS`."""
    return np.asarray(np.quantile(values, np.linspace(0, 1, min(KNOTS, len(values)))))


def normal_quantiles(values: Floats, knots: Floats) -> Floats:
    """Map values to the normal quantile of their rank among those that the knots were taken from.

    Equal values get the middle of their ranks. scikit-learn's QuantileTransformer puts a mass at the smallest
    value (durations of 0) at -5.2 instead, which swamps a network's first layer.

    Shape: (N,) -> (N,), mean about 0, sd about 1.
    """
    levels = np.linspace(0, 1, len(knots))
    below = np.interp(values, knots, levels)
    above = -np.interp(-values, -knots[::-1], -levels[::-1])
    result: Floats = ndtri(np.clip((below + above) / 2, _EDGE, 1 - _EDGE))
    return result


def heavy_tailed(values: Floats) -> bool:
    """Say whether a few values lie so far out that scaling would squeeze all the others together."""
    spread = values.std()
    if spread == 0:
        return False
    z = (values - values.mean()) / spread
    return bool(np.abs(z).max() > 5 or abs(float((z**3).mean())) > 2)
