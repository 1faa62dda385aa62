"""What keeps a result from being read, named for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kd_core.errors import KDError


@contextmanager
def damage() -> Iterator[None]:
    """Name what keeps a result from being read. Errors: KDError `damaged_result`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise KDError(
            "The result can't be read: {what}.",
            "Run it again, or delete the run.",
            "damaged_result",
            what=f"{type(error).__name__} {error}",
        ) from None
