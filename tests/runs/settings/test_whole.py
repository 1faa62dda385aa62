"""A real what-if that answers, is asked whether it is luck, and is shown with a shuffled teacher; and what the terminal says of it."""

from __future__ import annotations

import pytest
import torch

from kd_core.cli.terminal import show_result
from kd_core.runs import experiment
from kd_core.runs.service.execution import Execution, StopSignal
from kd_core.runs.settings import luck
from kd_core.runs.settings.added import Added, Round
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.snapshot import snapshot
from kd_core.specs import SweepSpec
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_from_the_first_answer_to_the_shuffled_teacher(tmp_path, capsys, task):
    torch.set_num_threads(1)
    axes = {"temperature": (1, 4)} if task == "binary" else {}
    spec = small_spec(write_table(tmp_path / "t.csv", task), task, seeds=3)
    spec = spec.model_copy(update={"sweep": SweepSpec(alpha=(0, 0.5, 1), **axes)})
    folder = RunFolder.create(tmp_path / "run", spec)
    assert Execution(folder, experiment.run, StopSignal()).carry_out().state == "done"
    first = folder.result()
    kept = {p.name: p.stat().st_mtime_ns for p in (folder.checkpoints / "trained").iterdir()}
    show_result(first)
    assert capsys.readouterr().out.startswith(first["sweep"]["answer"]["line"])

    near = luck.contenders(first, spec)
    asked = luck.more(first, spec, Added())
    more = asked if isinstance(asked, Round) else Round((3, 4), near)
    added = Added((more,), shuffled=True)
    added.write(folder)
    assert luck.why_not(first, spec, added) is None
    assert Execution(folder, experiment.run, StopSignal()).carry_out().state == "done"
    second, now = folder.result(), folder.checkpoints / "trained"
    assert all((now / name).stat().st_mtime_ns == at for name, at in kept.items())
    for before, after in zip(first["cells"], second["cells"], strict=True):
        scores = dict(zip(after["seeds"], after["scores"], strict=True))
        assert [scores[n] for n in before["seeds"]] == before["scores"]
        taught = after["cell"] in more.cells and after["alpha"] != 0
        assert set(more.seeds) <= set(scores) or not taught
    told = second["sweep"]["shuffled"]
    assert {c["cell"] for c in told["cells"]} == {c["cell"] for c in second["cells"] if c["alpha"] != 0}
    shown = snapshot(folder)
    assert shown.trainings_done == shown.trainings == second["sweep"]["trainings"] and shown.progress == 1.0
    show_result(second)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == second["sweep"]["answer"]["line"] and said[1] == told["line"]
