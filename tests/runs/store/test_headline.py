"""The line of a run that made a student smaller: the stage that was chosen, with nothing that the earlier run said."""

from __future__ import annotations

import pytest

from kd_core.runs.store.rows import headline
from tests.pages.results import result
from tests.runs.view.compressed_block import compressed


def test_the_chosen_stage_stands_in_the_list():
    block = compressed()
    found = {**result(task="multiclass"), "compressed": block}
    line, name = headline(found), found["metric"]["name"]
    one = next(s for s in block["stages"] if s["id"] == block["best"])
    assert line.student_name.endswith(f" · {one['name']}")
    assert (line.student, line.bytes) == (one["metrics"][name], one["bytes"])
    assert line.versus == pytest.approx(one["metrics"][name] - line.teacher)
    assert (line.verdict, line.gain, line.baseline) == ("", None, None)


def test_where_nothing_smaller_was_chosen_the_student_as_it_was_does():
    block = compressed(best=None)
    line = headline({**result(task="multiclass"), "compressed": block})
    assert line.student_name == block["student"] and line.bytes == block["stages"][0]["bytes"]
