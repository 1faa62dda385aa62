"""Which values of categories a model was taught, read from what its view has learned."""

from __future__ import annotations

from collections.abc import Mapping

from kd_core.data.encoding.saved import unpack

_TABLE = "table.json"  # what a view that reads tables has learned of them


def taught_labels(learned: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Name the known values of each column that has such; `learned`: a view's files by name."""
    blocks = unpack("table", learned) if _TABLE in learned else {}
    return {name: list(block["known"]) for name, block in blocks.items() if "known" in block}
