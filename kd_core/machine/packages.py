"""Which version of a package is installed here."""

from __future__ import annotations

import importlib.metadata
import sys


def version(name: str) -> str:
    """Return a package's installed version. Errors: importlib.metadata.PackageNotFoundError.

    Trap: `importlib.metadata.version` walks `sys.path` itself. A browser app puts its script's folder there and takes it away again with each
    run of a page, in another thread; the walk then leaves out a folder, and a package that is installed is not found. A copy does not change.
    """
    for found in importlib.metadata.distributions(name=name, path=list(sys.path)):
        return found.version
    raise importlib.metadata.PackageNotFoundError(name)
