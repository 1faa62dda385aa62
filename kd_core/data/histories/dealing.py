"""Which events become rows, and of which part: each user's last is test, the last but one validation, earlier ones training.

Legend: E events, N rows that are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kd_core.data.histories.events import Codes, Events
from kd_core.data.split import TEST, TRAIN, VALIDATION, Parts

TRAINING_ROWS = 20  # of one user at most, the newest: a user with a million events would be all there is to learn from
HISTORY_ITEMS = 100  # of a row at most, the newest: the rows of a user repeat its history
JUDGED = 3  # events of a user at least whose last ones are kept from training


@dataclass(frozen=True)
class Dealt:
    """Rows made of events, in the order of the file.

    Shape: `event` (N,) the event that came next; `first` (N,) the oldest event of its history; `parts` (N,). `number` (items,): place of
    an item in the catalogue, -1 where training never saw it. `short`, `alone`: users of two events, and of one.
    """

    event: Codes
    first: Codes
    parts: Parts
    number: Codes
    short: int
    alone: int
    skipped: int
    cut: int


def deal(events: Events) -> Dealt:
    """Make rows of events: a history of at least one item, and what came next."""
    sizes = np.bincount(events.user, minlength=len(events.users))
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(events.user)) - starts[events.user]
    left = sizes[events.user] - 1 - place  # events that follow
    judged = sizes[events.user] >= JUDGED
    learned = ~judged | (left >= 2)  # what training may see
    learned &= sizes[events.user] > 1
    parts = np.full(len(place), -1, np.int8)
    trained = learned & (place >= 1)
    recent = trained & (left < TRAINING_ROWS + 2 * judged)
    parts[recent] = TRAIN
    parts[judged & (left == 1)] = VALIDATION
    parts[judged & (left == 0)] = TEST
    event = np.flatnonzero(parts >= 0)
    event = event[np.lexsort((event, events.row[event]))]
    first = np.maximum(starts[events.user[event]], event - HISTORY_ITEMS)
    return Dealt(
        event,
        first,
        parts[event],
        _catalogue(events, learned),
        int((sizes == 2).sum()),
        int((sizes == 1).sum()),
        int((trained & ~recent).sum()),
        int((first > starts[events.user[event]]).sum()),
    )


def _catalogue(events: Events, learned: npt.NDArray[np.bool_]) -> Codes:
    """Number the items that training sees, in the order in which the file names them first. Shape: (items,)."""
    seen = np.flatnonzero(learned)
    seen = seen[np.lexsort((seen, events.row[seen]))]
    items, at = np.unique(events.item[seen], return_index=True)
    number = np.full(len(events.items), -1, np.int64)
    number[items[np.argsort(at, kind="stable")]] = np.arange(len(items))
    return number
