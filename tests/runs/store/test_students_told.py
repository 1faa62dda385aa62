"""Who learns, as the list of runs tells it."""

from __future__ import annotations

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import row_of
from kd_core.specs import ChooseSpec
from tests.runs.services import run_spec


def test_candidates_are_told_as_best_until_one_is_chosen(tmp_path):
    spec = run_spec("plain")
    plain = RunFolder.create(tmp_path / "plain", spec)
    assert row_of(plain).students == tuple(s.name for s in spec.students)
    chosen = RunFolder.create(tmp_path / "chosen", spec.model_copy(update={"choose": ChooseSpec()}))
    assert row_of(chosen).students == ("best",)
    found = {"metric": {}, "students": [], "choice": {"chosen": "trees small"}}
    chosen.finish(result=found)
    chosen.write_status(state="done")
    assert row_of(chosen).students == ("trees small",)
