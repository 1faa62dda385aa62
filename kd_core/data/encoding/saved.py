"""What was learned, as files that any program can read: JSON for numbers and words, npz for arrays; never a pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def pack(name: str, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Write parts, each with plain values and arrays, as `<name>.json` and `<name>.npz`; keys that begin with _ are left out.

    Errors: TypeError for a value that is neither; ValueError for NaN or infinity outside arrays.
    """
    told = [{k: v for k, v in values.items() if k[0] != "_"} for values in parts.values()]
    plain = [{k: v for k, v in values.items() if not isinstance(v, np.ndarray)} for values in told]
    arrays = {f"{at}/{k}": v for at, one in enumerate(told) for k, v in one.items() if isinstance(v, np.ndarray)}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    written = json.dumps(dict(zip(parts, plain, strict=True)), ensure_ascii=False, allow_nan=False, indent=1)
    return {f"{name}.json": written.encode(), f"{name}.npz": file.getvalue()}


def unpack(name: str, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Read back the parts that `pack` wrote; lists come back as tuples."""
    parts: dict[str, dict[str, Any]] = json.loads(files[f"{name}.json"])
    with np.load(io.BytesIO(files[f"{name}.npz"]), allow_pickle=False) as arrays:
        for at, values in enumerate(parts.values()):
            own = {key.split("/")[1]: arrays[key] for key in arrays.files if key.startswith(f"{at}/")}
            values |= {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()} | own
    return parts
