"""What is to be timed, and how."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from kd_core.errors import SpecError
from kd_core.machine.processor import cores
from kd_core.machine.rounds import LEAST_ROUNDS
from kd_core.spec import Spec, unit

Form = Literal["whole", "network"]
Runtime = Literal["onnxruntime", "torch", "compile"]
MOST_BATCH, MOST_ROUNDS, MOST_RUNS, MOST_SECONDS = 1024, 200, 20, 3600.0


class LatencySpec(Spec):
    """One session: models of runs, the ways to run them, and how long it may take."""

    runs: tuple[str, ...] = Field(
        min_length=1,
        max_length=MOST_RUNS,
        description="Finished runs, by id or folder.",
        json_schema_extra=unit("runs"),
    )
    models: tuple[str, ...] | None = Field(
        None,
        description="Models by the ids that `listed` gives them; all of the runs when left out.",
        json_schema_extra=unit("models"),
    )
    runtimes: tuple[Runtime, ...] = Field(
        ("onnxruntime", "torch"),
        min_length=1,
        description="What runs a network: the deployed file in ONNX Runtime, torch as it is, torch compiled (needs a compiler).",
        json_schema_extra=unit("runtimes"),
    )
    batches: tuple[int, ...] = Field(
        (1, 32, 256), min_length=1, max_length=11, description="Rows answered at once.", json_schema_extra=unit("rows")
    )
    threads: tuple[int, ...] = Field(
        (1,), min_length=1, max_length=8, description="Threads of one answer.", json_schema_extra=unit("threads")
    )
    devices: tuple[Literal["cpu", "cuda"], ...] = Field(
        ("cpu",), min_length=1, description="Where it runs.", json_schema_extra=unit("devices")
    )
    forms: tuple[Form, ...] = Field(
        ("whole", "network"),
        min_length=1,
        description="From the raw row to the answer, and the network alone, on rows that were read before.",
        json_schema_extra=unit("forms"),
    )
    rounds: int = Field(
        10,
        ge=LEAST_ROUNDS,
        le=MOST_ROUNDS,
        description="Turns of every candidate; six or more give an interval of 95 %.",
        json_schema_extra=unit("rounds"),
    )
    turn: float = Field(
        0.05, gt=0, le=10, description="Time of one turn.", json_schema_extra=unit("seconds", advanced=True)
    )
    seconds: float = Field(
        60.0,
        gt=0,
        le=MOST_SECONDS,
        description="The rounds may take this long, and the fresh processes as long again; fewer are made where the time runs out, and that is told.",
        json_schema_extra=unit("seconds"),
    )
    starts: int = Field(
        3,
        ge=0,
        le=20,
        description="Fresh processes of every candidate, for its cold start and peak memory; 0: none.",
        json_schema_extra=unit("processes"),
    )
    again: bool = Field(
        False,
        description="Train a teacher again that was trained for its run and is not at hand any more, only to time it.",
        json_schema_extra=unit("yes or no"),
    )

    @field_validator("runs", "runtimes", "batches", "threads", "devices", "forms")
    @classmethod
    def _once_each(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("batches", "threads")
    @classmethod
    def _sorted(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(values))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 1 <= self.batches[0] <= self.batches[-1] <= MOST_BATCH:
            raise ValueError(f"batches from 1 to {MOST_BATCH:,}")
        if self.threads[0] < 1:
            raise ValueError("at least 1 thread")
        return self


def check(asked: LatencySpec) -> None:
    """Refuse what this machine can't do. Errors: SpecError `no_gpu`, `few_cores`."""
    if asked.threads[-1] > cores():
        raise SpecError(
            "{asked} threads were asked for; this process may use {cores} cores.",
            "Ask for at most {cores}: threads that share a core wait for each other.",
            "few_cores",
            asked=asked.threads[-1],
            cores=cores(),
        )
    if "cuda" in asked.devices:
        from kd_core.machine.device import pick

        pick("cuda")
