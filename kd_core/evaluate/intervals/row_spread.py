"""What the choice of test rows alone makes of a metric: how far it would move with other rows of the same kind.

All models answer the same rows, so a difference between two of them moves less than either. A row's influence says
how the metric changes when that row weighs more; sums of influences over units (rows that belong together, or single
rows) give the standard error of any weighted sum of models, as a bootstrap of units would, without drawing.
Legend: M models, N rows, U units, B cells, D draws.

Source: Hampel 1974, doi:10.1080/01621459.1974.10482962 and Efron 1981, doi:10.1093/biomet/68.3.589 (the infinitesimal
jackknife equals the bootstrap to first order); DeLong et al. 1988 for the area under the ROC curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kd_core.data.dataset import Array
from kd_core.errors import KDError
from kd_core.evaluate.base import METRICS, Answers

DRAWS = 4000  # of cell sums, where a metric has no influence function; the standard error is then known to 1.1 %
CHUNK = 4096
# Parts of a metric: each row's cell (N,) int64 and value (N,); the metric is FromParts of the cells' means over all rows.
Parts = tuple[Array, Array]
FromParts = Callable[[Array], Array]  # (..., B) to (...)


def units_of(keys: Array) -> Array:
    """Number rows by what they belong to: the same key, the same unit. Shape: (N,) int64 from 0."""
    return np.asarray(np.unique(np.asarray(keys), return_inverse=True)[1].reshape(-1))


def row_standard_error(influence_N: Array, units_N: Array | None = None, least: float = 0.0) -> float:
    """Compute the standard error that the test rows give a metric, or a difference, of these influences.

    The root of the sum over units of (sum of influences in the unit)^2, over N, times sqrt(U / (U - 1)). Never below
    what leaving out the most important unit changes, nor below `least`. Infinite for fewer than two units: nothing is
    then known of other rows. Units: the metric's.

    Errors: KDError `unit_rows` when rows and units differ in number.
    """
    influence = np.asarray(influence_N, dtype=np.float64)
    sums, sizes = _by_unit(influence, units_N)
    n, u = len(influence), len(sizes)
    if u < 2:
        return math.inf
    spread = math.sqrt(float(sums @ sums) * u / (u - 1)) / n
    return max(spread, float((np.abs(sums) / (n - sizes)).max()), least)


@dataclass(frozen=True)
class RowSpread:
    """How several models' values of one metric move together with the test rows.

    values_M the metric of each model; influence_MN their influences; units_N from `units_of`, None: each row alone;
    draws_MD values of the metric in bootstrap draws, for a metric without influence function (its influences are then
    those away from its kinks, and serve the floor only); least: the smallest standard error of a difference.
    """

    metric: str
    values_M: Array
    influence_MN: Array
    units_N: Array | None
    draws_MD: Array | None
    least: float

    def standard_error(self, weights_M: Sequence[float] | Array, scale: float = 1.0) -> float:
        """Compute the standard error of a weighted sum of models; +1 and -1 for a difference. Units: the metric's.

        `scale`: what one unit of the metric is worth in the weighted sum, for the floor.
        """
        weights = np.asarray(weights_M, dtype=np.float64)
        found = row_standard_error(weights @ self.influence_MN, self.units_N, self.least * scale)
        if self.draws_MD is None or math.isinf(found):
            return found
        return max(float((weights @ self.draws_MD).std(ddof=1)), self.least * scale)


def row_spread(
    metric: str, models: Sequence[Answers], units_N: Array | None = None, values: Sequence[float | None] | None = None
) -> RowSpread | None:
    """Measure how a metric of these models moves with their common rows; None when it is undefined for one of them.

    `values`: the metric of each model where it is known already. Without units, rows that are compared with each other are one.

    Errors: KDError `unit_rows` when rows and units differ in number.
    """
    entry = METRICS.get(metric)
    if units_N is None and models and models[0].groups is not None:
        units_N = units_of(models[0].groups)
    if units_N is not None and models:
        _check_units(len(models[0].y), units_N)
    values = [entry.make(a) for a in models] if values is None else values
    known = [v for v in values if v is not None]
    if len(known) < len(values) or not known:
        return None
    values_M = np.array(known)
    if entry.facts["influence"] is None:
        parts = [entry.facts["parts"](a) for a in models]
        influence_MN, draws_MD = _draw(parts, entry.facts["from_parts"], units_N)
    else:
        influence_MN, draws_MD = np.stack([entry.facts["influence"](a) for a in models]), None
    least = _least(entry.facts["unit"], values_M, models[0])
    return RowSpread(metric, values_M, influence_MN, units_N, draws_MD, least)


def _by_unit(values_N: Array, units_N: Array | None) -> tuple[Array, Array]:
    """Add values up per unit. Shape: (U,) sums, (U,) rows."""
    if units_N is None:
        return values_N, np.ones(len(values_N))
    _check_units(len(values_N), units_N)
    sizes = np.bincount(units_N)
    sums = np.bincount(units_N, weights=values_N)
    return sums[sizes > 0], sizes[sizes > 0].astype(np.float64)


def _check_units(rows: int, units_N: Array) -> None:
    if len(units_N) != rows:
        raise KDError(
            "{rows} rows can't be divided into units by {units} values.",
            "Give every test row its unit.",
            "unit_rows",
            rows=rows,
            units=len(units_N),
        )


def _least(unit: str, values_M: Array, one: Answers) -> float:
    """The smallest standard error that N rows can support: one row told apart, in the metric's own unit.

    Shares: 1/N. Errors: the largest value over N, as if one row had it as its error; where every answer is exact, the
    spread of the target (or 1) in place of the value.
    """
    rows = len(one.y)
    if unit.startswith("share"):
        return 1 / rows
    largest = float(np.abs(values_M).max())
    if largest > 0:
        return largest / rows
    return (float(np.std(one.y)) or 1.0 if unit == "target" else 1.0) / rows


def _draw(parts: list[Parts], from_parts: FromParts, units_N: Array | None) -> tuple[Array, Array]:
    """Draw the metric from the joint normal law of its cell sums, which a bootstrap of units has for many rows.

    `parts`: per model each row's cell and value; the metric is `from_parts` of the mean over rows of values by cell.
    Drawn this way a thousand times the rows cost one sparse product. Shape: (M, N) influences, (M, D) draws.
    """
    n = len(parts[0][0])
    cells = max(int(cell.max()) for cell, _ in parts) + 1
    columns = np.stack([c + m * cells for m, (c, _) in enumerate(parts)], axis=1).ravel()
    values = np.stack([value for _, value in parts], axis=1).ravel()
    units = np.arange(n) if units_N is None else units_N
    shape = (int(units.max()) + 1, cells * len(parts))
    if units_N is None:
        row_sums = sparse.csr_array((values, columns, np.arange(n + 1) * len(parts)), shape=shape)
    else:
        row_sums = sparse.csr_array((values, (np.repeat(units, len(parts)), columns)), shape=shape)
    sizes = np.bincount(units).astype(np.float64)
    square = np.zeros((shape[1], shape[1]))
    # A dense product is quicker than a sparse one, in pieces that fit the processor's cache.
    for start in range(0, shape[0], CHUNK):
        piece = row_sums[start : start + CHUNK].toarray()
        square += piece.T @ piece
    mean = row_sums.sum(axis=0) / n
    cross = np.outer(mean, row_sums.T @ sizes)
    covariance = (square - cross - cross.T + (sizes @ sizes) * np.outer(mean, mean)) / n**2
    level, direction = np.linalg.eigh(covariance)
    root = direction * np.sqrt(np.maximum(level, 0))
    used = (sizes > 0).sum()
    noise = np.random.default_rng(0).standard_normal((DRAWS, len(mean))) @ root.T * math.sqrt(used / max(used - 1, 1))
    drawn = from_parts((mean + noise).reshape(DRAWS, len(parts), cells)).T
    signs = np.sign(mean).reshape(len(parts), cells)
    influence = np.stack([signs[m][cell] * value for m, (cell, value) in enumerate(parts)])
    return influence - influence.mean(axis=1, keepdims=True), np.asarray(drawn)
