"""Settings of boosted trees that come from a file."""

from __future__ import annotations

from pydantic import Field

from kd_core.specs import FILE, Spec, unit

FILE_OR_NONE = f"{FILE}|^$"


class BoosterFileSpec(Spec):
    """Which file, and what its numbers stand for."""

    path: str = Field("", pattern=FILE_OR_NONE, description="The model.", json_schema_extra=unit("file", file=()))
    columns: tuple[str, ...] = Field(
        (),
        max_length=2000,
        description="Columns of the data in the order of the model's features; found by the names in the file when empty.",
        json_schema_extra=unit("names", columns=True),
    )
    classes: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Classes in the model's order; when empty the classes of the data as a label encoder sorts them: numbers by size, "
        "anything else by letters.",
        json_schema_extra=unit("names"),
    )
