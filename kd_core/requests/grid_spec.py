"""What a what-if varies: lists of values whose combinations are trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from kd_core.spec import Spec, unit

Temperature = Annotated[float, Field(ge=0.5, le=20)]
Share = Annotated[float, Field(ge=0, le=1)]


class SweepSpec(Spec):
    """A what-if: every combination of these values is trained, for every student and seed.

    An empty list keeps the one value that the objective, the training settings or the student's architecture have.
    """

    later = ("made_rows",)

    temperature: tuple[Temperature, ...] = Field(
        (), max_length=16, description="Temperatures to try.", json_schema_extra=unit("divides the logits", log=True)
    )
    alpha: tuple[Share, ...] = Field(
        (), max_length=21, description="Shares of the teacher's lesson to try.", json_schema_extra=unit("0..1")
    )
    learning_rate: tuple[Annotated[float, Field(gt=0, le=1e6)], ...] = Field(
        (), max_length=12, description="Step sizes to try.", json_schema_extra=unit("per step", log=True, advanced=True)
    )
    weight_decay: tuple[Share, ...] = Field(
        (), max_length=12, description="Pulls towards zero to try.", json_schema_extra=unit("per step", advanced=True)
    )
    dropout: tuple[Annotated[float, Field(ge=0, le=0.8)], ...] = Field(
        (),
        max_length=12,
        description="Shares of silenced hidden units to try.",
        json_schema_extra=unit("share", advanced=True),
    )
    made_rows: tuple[Annotated[int, Field(ge=0, le=4)], ...] = Field(
        (),
        max_length=5,
        description="Numbers of made rows to try, as many times the training rows.",
        json_schema_extra=unit("times the training rows", advanced=True),
    )
    mode: Literal["auto", "fused", "sequential"] = Field(
        "auto",
        description="How the trainings are carried out: as stacks where the student has a stacked form when 'auto'.",
        json_schema_extra=unit("name", advanced=True),
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _without_processes(cls, value: Any) -> Any:
        """Read recipes of versions that could also train in child processes; the numbers are the same."""
        return "auto" if value == "processes" else value

    @field_validator("temperature", "alpha", "learning_rate", "weight_decay", "dropout", "made_rows")
    @classmethod
    def _each_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(values)))
