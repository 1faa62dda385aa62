"""Items that follow others: what came next after an item, counted, and how often every item came at all.

No network: a reference that any recommender has to pass, and a teacher that is made in seconds.
Legend: N rows, L items of a history, I items, J neighbours kept of an item, W numbers of an answer in short form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

Array = npt.NDArray[Any]
Pair = tuple[Array, Array]  # histories (N, L), what came next (N,)
NEAR = 10  # items back that count: one d items back counts 1 / d
HALF = 0.5  # rows that an item has come in at least, as where one never did
LEAST = 1e-4  # share of what never happened in training
SHARE = 0.5  # of the neighbours, beside what is popular
CHOICES = tuple((backwards, share) for backwards in (0.0, 0.5) for share in (0.5, 0.7, 0.9))  # tried by `chosen`
JUDGED = 2000  # validation rows that `chosen` reads at most
TINY = 1e-12
NUMBERS = 2**23  # probabilities held at once


@dataclass(frozen=True)
class Neighbours:
    """What follows what. Source: sequential rules, Ludewig and Jannach 2018 (arXiv:1803.09587), mixed with popularity.

    Shape: `popular` (I,) shares; `rules` (I, I), each row the shares of what followed an item. `again`: of the rows whose item had
    been in their history: so much of an answer goes to items seen before.
    """

    popular: Array
    rules: Any
    again: float
    share: float = SHARE

    @classmethod
    def learn(cls, x_NL: Array, y_N: Array, items: int, most: int, backwards: float = 0.0) -> Neighbours:
        """Count what came next. `most`: neighbours kept of an item, 0 for popularity alone. Shape: item numbers (N, L), 0 empty; y (N,).

        `backwards`: what a pair counts for the way back, as a share of the way it came: where the order says little (films rated
        in one sitting), both ways tell.
        """
        popular = np.maximum(np.bincount(y_N, minlength=items), HALF)
        rules: Any = sparse.csr_array((items, items))
        for back in range(1, min(NEAR, x_NL.shape[1]) + 1 if most else 1):
            seen = x_NL[:, -back].astype(np.int64)
            at = np.flatnonzero(seen)
            pairs = (np.full(len(at), 1 / back), (seen[at] - 1, y_N[at]))
            rules = rules + sparse.coo_array(pairs, shape=(items, items)).tocsr()
        if backwards:
            rules = (rules + backwards * rules.T).tocsr()
        again = float((x_NL == y_N[:, None] + 1).any(axis=1).mean()) if len(y_N) else 0.0
        return cls(popular / popular.sum(), _strongest(rules, most), float(np.clip(again, LEAST, 1 - LEAST)))

    @classmethod
    def chosen(cls, train: Pair, validation: Pair, items: int, most: int) -> tuple[Neighbours, float]:
        """Learn with what gives the first validation rows the lowest log loss (`CHOICES`), and say how much the way back counts."""
        x_NL, y_N = validation[0], validation[1]
        at = np.flatnonzero(y_N >= 0)[:JUDGED]
        best: tuple[float, Neighbours, float] | None = None
        for backwards in dict.fromkeys(b for b, _ in CHOICES):
            table = cls.learn(*train, items, most, backwards)
            for one in (replace(table, share=share) for b, share in CHOICES if b == backwards):
                loss = one.loss(x_NL[at], y_N[at])
                if best is None or loss < best[0]:
                    best = loss, one, backwards
        assert best is not None
        return best[1:]

    def loss(self, x_NL: Array, y_N: Array) -> float:
        """Take the mean log loss of histories, 0 of none. Shape: (N, L), (N,)."""
        step = max(1, NUMBERS // len(self.popular))
        pieces = [slice(at, at + step) for at in range(0, len(x_NL), step)]
        p_N = [self.shares(x_NL[one])[np.arange(len(y_N[one])), y_N[one]] for one in pieces]
        return -float(np.log(np.maximum(np.concatenate(p_N), TINY)).mean()) if p_N else 0.0

    def answers(self, x_NL: Array, kept: Callable[[Tensor], Tensor]) -> Array:
        """Answer histories in short form, piece by piece; `kept` as `Task.kept`. Shape: (N, L) -> (N, W) float32."""
        step = max(1, NUMBERS // len(self.popular))
        pieces = range(0, max(1, len(x_NL)), step)
        found = [kept(torch.from_numpy(np.log(self.shares(x_NL[at : at + step])))).numpy() for at in pieces]
        return np.concatenate(found).astype(np.float32)

    def shares(self, x_NL: Array) -> Array:
        """Give every item its probability. Shape: (N, L) -> (N, I) float32."""
        told = self._weights(x_NL) @ self.rules
        mass = np.asarray(told.sum(axis=1)).reshape(-1)
        part = np.where(mass > 0, self.share, 0.0)  # where nothing is known to follow, popularity alone
        seen = self._seen(x_NL)
        rows, items = seen.nonzero()
        before = (1 - part) * np.asarray(seen @ self.popular) + part * _over(seen.multiply(told).sum(axis=1), mass)
        both = (before > TINY) & (before < 1 - TINY)
        old = np.where(both, self.again / np.where(both, before, 1.0), 1.0)
        new = np.where(both, (1 - self.again) / np.where(both, 1 - before, 1.0), 1.0)
        # One pass over all items; what follows touches single ones.
        p_NI = np.multiply.outer(((1 - part) * new).astype(np.float32), self.popular.astype(np.float32))
        told = told.tocoo()  # looking its values up by place would take longer than all the rest
        at, followed = told.coords
        p_NI[at, followed] += (told.data * _over(part * new, mass)[at]).astype(np.float32)
        p_NI[rows, items] *= (old / new)[rows].astype(np.float32)
        return np.asarray(p_NI)

    def _seen(self, x_NL: Array) -> Any:
        """Mark the items of histories. Shape: (N, L) -> sparse (N, I) of ones."""
        rows, places = np.nonzero(x_NL)
        marks = np.unique(rows * len(self.popular) + x_NL[rows, places].astype(np.int64) - 1)
        told = (np.ones(len(marks)), np.divmod(marks, len(self.popular)))
        return sparse.coo_array(told, shape=(len(x_NL), len(self.popular))).tocsr()

    def _weights(self, x_NL: Array) -> Any:
        """Weigh the last items of histories. Shape: (N, L) -> sparse (N, I)."""
        back = np.arange(x_NL.shape[1], 0, -1)
        near = np.where(back <= NEAR, 1 / back, 0.0)
        rows, places = np.nonzero((x_NL > 0) & (near > 0))
        told = (near[places], (rows, x_NL[rows, places].astype(np.int64) - 1))
        return sparse.coo_array(told, shape=(len(x_NL), len(self.popular))).tocsr()

    @property
    def numbers(self) -> int:
        """Count what was learned: a share for each item, and for each rule one."""
        return len(self.popular) + int(self.rules.nnz)

    @property
    def bytes(self) -> int:
        """Count the bytes it takes: 4 for a share, 6 for a rule (4 for the item, 2 for its share)."""
        return 4 * len(self.popular) + 6 * int(self.rules.nnz)


def _strongest(rules: Any, most: int) -> Any:
    """Keep the strongest rules of each item, as shares of all of its rules. Shape: sparse (I, I)."""
    whole = np.asarray(rules.sum(axis=1)).reshape(-1)
    counts = np.diff(rules.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((rules.indices, -rules.data, row))
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    keep = order[place < most]
    told = (rules.data[keep] / np.maximum(whole[row[keep]], 1e-12), (row[keep], rules.indices[keep]))
    return sparse.coo_array(told, shape=rules.shape).tocsr()


def _over(values: Any, mass_N: Array) -> Array:
    """Divide by a mass, 0 where there is none. Shape: (N,) each."""
    return np.asarray(np.asarray(values).reshape(-1) / np.maximum(mass_N, TINY))
