"""Chains of steps as a tree: chains that begin alike share their beginning, which is carried out once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.compress.base import STEPS
from kd_core.errors import SpecError
from kd_core.specs import Choice

ROOT = "student"  # what the student is called as it was


@dataclass(frozen=True)
class Node:
    """One stage: what a step makes of the stage before it. `path` holds the steps from the student on; number 0 is the student as it was."""

    number: int
    parent: int | None
    path: tuple[Choice, ...]
    name: str

    @property
    def step(self) -> Choice | None:
        """Return the step that makes it."""
        return self.path[-1] if self.path else None

    def told(self) -> dict[str, Any] | None:
        """Return its step as plain values."""
        return None if self.step is None else self.step.model_dump(mode="json")


@dataclass(frozen=True)
class Tree:
    """All stages in an order in which each comes after what it is made of; `chains` holds the numbers of each chain's stages, in its order."""

    nodes: tuple[Node, ...]
    chains: tuple[tuple[int, ...], ...]

    def chain_of(self, number: int) -> tuple[int, int] | None:
        """Say in which chain a stage stands first, and as which of its stages; None for the student as it was."""
        return next(((c, k.index(number)) for c, k in enumerate(self.chains) if number in k), None)

    def after(self, number: int) -> Iterator[Node]:
        """Yield the stages that are made of one."""
        yield from (node for node in self.nodes if node.parent == number)


def tree_of(chains: Sequence[Sequence[Choice]]) -> Tree:
    """Lay chains out. Settings that a step leaves out are its own, so that two ways to ask for the same are one stage. Errors: UnknownName, SpecError."""
    nodes, found = [Node(0, None, (), ROOT)], []
    known: dict[str, int] = {"[]": 0}
    for chain in chains:
        numbers, at = [], 0
        path: tuple[Choice, ...] = ()
        for asked in chain:
            path = (*path, settled(asked))
            key = json.dumps([step.model_dump(mode="json") for step in path], sort_keys=True)
            if key not in known:
                known[key] = len(nodes)
                nodes.append(Node(len(nodes), at, path, _name(nodes[at], path[-1], {n.name for n in nodes})))
            at = known[key]
            numbers.append(at)
        found.append(tuple(numbers))
    return Tree(tuple(nodes), tuple(found))


def settled(asked: Choice) -> Choice:
    """Return a step with all of its settings. Errors: UnknownName, SpecError."""
    spec = STEPS.get(asked.name).spec.parse(asked.settings, f"step {asked.name}")
    return Choice(name=asked.name, settings=spec.model_dump(mode="json"))


def order_error(chain: Sequence[Choice]) -> SpecError | None:
    """Say which step stands in a place where it can't work: one that changes the network after one that changed its file."""
    before: str | None = None
    for asked in chain:
        if STEPS.get(asked.name).facts["changes"] == "file":
            before = asked.name
        elif before is not None:
            return SpecError(
                "The step '{name}' changes the network and stands after '{before}', which changes its file alone: what stands there is no network "
                "that could be changed.",
                "Put '{name}' before '{before}'.",
                "compress_order",
                name=asked.name,
                before=before,
            )
    return None


def _name(parent: Node, step: Choice, taken: set[str]) -> str:
    """Name a stage shortly: what its step is called in short, with its share, after the name of the stage before it."""
    entry = STEPS.get(step.name)
    part = str(entry.facts.get("short", entry.name.replace("_", "-")))
    if (share := step.settings.get("share")) is not None:
        part = entry.facts.get("shares", {}).get(share) or f"{part}{100 * share:.3g}".replace(".", "_")
    whole = part if parent.number == 0 else f"{parent.name}-{part}"
    return whole if whole not in taken else next(n for i in range(2, 99) if (n := f"{whole}-{i}") not in taken)
