"""UBJSON as XGBoost writes it, read with every count checked against the bytes that are left.

Source: ubjson.org, draft 12, with typed arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_DEEP = 64
_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_WORDS = {b"Z": None, b"T": True, b"F": False}


def loads(data: bytes) -> Any:
    """Read one value. Errors: ValueError for what is cut off, too deep or of an unknown kind."""
    return _Reading(data).value(0)


class _Reading:
    """A place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError("it is cut off, or counts more than it holds")
        self.at += count
        return self.data[self.at - count : self.at]

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def value(self, deep: int, kind: bytes = b"") -> Any:
        kind = kind or self.take(1)
        if deep > MOST_DEEP:
            raise ValueError(f"it is nested more than {MOST_DEEP} deep")
        if kind in _WORDS:
            return _WORDS[kind]
        if kind in _NUMBERS:
            dtype = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self.take(dtype.itemsize), dtype)[0].item()
        if kind == b"C":
            return self.take(1).decode("latin-1")
        if kind in (b"S", b"H"):
            return self.text()
        if kind == b"[":
            return self.array(deep)
        if kind == b"{":
            return self.object(deep)
        raise ValueError(f"it holds the mark {kind!r}, which is none of UBJSON's")

    def count(self) -> int:
        found = self.value(0, self.take(1)) if self.peek() in _NUMBERS else None
        if not isinstance(found, int):
            raise ValueError("a count is no whole number")
        return found

    def text(self) -> str:
        return self.take(self.count()).decode("utf-8")

    def array(self, deep: int) -> Any:
        kind = b""
        if self.peek() == b"$":
            kind = self.take(2)[1:]
        if self.peek() == b"#":
            self.take(1)
            count = self.count()
            if kind in _NUMBERS:
                dtype = np.dtype(_NUMBERS[kind])
                return np.frombuffer(self.take(count * dtype.itemsize), dtype).tolist()
            if count > len(self.data) - self.at:
                raise ValueError("it is cut off, or counts more than it holds")
            return [self.value(deep + 1, kind) for _ in range(count)]
        found = []
        while self.peek() != b"]":
            found.append(self.value(deep + 1))
        self.take(1)
        return found

    def object(self, deep: int) -> dict[str, Any]:
        if self.peek() in (b"$", b"#"):
            raise ValueError("it has an object with a count, which XGBoost does not write")
        found = {}
        while self.peek() != b"}":
            name = self.text()
            found[name] = self.value(deep + 1)
        self.take(1)
        return found
