"""Which events become rows, and of which part: each user's last is test, the last but one validation, earlier ones training.

Legend: E events, N rows that are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kd_core.data.histories.events import Codes, Events
from kd_core.data.split import TEST, TRAIN, VALIDATION, Parts

TRAINING_ROWS = 20  # that a user may have in any case, the newest
ROWS_IN_ALL = 200_000  # up to which a user may have more: what follows what is counted from rows, and all of them tell
USER_SHARE = 0.05  # of the training rows at most: a user with a million events would be all there is to learn from
HISTORY_ITEMS = 100  # of a row at most, the newest: the rows of a user repeat its history
JUDGED = 3  # events of a user at least whose last ones are kept from training


@dataclass(frozen=True)
class Dealt:
    """Rows made of events, in the order of the file.

    Shape: `event` (N,) the event that came next; `first` (N,) the oldest event of its history; `parts` (N,). `number` (items,): place of
    an item in the catalogue, -1 where training never saw it. `short`, `alone`: users of two events, and of one. `most`: training rows of a user.
    """

    event: Codes
    first: Codes
    parts: Parts
    number: Codes
    short: int
    alone: int
    most: int
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
    most = most_rows(np.bincount(events.user[trained]))
    recent = trained & (left < most + 2 * judged)
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
        most,
        int((trained & ~recent).sum()),
        int((first > starts[events.user[event]]).sum()),
    )


def most_rows(counts: Codes) -> int:
    """Say how many training rows a user may have: more where the file is small and no user would be much of it. Shape: counts (users,)."""
    low, high = TRAINING_ROWS, max(TRAINING_ROWS, int(counts.max(initial=0)))
    while low < high:
        middle = (low + high + 1) // 2
        rows = int(np.minimum(counts, middle).sum())
        if rows <= ROWS_IN_ALL and middle <= max(TRAINING_ROWS, USER_SHARE * rows):
            low = middle
        else:
            high = middle - 1
    return low


def _catalogue(events: Events, learned: npt.NDArray[np.bool_]) -> Codes:
    """Number the items that training sees, in the order in which the file names them first. Shape: (items,)."""
    seen = np.flatnonzero(learned)
    seen = seen[np.lexsort((seen, events.row[seen]))]
    items, at = np.unique(events.item[seen], return_index=True)
    number = np.full(len(events.items), -1, np.int64)
    number[items[np.argsort(at, kind="stable")]] = np.arange(len(items))
    return number
