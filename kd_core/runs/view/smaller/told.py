"""What making a student smaller gave, line by line for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds, tried, verdict


def lines(result: Mapping[str, Any]) -> list[str]:
    """Say it for a terminal: the verdict, each chain, then stage by stage what it lost and what is to be said of it; nothing of other runs."""
    block = result.get("compressed")
    if not block:
        return []
    block = same_seeds.of(block)
    searched = tried.line(block)
    found = [
        verdict.line(block),
        *verdict.nearest(block),
        *([searched] if searched else []),
        *(compress_words.chain(block, ids) for ids in block["chains"]),
    ]
    for one in compress_words.made(block):
        found.append(f"  {compress_words.sentence(block, one)}")
        found += [f"    {words[:1].upper()}{words[1:]}." for words in compress_words.flags(block, one)]
        found += [f"    {words}" for words in [compress_words.again(block, one)] if words]
    found += [f"  {compress_words.failed(one)}" for one in block["stages"] if one.get("reason")]
    found += [words for words in [compress_words.sensitivity(block)] if words]
    return [*found, *verdict.unchosen(block), *same_seeds.lines(block), *compress_words.known(block)]
