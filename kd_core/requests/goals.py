"""What a person asks of a small model, when the app is to choose which one."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from kd_core.spec import Spec, unit


class ChooseSpec(Spec):
    """The run's students are candidates: one of them, taught or trained alone, is chosen on validation rows, and only that one goes on.

    Without goals it is the smallest that is like the best; with limits the best that keeps them; with a score, or what may be lost
    against the teacher, the smallest that reaches it.
    """

    later = ("lost",)

    minutes: float = Field(
        5.0,
        gt=0,
        le=1440,
        description="Time for trying candidates; what is not tried by then is left out. One is always finished.",
        json_schema_extra=unit("minutes"),
    )
    bytes: int | None = Field(
        None,
        ge=1,
        le=10**12,
        description="The deployed file may be this large at most; any size when empty.",
        json_schema_extra=unit("bytes"),
    )
    microseconds: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="One raw row may take this long at most, measured on this machine; any time when empty.",
        json_schema_extra=unit("microseconds"),
    )
    score: float | None = Field(
        None,
        allow_inf_nan=False,
        description="The metric on validation rows is to be this good at least (errors: at most); as good as the best when empty.",
        json_schema_extra=unit("metric units"),
    )
    lost: float | None = Field(
        None,
        ge=0,
        le=100,
        description="Points (for errors: percent) that may be lost at most against the teacher, on the same validation rows; in place of a score.",
        json_schema_extra=unit("points"),
    )

    @model_validator(mode="after")
    def _one_way_to_be_good(self) -> Self:
        if self.score is not None and self.lost is not None:
            raise ValueError("score and lost both say how good is good enough; leave one of them empty")
        return self

    @property
    def limits(self) -> dict[str, float]:
        """Return the limits that were set, by the name of what they limit."""
        asked = {"bytes": self.bytes, "microseconds": self.microseconds}
        return {name: float(most) for name, most in asked.items() if most is not None}
