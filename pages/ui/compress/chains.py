"""The chains that a person builds: kept in the session step by step, in an order in which they can be carried out."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from kd_core.registry import Entry

HALF = {"name": "prune_structured", "settings": {"share": 0.5}}
AGAIN = {"name": "distill", "settings": {}}
INT8 = {"name": "int8", "settings": {}}
PRESETS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "half": (HALF, AGAIN, INT8),
    "half_again": (HALF, AGAIN),
    "int8": ({"name": "int8", "settings": {"scope": "local"}},),  # one precision for all is in the chain above
    "low_rank": ({"name": "low_rank", "settings": {}}, AGAIN),
    "vocabulary": ({"name": "trim_vocabulary", "settings": {}}, AGAIN, INT8),
}
# The first two of which every step can be carried out and saves bytes are there when the page is opened
AT_FIRST = ("half", "int8", "half_again", "low_rank")
Steps = Mapping[str, Entry[Any]]


@dataclass
class Step:
    """A step of a chain; `id` names its widgets, so that they keep what they hold when others come or go."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])


@dataclass
class Chain:
    """Steps in their order."""

    steps: list[Step] = field(default_factory=list)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])


def held(key: str, possible: Steps) -> list[Chain]:
    """Return the chains of this session, at first those that most people try, or what can be carried out of the first of them."""
    if key not in st.session_state:
        whole = [PRESETS[name] for name in AT_FIRST if fits(name, possible)][:2]
        part = [step for step in PRESETS[AT_FIRST[0]] if step["name"] in possible]
        st.session_state[key] = [made(steps) for steps in whole or [part]]
    return st.session_state[key]  # type: ignore[no-any-return]


def fits(preset: str, possible: Collection[str]) -> bool:
    """Say whether every step of a preset can be carried out."""
    return all(step["name"] in possible for step in PRESETS[preset])


def made(steps: Sequence[Mapping[str, Any]]) -> Chain:
    """Make a chain of plain steps."""
    return Chain([Step(str(step["name"]), dict(step["settings"])) for step in steps])


def add(key: str, steps: Sequence[Mapping[str, Any]]) -> None:
    """Add a chain."""
    st.session_state[key].append(made(steps))


def remove(key: str, chain: str) -> None:
    """Take a chain away."""
    st.session_state[key] = [one for one in st.session_state[key] if one.id != chain]


def put(chain: Chain, name: str, possible: Steps) -> None:
    """Add a step: one that changes the network before those that change its file, since what is rounded is no network any more."""
    at = len(chain.steps)
    if changes(possible, name) == "network":
        at = next((i for i, one in enumerate(chain.steps) if changes(possible, one.name) == "file"), at)
    entry = possible[name]
    chain.steps.insert(at, Step(name, dict(entry.facts.get("usual") or {})))


def drop(chain: Chain, step: str) -> None:
    """Take a step away."""
    chain.steps = [one for one in chain.steps if one.id != step]


def changes(possible: Steps, name: str) -> str:
    """Say what a step changes: the network or its file."""
    return str(possible[name].facts["changes"])
