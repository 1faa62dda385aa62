"""Our small models against plain ones of as many bytes, on the same rows.

    python benchmarks/peers.py --keep FOLDER [--data FOLDER] [--sets visits,bike_sharing] [--quick] [--draws N] [--lines N] [--json FILE]

For each set, split as a run splits it, and 3 seeds: students of every family in a few sizes, each plain and distilled (a teacher of
5 folds), rounded and written as the one file that takes raw columns. Where the names of category values make a file too large for a
class, the student is trained once more with the commonest names that fit into it (`mlp_small@40`), ours and peers alike; a network that
is too large by itself is made narrower, as `--student best` does. In each class of at most 15, 40 and 100 KB "ours" is the one
that is best on validation rows, by the mean over seeds; its answers are those of the file. The peers of a class, chosen likewise:
plain LightGBM and a plain linear model in the same file, and a network of 20 x 2 units by hand with the same soft labels (its bytes:
numbers in float32, names and categories). A full LightGBM of any size is told as the ceiling.

The plain students of ours and these peers are the same trainings, so where a plain model is the best of all the difference is 0.
Test labels are read for the chosen models alone. Difference: ours minus the best peer of the class, above 0 is better; its 95 %
interval is from a paired bootstrap of test rows (whole groups) and seeds. Three seeds drawn from three say little of other seeds.

FOLDER (--keep) holds the answers of every finished model and seed; the same command goes on where it ended. Name a new one after a
change of the code. Real sets need --data or KD_DATA: online_shoppers, delivery_time, bike_sharing, online_retail.
Goals: at most 15 KB ahead on half of the sets, on two beyond the interval; at most 40 and 100 KB behind on none by more than the
metric's margin; at most 40 KB within 0.15 points of AUC or 4 % of RMSE of the full LightGBM.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import peers_plain, retail
from benchmarks.peers_answers import Kept, Store, compared, mean_score, rank, told
from kd_core.data.dataset import Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.machine import device
from kd_core.models.building import deployed_state
from kd_core.runs.choosing.shortening import fitted, least_bytes
from kd_core.runs.deployment import deploy
from kd_core.safe_io import write_json
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.specs import Choice, DatasetSpec, ReadSpec, StudentSpec, TrainingSpec
from kd_core.task import CLASSIFICATION, NUMERIC, task_of
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.training.loop import ignore, never

CLASSES = (15_000, 40_000, 100_000)
ROUNDS = 500
TREES = {
    f"{trees}x{leaves}": (trees, leaves)
    for trees, leaves in ((30, 4), (26, 11), (30, 15), (36, 15), (30, 31), (58, 31), (100, 31), (165, 31))
}
STUDENTS: dict[str, Choice] = {
    "linear": Choice(name="linear"),
    **{f"trees_{n}": Choice(name="trees", settings={"trees": t, "leaves": k}) for n, (t, k) in TREES.items()},
    "additive": Choice(name="additive"),
    **{f"mlp_{n}": Choice(name="mlp", settings={"size": n}) for n in ("small", "base")},
    **{f"piecewise_{n}": Choice(name="piecewise", settings={"size": n}) for n in ("tiny", "small", "base", "large")},
}
PEERS = (*(f"{name}/plain" for name in STUDENTS if name.split("_")[0] in ("linear", "trees")), "by_hand/distilled")
CEILING = "full_lightgbm/plain"
ARMS = ("plain", "distilled")


def sets(data: Path | None, scratch: Path, lines: int | None = None) -> dict[str, Callable[[], DatasetSpec]]:
    """Name the sets and how each is read, in the order in which they are done: those with one class or one number a row, which every peer answers."""

    def told_by_peers(spec: DatasetSpec) -> bool:
        task = task_of(spec.task or "binary")
        return CLASSIFICATION(task) or NUMERIC(task)

    samples = {
        default_spec(n).dataset.source.removeprefix("sample:"): default_spec(n).dataset
        for n in SCENARIOS.names()
        if not {"text", "pictures"} & set(" ".join(SCENARIOS.get(n).facts["tags"]).split())
        and told_by_peers(default_spec(n).dataset)
    }
    found: dict[str, Callable[[], DatasetSpec]] = {n: partial(lambda s: s, s) for n, s in samples.items()}
    if data is None:
        return found

    def order_lines() -> DatasetSpec:
        table = scratch / "order_lines.csv"
        retail.derive(data / "online_retail" / "online_retail_by_day.zip", table, lines)
        named = {"target": "no_customer", "positive": "yes", "group": "InvoiceNo", "drop": ("InvoiceNo",)}
        return DatasetSpec(source=str(table), **named)

    def read(path: str, **more: Any) -> Callable[[], DatasetSpec]:
        return lambda: DatasetSpec(source=str(data / path), **more)

    hours = {"read": ReadSpec(member="hour.csv"), "target": "cnt", "drop": ("casual", "registered")}
    minutes = {"target": "Time_taken(min)", "group": "Delivery_person_ID"}
    return found | {
        "online_shoppers": read("online_shoppers/online_shoppers_intention.csv", target="Revenue", task="binary"),
        "delivery_time": read("delivery_time/deliverytime.txt", **minutes),
        "bike_sharing": read("bike_sharing/Bike-Sharing-Dataset.zip", **hours),
        "online_retail": order_lines,
    }


def fill(name: str, dataset: Dataset, chosen: argparse.Namespace, store: Store) -> None:
    """Train what the store lacks of one set; each is kept as it ends."""
    students = STUDENTS | store.kept(name, "shortened", partial(shorter, dataset))
    lacking = {
        (model, arm): [s for s in range(chosen.seeds) if not store.has(name, f"{model}/{arm}", s)]
        for model in students
        for arm in ARMS
    }
    others = [(m, s) for m in ("by_hand/distilled", CEILING) for s in range(chosen.seeds) if not store.has(name, m, s)]
    if not others and not any(lacking.values()):
        return
    teacher = teacher_answers(
        dataset,
        Choice(name=chosen.teacher),
        folds=chosen.folds,
        seed=0,
        cache=TeacherCache(store.folder / "teachers"),
        notify=ignore,
        should_stop=never,
    )
    soft = teacher.logits["train"]
    print(f"  {name}: teacher {chosen.teacher} ready, cached: {teacher.cached}", flush=True)
    for model, seed in others:
        start = time.perf_counter()
        if model == CEILING:
            found = peers_plain.full(dataset, seed, 20 if chosen.quick else ROUNDS)
        else:
            found = peers_plain.by_hand(dataset, soft, seed, chosen.epochs or 60)
        store.save(name, model, seed, Kept.of_logits(dataset, found, time.perf_counter() - start))
    for model, arch in students.items():
        seeds = {arm: lacking[model, arm] for arm in ARMS}
        if not any(seeds.values()):
            continue
        start = time.perf_counter()
        train(name, dataset, model, arch, seeds, soft, chosen, store)
        print(f"  {name}: {model} done in {time.perf_counter() - start:.0f} s", flush=True)


def shorter(dataset: Dataset) -> dict[str, Choice]:
    """List, class by class, the students that fit into it with fewer names, or narrower."""
    found = {}
    for most in CLASSES:
        for model, arch in STUDENTS.items():
            size = least_bytes(dataset, arch)
            if size is not None and size > most and (choice := fitted(dataset, arch, most)):
                found[f"{model}@{most // 1000}"] = choice
    return found


def train(
    name: str,
    dataset: Dataset,
    model: str,
    arch: Choice,
    seeds: dict[str, list[int]],
    soft: Array,
    chosen: argparse.Namespace,
    store: Store,
) -> None:
    """Train both arms of a student as a run does, and keep the answers of their files."""
    student = StudentSpec(name=model, arch=arch)
    lesson = Choice(name=task_of(dataset.task).objective)
    variants = [Variant(student, None if arm == "plain" else lesson, s) for arm, some in seeds.items() for s in some]

    def keep(number: int, trained: TrainedVariant) -> None:
        arm = "plain" if trained.variant.objective is None else "distilled"
        store.save(name, f"{model}/{arm}", trained.variant.seed, written(dataset, arch, trained))

    training = TrainingSpec(epochs=chosen.epochs)
    planner.train(SweepWork.of(dataset, variants, soft, training, curves=True), Hooks(on_trained=keep))


def written(dataset: Dataset, arch: Choice, trained: TrainedVariant) -> Kept:
    """Round a student, write its file and take the file's answers; without a file that takes raw columns, why."""
    if trained.diverged is not None:
        return Kept.missing(trained.diverged)
    trained.state = deployed_state(dataset, arch, trained.state)
    try:
        deployment = deploy(trained.module(dataset), dataset, arch)
    except KDError as error:
        return Kept.missing(str(error))
    if deployment.data is None or deployment.session is None:
        return Kept.missing(deployment.reason or "its file takes encoded rows, not raw columns")
    session = deployment.session
    rows = {part: dataset.rows.iloc[dataset.parts[part].row_ids] for part in ("validation", "test")}
    answers = {part: session.run(frame)[0] for part, frame in rows.items()}
    facts = {"epoch": trained.selected_epoch, "of": trained.last_epoch}
    return Kept(answers, len(deployment.data), trained.seconds, facts)


