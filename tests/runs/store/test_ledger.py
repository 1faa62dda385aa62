"""The count of looks at a dataset's test part."""

import pytest

from kd_core.errors import KDError
from kd_core.runs.store import ledger


def test_a_run_counts_once_and_datasets_apart(tmp_path):
    assert [ledger.note_read(tmp_path, "a", run) for run in ("r1", "r2", "r1", "r3")] == [1, 2, 2, 3]
    assert ledger.note_read(tmp_path, "b", "r1") == 1
    assert ledger.note_read(tmp_path, "a", "r3") == 3


def test_a_torn_line_costs_nothing_but_itself(tmp_path):
    ledger.note_read(tmp_path, "a", "r1")
    with (tmp_path / ledger.FILE).open("a") as file:
        file.write('[]\n{"dataset": "a", "ru')
    assert ledger.note_read(tmp_path, "a", "r2") == 2
    assert ledger.note_read(tmp_path, "a", "r3") == 3


def test_a_workspace_that_refuses_says_so(tmp_path):
    (tmp_path / ledger.FILE).mkdir()
    with pytest.raises(KDError, match=r"The read of the test part could not be noted in .*test_reads\.jsonl"):
        ledger.note_read(tmp_path, "a", "r1")
