"""How long an answer takes from a raw row: students against LightGBM's trees behind the same front, in one run.

A run of few epochs makes the files (how long a network was trained does not change its time): `mlp` and `piecewise` small, and
trees of LightGBM, which take the same raw columns. They take turns within each round, and a ratio is the median over rounds of
a student's p50 to the trees' p50. Told are

- one row as a dict, 1,000 rows as dicts and as a data frame, by `kd_core.load(...)`: reading, network and answer;
- the bare matrix: the network's file alone, on one encoded row;
- cold start: a process that imports what it needs, opens the file and answers one row, by `kd_core.load` and by a script of
  ONNX Runtime and numpy alone. Compiled modules are kept, as they are for a person; round 0 makes them and is not counted.

A second part (`runtimes.py`) sets ONNX Runtime against torch for a network of each kind, and the runtime that the latency lab chooses against the best.

    python benchmarks/latency.py [--quick] [--rounds N] [--only rows|runtimes] [--data SOURCE --target COLUMN] [--json FILE]

Goals: one row at most 1.3 times the trees' time, 1,000 rows 1.5 times, cold start 1.2 times; one row at most 100 us. ONNX Runtime at least
2.5 times as fast as torch for one row of an MLP, a CNN and a BiLSTM; the chosen runtime at most 1.05 times the best one's time, in 20 rounds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
TREES, STUDENTS = "trees:small", ("mlp:small", "piecewise:small")
GOALS = {"one row": 1.3, "1,000 dicts": 1.5, "1,000 rows of a frame": 1.5, "cold, kd_core": 1.2, "cold, bare": 1.2}

BY_ENGINE = """
import json, sys
import kd_core
answer = kd_core.load(sys.argv[1], sys.argv[2]).answer(json.loads(sys.argv[3]))
"""
BY_HAND = """
import json, sys
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
row = json.loads(sys.argv[3])
text = {one.name: "string" in one.type for one in session.get_inputs()}
def cell(name):
    value = row[name]
    if text[name]:
        return np.array([["" if value is None else str(value)]], dtype=object)
    return np.array([[float("nan") if value is None else value]], dtype=np.float64)
session.run(None, {name: cell(name) for name in text})
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", choices=("rows", "runtimes"))
    parser.add_argument("--data", default="sample:visits")
    parser.add_argument("--target", default="purchased")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    told: dict[str, Any] = {"machine": platform.processor(), "load_before": os.getloadavg()}
    sys.path.insert(0, str(HERE))
    with tempfile.TemporaryDirectory() as place:
        os.environ["KD_WORKSPACE"] = f"{place}/workspace"
        if asked.only != "runtimes":
            told |= {"data": asked.data, "rounds": asked.rounds or (3 if asked.quick else 9)}
            run = made_run(Path(place), asked.data, asked.target)
            told["times"] = {**warm(run, told["rounds"]), **cold(run, told["rounds"])}
        if asked.only != "rows":
            from benchmarks import runtimes

            told["runtime_rounds"] = asked.rounds or (6 if asked.quick else 20)
            told["runtimes"] = runtimes.measured(Path(place), told["runtime_rounds"])
    told["load_after"] = os.getloadavg()
    for name, times in told.get("times", {}).items():
        goal = GOALS.get(name)
        print(f"\n{name}" + (f" (goal: at most {goal} times the trees' time)" if goal else ""))
        for model, one in times.items():
            print(f"  {model:16} {one['microseconds']:>12,.1f} us   {one['ratio']:.2f} times {TREES}")
    if "runtimes" in told:
        print(*runtimes.lines(told["runtimes"]), sep="\n")
    print(f"\nload {told['load_before'][0]:.1f} before, {told['load_after'][0]:.1f} after")
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1))


def made_run(place: Path, data: str, target: str) -> Path:
    """Train the students shortly; return the run's folder."""
    out = place / "run"
    command = [sys.executable, "-m", "kd_core", "distill", data, "--target", target, "--epochs", "3", "--seeds", "1"]
    for student in (*STUDENTS, TREES):
        command += ["--student", student]
    command += ["--no-placebo", "--no-references", "--teacher", "lightgbm", "--out", str(out)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return out


def raw_rows(run: Path, count: int) -> list[dict[str, Any]]:
    """Take the columns that students read of test rows, as a program has them: numbers and texts, None where a cell is empty."""
    import pandas as pd

    import kd_core
    from kd_core.data.preparation import prepare
    from kd_core.runs.deployment import sample_rows
    from kd_core.runs.store.folder import RunFolder

    frame = sample_rows(prepare(RunFolder(run).spec().dataset))[list(kd_core.load(run).columns)]
    cells = frame.astype("object").where(frame.notna(), None)
    rows = cells.iloc[[i % len(cells) for i in range(count)]].to_dict("records")
    return [{k: v.isoformat() if isinstance(v, pd.Timestamp) else v for k, v in row.items()} for row in rows]


def p50(call: Callable[[], object], repeats: int) -> float:
    """Time a call so many times. Units: the median in microseconds."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent) * 1e6


def compared(rounds: int, calls: dict[str, Callable[[], float]]) -> dict[str, dict[str, float]]:
    """Let the models take turns; round 0 is not counted."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            spent = call()
            if turn:
                times[name].append(spent)
    ratios = {n: [a / b for a, b in zip(t, times[TREES], strict=True)] for n, t in times.items()}
    return {n: {"microseconds": statistics.median(t), "ratio": statistics.median(ratios[n])} for n, t in times.items()}


def warm(run: Path, rounds: int) -> dict[str, Any]:
    """Time answers of opened models."""
    import numpy as np
    import pandas as pd

    import kd_core
    from kd_core.data.onnx_file import open_session

    models = {name: kd_core.load(run, name) for name in (*STUDENTS, TREES)}
    rows = raw_rows(run, 1000)
    frame, turn = pd.DataFrame(rows), itertools.cycle(rows)  # one row alone is another one each time
    bare = {}
    for position, name in enumerate((*STUDENTS, TREES)):
        session = open_session((run / f"artifacts/students/{position}.network.onnx").read_bytes())
        (given,) = session.get_inputs()
        bare[name] = session, {given.name: np.zeros((1, given.shape[1]), np.float32)}

    def times(work: Callable[[str], object], repeats: int) -> dict[str, Any]:
        return compared(rounds, {name: lambda name=name: p50(lambda: work(name), repeats) for name in models})

    return {
        "one row": times(lambda name: models[name].answers(next(turn)), 2000),
        "1,000 dicts": times(lambda name: models[name].answers(rows), 20),
        "1,000 rows of a frame": times(lambda name: models[name].answers(frame), 20),
        "bare matrix, one row": times(lambda name: bare[name][0].run(None, bare[name][1]), 2000),
    }


def cold(run: Path, rounds: int) -> dict[str, Any]:
    """Time whole processes."""
    row = json.dumps(raw_rows(run, 1)[0])

    def process(script: str, first: str, name: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", script, first, name, row], cwd=HERE, check=True, capture_output=True)
        return (time.perf_counter() - start) * 1e6

    def file(name: str) -> str:
        return str(run / f"artifacts/students/{(*STUDENTS, TREES).index(name)}.onnx")

    names = (*STUDENTS, TREES)
    return {
        "cold, kd_core": compared(rounds, {n: lambda n=n: process(BY_ENGINE, str(run), n) for n in names}),
        "cold, bare": compared(rounds, {n: lambda n=n: process(BY_HAND, file(n), n) for n in names}),
    }


if __name__ == "__main__":
    main()
