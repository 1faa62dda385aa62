"""What students are called where a person reads of them: by the title of their architecture, as the form shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core import listing


def student_title(name: str, arch: str) -> str:
    """Name a student by its kind and its size: 'CNN (tiny)'; one that a person named, by that name.

    Example:
        >>> student_title("cnn tiny", "cnn")
        'CNN (tiny)'
    """
    title = listing.title_of("kd_core.models", "ARCHS", arch) if name == arch or name.startswith(f"{arch} ") else None
    if title is None:
        return name
    size = name.removeprefix(arch).strip()
    return f"{title} ({size})" if size else title


def titled(student: Mapping[str, Any]) -> str:
    """Name a student as result.json tells of it; an older result does not say of which kind it is."""
    return student_title(str(student["name"]), str((student.get("arch") or {}).get("name", "")))
