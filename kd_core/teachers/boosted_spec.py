"""Settings that boosted trees have, whichever library grows them."""

from __future__ import annotations

from pydantic import Field

from kd_core.specs import Spec, unit


class BoostingSpec(Spec):
    """Settings that mean the same in every library."""

    learning_rate: float = Field(
        0.05, gt=0, le=1, description="Share of each tree's answer that is used.", json_schema_extra=unit("share")
    )
    rounds: int = Field(
        1000,
        ge=1,
        le=10_000,
        description="Boosting rounds at most; training stops earlier when the validation loss no longer falls.",
        json_schema_extra=unit("rounds"),
    )
    patience: int = Field(
        20,
        ge=1,
        le=1000,
        description="Rounds without a lower validation loss before training stops.",
        json_schema_extra=unit("rounds", advanced=True),
    )
    leaves: int = Field(
        15, ge=2, le=1024, description="Leaves per tree at most.", json_schema_extra=unit("leaves", advanced=True)
    )
    l2: float = Field(
        1.0,
        ge=0,
        le=1e6,
        description="Pulls leaf values towards zero.",
        json_schema_extra=unit("weight", advanced=True),
    )
    feature_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the columns tried at each split.",
        json_schema_extra=unit("share", advanced=True),
    )


class BoostedSpec(BoostingSpec):
    """Settings of boosted trees whose leaves are counted in rows."""

    leaf_rows: int = Field(
        20, ge=1, le=100_000, description="Rows per leaf at least.", json_schema_extra=unit("rows", advanced=True)
    )
