"""What the zip library raises on damaged archives, told as one error."""

from __future__ import annotations

import contextlib
import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from kd_core.errors import DataError

# Seen with changed bytes: each of these comes out of zipfile, besides OSError for a negative offset or bad bzip2 data.
ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
    OverflowError,
    struct.error,
    RuntimeError,
    IndexError,
)


@contextlib.contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn a damaged archive's many errors into a DataError with code `incomplete`."""
    try:
        yield
    except ZIP_DAMAGE as error:
        raise _damaged(name, error) from None
    except OSError as error:
        if not is_damage(error):
            raise
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> DataError:
    return DataError(
        "{name} is incomplete or damaged ({reason}).",
        "Upload it again.",
        "incomplete",
        name=name,
        reason=in_words(error),
    )


def in_words(error: Exception) -> str:
    """Say what a library found, without the system's own words for a failed read."""
    if isinstance(error, OSError):
        return "a part lies outside the file" if error.errno == errno.EINVAL else "a packed part is broken"
    return str(error)[:200] or type(error).__name__


def is_damage(error: OSError) -> bool:
    """Say whether a failed read speaks of the file; a full disk does not, and bzip2 errors carry no number."""
    return error.errno in (None, errno.EINVAL)
