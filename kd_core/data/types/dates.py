"""Text cells read as dates and times."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.types.cells import looks_like_date

_DATE = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%Y年%m月%d日",
)
_TIME = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_SWAP = {"%d/%m/": "%m/%d/", "%m/%d/": "%d/%m/", "%d-%m-": "%m-%d-", "%m-%d-": "%d-%m-"}
UNIX_SECONDS = "unix seconds"
ISO = "ISO 8601"


def read_dates(texts: list[str], form: str) -> npt.NDArray[np.datetime64] | None:
    """Read all texts in one format, or return None when one of them does not fit."""
    values = coerce_dates(texts, form)
    return None if bool(np.isnat(values).any()) else values


def coerce_dates(texts: list[str], form: str) -> npt.NDArray[np.datetime64]:
    """Read texts in one format; what does not fit becomes NaT. Shape: (N,) datetime64[us], UTC where a zone is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns about mixed zones; NaT is checked by the caller
        if form == UNIX_SECONDS:
            seconds = pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce")
            found = pd.to_datetime(seconds, unit="s", errors="coerce")
        elif form == ISO:
            found = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        else:
            found = pd.to_datetime(pd.Series(texts), format=form, errors="coerce")
    values: npt.NDArray[np.datetime64] = found.to_numpy().astype("datetime64[us]")
    return values


def find_format(texts: list[str]) -> tuple[str, bool] | None:
    """Find the format of a sample of texts, and whether day and month could be swapped as well.

    Example:
        >>> find_format(["2024-01-31", "2024-02-01"])
        ('%Y-%m-%d', False)
        >>> find_format(["03/04/2024"])
        ('%d/%m/%Y', True)
    """
    if not texts or not all(looks_like_date(t) for t in texts):
        return None
    for time in _TIME:
        for date in _DATE:
            form = date + time
            if read_dates(texts, form) is not None:
                other = next((form.replace(a, b) for a, b in _SWAP.items() if form.startswith(a)), None)
                return form, other is not None and read_dates(texts, other) is not None
    return (ISO, False) if read_dates(texts, ISO) is not None else None
