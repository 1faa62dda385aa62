"""Chains found instead of asked for: tried on one seed and on validation rows alone, cheap ones first, as long as the time lasts.

Rounding the file costs seconds and is tried first, then every step that makes the network itself smaller, without learning: that tells how many
bytes each gives. Those that give any follow once more, the largest gain first, learned again and rounded as was best so far; the share is
halved in, upwards while the goals are kept and downwards while they are not. Then pairs of them, and last what learns and rounds at once. What
is chosen is carried out for every seed afterwards.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.compress.base import STEPS, Stage, learns
from kd_core.errors import Stopped
from kd_core.registry import Entry
from kd_core.runs.compressing.tree import settled
from kd_core.specs import Choice

Chain = tuple[Choice, ...]
FINALISTS = 3  # chains that are carried out for every seed at most
FIRST_SHARE, HALVINGS = 0.5, 3  # shares are tried to a sixteenth
AGAIN = "distill"  # the step after one that took something away


@dataclass(frozen=True)
class Tried:
    """A chain that was tried. `lost`: points on validation rows, of one seed; `keeps`: every goal, there; `why` nothing was made of it."""

    chain: Chain
    name: str
    bytes: int | None
    lost: float | None
    keeps: bool
    seconds: float
    why: str | None = None
    microseconds: float | None = None  # of a raw row, where that was a goal

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        chain = [step.model_dump(mode="json") for step in self.chain]
        return {**vars(self), "chain": chain, "seconds": round(self.seconds, 3)}


class Search:
    """Tries chains within so many seconds. `weigh`: carries one out for one seed and says what came of it; `learns`: whether there is a lesson to learn again; `whole`: bytes of
    the student as it was. Errors: Stopped."""

    def __init__(
        self,
        root: Stage,
        suits: Callable[[Entry[Any], Stage], str | None],
        weigh: Callable[[Chain], Tried],
        seconds: float,
        notify: Callable[[dict[str, Any]], None],
        should_stop: Callable[[], bool],
        learns: bool,
        whole: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.weigh, self.seconds, self.notify, self.should_stop = weigh, seconds, notify, should_stop
        asked = [e for e in STEPS.entries() if e.facts.get("saves", True) and (learns or not e.facts.get("learns"))]
        self.offered = [e for e in asked if suits(e, root) is None]
        self.again = AGAIN in [entry.name for entry in self.offered]
        self.whole, self.clock, self.start = whole, clock, clock()
        self.tried: dict[str, Tried] = {}
        self.stopped = False

    def run(self) -> list[Tried]:
        """Try chains until all are or the time is up; return those that keep the goals, the smallest first."""
        for chain in self._chains():
            if self.is_up():
                break
            self._try(chain)
        return self.finalists()

    def finalists(self) -> list[Tried]:
        """Return the chains that keep the goals, the smallest first; of those that came to the same, the first; larger ones than the
        student alone, where they alone keep them."""
        kept = [one for one in self.tried.values() if one.keeps and one.bytes is not None]
        smaller = [one for one in kept if self.whole is None or (one.bytes or 0) < self.whole]
        order = sorted(smaller or kept, key=lambda one: (one.bytes or 0, len(one.chain)))
        return list({(one.bytes, one.lost): one for one in reversed(order)}.values())[::-1][:FINALISTS]

    def is_up(self) -> bool:
        """Say whether the time is up, or a person asked to stop."""
        return self.should_stop() or self.clock() - self.start >= self.seconds

    def _chains(self) -> Iterator[Chain]:
        """Yield chains, each chosen by what came of those before."""
        files = [e for e in self.offered if e.facts["changes"] == "file"]
        quick = [e for e in self.offered if e not in files and e.name != AGAIN and not e.facts.get("learns")]
        slow = [e for e in self.offered if e not in quick and e.name != AGAIN and e.facts.get("learns")]
        for entry in files:
            if entry not in slow:
                yield (_usual(entry),)
        at_once: list[tuple[int, Entry[Any]]] = []
        for entry in quick:  # without a lesson it takes a moment, and its bytes are already known
            chain = (_usual(entry, self._first(entry)), *self._rounding())
            yield chain
            if (found := self.tried.get(_key(chain))) and found.bytes is not None and self._is_smaller(found):
                at_once.append((found.bytes, entry))
        smaller: list[tuple[Chain, Tried]] = []
        for _, entry in sorted(at_once, key=lambda pair: pair[0]):
            yield from self._of_step(entry, smaller)
        for (first, _), (second, _) in itertools.combinations(smaller, 2):
            yield self._whole((*first, *second))
        for entry in slow:
            if entry in files:  # learns and rounds at once, in place of both
                yield from ((*begin, _usual(entry)) for begin in [(), *(chain for chain, _ in smaller[:1])])
            else:
                yield from self._of_step(entry, smaller)

    def _of_step(self, entry: Entry[Any], smaller: list[tuple[Chain, Tried]]) -> Iterator[Chain]:
        """Yield chains of one step that changes the network, its share halved in; keep the smallest that keeps the goals."""
        own: dict[float | None, Tried] = {}
        for share in self._shares(entry, own):
            begin = (_usual(entry, share),)
            chain = self._whole(begin)
            yield chain
            found = self.tried.get(_key(chain))
            if found is None:
                return
            own[share] = found
        kept = [(share, one) for share, one in own.items() if one.keeps and self._is_smaller(one)]
        if kept:
            share, one = min(kept, key=lambda pair: pair[1].bytes or 0)
            smaller.append(((_usual(entry, share),), one))

    @staticmethod
    def _first(entry: Entry[Any]) -> float | None:
        return FIRST_SHARE if "share" in entry.spec.model_fields else None

    def _shares(self, entry: Entry[Any], own: dict[float | None, Tried]) -> Iterator[float | None]:
        if self._first(entry) is None:
            yield None
            return
        share, step, towards = FIRST_SHARE, FIRST_SHARE / 2, 1.0
        for turn in range(HALVINGS):
            yield share
            last = own[share]
            if last.bytes is None or (last.keeps and not self._is_smaller(last)):
                return  # nothing can be made of it, or it keeps all and weighs as much as without it
            first = own[FIRST_SHARE].bytes or 0
            if turn == 1 and (last.bytes - first) * (share - FIRST_SHARE) > 0:  # of what stays, not of what goes
                share, towards, last = FIRST_SHARE, -1.0, own[FIRST_SHARE]
                step *= 2
            share, step = share + towards * (step if last.keeps else -step), step / 2

    def _is_smaller(self, one: Tried) -> bool:
        """Say whether a chain takes fewer bytes than its rounding alone, or than the student where it rounds nothing."""
        alone = self.tried.get(_key(one.chain[-1:])) if _is_file(one.chain[-1]) else None
        without = self.whole if alone is None else alone.bytes
        return one.bytes is not None and (without is None or one.bytes < without)

    def _whole(self, begin: Chain) -> Chain:
        """Put after the steps that take away what learns again, and the rounding that was smallest of those that keep the goals."""
        learning = any(map(learns, begin))
        again = (_usual(STEPS.get(AGAIN)),) if self.again and not learning else ()
        return (*begin, *again, *self._rounding())

    def _rounding(self) -> Chain:
        """Return the rounding that was smallest of those that keep the goals; nothing where none does."""
        alone = [t for t in self.tried.values() if len(t.chain) == 1 and t.keeps and _is_file(t.chain[0])]
        kept = [t for t in alone if t.bytes is not None and (self.whole is None or t.bytes < self.whole)]
        return min(kept, key=lambda t: t.bytes or 0).chain if kept else ()

    def _try(self, chain: Chain) -> None:
        if (key := _key(chain)) in self.tried:
            return
        try:
            found = self.weigh(chain)
        except Stopped:
            if self.should_stop():
                raise
            return  # the time was up in the middle of it
        self.tried[key] = found
        told = {name: value for name, value in found.told().items() if name != "chain"}
        self.notify({"kind": "tried", **told, "done": len(self.tried)})
        spent = min(self.seconds, self.clock() - self.start)
        self.notify(
            {
                "kind": "part",
                "phase": "compress",
                "done": int(spent),
                "of": int(self.seconds) + 1,
                "what": f"search:{found.name}",
            }
        )


def _usual(entry: Entry[Any], share: float | None = None) -> Choice:
    settings = dict(entry.facts.get("usual") or {}) | ({} if share is None else {"share": share})
    return settled(Choice(name=entry.name, settings=settings))


def _is_file(step: Choice) -> bool:
    return bool(STEPS.get(step.name).facts["changes"] == "file")


def _key(chain: Sequence[Choice]) -> str:
    return "\n".join(settled(step).to_json() for step in chain)
