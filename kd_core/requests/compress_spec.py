"""What is made smaller, by which chains of steps, and what it may cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kd_core.spec import Choice, Spec, unit

LEAST_AGREEMENT = 0.99  # of first classes, of a rounded network with the one that was rounded
Chain = Annotated[tuple[Choice, ...], Field(min_length=1, max_length=12)]


class CompressSpec(Spec):
    """The students of a finished run are made smaller by chains of steps; every stage is judged beside the student as it was.

    Without chains they are searched, on validation rows, under the goals and within the minutes.
    """

    run: str = Field(
        min_length=1,
        max_length=4096,
        description="The finished run whose student is made smaller: its id in this workspace, or the path of its folder.",
    )
    weights: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="Hash of the weights that are made smaller; a run with others under the same name is refused.",
    )
    student: str = Field(max_length=120, description="Which student of the run.")
    chains: tuple[Chain, ...] = Field(
        (), max_length=24, description="Chains of steps, each carried out in its order; searched when empty."
    )
    minutes: float = Field(
        5.0,
        gt=0,
        le=1440,
        description="Time for searching chains; what is not tried by then is left out.",
        json_schema_extra=unit("minutes"),
    )
    most_lost: float = Field(
        1.0,
        gt=0,
        le=100,
        description="Points (for errors: percent) that a stage may lose against the student as it was.",
        json_schema_extra=unit("points"),
    )
    bytes: int | None = Field(
        None,
        ge=1,
        le=10**12,
        description="The deployed file may be this large at most; as small as the points allow when empty.",
        json_schema_extra=unit("bytes"),
    )
    microseconds: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="One raw row may take this long at most, measured on this machine; any time when empty.",
        json_schema_extra=unit("microseconds"),
    )
