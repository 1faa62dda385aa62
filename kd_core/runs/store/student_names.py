"""What students are called where a person reads of them: by one short name everywhere, and once with the kind of model that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core import listing


def kind_of(name: str, arch: str) -> str | None:
    """Say of which kind a student is, as the form calls it; None where its name says so already.

    Example:
        >>> kind_of("piecewise tiny", "piecewise"), kind_of("cnn tiny", "cnn")
        ('MLP on piecewise-linear numbers', None)
    """
    title = listing.title_of("kd_core.models", "ARCHS", arch)
    return None if title is None or title.casefold() in name.casefold() else title


def student_title(name: str, arch: str) -> str:
    """Name a student with its kind, so that its short name is known wherever it stands alone.

    Example:
        >>> student_title("piecewise tiny", "piecewise")
        'piecewise tiny (MLP on piecewise-linear numbers)'
    """
    kind = kind_of(name, arch)
    return name if kind is None else f"{name} ({kind})"


def kind(student: Mapping[str, Any]) -> str | None:
    """Say the kind of a student as result.json tells of it; an older result does not tell it."""
    return kind_of(str(student["name"]), str((student.get("arch") or {}).get("name", "")))


def titled(student: Mapping[str, Any]) -> str:
    """Name a student with its kind, as result.json tells of it."""
    return student_title(str(student["name"]), str((student.get("arch") or {}).get("name", "")))
