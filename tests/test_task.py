"""Tasks are asked for by name, from anywhere, and say what they know of a target."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kd_core.errors import SpecError, UnknownName
from kd_core.registry import Registry
from kd_core.specs import DatasetSpec
from kd_core.task import CLASSIFICATION, NUMERIC, POSITIVE, TASKS, add, task_of, usual

ROOT = Path(__file__).resolve().parent.parent


def test_an_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(UnknownName) as raised:
        task_of("binry")
    assert str(raised.value) == f"no task 'binry'. Did you mean 'binary'? Known: {', '.join(sorted(TASKS.names()))}."


def test_a_spec_with_an_unknown_task_lists_the_known_ones():
    with pytest.raises(SpecError) as raised:
        DatasetSpec.parse({"source": "a.csv", "target": "y", "task": "clustering"}, "data")
    known = [repr(name) for name in TASKS.names()]
    assert raised.value.message == (
        f"1 problem in data: task: Input should be {', '.join(known[:-1])} or {known[-1]}, got 'clustering'"
    )
    assert DatasetSpec(source="a.csv", target="y").task is None


def test_a_spec_takes_a_task_that_somebody_added(monkeypatch):
    monkeypatch.setattr(TASKS, "_entries", dict(TASKS._entries))
    add(replace(usual("number"), name="rating", title="a rating", usual=False))
    spec = DatasetSpec(source="a.csv", target="y", task="rating")
    assert DatasetSpec.from_json(spec.to_json()) == spec and '"task":"rating"' in spec.to_json()


def test_a_task_is_added_once():
    with pytest.raises(SpecError, match="The task 'binary' is registered twice"):
        add(task_of("binary"))


@pytest.mark.parametrize(
    ("condition", "names"),
    [(CLASSIFICATION, ("binary", "multiclass")), (NUMERIC, ("regression",)), (POSITIVE, ("binary",)), (None, ())],
)
def test_parts_name_the_tasks_that_they_suit(condition, names):
    parts: Registry[int] = Registry("part")
    parts.register("one", title="One", tasks=condition)(1)
    assert parts.get("one").tasks == names


@pytest.mark.parametrize(
    ("task", "num_classes", "settled", "outputs", "averages"),
    [
        ("binary", 2, "binary", 2, 1),
        ("multiclass", 2, "binary", 2, 2),
        ("multiclass", 5, "multiclass", 5, 5),
        ("binary", 3, "binary", 3, 1),
        ("regression", 0, "regression", 1, 1),
    ],
)
def test_what_the_number_of_classes_decides(task, num_classes, settled, outputs, averages):
    asked = task_of(task)
    assert asked.settled(num_classes) == settled
    assert (asked.num_outputs(num_classes), asked.averages(num_classes)) == (outputs, averages)


def test_threads_that_ask_first_all_see_every_task():
    script = """
import threading
from kd_core.task import TASKS
seen, start = [], threading.Barrier(8)
def ask():
    start.wait()
    seen.append(tuple(TASKS.names()))
threads = [threading.Thread(target=ask) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(seen), sorted(set(seen)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.strip() == f"8 {[tuple(TASKS.names())]}", done.stderr
