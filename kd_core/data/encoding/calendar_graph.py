"""Times taken apart by ONNX operations, all columns of times together: days, year, and month, weekday and hour on a circle.

Every operation costs a row alone a hundredth of its answer, so that there are as few as can be: what has few values (month,
weekday) is looked up, and the tables hold a last value for a missing time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from kd_core.limits import TURN_DIGITS

DAY = 86_400.0
_FLOAT = onnx.TensorProto.FLOAT
# Days and months of the Gregorian calendar from 1 March 0000 on, a Wednesday: leap days then end a year. Divisors have halves
# and quarters that keep them exact, or whole steps away from where rounding could matter; true from the year 0 on.
# Sources: H. Hinnant, chrono-compatible low-level date algorithms; Neri and Schneider 2022, Euclidean affine functions.
_TO_MARCH_0, _CENTURY, _YEAR, _MONTH = 719_468.75, 36_524.25, 365.25, 30.6


class CalendarGraph:
    """Writes operations by `node(operation, *inputs)` and constants by `weight(values)`. Legend: N rows, D columns."""

    def __init__(self, node: Callable[..., str], weight: Callable[[Any], str]) -> None:
        self.node, self.weight = node, weight

    def parts(
        self, raw: str, times: Sequence[tuple[float, float, float]], needed: Collection[str], blank: bool
    ) -> dict[str, str]:
        """Write what is needed: days, year, month sin, ... missing. Shape: raw (N, D) seconds -> parts (N, D) float32.

        `times`: mean and deviation of the days, and the mean year, of each column. `blank`: NaN where a time is missing.
        """
        mean, std, year = (np.array(one, np.float64) for one in zip(*times, strict=True))
        node, plus = self.node, self._with
        hole = node("IsNaN", raw)
        days = node("Where", hole, self.weight(mean), plus("Div", raw, DAY))
        day = node("Floor", days)
        away = plus("Div", plus("Sub", days, mean), std)
        found = {"days": node("Clip", away, self.weight(np.float64(-10)), self.weight(np.float64(10)))}
        if blank:
            found["days"] = self._filled(hole, np.nan, found["days"])
        found = {"days": self._short(found["days"])}
        if "missing" in needed:
            found["missing"] = self._short(hole)
        march = plus("Add", day, _TO_MARCH_0)
        if "weekday sin" in needed:
            found |= self._circle("weekday", plus("Mod", march, 7.0, fmod=1), hole, (np.arange(7) + 2) % 7, blank)
        if "month sin" in needed or "year" in needed:
            century = node("Floor", plus("Div", march, _CENTURY))
            even = node("Sub", node("Add", march, century), node("Floor", plus("Mul", century, 0.25)))
            of_year = node("Floor", plus("Mod", even, _YEAR, fmod=1))
            month = plus("Div", plus("Add", of_year, 0.5), _MONTH)  # below 1 is March
            if "month sin" in needed:
                found |= self._circle("month", month, hole, (np.arange(12) + 2) % 12, blank)
            if "year" in needed:
                late = node("Floor", plus("Mul", node("Floor", month), 0.1))  # next January and February
                calendar = node("Add", node("Floor", plus("Div", even, _YEAR)), late)
                cut = node(
                    "Clip", plus("Sub", calendar, year), self.weight(np.float64(-50)), self.weight(np.float64(50))
                )
                found["year"] = self._short(self._filled(hole, np.nan if blank else 0.0, cut))
        if "hour sin" in needed:
            turn = node("Sub", days, day)
            angle, digits = (
                plus("Mul", self._filled(hole, np.nan, turn) if blank else turn, 2 * np.pi),
                10.0**TURN_DIGITS,
            )
            for wave in ("Sin", "Cos"):
                rounded = node("Round", plus("Mul", node(wave, angle), digits))
                found[f"hour {wave.lower()}"] = self._short(plus("Div", rounded, digits))
        return found

    def _circle(self, name: str, place: str, hole: str, order: npt.NDArray[Any], blank: bool) -> dict[str, str]:
        """Look up the places on a circle of as many steps as `order` has, by the whole part of `place`."""
        at = self.node("Cast", self._filled(hole, float(len(order)), place), to=onnx.TensorProto.INT32)
        found = {}
        for wave, of in (("sin", np.sin), ("cos", np.cos)):
            held = np.round(of(2 * np.pi * (np.append(order, 0) / len(order))), TURN_DIGITS)
            held[-1] = np.nan if blank else held[-1]
            found[f"{name} {wave}"] = self.node("Gather", self.weight(held.astype(np.float32)), at)
        return found

    def _with(self, operation: str, value: str, by: Any, **settings: Any) -> str:
        return self.node(operation, value, self.weight(np.atleast_1d(np.asarray(by, np.float64))), **settings)

    def _filled(self, hole: str, fill: float, value: str) -> str:
        return self.node("Where", hole, self.weight(np.float64(fill)), value)

    def _short(self, value: str) -> str:
        return self.node("Cast", value, to=_FLOAT)
