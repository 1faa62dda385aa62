"""What the sweep benchmarks share: made-up data, the plain loop of one student (E1), and steps of a fused sweep."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.dataset import Dataset, Part
from kd_core.data.view import Views
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import SweepWork
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.training.lanes import Lanes, lanes_of

TEMPERATURES, ALPHAS, SEEDS = (1.0, 2.0, 4.0, 8.0, 16.0), (0.1, 0.25, 0.5, 0.75, 1.0), (0, 1, 2)


def make_data(rows: int, features: int, classes: int) -> dict[str, np.ndarray]:
    """Make rows with a pattern to learn and a teacher's logits for the training part."""
    rng = np.random.default_rng(0)
    held = min(20_000, max(200, rows // 5))
    x = rng.normal(size=(rows + held, features)).astype(np.float32)
    z = (x @ rng.normal(size=(features, classes)) + 0.5 * rng.normal(size=(len(x), classes))).astype(np.float32)
    y = (z + rng.gumbel(size=z.shape)).argmax(1).astype(np.int64)
    return {"x": x[:rows], "y": y[:rows], "z": z[:rows], "xv": x[rows:], "yv": y[rows:]}


def dataset_of(data: dict[str, np.ndarray]) -> Dataset:
    """Wrap made-up rows as a dataset."""
    (rows, features), classes = data["x"].shape, data["z"].shape[1]
    held = Part(data["yv"], np.arange(rows, rows + len(data["yv"])))
    parts = {"train": Part(data["y"], np.arange(rows)), "validation": held, "test": held}
    return Dataset(
        DatasetSpec(source="made up", target="y"),
        "made up",
        f"made up {rows} {features} {classes}",
        "multiclass",
        tuple(str(c) for c in range(classes)),
        tuple(f"x{i}" for i in range(features)),
        parts,
        Views.of_table({"train": data["x"], "validation": data["xv"], "test": data["xv"]}),
        pd.DataFrame(),
    )


def make_dataset(rows: int, features: int, classes: int) -> tuple[Dataset, np.ndarray]:
    """Make a dataset and its teacher's logits."""
    data = make_data(rows, features, classes)
    return dataset_of(data), data["z"]


def student(width: int, depth: int = 2) -> StudentSpec:
    return StudentSpec(name=f"{width}x{depth}", arch=Choice(name="mlp", settings={"width": width, "depth": depth}))


def grid(of: StudentSpec, count: int = 75) -> list[Variant]:
    """List `count` variants: the 5 x 5 x 3 grid, then more seeds of it."""
    found = [
        Variant(of, Choice(name="hinton", settings={"temperature": t, "alpha": a}), seed + 3 * again)
        for again in range(1 + count // 75)
        for t in TEMPERATURES
        for a in ALPHAS
        for seed in SEEDS
    ]
    return found[:count]


def plain_step(dataset: Dataset, z: np.ndarray, width: int, batch: int, steps: int, threads: int) -> float:
    """E1: the median step of one student in an ordinary eager loop with cached logits. Units: seconds."""
    torch.set_num_threads(threads)
    x, y, t = torch.from_numpy(dataset.view().parts["train"]), torch.from_numpy(dataset.train.y), torch.from_numpy(z)
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], width),
        torch.nn.ReLU(),
        torch.nn.Linear(width, width),
        torch.nn.ReLU(),
        torch.nn.Linear(width, dataset.num_outputs),
    )
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    order = torch.randperm(len(x)).split(batch)
    times = []
    for k in range(steps):
        index = order[k % (len(order) - 1)]
        start = time.perf_counter()
        answer = net(x[index])
        soft = F.kl_div(F.log_softmax(answer / 2, 1), F.softmax(t[index] / 2, 1), reduction="batchmean") * 4
        loss = 0.7 * soft + 0.3 * F.cross_entropy(answer, y[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[5:])


def fused_step(
    dataset: Dataset,
    z: np.ndarray,
    variants: list[Variant],
    batch: int,
    steps: int,
    precision: str = "float32",
    lanes: int | None = None,
) -> float:
    """Time a step of all variants together, side by side as in training. Units: seconds, median over `steps`."""
    training = TrainingSpec(batch_size=batch, epochs=1)
    count = lanes or lanes_of(torch.device("cpu"))
    work = Stacking(SweepWork.of(dataset, variants, z, training, precision=precision))
    tasks = work.tasks(None, print, count)

    def measure(task, tell, stopped) -> None:
        stack = work.open(task)
        tell(stack.time_steps(steps))

    found = list(Lanes(measure, tasks, count).run(lambda: False))
    return sum(statistics.median(times) for times in found) / count


def gemm_rate() -> float:
    """Measure the float32 rate of a large matrix product on all cores. Units: FLOP/s."""
    torch.set_num_threads(lanes_of(torch.device("cpu")))
    a = torch.randn(2048, 2048)
    times = []
    for _ in range(8):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times)


def step_flops(features: int, width: int, classes: int, batch: int, count: int) -> float:
    """Count the floating-point operations of one step: forward, and backward without the inputs' gradient."""
    layers = features * width + width * width + width * classes
    return 2.0 * batch * count * (3 * layers - features * width)
