"""What answers cost: processor time and money a day, by plain arithmetic on what was measured and what a person assumes."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from kd_core.spec import Spec, unit

SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3_600


class CostSpec(Spec):
    """The assumptions behind a cost. None of them is measured."""

    per_day: float = Field(
        1e6, gt=0, le=1e15, description="Predictions a day.", json_schema_extra=unit("predictions", log=True)
    )
    price: float = Field(
        0.04,
        ge=0,
        le=1e6,
        description="Price of one core for one hour; cloud processors were about 0.03 to 0.05 dollars in 2025.",
        json_schema_extra=unit("money per core-hour"),
    )
    utilisation: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the time paid for in which cores have work; the rest waits for the next request.",
        json_schema_extra=unit("share"),
    )
    batch: int = Field(1, ge=1, le=1024, description="Rows answered at once.", json_schema_extra=unit("rows"))


@dataclass(frozen=True)
class Cost:
    """What a day of answers takes. Units: `seconds` of cores at work, `core_hours` paid for, `money` as the price is, `cores` that run all day."""

    seconds: float
    core_hours: float
    money: float
    cores: float


def cost(milliseconds: float, threads: int, asked: CostSpec) -> Cost:
    """Turn the time of one batch of `asked.batch` rows into a day's cost. A batch keeps all its threads busy.

    Units: seconds = predictions / batch x time of a batch x threads; core-hours = seconds / 3,600 / utilisation.

    Example:
        >>> cost(2.0, 1, CostSpec(per_day=1_000_000, price=0.05, utilisation=0.5, batch=1)).seconds
        2000.0
    """
    seconds = asked.per_day / asked.batch * milliseconds / 1000 * threads
    core_hours = seconds / SECONDS_AN_HOUR / asked.utilisation
    return Cost(seconds, core_hours, core_hours * asked.price, seconds / SECONDS_A_DAY / asked.utilisation)
