"""Every claim that needs a GPU, in one command of at most 8 minutes, with the engine's packages only.

    python benchmarks/gpu.py [--quick] [--json FILE]

parity    a step as a recorded graph against the same step called; stacks on the GPU against the CPU in float64; TF32 and
          bfloat16 against float32 on the CPU; every architecture for students on its view's example rows
speed     a whole step as a graph against eager; 75 and 1,000 students against one graphed student
memory    what a stack was foreseen to take against what it took
watch     how many steps a NaN goes unnoticed
tests     those marked `gpu`, where pytest is installed

Without a GPU it says so and runs the same code on the CPU, small; what is a matter of speed or of the GPU's memory is then
told without a judgement. Exit code 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import sweep_parts as parts
from kd_core.data.views import VIEWS
from kd_core.distill import objective
from kd_core.distill.stack import fused
from kd_core.distill.stack.forms import STACKS
from kd_core.distill.stack.replay import Replay
from kd_core.distill.stack.stack_training import StackTraining
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.machine import device as devices
from kd_core.models import ARCHS
from kd_core.models.building import build, start_weights
from kd_core.specs import Choice, TrainingSpec
from kd_core.training.loop import TrainRows, never, optimise
from kd_core.training.meter import BatchTerms, Meter, NonFiniteLoss
from kd_core.training.plan import TrainingPlan
from kd_core.training.scoring import Scoring

ROOT, SECONDS = Path(__file__).resolve().parent.parent, 480.0
CPU, CLASSES, BATCH = torch.device("cpu"), 10, 256
LESSON = Choice(name="hinton", settings={"temperature": 4.0, "alpha": 0.7})


@dataclass
class Check:
    """One figure. `passed` None: told without a judgement. `n`: what the figure is of."""

    name: str
    value: float
    goal: str
    passed: bool | None
    n: str


class Bench:
    """The machine and the sizes, and the claims as generators of checks."""

    def __init__(self, device: torch.device, quick: bool) -> None:
        self.device, self.quick, self.on_gpu = device, quick, device.type == "cuda"
        self.rows, self.steps = (1_000, 6) if quick else (10_000, 60)
        self.dataset, self.z = parts.make_dataset(self.rows, 64, CLASSES)
        self.small = parts.student(64)
        self.formats = ["auto", *(["bfloat16"] if devices.has_bfloat16(device.type) else [])]

    def most(self, name: str, value: float, goal: float, n: str, judged: bool = True) -> Check:
        return Check(name, value, f"<= {goal:g}", value <= goal if judged else None, n)

    def work(self, variants: list[Variant], device: torch.device, **more: object) -> SweepWork:
        training = TrainingSpec(batch_size=BATCH, epochs=2, precision=str(more.pop("asked", "auto")))
        return SweepWork.of(self.dataset, variants, self.z, training, device=device, **more)

    def opened(self, work: SweepWork, graph: bool = True) -> Iterator[StackTraining]:
        """Open the stacks of a work, one after another. On the CPU a replayed step reads the same fixed buffers."""
        stacking = Stacking(work)
        for task in stacking.tasks(None, print, 1):
            made = stacking.open(task)
            if work.device.type == "cpu":  # where the schedule stands is a tensor on a GPU
                made._factors = lambda of=made: torch.tensor(StackTraining._factors(of))  # type: ignore[method-assign]
            made.replay = Replay(made._step, work.device) if graph else made._step
            yield made

    def weights(self, work: SweepWork, graph: bool = True) -> torch.Tensor:
        """Train to the end; return the weights of the selected epochs in float64, student by student as the work lists them."""
        found: dict[int, torch.Tensor] = {}
        for made in self.opened(work, graph):  # how students are put into stacks is another matter on each device
            for ended in made.run(never, None):  # a student leaves its stack after it is told of
                for row in ended:
                    found[made.members[row].position] = torch.cat(
                        [w[row].double().cpu().reshape(-1) for w in made.best]
                    )
        return torch.cat([found[position] for position in sorted(found)])

    def step(self, work: SweepWork, graph: bool = True) -> float:
        """Time a step of all variants. Units: seconds, the sum over the stacks of medians."""
        return sum(statistics.median(made.time_steps(self.steps)) for made in self.opened(work, graph))

    def graph(self) -> Iterator[Check]:
        some = parts.grid(self.small, 6 if self.quick else 75)
        for curves in (False, True):
            work = self.work(some, self.device, precision="float64", curves=curves)
            apart = (self.weights(work) - self.weights(work, graph=False)).abs().max().item()
            name = "graph against calls, float64, largest difference of a weight" + (", with losses" if curves else "")
            yield self.most(name, apart, 1e-9, f"{len(some)} students, 2 epochs of {self.rows} rows")

    def stacks(self) -> Iterator[Check]:
        some = parts.grid(self.small, 6 if self.quick else 75)
        here, there = (self.weights(self.work(some, d, precision="float64")) for d in (self.device, CPU))
        name = "stack here against CPU, float64, largest difference of a weight"
        yield self.most(name, (here - there).abs().max().item(), 1e-7, f"{len(some)} students, 2 epochs")
        exact = self.scores(self.work(some, CPU))
        if "bfloat16" not in self.formats:
            yield Check(
                "bfloat16", 0, "", None, f"left out, here and below: no arithmetic for it on {self.device.type}"
            )
        for asked, goal in zip(self.formats, (0.005, 0.02), strict=False):
            precision = "float32" if asked == "auto" else asked
            apart = abs(self.scores(self.work(some, self.device, precision=precision, asked=asked)) - exact)
            name = (
                f"mean accuracy, {'TF32' if self.on_gpu and asked == 'auto' else precision} against float32 on the CPU"
            )
            yield self.most(name, apart, goal, f"{len(some)} students")

    def scores(self, work: SweepWork) -> float:
        return statistics.mean(v.score_selected for v in fused.train(work, Hooks(), 1).values())

    def architectures(self) -> Iterator[Check]:
        """Train every architecture for students that learns by gradient descent on its view's example rows, here and on the CPU."""
        for entry in ARCHS.entries():
            if "student" not in entry.facts["roles"] or "fits" in entry.facts:  # these learn on the CPU, by themselves
                continue
            inputs = VIEWS.get(entry.facts["takes"][0]).facts["example"]
            size = "tiny" if self.quick else "large" if entry.name in STACKS.names() else "base"
            settings: dict[str, object] = {"size": size} if entry.facts["presets"] else {}
            settings |= {"dropout": 0.0} if "dropout" in entry.spec.model_fields else {}
            rows = 300 if self.quick else 2_000
            exact, _ = self.learn(Choice(name=entry.name, settings=settings), inputs, rows, CPU, "float32")
            for precision, goal in zip(self.formats, (0.01, 0.05), strict=False):
                loss, seconds = self.learn(
                    Choice(name=entry.name, settings=settings), inputs, rows, self.device, precision
                )
                name = f"{' '.join([entry.name, *map(str, settings.values())])}, {precision}: training loss against float32 on the CPU, share"
                yield self.most(
                    name, abs(loss / exact - 1), goal, f"{rows} rows of {inputs.kind}, 2 epochs, {seconds:.2f} s"
                )

    def learn(self, choice: Choice, inputs, rows: int, device: torch.device, precision: str) -> tuple[float, float]:
        rng = np.random.default_rng(0)
        x, y = inputs.example(rows + 200), rng.integers(0, CLASSES, rows + 200)
        z = rng.normal(size=(rows, CLASSES)).astype(np.float32)
        with start_weights(0):
            module = build(choice, inputs, CLASSES)
        loss, plan = (
            objective.make("multiclass", LESSON, y[:rows], z),
            TrainingPlan(epochs=2, batch_size=64, precision=precision),
        )
        score = Scoring("multiclass", y[rows:], "accuracy")
        done = optimise(module, TrainRows(x[:rows], x[rows:]), loss, score, plan, 0, device=device)
        return float(done.history[-1]["loss"]), done.seconds

    def speed(self) -> Iterator[Check]:
        counts = (8, 32) if self.quick else (75, 1_000)
        one = parts.grid(self.small, 1)
        rounds = [
            [self.step(self.work(one, self.device), graph=False), self.step(self.work(one, self.device))]
            + [self.step(self.work(parts.grid(self.small, c), self.device)) for c in counts]
            for _ in range(2 if self.quick else 5)
        ]
        eager, graphed, *many = (statistics.median(column) for column in zip(*rounds, strict=True))
        n = f"64-64-64-10, batch {BATCH}, {len(rounds)} rounds of {self.steps} steps"
        ratio = eager / graphed
        yield Check("one student: eager step / graphed step", ratio, ">= 3", ratio >= 3 if self.on_gpu else None, n)
        yield self.most(f"{counts[0]} students / one graphed student", many[0] / graphed, 2.0, n, self.on_gpu)
        yield self.most(f"{counts[0]} students / one eager student", many[0] / eager, 0.5, n, self.on_gpu)
        yield Check(f"{counts[1]} students / one graphed student", many[1] / graphed, "", None, n)
        yield Check("microseconds of one graphed step", graphed * 1e6, "", None, n)

    def memory(self) -> Iterator[Check]:
        some = parts.grid(parts.student(256), 8 if self.quick else 75)
        work = self.work(some, self.device)
        gc.collect()
        if self.on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device) if self.on_gpu else psutil.Process().memory_info().rss
        held = [(made, made.time_steps(2))[0] for made in self.opened(work)]
        after = torch.cuda.max_memory_allocated(self.device) if self.on_gpu else psutil.Process().memory_info().rss
        ratio = fused.estimate_bytes(work) / max(1, after - before)
        n = f"{len(some)} students 256 wide in {len(held)} stacks, {(after - before) / 2**20:.0f} MiB"
        yield Check("memory foreseen / taken", ratio, "0.5 to 2", 0.5 <= ratio <= 2 if self.on_gpu else None, n)

    def watch(self) -> Iterator[Check]:
        """Feed the watch a loss that becomes NaN at the 21st step."""
        meter, good = Meter(self.device, 60), torch.tensor(1.0, device=self.device)
        meter.start(1)
        named = ""
        for step in range(60):
            try:
                meter.add(BatchTerms(good * float("nan") if step >= 20 else good), BATCH)
            except NonFiniteLoss as error:
                named = error.message
                break
        yield self.most("steps until a NaN is noticed", step - 20, 10, "the 21st of 60 steps")
        yield Check("the step it names", float("step 21 " in named), "= 1", "step 21 " in named, named)

    def tests(self) -> Iterator[Check]:
        if importlib.util.find_spec("pytest") is None:
            yield Check("tests marked gpu", 0, "exit code 0", None, "skipped: pytest is not installed")
            return
        marked = [
            str(p.relative_to(ROOT))
            for p in sorted((ROOT / "tests").rglob("test_*.py"))
            if "mark.gpu" in p.read_text("utf-8")
        ]
        # without the project's settings: they want plugins that the engine does not need
        plain = ["-q", "-m", "gpu", "-o", "addopts=", "-o", "filterwarnings=default", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plain, *marked], cwd=ROOT, capture_output=True, text=True, timeout=240
        )
        said = (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]
        yield Check("tests marked gpu", done.returncode, "exit code 0", done.returncode == 0, said)


