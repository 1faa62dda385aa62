"""What the training loop costs beside a hand-written one doing the same mathematics.

Both sides take the same batches with the same optimiser, schedule, loss and validation after every epoch.
The engine side has callbacks, a stop request asked for at every batch, events written to disk and
checkpoints on. With a teacher the engine uses the loss's written gradient where the hand-written loop differentiates it, which
makes the engine the faster one: what the loop itself costs is told by the cases without a teacher. Rounds are interleaved; the ratio is the median over rounds. On a busy machine look at the
ratio of processor time, which does not count waiting for a core.

    python benchmarks/loop_overhead.py [--quick] [--json FILE]

Goal: a ratio of at most 1.05.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.input_spec import table_inputs
from kd_core.distill import objective
from kd_core.machine import device
from kd_core.models.building import build
from kd_core.seeding import derive
from kd_core.specs import Choice
from kd_core.training.loop import TrainRows, optimise
from kd_core.training.plan import TrainingPlan
from kd_core.training.scoring import Scoring

GOAL = 1.05
TEMPERATURE, ALPHA = 2.0, 0.7
CASES = [
    {
        "name": "small MLP 28-20-20-2, batch 128, no teacher",
        "size": "small",
        "batch": 128,
        "rows": 8400,
        "taught": False,
    },
    {"name": "small MLP 28-20-20-2, batch 128", "size": "small", "batch": 128, "rows": 8400},
    {"name": "small MLP 28-20-20-2, batch 256", "size": "small", "batch": 256, "rows": 8400},
    {"name": "base MLP 28-128-128-2, batch 256", "size": "base", "batch": 256, "rows": 8400},
]


def make_data(rows: int) -> dict:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 1800, 28)).astype(np.float32)
    margin = x[:, :6].sum(1) + np.sin(3 * x[:, 6])
    y = (margin + rng.normal(size=len(x)) > 0).astype(np.int64)
    z = np.stack([-margin, margin], axis=1).astype(np.float32)
    return {"x": x[:rows], "y": y[:rows], "z": z[:rows], "xv": x[rows:], "yv": y[rows:]}


def network(size: str) -> torch.nn.Module:
    torch.manual_seed(derive(0, "init"))
    return build(Choice(name="mlp", settings={"size": size}), table_inputs(28), 2)


def engine(data: dict, size: str, plan: TrainingPlan, folder: Path, taught: bool) -> tuple[float, list[float]]:
    """Train with the engine, everything switched on; return seconds and the losses."""
    module = network(size)
    choice = Choice(name="hinton", settings={"temperature": TEMPERATURE, "alpha": ALPHA})
    loss = objective.make("binary", choice if taught else None, data["y"], data["z"])
    score = Scoring("binary", data["yv"], "roc_auc", also=("log_loss",))
    rows = TrainRows(torch.from_numpy(data["x"]), torch.from_numpy(data["xv"]))
    asked = threading.Event()
    with (folder / "events.jsonl").open("w") as file:

        def notify(event: dict) -> None:
            file.write(json.dumps(event) + "\n")
            file.flush()

        start = time.perf_counter()
        trained = optimise(
            module,
            rows,
            loss,
            score,
            plan,
            0,
            notify=notify,
            should_stop=asked.is_set,
            checkpoint=folder / "checkpoint",
        )
        return time.perf_counter() - start, [h["loss"] for h in trained.history]


def by_hand(data: dict, size: str, plan: TrainingPlan, taught: bool) -> tuple[float, list[float]]:
    """Train with the loop one writes in a notebook; return seconds and the losses."""
    module = network(size)
    x, y, z, xv = (torch.from_numpy(data[k]) for k in ("x", "y", "z", "xv"))
    score = Scoring("binary", data["yv"], "roc_auc", also=("log_loss",))
    start = time.perf_counter()
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
    )
    total_steps = plan.epochs * plan.steps_per_epoch(len(x))
    step, losses, best, best_weights = 0, [], -1.0, {}
    for epoch in range(1, plan.epochs + 1):
        module.train()
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(derive(0, "order", epoch)))
        summed = 0.0
        for index in order.split(plan.batch_size):
            optimiser.param_groups[0]["lr"] = 0.5 * plan.learning_rate * (1 + math.cos(math.pi * step / total_steps))
            logits = module(x.index_select(0, index)).logits
            loss = F.cross_entropy(logits, y.index_select(0, index))
            if taught:
                soft = (
                    F.kl_div(
                        F.log_softmax(logits / TEMPERATURE, 1),
                        F.log_softmax(z.index_select(0, index) / TEMPERATURE, 1),
                        reduction="batchmean",
                        log_target=True,
                    )
                    * TEMPERATURE**2
                )
                loss = (1 - ALPHA) * loss + ALPHA * soft
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            summed += loss.item() * len(index)
            step += 1
        losses.append(summed / len(x))
        module.eval()
        with torch.no_grad():
            value = score(module(xv).logits.numpy())["roc_auc"]
        if value > best:
            best, best_weights = value, {k: v.clone() for k, v in module.state_dict().items()}
    module.load_state_dict(best_weights)
    return time.perf_counter() - start, losses


def compare(case: dict, rounds: int, epochs: int) -> dict:
    plan, taught = TrainingPlan(epochs=epochs, batch_size=case["batch"], patience=epochs), case.get("taught", True)
    data = make_data(case["rows"])
    times: dict[str, list[float]] = {"engine": [], "by_hand": []}
    cpu: dict[str, list[float]] = {"engine": [], "by_hand": []}
    for turn in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            sides = [
                ("engine", lambda f=folder: engine(data, case["size"], plan, Path(f), taught)),
                ("by_hand", lambda: by_hand(data, case["size"], plan, taught)),
            ]
            losses = {}
            for name, side in sides if turn % 2 else sides[::-1]:
                gc.collect()
                used = time.process_time()
                seconds, losses[name] = side()
                if turn:  # the first round warms up
                    times[name].append(seconds)
                    cpu[name].append(time.process_time() - used)
        same = np.allclose(losses["engine"], losses["by_hand"], rtol=1e-4)
        if not same:
            raise SystemExit(f"{case['name']}: the two loops do not do the same mathematics: {losses}")
    ratios = [e / h for e, h in zip(times["engine"], times["by_hand"], strict=True)]
    cpu_ratios = [e / h for e, h in zip(cpu["engine"], cpu["by_hand"], strict=True)]
    steps = epochs * plan.steps_per_epoch(case["rows"])
    return {
        "case": case["name"],
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "cpu_ratio": statistics.median(cpu_ratios),
        "engine_us_per_step": statistics.median(times["engine"]) / steps * 1e6,
        "by_hand_us_per_step": statistics.median(times["by_hand"]) / steps * 1e6,
        "rounds": rounds,
        "steps": steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of about a minute")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    rounds, epochs = (5, 3) if chosen.quick else (30, 4)
    with device.threads(1):
        rows = [compare(case, rounds, epochs) for case in (CASES[:2] if chosen.quick else CASES)]
        environment = device.environment(torch.device("cpu"))
    for row in rows:
        print(
            f"{row['case']}: engine {row['engine_us_per_step']:.0f} us, by hand {row['by_hand_us_per_step']:.0f} us a "
            f"step; ratio {row['ratio']:.3f} ({row['ratio_low']:.3f}-{row['ratio_high']:.3f}, {row['rounds']} rounds; processor time {row['cpu_ratio']:.3f}), "
            f"goal {GOAL}: {'met' if row['ratio'] <= GOAL else 'MISSED'}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps({"goal": GOAL, "cases": rows, "environment": environment}, indent=1) + "\n")


if __name__ == "__main__":
    main()
