"""Old and new rows as one dataset, read as the run read its own: the encoder, the scales and the words it knows stay what they were.

Legend: N old rows of a part, M new rows.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kd_core.data.dataset import SPLITS, Array, Dataset, Part, Split
from kd_core.data.split import TEST, TRAIN, VALIDATION, row_keys
from kd_core.data.view import Viewed, Views, reading
from kd_core.errors import Problem, Says
from kd_core.runs.continuing.dealing import Dealt
from kd_core.runs.continuing.new_rows import NewRows
from kd_core.specs import ContinueSpec
from kd_core.teachers.made_rows import MadeRows

_MIXED = Says(
    "rows_mixed",
    "note",
    "Learned from: {new:,} new rows ({bare:,} of them without a label) and {old:,} of the {of:,} training rows of the run ({share:.0%}), so "
    "that these are not forgotten. Kept apart: {held:,} new rows and the run's {tests:,} test rows.",
)


@dataclass(frozen=True)
class BareRows(MadeRows):
    """New rows without a label, taught as made rows are: by the teacher's answers alone. They read like any other rows."""

    def encoded(self, dataset: Dataset, kind: str) -> Array:
        """Read the rows as students do. Shape: (M, *shape of the view)."""
        if kind not in self._encoded:
            view = dataset.view(kind).view
            assert view is not None
            self._encoded[kind] = view.encode(self.frame)
        return self._encoded[kind]


@dataclass(frozen=True)
class Joined:
    """What is learned from and measured by. `dataset`: labelled rows, old and new; its test part are the new ones kept apart, or where none has a label the run's own.

    `asked`: the run's rows with all new rows after its test rows, for the teacher. Positions of new rows: `learned` with a label, `bare`
    without, both of training; `chosen_by` of validation; `held` kept apart. `kept`: the old training rows that are learned again.
    """

    old: Dataset
    dataset: Dataset
    asked: Dataset
    new: NewRows
    learned: Array
    bare: Array
    chosen_by: Array
    held: Array
    kept: Array
    made: BareRows | None

    @property
    def measured(self) -> bool:
        """Say whether new rows that are kept apart have labels."""
        return bool(self.new.labelled[self.held].any())

    @property
    def held_labelled(self) -> Array:
        """Positions of the new rows that are kept apart and have a label."""
        return self.held[self.new.labelled[self.held]]

    def read_new(self, kind: str, positions: Array) -> Array:
        """Read new rows in one way. Shape: (positions, *shape of the view)."""
        view = self.old.view(kind).view
        assert view is not None
        found: Array = view.encode(self.new.frame.iloc[positions])
        return found


