"""What was learned, as files that any program can read: JSON for numbers and words, npz for arrays; never a pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def pack(name: str, parts: Mapping[str, Mapping[str, Any]], **facts: Any) -> dict[str, bytes]:
    """Write parts, each with its plain values and arrays, as `<name>.json` and `<name>.npz`; names that begin with _ are left out.

    Errors: TypeError for a value that is neither; ValueError for NaN or infinity outside arrays.
    """
    plain: dict[str, dict[str, Any]] = {part: {} for part in parts}
    arrays = {}
    for at, (part, values) in enumerate(parts.items()):
        for key, value in values.items():
            if isinstance(value, np.ndarray):
                arrays[f"{at}/{key}"] = value
            elif not key.startswith("_"):
                plain[part][key] = value
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    told = json.dumps({**facts, "parts": plain}, ensure_ascii=False, allow_nan=False, indent=1)
    return {f"{name}.json": told.encode(), f"{name}.npz": file.getvalue()}


def unpack(name: str, files: Mapping[str, bytes]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Read back what `pack` wrote: the parts, and the facts beside them. Lists come back as tuples."""
    facts = json.loads(files[f"{name}.json"])
    parts = {
        part: {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        for part, values in facts.pop("parts").items()
    }
    order = list(parts)
    with np.load(io.BytesIO(files[f"{name}.npz"]), allow_pickle=False) as arrays:
        for at in arrays.files:
            part, key = at.split("/", 1)
            parts[order[int(part)]][key] = arrays[at]
    return parts, facts
