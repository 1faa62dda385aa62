"""What a run goes on from, where its students learn on instead of anew."""

from __future__ import annotations

from pydantic import Field

from kd_core.spec import Spec, unit


class ContinueSpec(Spec):
    """The students of a finished run learn on from new rows, beside a share of the rows they know."""

    run: str = Field(
        min_length=1,
        max_length=4096,
        description="The finished run to go on from: its id in this workspace, or the path of its folder.",
    )
    weights: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="Hash of the weights that are gone on from; a run with others under the same name is refused.",
    )
    source: str = Field(description="New rows: 'sha256:<hash>' of a file kept in the workspace, or a path.")
    sha256: str | None = Field(
        None, description="Hash of the file's bytes; a different file under the same path is refused."
    )
    name: str = Field("", max_length=120, description="Name to show.")
    old_share: float = Field(
        1.0,
        ge=0.05,
        le=1.0,
        description="Share of the run's training rows that are learned again beside the new ones, so that they are not forgotten.",
        json_schema_extra=unit("share of rows"),
    )
    held_out: float = Field(
        0.25,
        ge=0.05,
        le=0.5,
        description="Share of the new rows that are kept apart, to measure at the end what was learned.",
        json_schema_extra=unit("share of rows"),
    )
