"""From typed columns and a split to the views of a dataset, each fitted and encoded when it is first asked for."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from kd_core.data.encoding import encoded
from kd_core.data.input_spec import TABLE
from kd_core.data.types.base import ColumnType
from kd_core.data.view import SPLITS, Array, Split, View, Viewed, Views, reading
from kd_core.data.views import VIEWS
from kd_core.data.views.table import TableView
from kd_core.errors import Says

_ON_DISK = Says(
    "encoded_on_disk",
    "note",
    "The encoded rows take {needed:.3g} GB, {budget:.3g} GB of memory are meant for them: they are kept in a file.",
    "Results are the same.",
)


@dataclass(frozen=True)
class Columns:
    """What every view of a dataset is made from. Legend: N rows of the file.

    `frame` holds the feature columns, typed; `rows` the positions of each part; y_N labels, groups_N units or None.
    """

    frame: pd.DataFrame
    types: Mapping[str, ColumnType]
    rows: Mapping[Split, Array]
    y: Array
    groups: Array | None
    task: str
    seed: int

    def kinds(self) -> list[str]:
        """Name the views that these columns allow."""
        return [entry.name for entry in VIEWS.entries() if entry.facts["fits"](self.types) is None]

    def views(self, folder: Path, digest: str) -> Views:
        """Offer those views; rows that take more than their share of the free memory are kept in files in `folder`."""
        kinds = {kind: functools.partial(self._view, kind, folder, digest) for kind in self.kinds()}
        return Views(kinds, functools.partial(self._shortened, folder, digest))

    def _view(self, kind: str, folder: Path, digest: str) -> Viewed:
        return self._fitted(VIEWS.get(kind).make(self.types, self.task, self.seed), kind, folder, digest)

    def _shortened(self, folder: Path, digest: str, whole: Viewed, names: int) -> Viewed:
        """Read as a view does, with at most so many bytes of names; the view itself where none has to be left out."""
        short = whole.view.shortened(names) if isinstance(whole.view, TableView) else None
        if short is None:
            return whole
        return replace(self._fitted(short, reading(whole.spec.kind, names), folder, digest), names=names)

    def _fitted(self, view: View, name: str, folder: Path, digest: str) -> Viewed:
        train = self.rows["train"]
        own = view.fit(self.frame.iloc[train], self.y[train], None if self.groups is None else self.groups[train])
        spec = view.spec
        size, budget = spec.row_bytes * sum(map(len, self.rows.values())), encoded.memory_budget()

        def encode(part: Split, some: slice) -> Array:
            known = {column: x[some] for column, x in own.items()} if part == "train" else None
            found: Array = view.encode(self.frame.iloc[self.rows[part][some]], known)
            return found

        if size <= budget or spec.sparse:
            return Viewed(spec, {part: encode(part, slice(None)) for part in SPLITS}, view, view.told())
        found, problems = encoded.EncodedFolder(folder).parts(
            digest if name == TABLE else f"{digest}-{name.replace(':', '-')}",
            {part: len(at) for part, at in self.rows.items()},
            spec,
            {part: functools.partial(encode, part) for part in SPLITS},
        )
        said = _ON_DISK.problem(needed=size / 1e9, budget=budget / 1e9)
        return Viewed(spec, {part: found[part] for part in SPLITS}, view, (said, *problems, *view.told()))
