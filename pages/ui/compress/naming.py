"""Stages in words: the name under which a run keeps one is put together from codes, which a page says out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pages.ui.shared.text import plain, t

Block = Mapping[str, Any]  # `compressed` of result.json
_PARTS = re.compile(r"int8-dynamic|scale-temperature|[^-]+")
_SHARE = re.compile(r"([a-z]+)(\d+(?:_\d+)?)")
ALONE = ("half", "again", "int8", "int8-dynamic", "int4", "fp16", "qat", "scale-temperature", "narrow", "thin")
SHARED = ("cut", "thin", "sparse", "narrow", "trimmed")


def said(name: str) -> str:
    """Say the name of a stage in words; a part that nobody knows stays as it is.

    Example:
        >>> said("cut12_5-again")
        '12.5 % cut, taught again'
    """
    return ", ".join(map(_part, _PARTS.findall(name))) or name


def worded(block: Block, *, quoted: bool = False) -> dict[str, Any]:
    """Return the block with its stages named in words, for reading: a stage is taken by the name that its run keeps.

    `quoted`: for sentences, in which a name of several words has to be told from what stands beside it.
    """

    def name(code: Any) -> str:
        words = said(str(code))
        return f"“{words}”" if quoted and words != code else words

    def stage(one: Mapping[str, Any]) -> dict[str, Any]:
        flags = [{**flag, "than": name(flag["than"])} if "than" in flag else flag for flag in one.get("flags") or ()]
        return {**one, "name": name(one["name"])} | ({"flags": flags} if "flags" in one else {})

    own = {**block, "stages": [stage(one) for one in block["stages"]]}
    return own | ({"tried": [stage(one) for one in block["tried"]]} if block.get("tried") else {})


def _part(code: str) -> str:
    if code in ALONE:
        return plain(t(f"compress.stage.{code}"))
    if (found := _SHARE.fullmatch(code)) and found[1] in SHARED:
        return plain(t(f"compress.stage_share.{found[1]}", share=found[2].replace("_", ".")))
    return code
