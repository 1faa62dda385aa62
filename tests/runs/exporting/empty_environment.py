"""A Python that has only what a bundle's requirements name, made of the packages that are installed here: no network is needed."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement


def python_with(requirements, place):
    """Make an empty environment in `place`, put the required packages and what they need into it, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, capture_output=True)
    (site,) = place.glob("lib/python*/site-packages") if sys.platform != "win32" else place.glob("Lib/site-packages")
    for name in sorted(_closure(requirements)):
        here = importlib.metadata.distribution(name)
        for top in {Path(str(file)).parts[0] for file in here.files or () if ".." not in Path(str(file)).parts}:
            source, link = Path(str(here.locate_file(top))), site / top
            if source.exists() and not link.exists() and top != "__pycache__":
                link.symlink_to(source)
    return next(place.glob("bin/python")) if sys.platform != "win32" else place / "Scripts" / "python.exe"


def _closure(requirements):
    found, left = set(), [Requirement(one) for one in requirements]
    while left:
        one = left.pop()
        if one.name.lower() in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        assert importlib.metadata.version(one.name) in one.specifier or not one.specifier, str(one)
        found.add(one.name.lower())
        left += [Requirement(text) for text in importlib.metadata.requires(one.name) or ()]
    return found
