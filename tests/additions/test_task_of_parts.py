"""A task of two parts over one tensor of logits is one file: it trains, is scored, kept, loaded and shown; a metric of one part is another."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.additions.test_one_file import added, form_of, nothing_else_changed, obeys, run

TASK = '''"""How much, and whether that is more than half of the rows have: a number (slice 0:1) and two classes (slice 1:3)."""

from dataclasses import dataclass

import numpy as np

from kd_core.task import add
from kd_core.tasks.regression import Regression


def above(y):
    """Scaled labels lie around the median."""
    return (y > 0).astype(np.int64)


class ValueAndSide:
    """Squared error of the number plus cross-entropy of the side, mean over rows."""

    weights = None

    def __call__(self, outputs, labels, groups=None):
        if outputs.members is None:
            return self.of_stack(outputs.logits.T[None], labels[None]).mean()
        members = outputs.members.permute(1, 2, 0)
        return self.of_stack(members, labels.expand(len(members), -1)).mean()

    def of_stack(self, z, labels):
        import torch.nn.functional as F

        side = F.cross_entropy(z[:, 1:3], (labels > 0).long(), reduction="none")
        return (z[:, 0] - labels.to(z.dtype)).square() + side

    def stack_gradient(self, z, labels, weight):
        import torch

        value = 2 * (z[:, :1] - labels.to(z.dtype))
        yes = (labels > 0).to(z.dtype)
        side = torch.softmax(z[:, 1:3], dim=1) - torch.cat([1 - yes, yes], dim=1)
        return torch.cat([value, side], dim=1) * (weight / z.shape[2])

    def reference(self, z, y):
        log_p = z[:, 1:3] - np.logaddexp(z[:, 1], z[:, 2])[:, None]
        return (z[:, 0] - y.astype(np.float64)) ** 2 - log_p[np.arange(len(y)), above(y)]

    def to(self, device, dtype):
        return self


@dataclass(frozen=True)
class AmountAndSide(Regression):
    """Never guessed from a column; centred at the median, so that its sign is the second part's label."""

    def likeness(self, column):
        return 0

    def num_outputs(self, num_classes):
        return 3

    def scale(self, y):
        return float(np.median(y)), float(y.std()) or 1.0

    def answers(self, z, mean, std):
        return {"values": z[:, 0] * std + mean}

    def parts(self, y, z, mean, std):
        return {"side": ("binary", (y > mean).astype(np.int64), z[:, 1:3])}

    def perfect(self, y, num_outputs):
        """A teacher that gives the value alone is the surer of the side, the further it lies from the median."""
        return np.stack([y, -2 * y, 2 * y], axis=1)

    def chance(self, y, num_outputs):
        shares = np.maximum(np.bincount(above(y), minlength=2), 0.5) / len(y)
        return np.array([y.mean(dtype=np.float64), *np.log(shares)])

    def hard_loss(self, class_weights=None):
        return ValueAndSide()


add(
    AmountAndSide(
        name="amount_and_side", title="an amount and its side", primary="rmse", stopping="rmse", objective="mse", beside=("mae",)
    )
)
'''
METRIC = '''"""Share of rows whose side is named rightly, for tasks with such a part."""

import numpy as np
from sklearn.metrics import accuracy_score

from kd_core.evaluate.base import METRICS


def right(answers):
    side = answers.parts["side"]
    return side.predicted == side.y


def has_side(task):
    nothing = np.zeros(0)
    return "side" in task.parts(nothing, np.zeros((0, 3)), 0.0, 1.0)


@METRICS.register(
    "side_right", title="Side named rightly", tasks=has_side, better="higher", unit="share", margin=0.005, relative=False,
    influence=lambda a: right(a) - right(a).mean(),
    reference=lambda a: accuracy_score(a.parts["side"].y, a.parts["side"].p.argmax(1)),
    weighted=lambda w, a: w @ right(a) / w.sum(axis=1),
)
def side_right(answers):
    """Share of rows whose side is named rightly."""
    return float(right(answers).mean())