def judge(name: str, dataset: Dataset, chosen: argparse.Namespace, store: Store) -> dict[str, Any]:
    """Choose by validation rows, then hold ours against the peer's answers to test rows, class by class."""
    seeds, short = range(chosen.seeds), store.kept(name, "shortened", partial(shorter, dataset))
    names = [f"{model}/{arm}" for model in (*STUDENTS, *short) for arm in ARMS]
    peers = (*PEERS, *(f"{model}/plain" for model in short if f"{model.split('@')[0]}/plain" in PEERS))
    models = {m: [store.load(name, m, s) for s in seeds] for m in (*names, *peers, CEILING)}
    missing = {m: k.why for m, some in models.items() for k in some if k.why}
    usable = {m: some for m, some in models.items() if m not in missing}
    scores = {m: mean_score(dataset, "validation", some) for m, some in usable.items()}
    size = {m: max(k.bytes for k in some) for m, some in usable.items()}
    better = rank(dataset)
    ceiling = mean_score(dataset, "test", usable[CEILING])
    found = []
    for most in CLASSES:
        fitting = [m for m in usable if size[m] <= most]
        ours, theirs = ([m for m in fitting if m in some] for some in (names, peers))
        if not ours or not theirs:
            found.append({"most_bytes": most, "ours": None, "peer": None})
            continue
        one, other = (max(some, key=lambda m: better * scores[m]) for some in (ours, theirs))
        gain = compared(dataset, usable[one], usable[other], chosen.draws)
        sides = [
            {"model": m, "bytes": size[m], "validation": scores[m], "test": mean_score(dataset, "test", usable[m])}
            for m in (one, other)
        ]
        found.append({"most_bytes": most, "ours": sides[0], "peer": sides[1], **gain})
    return {
        "set": name,
        "metric": task_of(dataset.task).primary,
        "seeds": chosen.seeds,
        "rows": {part: len(rows) for part, rows in dataset.parts.items()},
        "hash": dataset.hash,
        "full": {"test": ceiling, "bytes": size[CEILING]},
        "classes": found,
        "left_out": missing,
        "candidates": {m: {"bytes": size[m], "validation": scores[m]} for m in usable},
    }


