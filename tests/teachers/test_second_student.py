"""A second student on the same teacher and data pays nothing: no fit, and not one answer asked of a teacher."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from kd_core.runs import experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers.base import SOURCES
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")
OTHER = StudentSpec(name="other", arch=Choice(name="linear"))


class Counted:
    """A fitted teacher that counts its answers."""

    def __init__(self, fitted, counts):
        self.fitted, self.counts = fitted, counts

    def __getattr__(self, name):
        return getattr(self.fitted, name)

    def logits(self, x):
        self.counts["answers"] += 1
        return self.fitted.logits(x)


@pytest.mark.slow
@pytest.mark.parametrize(
    "teacher",
    [
        pytest.param(None, id="trees", marks=pytest.mark.slow),
        pytest.param(Choice(name="mlp", settings={"size": "tiny", "epochs": 2}), id="network"),
    ],
)
def test_a_cached_run_asks_the_teacher_nothing(tmp_path, monkeypatch, teacher):
    spec = small_spec(write_table(tmp_path / "t.csv", rows=200), epochs=2, seeds=1)
    spec = spec.model_copy(update={"teacher": teacher}) if teacher else spec
    counts = {"fits": 0, "answers": 0, "batches": 0}
    entry = SOURCES.get(spec.teacher.name)

    def counted(*args):
        counts["fits"] += 1
        fitted = entry.make(*args)
        if isinstance(fitted.module(), torch.nn.Module):
            fitted.module().register_forward_hook(lambda *_: counts.update(batches=counts["batches"] + 1))
        return Counted(fitted, counts)

    monkeypatch.setitem(SOURCES._entries, entry.name, replace(entry, make=counted))

    def carry_out(name, **changes):
        counts.update(fits=0, answers=0, batches=0)
        changed, events = spec.model_copy(update=changes), []
        result = experiment.run(changed, RunFolder.create(tmp_path / name, changed), events.append, lambda: False)
        return result, events, dict(counts)

    first, _, spent = carry_out("first")
    assert (
        spent["fits"] == 3 and spent["answers"] >= 4 and not first["teacher"]["cached"]
    )  # one for all rows, two folds
    assert (spent["batches"] > 0) == bool(teacher)
    second, events, spent = carry_out("second", students=(OTHER,))
    assert spent == {"fits": 0, "answers": 0, "batches": 0} and second["teacher"]["cached"]
    assert [s["name"] for s in second["students"]] == ["other"]
    assert {e["arm"] for e in events if e["kind"] in ("epoch", "trained")} == {"baseline", "student", "placebo"}
    assert second["teacher"]["metrics"] == first["teacher"]["metrics"]
