"""The other ways of training a sweep: a plain loop in a fresh process per trial, and in two warm workers.

    python benchmarks/sweep_peers.py trial FILE.npz WIDTH BATCH EPOCHS POSITION...    # one process, these variants
    python benchmarks/sweep_peers.py warm FILE.npz WIDTH BATCH EPOCHS POSITION...     # says "ready" first, waits for a line
    python benchmarks/sweep_peers.py fused FILE.npz WIDTH BATCH EPOCHS COUNT           # the first COUNT as stacks

The plain loop is E1 of the notes: nn.Module, Adam, cached logits, validation accuracy after every epoch.
Each prints the mean of its final validation accuracies.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

TEMPERATURES, ALPHAS, SEEDS = (1.0, 2.0, 4.0, 8.0, 16.0), (0.1, 0.25, 0.5, 0.75, 1.0), (0, 1, 2)
GRID = list(itertools.product(TEMPERATURES, ALPHAS, SEEDS))


def plain(data: dict, width: int, batch: int, epochs: int, temperature: float, alpha: float, seed: int) -> float:
    """Train one student by hand; return its validation accuracy."""
    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    x, y, t = (torch.from_numpy(data[k]) for k in ("x", "y", "z"))
    xv, yv = torch.from_numpy(data["xv"]), torch.from_numpy(data["yv"])
    classes = t.shape[1]
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], width),
        torch.nn.ReLU(),
        torch.nn.Linear(width, width),
        torch.nn.ReLU(),
        torch.nn.Linear(width, classes),
    )
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    right = 0.0
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(batch):
            answer = net(x[index])
            soft = F.kl_div(
                F.log_softmax(answer / temperature, 1), F.softmax(t[index] / temperature, 1), reduction="batchmean"
            )
            loss = alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(answer, y[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            right = (net(xv).argmax(1) == yv).float().mean().item()
    return right


def main() -> None:
    """Train what the command line names."""
    kind, path, (width, batch, epochs) = sys.argv[1], sys.argv[2], map(int, sys.argv[3:6])
    import numpy as np
    import torch

    with np.load(path, allow_pickle=False) as found:
        data = {k: found[k] for k in found.files}
    if kind == "fused":
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
        from benchmarks.sweep_parts import dataset_of, grid, student
        from kd_core.distill.stack import fused
        from kd_core.distill.sweep.work import Hooks, SweepWork
        from kd_core.specs import TrainingSpec

        training = TrainingSpec(batch_size=batch, epochs=epochs, patience=epochs)
        work = SweepWork.of(dataset_of(data), grid(student(width), int(sys.argv[6])), data["z"], training)
        trained = fused.train(work, Hooks())
        print(sum(t.score_last for t in trained.values()) / len(trained))
        return
    torch.set_num_threads(1)
    if kind == "warm":
        plain({k: v[:200] for k, v in data.items()}, width, 64, 1, 1.0, 0.5, 0)
        print("ready", flush=True)
        sys.stdin.readline()
    scores = [plain(data, width, batch, epochs, *GRID[int(p)]) for p in sys.argv[6:]]
    print(sum(scores) / len(scores))


if __name__ == "__main__":
    main()