def join(asked: ContinueSpec, old: Dataset, new: NewRows, dealt: Dealt) -> Joined:
    """Put the rows together. The same run, file and shares give the same rows in the same order."""
    labelled = new.labelled
    in_train, in_validation, held = (np.flatnonzero(dealt.parts == part) for part in (TRAIN, VALIDATION, TEST))
    learned, bare = in_train[labelled[in_train]], in_train[~labelled[in_train]]
    chosen_by = in_validation[labelled[in_validation]]
    bare = np.sort(np.concatenate([bare, in_validation[~labelled[in_validation]]]))  # nothing can be chosen by them
    measured = held[labelled[held]]
    keys = row_keys(len(old.train), old.spec.split_seed + 2)
    kept = np.sort(np.argsort(keys, kind="stable")[: round(asked.old_share * len(keys))])
    rows = _frames(old.rows, new.frame)
    first = len(old.rows)

    def part(split: Split, at_old: Array | slice, at_new: Array) -> Part:
        mine = old.parts[split]
        y = np.concatenate([mine.y[at_old], new.y[at_new]])
        ids = np.concatenate([mine.row_ids[at_old], first + at_new])
        return Part(y, ids, _groups(old, mine, at_old, dealt, at_new))

    every = np.arange(len(new))
    wide: dict[Split, Part] = {
        "train": part("train", slice(None), every[:0]),
        "validation": part("validation", slice(None), every[:0]),
        "test": part("test", slice(None), every),
    }
    parts: dict[Split, Part] = {
        "train": part("train", kept, learned),
        "validation": part("validation", slice(None), chosen_by),
        "test": part("test", slice(0), measured) if len(measured) else old.test,
    }
    mixed = _MIXED.problem(
        new=len(learned) + len(bare),
        bare=len(bare),
        old=len(kept),
        of=len(old.train),
        share=len(kept) / len(old.train),
        held=len(held),
        tests=len(old.test),
    )
    told = (*old.told, *new.problems, *dealt.problems, mixed)
    picked: dict[Split, tuple[Array | slice, Array]] = {
        "train": (kept, learned),
        "validation": (slice(None), chosen_by),
        "test": (slice(0), measured) if len(measured) else (slice(None), every[:0]),
    }
    all_new: dict[Split, tuple[Array | slice, Array]] = {
        "train": (slice(None), every[:0]),
        "validation": (slice(None), every[:0]),
        "test": (slice(None), every),
    }
    name = f"{old.name} + {new.name}"[:120]
    spec = old.spec.model_copy(update={"name": name})
    decides = [old.hash, new.sha256, asked.held_out]
    made = None
    if len(bare):
        nothing = np.zeros(len(bare), np.int64)
        taken = np.zeros((len(bare), len(old.columns)), bool)
        frame = new.frame.iloc[bare][list(old.columns)].reset_index(drop=True)
        made = BareRows(frame, nothing, nothing, taken, nothing, (len(bare),), 0)
    return Joined(
        old,
        replace(
            old,
            spec=spec,
            name=name,
            hash=_digest([*decides, asked.old_share, "learned"]),
            parts=parts,
            views=_views(old, new, picked),
            rows=rows,
            told=_once(told),
        ),
        replace(old, hash=_digest([*decides, "asked"]), parts=wide, views=_views(old, new, all_new), rows=rows),
        new,
        learned,
        bare,
        chosen_by,
        held,
        kept,
        made,
    )


def _digest(what: list[object]) -> str:
    return hashlib.sha256(json.dumps(["continued", *what]).encode()).hexdigest()


def _once(told: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Leave out what both files say alike."""
    return tuple({(p.code, p.message): p for p in told}.values())


def _views(old: Dataset, new: NewRows, picked: Mapping[Split, tuple[Array | slice, Array]]) -> Views:
    """Offer the run's own ways of reading for old rows as they were encoded and new rows after them."""

    def make(kind: str) -> Viewed:
        known = old.view(kind)
        assert known.view is not None
        found = {}
        for split in SPLITS:
            at_old, at_new = picked[split]
            x = known.parts[split][at_old]
            if len(at_new):
                more = known.view.encode(new.frame.iloc[at_new])
                x = more if not x.shape[0] else np.concatenate([x, more])
            found[split] = x
        return Viewed(known.spec, found, known.view, known.problems, known.names)

    def shortened(whole: Viewed, names: int) -> Viewed:
        return make(reading(whole.spec.kind, names))

    return Views({kind: functools.partial(make, kind) for kind in old.views.kinds}, shortened)


def _groups(old: Dataset, mine: Part, at_old: Array | slice, dealt: Dealt, at_new: Array) -> Array | None:
    """Number the units of a part; those of new rows follow the old ones."""
    if old.train.groups is None and dealt.units is None:
        return None
    first = 1 + max(len(old.rows), *(int(p.units.max(initial=0)) for p in old.parts.values()))
    units = np.arange(len(dealt.parts)) if dealt.units is None else dealt.units
    return np.concatenate([mine.units[at_old], first + units[at_new]])


def _frames(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put typed rows under each other; labels of both are known in both, and a column that new rows lack is empty there."""
    found = {}
    for name in old.columns:
        ours = old[name]
        if name not in new:
            found[name] = ours.reindex(range(len(old) + len(new)))
            continue
        theirs = new[name]
        if isinstance(ours.dtype, pd.CategoricalDtype):
            values = pd.concat([ours.astype("object"), theirs.astype("object")], ignore_index=True)
            found[name] = values.astype("category")
        else:
            found[name] = pd.concat([ours.reset_index(drop=True), theirs.astype(ours.dtype)], ignore_index=True)
    return pd.DataFrame(found)
