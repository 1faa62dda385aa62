"""What a step of distillation costs: with cached logits, beside plain cross-entropy and beside a live teacher.

All arms are the engine's own training loop (batches, loss, watch for NaN, backward, fused AdamW) on one thread; they
differ in the loss alone. `cached`: the teacher's logits of all rows are known. `live`: a teacher of ten times the
student's parameters answers every batch without gradients, then the registered loss is differentiated, as loops
without a cache do; its rows are gathered beforehand, so that it pays for nothing else. Rounds are interleaved, each
arm in each round in turn; a ratio is the median over the rounds' ratios. Times are processor time of the one thread
that works, so that other programs on the machine count for little; the time by the clock is told beside it.

    python benchmarks/kd_step.py [--quick] [--json FILE]

Goals: cached <= 1.35 x plain for tiny students, <= 1.10 x where a plain step takes 3 ms or more;
live >= 1.5 x cached.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.input_spec import table_inputs
from kd_core.distill import LOSSES, objective
from kd_core.machine import device
from kd_core.models import Outputs
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.task import task_of
from kd_core.training import loop
from kd_core.training.meter import BatchTerms, Meter
from kd_core.training.plan import TrainingPlan
from kd_core.training.predict import predict

LONG_STEP_MS = 3.0
GOAL_TINY, GOAL_LONG, GOAL_LIVE = 1.35, 1.10, 1.5
LESSON = Choice(name="hinton", settings={"temperature": 4.0, "alpha": 0.7})
CPU = torch.device("cpu")
CASES = [
    {
        "name": "MLP 28-20-20-2",
        "student": {"width": 20, "depth": 2},
        "teacher": {"width": 88, "depth": 2},
        "features": 28,
        "classes": 2,
        "batch": 128,
        "steps": 60,
    },
    {
        "name": "MLP 28-20-20-10",
        "student": {"width": 20, "depth": 2},
        "teacher": {"width": 92, "depth": 2},
        "features": 28,
        "classes": 10,
        "batch": 128,
        "steps": 60,
    },
    {
        "name": "MLP 64-64-64-10",
        "student": {"width": 64, "depth": 2},
        "teacher": {"width": 264, "depth": 2},
        "features": 64,
        "classes": 10,
        "batch": 256,
        "steps": 60,
    },
    {
        "name": "MLP 256-1024-1024-10",
        "student": {"width": 1024, "depth": 2},
        "teacher": {"width": 2048, "depth": 4},
        "features": 256,
        "classes": 10,
        "batch": 256,
        "steps": 8,
    },
]


def network(settings: dict, case: dict, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build(
        Choice(name="mlp", settings={"size": None, **settings}), table_inputs(case["features"]), case["classes"]
    )


class LiveTeacher:
    """The loss of a loop without a cache: the batches of every epoch here are the same, in the same order."""

    def __init__(self, teacher: torch.nn.Module, batches: list, labels: np.ndarray) -> None:
        self.teacher, self.batches, self.at = teacher.eval(), batches, 0
        self.labels = torch.from_numpy(labels)
        entry = LOSSES.get(LESSON.name)
        self.soft, self.spec = entry.make, entry.spec.parse(LESSON.settings)
        self.hard = task_of("multiclass").hard_loss()

    def __call__(self, outputs: Outputs, index: torch.Tensor) -> BatchTerms:
        with torch.no_grad():
            answers = self.teacher(self.batches[self.at])
        self.at = (self.at + 1) % len(self.batches)
        labels = self.labels.index_select(0, index)
        soft, hard = self.soft(outputs, answers, labels, self.spec), self.hard(outputs, labels)
        hard_weight, soft_weight = self.spec.weights()
        return BatchTerms(hard_weight * hard + soft_weight * soft, hard, soft)


class Arm:
    """One kind of training, taken epoch by epoch."""

    def __init__(self, case: dict, data: dict, make_loss: Callable) -> None:
        plan = TrainingPlan(epochs=10**6, batch_size=case["batch"])
        rows = loop.TrainRows(torch.from_numpy(data["x"]), torch.from_numpy(data["x"][:2]))
        module = network(case["student"], case, 0)
        self.training = loop._Training(module, rows, None, None, plan, 0, CPU)
        self.training.loss = make_loss(self.training)
        self.meter = Meter(CPU, self.training.steps)

    def epoch(self) -> tuple[float, float, float]:
        """Return the microseconds of a step, by the processor and by the clock, and the mean loss."""
        start, used = time.perf_counter(), time.thread_time()
        self.training._epoch(self.meter, loop.never)
        used, clock = time.thread_time() - used, time.perf_counter() - start
        steps = self.training.steps
        return used / steps * 1e6, clock / steps * 1e6, self.meter.finish().total


def arms(case: dict) -> tuple[dict[str, Arm], float]:
    rng = np.random.default_rng(0)
    rows = case["batch"] * case["steps"]
    data = {"x": rng.normal(size=(rows, case["features"])).astype(np.float32)}
    y = (data["x"][:, : case["classes"]] + 0.5 * rng.normal(size=(rows, case["classes"]))).argmax(1)
    teacher = network(case["teacher"], case, 1)
    z = predict(teacher, data["x"])

    def live(training: loop._Training) -> LiveTeacher:
        return LiveTeacher(teacher, [training.rows.take(i) for i in training._batches(1)], y)

    made = {
        "plain": Arm(case, data, lambda training: objective.make("multiclass", None, y)),
        "cached": Arm(case, data, lambda training: objective.make("multiclass", LESSON, y, z)),
        "live": Arm(case, data, live),
    }
    count = [sum(w.numel() for w in m.parameters()) for m in (teacher, made["plain"].training.module)]
    return made, count[0] / count[1]


def measure(case: dict, rounds: int) -> dict:
    made, parameters = arms(case)
    found: dict[str, list[float]] = {name: [] for name in made}
    clock: dict[str, list[float]] = {name: [] for name in made}
    names = list(made)
    for turn in range(rounds + 2):
        losses = {}
        gc.collect()
        for name in names[turn % 3 :] + names[: turn % 3]:
            used, passed, losses[name] = made[name].epoch()
            if turn > 1:  # two rounds warm up
                found[name].append(used)
                clock[name].append(passed)
        if not turn and not np.isclose(losses["cached"], losses["live"], rtol=1e-3):
            raise SystemExit(f"{case['name']}: cached and live logits do not teach the same: {losses}")
    plain = statistics.median(found["plain"])
    limit = GOAL_LONG if plain >= LONG_STEP_MS * 1000 else GOAL_TINY
    result = {
        "case": f"{case['name']}, batch {case['batch']}",
        "teacher_parameters": parameters,
        "rounds": rounds,
        "steps": case["steps"],
        "goal_cached": limit,
        "goal_live": GOAL_LIVE,
    }
    for name, values in found.items():
        result[f"{name}_us"] = statistics.median(values)
        result[f"{name}_clock_us"] = statistics.median(clock[name])
    for name, over, under in (("cached_over_plain", "cached", "plain"), ("live_over_cached", "live", "cached")):
        ratios, by_clock = ([a / b for a, b in zip(times[over], times[under], strict=True)] for times in (found, clock))
        low, high = np.quantile(ratios, (0.25, 0.75))
        result[name] = {
            "median": statistics.median(ratios),
            "quarter": float(low),
            "three_quarters": float(high),
            "clock": statistics.median(by_clock),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of about two minutes")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    with device.threads(1):
        rows = [measure(case, 9 if chosen.quick else 60) for case in (CASES[::3] if chosen.quick else CASES)]
        environment = device.environment(CPU)
    for row in rows:
        cached, live = row["cached_over_plain"], row["live_over_cached"]
        print(
            f"{row['case']} ({row['rounds']} rounds of {row['steps']} steps): plain {row['plain_us']:.0f} us, cached "
            f"{row['cached_us']:.0f} us, live {row['live_us']:.0f} us a step\n"
            f"  cached / plain {cached['median']:.3f} (middle half {cached['quarter']:.3f}-{cached['three_quarters']:.3f}; by the clock "
            f"{cached['clock']:.3f}), "
            f"goal {row['goal_cached']}: {'met' if cached['median'] <= row['goal_cached'] else 'MISSED'}\n"
            f"  live / cached {live['median']:.2f} (middle half {live['quarter']:.2f}-{live['three_quarters']:.2f}; by the clock {live['clock']:.2f}; teacher "
            f"of {row['teacher_parameters']:.1f} x the parameters), goal {row['goal_live']}: "
            f"{'met' if live['median'] >= row['goal_live'] else 'MISSED'}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps({"cases": rows, "environment": environment}, indent=1) + "\n")


if __name__ == "__main__":
    main()
