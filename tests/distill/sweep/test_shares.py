import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from kd_core.data.dataset import Dataset, Part
from kd_core.distill.sweep import sequential, shares
from kd_core.distill.sweep.share_worker import FOLDER_START
from kd_core.distill.sweep.shares import Crew, Share, costs, divide
from kd_core.distill.sweep.variants import Variant
from kd_core.errors import KDError
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.distill.sweep.test_sequential import same
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher

TRAINING = TrainingSpec(epochs=3, batch_size=32)
WIDE = StudentSpec(name="wide", arch=Choice(name="mlp", settings={"width": 512, "depth": 2}))


def variants(count=5):
    lesson = objective_for("binary", alpha=0.5)
    return [
        Variant(STUDENT, lesson if seed % 2 else None, seed, learning_rate=1e-3 * (seed + 1)) for seed in range(count)
    ]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path, monkeypatch):
    """After each test no folder and no child process is left."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    before = {p.pid for p in psutil.Process().children()}
    yield
    assert list(place.glob(FOLDER_START + "*")) == []
    assert {p.pid for p in psutil.Process().children()} <= before


@pytest.mark.parametrize(
    ("each", "count", "parts"),
    [
        ([1, 1, 1, 1], 2, [[0, 1], [2, 3]]),
        ([1, 1, 1, 3], 2, [[0, 1, 2], [3]]),
        ([5, 1, 1], 2, [[0], [1, 2]]),
        ([1], 4, [[0]]),
        ([1] * 5, 3, [[0, 1], [2], [3, 4]]),
    ],
)
def test_a_list_is_cut_where_costs_are_even(each, count, parts):
    assert divide(range(len(each)), each, count) == parts


def test_wider_students_cost_more():
    data = make_dataset()
    small, wide = costs(data, [Variant(STUDENT, None, 0), Variant(WIDE, None, 0)], TRAINING)
    assert small < wide


def test_stacks_keep_students_together_and_the_longest_goes_first():
    mixed = [Variant(s, None, seed) for seed in range(2) for s in (STUDENT, WIDE)]
    crew = Crew(make_dataset(), mixed, None, TRAINING, count=2)
    cut = crew.shares([0, 1, 2, 3], [])
    assert [s.way for s in cut] == ["fused"] * len(cut)
    runs = [mixed[p].student.name for s in cut for p in s.positions]
    assert runs in (["tiny", "tiny", "wide", "wide"], ["wide", "wide", "tiny", "tiny"])
    assert crew.shares([], [0, 1, 2, 3]) == [Share("sequential", [p]) for p in (1, 3, 0, 2)]


def test_no_more_children_than_trainings():
    assert Crew(make_dataset(), variants(3), None, TRAINING, count=8).count == 3


def test_a_full_disk_is_named_and_leaves_nothing(monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shares.handover, "write", full)
    with pytest.raises(KDError, match=r"Child processes can't be started: .*No space left on device") as caught:
        shares.train_variants(make_dataset(), variants(2), None, TRAINING)
    assert caught.value.code == "no_children"


@pytest.mark.slow
def test_children_train_bit_for_bit_what_one_process_does():
    data, told, events = make_dataset(), [], []
    alone = sequential.train_variants(data, variants(), teacher(data), TRAINING)
    found = shares.train_variants(
        data,
        variants(),
        teacher(data),
        TRAINING,
        count=2,
        notify=events.append,
        on_trained=lambda position, trained: told.append((position, threading.current_thread())),
    )
    for mine, one in zip(found, alone, strict=True):
        assert same(mine.state, one.state)
        assert (mine.variant, mine.score_selected, mine.score_last) == (one.variant, one.score_selected, one.score_last)
        assert len(mine.history) == 3
    assert sorted(p for p, _ in told) == [0, 1, 2, 3, 4]
    assert {thread for _, thread in told} == {threading.current_thread()}
    best = {}
    for event in events:
        assert event["kind"] == "scores"
        best |= event["best"]
    assert best == {str(i): t.score_selected for i, t in enumerate(found)}


@pytest.mark.slow
def test_children_can_train_stacks_and_be_measured_before():
    data = make_dataset()
    alone = sequential.train_variants(data, variants(4), teacher(data), TRAINING)
    with Crew(data, variants(4), teacher(data), TRAINING, count=2) as crew:
        assert 0 < crew.probe("fused", [[0, 1], [2, 3]], steps=3) < 60
        assert 0 < crew.probe("sequential", [[0, 1], [2, 3]], steps=3) < 60
        found = crew.train(crew.shares([0, 1, 2], [3]))
    for mine, one in zip(found, alone, strict=True):
        assert mine.score_selected == pytest.approx(one.score_selected, abs=1e-4)


@pytest.mark.slow
def test_what_a_killed_child_leaves_is_trained_by_the_parent():
    data, events, killed = make_dataset(), [], []
    alone = sequential.train_variants(data, variants(), teacher(data), TRAINING)
    with Crew(data, variants(), teacher(data), TRAINING, count=2) as crew:

        def kill(position, trained):
            if not killed:
                killed.extend(crew.pids)
                for pid in crew.pids:
                    os.kill(pid, signal.SIGKILL)

        found = crew.train(crew.shares([0, 1, 2], [3, 4]), notify=events.append, on_trained=kill)
    assert len(killed) == 2
    warned = [e for e in events if e["kind"] == "warning"]
    assert warned
    assert all(w["code"] == "share_lost" for w in warned)
    assert "A child process ended with status -9 before" in warned[0]["message"]
    for mine, one in zip(found, alone, strict=True):
        assert mine.score_selected == pytest.approx(one.score_selected, abs=1e-4)


@pytest.mark.slow
def test_a_probe_of_a_dead_child_is_infinitely_slow_and_its_work_is_done_anyway():
    data = make_dataset()
    with Crew(data, variants(2), teacher(data), TRAINING, count=2) as crew:
        for pid in crew.pids:
            os.kill(pid, signal.SIGKILL)
        assert crew.probe("sequential", [[0], [1]], steps=3) == float("inf")
        assert crew.probe("sequential", [[0], [1]], steps=3) == float("inf")
        found = crew.train(crew.shares([], [0, 1]))
    assert all(t.score_selected > 0 for t in found)


@pytest.mark.slow
def test_a_stop_keeps_the_best_so_far_and_starts_nothing_more():
    data, told = make_dataset(rows=4000), []
    long = TrainingSpec(epochs=2000, batch_size=8, patience=2000)
    began = []

    def hear(event):
        began.extend(event["best"])

    found = shares.train_variants(
        data,
        variants(5),
        teacher(data),
        long,
        count=2,
        notify=hear,
        should_stop=lambda: len(set(began)) >= 2,
        on_trained=lambda position, trained: told.append(position),
    )
    kept = [position for position, t in enumerate(found) if t is not None]
    assert sorted(told) == kept
    assert len(kept) == 2
    assert all(found[p].stopped and found[p].selected_epoch for p in kept)


@pytest.mark.slow
def test_an_error_in_a_child_reaches_the_caller():
    data = make_dataset()
    one_class = Part(np.zeros_like(data.validation.y), data.validation.row_ids)
    broken = Dataset(**{**data.__dict__, "parts": {**data.parts, "validation": one_class}})
    with pytest.raises(KDError, match="The metric 'roc_auc' is undefined on the 90 validation rows") as caught:
        shares.train_variants(broken, variants(2), teacher(data), TRAINING, count=2)
    assert caught.value.code == "undefined_selection"


PARENT = """
import sys
from kd_core.distill.sweep.shares import Crew
from kd_core.specs import TrainingSpec
from tests.distill.sweep.test_shares import variants
from tests.distill.test_student import make_dataset, teacher
data = make_dataset(rows=4000)
with Crew(data, variants(2), teacher(data), TrainingSpec(epochs=2000, batch_size=8, patience=2000), count=2) as crew:
    print(*crew.pids, flush=True)
    crew.train(crew.shares([], [0, 1]), notify=lambda e: print("training", flush=True))
"""


@pytest.mark.slow
def test_children_of_a_killed_parent_end_and_tidy_up(tmp_path):
    root = Path(__file__).resolve().parents[3]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)},
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert parent.stdout.readline().strip() == "training"
    assert len(list(tmp_path.glob(FOLDER_START + "*"))) == 1
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 30
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        assert time.monotonic() < end, "children outlive their parent"
        time.sleep(0.05)
    assert list(tmp_path.glob(FOLDER_START + "*")) == []
