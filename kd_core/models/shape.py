"""What decides how large a student is: width and depth, a preset by name or numbers that override it, and the names that it holds."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from kd_core.models.base import SizeName
from kd_core.specs import Spec, unit


class NamingSpec(Spec):
    """What a student that reads columns knows of their categories."""

    later: ClassVar[tuple[str, ...]] = ("label_bytes",)

    label_bytes: int | None = Field(
        None,
        ge=0,
        le=10**9,
        description="Most bytes that the names of category values take in the file, in columns with many of them; the commonest are kept, the "
        "rest are read as values never seen. All are kept when empty.",
        json_schema_extra=unit("bytes", advanced=True),
    )


class SizedSpec(Spec):
    """A size by name; a width or depth given beside it overrides that part of the preset.

    Without a size the width must be given (the depth is then 1 unless given).
    """

    presets: ClassVar[dict[str, dict[str, int]]] = {}

    size: SizeName | None = Field("small", description="Size by name; empty to give width and depth yourself.")
    width: int | None = Field(
        None,
        ge=1,
        le=2048,
        description="Units per hidden layer; taken from the size when empty.",
        json_schema_extra=unit("units"),
    )
    depth: int | None = Field(
        None,
        ge=1,
        le=8,
        description="Hidden layers or blocks; taken from the size when empty.",
        json_schema_extra=unit("layers"),
    )

    @model_validator(mode="after")
    def _size_or_width(self) -> Self:
        if self.size is None and self.width is None:
            raise ValueError("give a size (tiny, small, base, large) or a width")
        return self

    def shape(self) -> tuple[int, int]:
        """(width, depth) after the preset is filled in.

        Example:
            >>> from kd_core.models.archs.mlp import MLPSpec
            >>> MLPSpec(size="small").shape(), MLPSpec(size="small", width=100).shape()
            ((20, 2), (100, 2))
        """
        preset = self.presets[self.size] if self.size else {}
        return self.width or preset["width"], self.depth or preset.get("depth", 1)
