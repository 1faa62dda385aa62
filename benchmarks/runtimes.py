"""Which runtime answers fastest, for one network of each kind: ONNX Runtime and torch, on one thread and on more.

Networks have their usual small shape for real rows where these are at hand (KD_DATA, else ../shared/data), else for made-up ones;
how long a network was trained does not change its time, so that weights are those it starts with. For every network and number of
rows a short probe chooses the runtime; then all ways take turns for so many rounds, and the choice is compared with the best of them.
Ratios are medians over rounds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.pictures import pack

FASTER = {"mlp": 2.5, "cnn": 2.5, "recurrent": 2.5}  # ONNX Runtime against torch for one row
NEAR = 1.05  # the chosen runtime against the best one
SECONDS = 0.05  # of a turn
STUDENTS = {"mlp": "small", "cnn": "small", "recurrent": "small", "bag": None}


def datasets(place: Path) -> dict[str, Any]:
    """Name the rows of each kind of network."""
    from kd_core.scenarios.samples import write_sample
    from kd_core.specs import DatasetSpec

    data = Path(os.environ.get("KD_DATA", "../shared/data"))
    texts = DatasetSpec(source=str(data / "banking77/train.csv"), target="category")
    if not (data / "banking77/train.csv").exists():
        texts = DatasetSpec(source=str(write_sample("service", place, rows=2000)), target="intent")
    if (data / "fashion_mnist").exists():
        zipped = place / "pictures.zip"
        pack(data / "fashion_mnist", zipped, 2000)
        pictures = DatasetSpec(source=str(zipped), target="class")
    else:
        pictures = DatasetSpec(source=str(write_sample("product_pictures", place, rows=400)), target="sort")
    table = DatasetSpec(source="sample:visits", target="purchased")
    return {"mlp": table, "cnn": pictures, "recurrent": texts, "bag": texts}


def networks(place: Path) -> dict[str, Any]:
    """Build a network of each kind with the rows that it reads, as the latency lab takes them."""
    from kd_core.data.preparation import prepare
    from kd_core.evaluate.latency import onnx_bytes
    from kd_core.models.building import build_for, start_weights, viewed
    from kd_core.runs.deployment import purpose_of
    from kd_core.runs.timing.listed import Listed
    from kd_core.runs.timing.models import Timed
    from kd_core.runs.timing.network import Network
    from kd_core.specs import Choice

    found, known = {}, {}
    for name, spec in datasets(place).items():
        dataset = known.setdefault(spec.source, None) or prepare(spec)
        known[spec.source] = dataset
        size = STUDENTS[name]
        settings = {"size": size, **({"cell": "lstm"} if name == "recurrent" else {})} if size else {}
        arch = Choice(name=name, settings=settings)
        rows = viewed(dataset, arch)
        with start_weights(0):
            module = build_for(dataset, arch).eval()
        net = Network(rows.view, module, purpose_of(dataset))
        listed = Listed(name, "", "", "student", name)
        read, network = rows.parts["test"], onnx_bytes(module, rows.spec)
        found[name] = Timed(listed, [], pd.DataFrame(), net.purpose, network=network, net=net, read=read)
    return found


def compared(model: Any, batch: int, rounds: int) -> dict[str, Any]:
    """Choose a runtime by the probe, then let all ways take turns. Units: milliseconds."""
    from kd_core.machine.processor import cores
    from kd_core.machine.rounds import in_rounds, interval
    from kd_core.runs.timing import choice
    from kd_core.runs.timing.ways import Way, ready

    threads = choice.counts(cores())
    chosen = choice.chosen(model, batch, choice.probe(model, batch, threads))
    ways = [Way(runtime, count) for runtime in choice.RUNTIMES for count in threads]
    times = in_rounds({way: ready(model, way, "network").turn(batch) for way in ways}, rounds, SECONDS)
    told = {way: one.told(batch) for way, one in times.items()}
    best = min(told, key=lambda way: told[way]["p50"])
    mine = Way(chosen["runtime"], chosen["threads"])
    file, torch = (told[Way(runtime)]["rounds"] for runtime in choice.RUNTIMES)
    ratios = [slow / fast for fast, slow in zip(file, torch, strict=True)]
    return {
        "ways": {f"{way.runtime} x {way.threads}": one for way, one in told.items()},
        "chosen": f"{mine.runtime} x {mine.threads}",
        "best": f"{best.runtime} x {best.threads}",
        "behind": choice.behind(told[mine]["rounds"], told[best]["rounds"]),
        "torch_over_onnxruntime": choice.behind(torch, file),
        "interval": interval(ratios)[:2],
    }


def measured(place: Path, rounds: int) -> dict[str, Any]:
    """Measure every network for 1 and 256 rows."""
    from kd_core.runs.timing.choice import BATCHES

    return {
        name: {str(batch): compared(model, batch, rounds) for batch in BATCHES}
        for name, model in networks(place).items()
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Say what was found, with the goals."""
    said = []
    for name, batches in found.items():
        for batch, one in batches.items():
            ratio, (low, high) = one["torch_over_onnxruntime"], one["interval"]
            times = ", ".join(f"{way} {told['p50'] * 1000:,.1f} us" for way, told in one["ways"].items())
            said.append(f"\n{name}, {batch} rows: {times}")
            slower = "" if ratio >= 1 else "  ONNX RUNTIME IS SLOWER HERE"
            goal = (
                f" (goal: at least {FASTER[name]}: {_met(ratio >= FASTER[name])})"
                if batch == "1" and name in FASTER
                else ""
            )
            said.append(
                f"  torch takes {ratio:.2f} times as long as ONNX Runtime [{low:.2f}, {high:.2f}]{goal}{slower}"
            )
            near = f"goal: at most {NEAR}: {_met(one['behind'] <= NEAR)}"
            said.append(f"  chosen {one['chosen']}, best {one['best']}: {one['behind']:.3f} times its time ({near})")
    return said


def _met(met: bool) -> str:
    return "met" if met else "MISSED"