def main() -> None:
    """Train what is lacking, judge and print; write the numbers where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--keep", type=Path, required=True, help="folder of finished models; what is in it is not trained again"
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("KD_DATA"), help="folder of the real data sets")
    parser.add_argument("--sets", help="names of sets, separated by commas; all when empty")
    parser.add_argument("--teacher", default="lightgbm", choices=("lightgbm", "gradient_boosting"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=1000, help="of the bootstrap")
    parser.add_argument(
        "--quick", action="store_true", help="1 seed, 2 epochs, 2 folds: shows that it runs, proves nothing"
    )
    parser.add_argument("--lines", type=int, help="of online_retail: of every n-th invoice, about so many")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    chosen.seeds, chosen.epochs = (1, 2) if chosen.quick else (3, None)
    if chosen.quick:
        chosen.folds, chosen.draws = 2, min(chosen.draws, 50)
    settings = {"teacher": chosen.teacher, "folds": chosen.folds, "epochs": chosen.epochs}
    store = Store(chosen.keep, settings)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch, device.threads(1):
        known = sets(Path(chosen.data) if chosen.data else None, Path(scratch), chosen.lines)
        for name in _named(chosen.sets, list(known)):
            dataset = prepare(known[name](), store.folder / "workspace")
            load = os.getloadavg()
            start, used = time.perf_counter(), time.process_time()
            store.claim(name, dataset.hash)
            fill(name, dataset, chosen, store)
            cost = {"seconds": time.perf_counter() - start, "processor_seconds": time.process_time() - used}
            rows.append(judge(name, dataset, chosen, store) | cost | {"load": [load, os.getloadavg()]})
            print(told(rows[-1:]), flush=True)
            if chosen.json:
                environment = device.environment(torch.device("cpu"))
                write_json(chosen.json, {"settings": settings, "environment": environment, "sets": rows})
    print(told(rows, totals=True))


def _named(asked: str | None, known: Sequence[str]) -> list[str]:
    """Return the sets to do, in the order asked."""
    wanted = asked.split(",") if asked else list(known)
    strange = [name for name in wanted if name not in known]
    if strange:
        raise SystemExit(
            f"Unknown sets: {', '.join(strange)}. Known: {', '.join(known)} (real ones need --data or KD_DATA)."
        )
    return wanted


if __name__ == "__main__":
    main()