'''
NETWORK = ("mlp", "--set", "teacher.epochs=30", "--set", "teacher.size=tiny")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = added(tmp_path_factory.mktemp("copy"), "kd_core/tasks/amount_and_side.py", TASK)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(amount=np.exp(x[:, 0] + 0.3 * x[:, 1]) + 5)
    frame.to_csv(place / "amounts.csv", index=False)
    return place


def distilled(place, out: str, *more: str):
    told = ("--target", "amount", "--task", "amount_and_side", "--student", "tiny", "--epochs", "40", "--seeds", "2")
    run(place, "kd_core", "distill", "amounts.csv", *told, "--out", out, *more)
    return json.loads((place / out / "result.json").read_text())


@pytest.mark.slow
def test_the_laws_and_the_lists_know_it(place):
    obeys(place, "tests/laws/test_tasks.py", "amount_and_side")
    assert "amount_and_side" in run(place, "kd_core", "list", "tasks")
    assert "amount_and_side" in run(place, "kd_core", "list", "losses")


@pytest.mark.slow
@pytest.mark.parametrize("teacher", [NETWORK, ("gradient_boosting",)], ids=lambda t: t[0])
def test_both_parts_are_learned_kept_and_shown(place, teacher):
    out = f"out-{teacher[0]}"
    found = distilled(place, out, "--folds", "2", "--teacher", *teacher)
    assert (found["task"], found["metric"]["name"]) == ("amount_and_side", "rmse")
    z = np.load(place / out / "artifacts" / "soft_labels.npz")
    side = z["labels"] > np.median(z["labels"])
    for who in ("teacher", "student_0", "baseline_0"):
        assert z[who].shape == (len(side), 3)
        assert np.corrcoef(z[who][:, 0], z["labels"])[0, 1] > 0.8, who
        assert ((z[who][:, 2] > z[who][:, 1]) == side).mean() > 0.85, who
    weights = load_file(place / out / "artifacts" / "students" / "0.safetensors")
    assert [w for w in weights.values() if w.ndim == 2 and w.shape[0] == 3]  # one layer answers both parts
    assert "RMSE" in run(place, "kd_core", "show", out)
    answered = run(place, "kd_core", "predict", out, "amounts.csv").splitlines()
    values = np.array([float(line.split(",")[-1]) for line in answered[1:]])
    truth = pd.read_csv(place / "amounts.csv")["amount"].to_numpy()
    assert len(values) == len(truth) and np.corrcoef(values, truth)[0, 1] > 0.8


@pytest.mark.slow
def test_the_form_offers_what_suits_it(place):
    (place / "drawn.py").write_text(
        "from kd_core.distill import LOSSES\n"
        "from kd_core.runs.plan import situation\n"
        "at = situation('amount_and_side', 0)\n"
        "print(*(e.name for e in LOSSES.entries() if e.why_not(at) is None))\n"
    )
    assert "mse" in run(place, "drawn").split() and "hinton" not in run(place, "drawn").split()
    assert form_of(place, "kd_core.distill", "LOSSES", "mse")
    (place / "drawn.py").unlink()


@pytest.mark.slow
def test_an_ensemble_averages_each_part_as_its_kind_is(place):
    (place / "drawn.py").write_text(
        "import torch\n"
        "from kd_core.data.input_spec import table_inputs\n"
        "from kd_core.models.building import build\n"
        "from kd_core.specs import Choice\n"
        "made = build(Choice(name='tabm', settings={'size': 'tiny'}), table_inputs(4), 3, 'amount_and_side').eval()\n"
        "out = made(torch.randn(50, 4))\n"
        "number = (out.logits[:, 0] - out.members[..., 0].mean(1)).abs().max()\n"
        "side = (out.logits[:, 1:].softmax(1) - out.members[..., 1:].softmax(2).mean(1)).abs().max()\n"
        "print(bool(number < 1e-6 and side < 1e-6))\n"
    )
    assert run(place, "drawn").strip() == "True"
    (place / "drawn.py").unlink()


@pytest.mark.slow
def test_one_file_is_all(place):
    nothing_else_changed(place)


@pytest.mark.slow
def test_a_metric_of_one_part_is_one_file_more(place):
    (place / "kd_core" / "evaluate" / "metrics" / "side_right.py").write_text(METRIC)
    obeys(place, "tests/laws/test_row_influence.py", "side_right")
    assert "(amount_and_side)" in run(place, "kd_core", "list", "metrics")
    distilled(place, "out-side", "--folds", "2", "--teacher", *NETWORK)
    spec = json.loads((place / "out-side" / "spec.json").read_text())
    spec["evaluation"]["metric"] = "side_right"
    (place / "asked.json").write_text(json.dumps(spec))
    run(place, "kd_core", "run", "asked.json", "--out", "out-by-side")
    found = json.loads((place / "out-by-side" / "result.json").read_text())
    (student,) = found["students"]
    assert found["metric"]["name"] == "side_right" and student["gain"]["side_right"]["n"] == 2
    assert min(student["metrics"]["side_right"]["values"]) > 0.85
    nothing_else_changed(place, files=2)
