"""Pictures end to end: a zip of class folders made of idx files, a CNN teaching a smaller one.

    python benchmarks/pictures.py ../shared/data/fashion_mnist --rows 12000 --json FILE

Writes the training pictures as PNG files into one folder per class (the first `--rows` of them), packs them and runs the
whole experiment on that zip. Prints how long reading takes, what teacher, student and baseline reach, and the verdict.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import png
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec


def idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes. Source: yann.lecun.com/exdb/mnist, the format's description."""
    data = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def pack(source: Path, target: Path, rows: int) -> int:
    """Write the first pictures as `<class>/<number>.png` into a zip; return how many."""
    pixels = idx(source / "train-images-idx3-ubyte.gz")[:rows]
    labels = idx(source / "train-labels-idx1-ubyte.gz")[:rows]
    with zipfile.ZipFile(target, "w") as archive:
        for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
            archive.writestr(f"pictures/{label}/{number:05}.png", png(picture[:, :, None]))
    return len(pixels)


def main() -> None:
    """Pack, read, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--teacher", default="base", help="size of the teacher")
    parser.add_argument("--student", default="tiny", help="size of the student")
    parser.add_argument("--epochs", type=int, default=10, help="of the teacher")
    parser.add_argument("--student-epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="1,500 pictures, two epochs, small teacher")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.epochs, args.teacher, args.seeds, args.folds = 1_500, 2, "small", 2, 2
        args.student_epochs = 2
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "pictures.zip"
        numbers: dict[str, object] = {"rows": pack(args.folder, target, args.rows), "zip_bytes": target.stat().st_size}
        start = time.monotonic()
        table = read_table(target)
        numbers |= {"read_seconds": time.monotonic() - start, "understood": table.understood}
        taught = {"size": args.teacher, "epochs": args.epochs, "batch_size": 128, "learning_rate": 3e-3}
        spec = RunSpec(
            dataset=DatasetSpec(source=str(target), target="class"),
            teacher=Choice(name="cnn", settings=taught),
            students=(StudentSpec(name=args.student, arch=Choice(name="cnn", settings={"size": args.student})),),
            objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.7}),
            training=TrainingSpec(seeds=args.seeds, epochs=args.student_epochs, batch_size=128, learning_rate=1e-2),
            evaluation=EvaluationSpec(folds=args.folds),
        )
        start = time.monotonic()
        result, _ = run_here(spec, None, lambda e: e["kind"] == "phase" and print(e, flush=True), StopSignal())
        student = result["students"][0]
        numbers |= {
            "run_seconds": time.monotonic() - start,
            "phases": result["seconds"],
            "accuracy": {
                "teacher": result["teacher"]["metrics"]["accuracy"],
                "student": student["metrics"]["accuracy"],
                "baseline": student["baseline"]["metrics"]["accuracy"],
                "placebo": (student["placebo"] or {}).get("metrics", {}).get("accuracy"),
            },
            "gain": student["gain"]["accuracy"],
            "verdict": student["verdict"],
            "parameters": {"teacher": result["teacher"]["parameters"], "student": student["parameters"]},
            "latency_ms": {"teacher": result["teacher"]["latency_ms"], "student": student["latency_ms"]},
        }
    print(json.dumps(numbers, indent=1))
    if args.json:
        args.json.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
