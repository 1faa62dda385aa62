"""A task in which a row may have several labels is one file: it obeys the laws of tasks and is trained, kept and told label by label."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.additions.test_one_file import added, nothing_else_changed, obeys, run

FILE = '''"""Coupons that somebody takes, judged by F1 over all of them together."""

from dataclasses import dataclass

from kd_core.task import add
from kd_core.tasks.multilabel import Multilabel


@dataclass(frozen=True)
class Coupons(Multilabel):
    """Never guessed from a file."""

    def likeness(self, column):
        return 0

    def likeness_together(self, columns):
        return 0


add(
    Coupons(
        name="coupons", title="coupons", primary="label_f1_micro", stopping="label_log_loss", objective="bernoulli_kd"
    )
)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return added(tmp_path_factory.mktemp("copy"), "kd_core/tasks/coupons.py", FILE)


@pytest.mark.slow
def test_the_laws_know_it(copy):
    obeys(copy, "tests/laws/test_tasks.py", "coupons")
    nothing_else_changed(copy)


@pytest.mark.slow
def test_it_is_trained_and_told_label_by_label(copy):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame["taken"] = [";".join(n for n, v in zip("uvw", row, strict=True) if v > 0) for row in x]
    frame.to_csv(copy / "shop.csv", index=False)
    asked = ["--target", "taken", "--task", "coupons", "--student", "tiny", "--teacher", "lightgbm", "--epochs", "2"]
    run(copy, "kd_core", "distill", "shop.csv", *asked, "--seeds", "2", "--out", "out")
    found = json.loads((copy / "out" / "result.json").read_text())
    assert (found["task"], found["metric"]["name"]) == ("coupons", "label_f1_micro")
    assert len(found["students"][0]["labels"]) == 3