CLAIMS: list[Callable[[Bench], Iterator[Check]]] = [
    Bench.graph,
    Bench.stacks,
    Bench.speed,
    Bench.memory,
    Bench.watch,
    Bench.architectures,
    Bench.tests,
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smoke sizes; always so without a GPU")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    asked = parser.parse_args()
    device, start = devices.pick("auto"), time.monotonic()
    if device.type != "cuda":
        print("There is no GPU: the same code runs on the CPU in smoke sizes; speed and memory are not judged.")
    bench, found = Bench(device, asked.quick or device.type != "cuda"), []
    where = {**devices.environment(device), "cuda": torch.version.cuda, "quick": bench.quick}
    print(json.dumps(where))
    for claim in CLAIMS:
        if time.monotonic() - start > SECONDS:
            found.append(Check(claim.__name__, 0, "within 8 minutes", False, "left out: the time was used up"))
            continue
        try:
            for check in claim(bench):
                found.append(check)
                word = {True: "pass", False: "FAIL", None: "told"}[check.passed]
                print(f"{word}  {check.name}: {check.value:.4g} (goal {check.goal or 'none'}; {check.n})", flush=True)
        except Exception as error:  # one claim's end must not hide the others' figures
            found.append(Check(claim.__name__, 0, "no error", False, f"{type(error).__name__}: {error}"))
            print(f"FAIL  {claim.__name__}: {found[-1].n}", flush=True)
    seconds = time.monotonic() - start
    found.append(Check("seconds of all", seconds, f"<= {SECONDS:g}", seconds <= SECONDS, "one run"))
    print(f"{sum(c.passed is False for c in found)} of {len(found)} goals missed, {seconds:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps({**where, "checks": [asdict(c) for c in found]}, indent=1) + "\n")
    return int(any(c.passed is False for c in found))


if __name__ == "__main__":
    raise SystemExit(main())
