"""Made-up messages put together of phrases: openings, matters, matters on the way, endings, and slips of the keyboard."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np


def words(name: str) -> dict[str, Any]:
    """Read the phrases of a scenario."""
    return tomllib.loads((resources.files("kd_core.scenarios") / "words" / f"{name}.toml").read_text("utf-8"))


def messages(rng: np.random.Generator, rows: int, name: str, aside: float, wrong: float) -> list[tuple[str, str]]:
    """Draw (text, class) pairs.

    A share `aside` of them mentions another class's matter on the way, so that words alone do not decide; a share `wrong` is
    filed under any class, as people do.
    """
    told = words(name)
    classes, found = list(told["matters"]), []
    for _ in range(rows):
        label = one(rng, classes)
        parts = [one(rng, told["matters"][label])]
        if rng.random() < aside:
            parts.insert(int(rng.integers(2)), one(rng, told["asides"][one(rng, classes)]))
        text = told["joint"].join(p for p in (one(rng, told["openings"]), *parts, one(rng, told["endings"])) if p)
        for slot, values in told["slots"].items():
            while f"{{{slot}}}" in text:
                text = text.replace(f"{{{slot}}}", one(rng, values), 1)
        found.append((slips(rng, text), one(rng, classes) if rng.random() < wrong else label))
    return found


def one(rng: np.random.Generator, of: Sequence[str]) -> str:
    """Draw one."""
    return of[int(rng.integers(len(of)))]


def slips(rng: np.random.Generator, text: str) -> str:
    """Drop or swap a letter here and there, in a third of the texts."""
    if rng.random() > 1 / 3:
        return text
    letters = list(text)
    for _ in range(1 + len(letters) // 60):
        at = int(rng.integers(len(letters) - 1))
        if rng.random() < 0.5:
            letters[at] = ""
        else:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)
