"""Independent random streams from one seed, so that adding a draw in one place changes no other."""

from __future__ import annotations

import hashlib


def derive(seed: int, *labels: object) -> int:
    """Derive a 63-bit seed for a named purpose.

    Example:
        >>> derive(0, "init") == derive(0, "init"), derive(0, "init") == derive(0, "order")
        (True, False)
    """
    text = "/".join([str(seed), *map(str, labels)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
