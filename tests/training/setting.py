"""A small training task that the tests of this folder share."""

import threading

import numpy as np
import torch
from torch import nn

from kd_core.distill import objective
from kd_core.models import Outputs
from kd_core.training.loop import TrainRows
from kd_core.training.plan import TrainingPlan
from kd_core.training.scoring import Scoring

ROWS, FEATURES = 300, 6


class Net(nn.Module):
    def __init__(self, seed=0, dropout=0.1):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Linear(FEATURES, 16), nn.ReLU(), nn.Dropout(dropout))
            self.head = nn.Linear(16, 2)

    def forward(self, x):
        return Outputs(self.head(self.body(x)))


def arrays(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] + 0.5 * rng.normal(size=rows) > 0).astype(np.int64)


def pieces(rows=ROWS, metric="roc_auc", **plan):
    """Everything `optimise` needs, in its order: module, rows, loss, score, plan, seed."""
    (x, y), (x_validation, y_validation) = arrays(rows), arrays(120, seed=1)
    data = TrainRows(torch.from_numpy(x), torch.from_numpy(x_validation))
    settings = {"epochs": 6, "batch_size": 64, "patience": 6, **plan}
    return [
        Net(),
        data,
        objective.make("binary", None, y),
        Scoring("binary", y_validation, metric),
        TrainingPlan(**settings),
        0,
    ]


def weights(module):
    return {k: v.clone() for k, v in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def mapped(path, x):
    """Write rows to a file and open them from there."""
    np.save(path, np.asarray(x))
    return np.load(path, mmap_mode="c")


def prefetching():
    """Count the threads that stream rows."""
    return sum(t.name == "rows" for t in threading.enumerate())
