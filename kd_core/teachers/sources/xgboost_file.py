"""A XGBoost model from a file as a teacher: its trees are read and checked here, the library never opens it."""

from __future__ import annotations

from pydantic import Field

from kd_core.models.building import SHORT_FORM
from kd_core.specs import unit
from kd_core.task import IN_FULL
from kd_core.teachers import foreign_files
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.model_files import boosted
from kd_core.teachers.model_files.boosted import Library
from kd_core.teachers.model_files.spec import FILE_OR_NONE, BoosterFileSpec

LIBRARY = Library("XGBoost", "kd_core.data.model_files.xgboost_json:read", "xgboost")
OPENS = (LIBRARY.kind,)


class XGBoostFileSpec(BoosterFileSpec):
    """Which file, and what its numbers stand for."""

    path: str = Field(
        "",
        pattern=FILE_OR_NONE,
        description="The model, as Booster.save_model writes it (JSON or UBJSON).",
        json_schema_extra=unit("file", file=(".json", ".ubj", *foreign_files.ENDINGS)),
    )


@SOURCES.register(
    "xgboost_file",
    title="XGBoost file",
    spec=XGBoostFileSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=boosted.missing,
    opens=OPENS,
    live=lambda spec, dataset: boosted.open_model(foreign_files.check(spec.path, OPENS), LIBRARY, spec, dataset),
    refuses=lambda spec: foreign_files.why_not(spec.path, OPENS),
)
def answer(spec: XGBoostFileSpec, ask: Ask) -> Answered:
    """Ask the trees about every row of the dataset. Errors: DataError, Stopped."""
    return boosted.answer(LIBRARY, spec, ask)
