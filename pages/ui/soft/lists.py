"""Rows that are ranked within a query, in the browser: shares of one list at any temperature, and the orders side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pages.ui.result.kept_rows import Kept
from pages.ui.soft import component, content

WORDS = 160  # characters that tell what one row of a query is


def payload(
    kept: Kept,
    stamp: str,
    code_N: Any,
    names: Sequence[str],
    ndcg: Mapping[str, Any],
    fields: Mapping[str, Sequence[str]],
    trained: float | None,
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once: rows lie query by query.

    `fields`: what tells the rows of a query apart, column by column; `ndcg` (G,) by model. The query to begin with: of those with a relevant
    row the one where student and teacher order most differently.
    """
    order = np.argsort(code_N, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(code_N, minlength=len(names)))]).astype(np.int32)
    apart = np.nan_to_num(np.abs(ndcg["student"] - ndcg["teacher"]), nan=-1.0)
    first = order[starts[:-1]]  # a row of each query, for what its rows have in common
    cells = content.content(f"{stamp}-queries", kept, first, _in_common(kept, code_N))
    told = [" · ".join(f"{name} {words[at]}" for name, words in fields.items() if words[at])[:WORDS] for at in order]
    data = {
        **component.common("lists", f"{stamp}-queries", cells),
        **component.softened(trained),
        **component.logits(kept, order),
        **{f"ndcg_{arm}": np.asarray(ndcg[arm], np.float64) for arm in component.ARMS},
        "grades": np.asarray(kept.labels, np.float64)[order],
        "starts": starts,
        "rows": (np.asarray(kept.row_ids)[order] + 1).astype(np.int32),
        "documents": told,
        "queries": list(names),
        "opening": int(apart.argmax()),
    }
    return data, cells


def _in_common(kept: Kept, code_N: Any) -> tuple[str, ...]:
    """Name the columns that are the same for all rows of every query."""
    grouped = kept.rows.astype("str").groupby(code_N)
    return tuple(name for name, most in grouped.nunique().max().items() if most == 1)


def show(data: Mapping[str, Any], cells: content.Content, num_rows: int, found: Mapping[str, Any], index: int) -> None:
    """Draw everything that follows the temperature."""
    component.show(found, index, "lists", data)
    component.left_out(cells, num_rows, num_rows, 1)
