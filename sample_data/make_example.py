"""Run the shipped examples for real and keep them: `python sample_data/make_example.py [example] [example_messages]`.

Each folder is a run like any other, with the weights of its trainings, from which its students are made smaller; those of placebos are left out.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kd_core.runs.direct import run_here  # noqa: E402
from kd_core.runs.service.execution import StopSignal  # noqa: E402
from kd_core.runs.view.report import verdict_lines  # noqa: E402
from kd_core.safe_io import sha256_file  # noqa: E402
from kd_core.scenarios import SCENARIOS, default_spec  # noqa: E402
from kd_core.specs import RunSpec  # noqa: E402


def examples() -> Iterator[tuple[str, str, RunSpec]]:
    """Name folder, scenario and recipe of each: that of Start as it stands, and texts of many classes for the Soft labels page."""
    yield "example", "purchase", default_spec("purchase")
    texts = default_spec("service")
    update = {"students": texts.students[:1], "training": texts.training.model_copy(update={"seeds": 3})}
    yield "example_messages", "service", texts.model_copy(update=update)


def keep(name: str, scenario: str, spec: RunSpec) -> None:
    """Run a recipe and put its folder beside the samples."""
    table = HERE / f"{SCENARIOS.get(scenario).facts['sample']}.csv.gz"
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"sha256": sha256_file(table)})})
    with tempfile.TemporaryDirectory() as scratch:
        result, folder = run_here(spec, Path(scratch) / name, lambda event: None, StopSignal())
        shutil.rmtree(HERE / name, ignore_errors=True)
        shutil.copytree(folder, HERE / name, ignore=shutil.ignore_patterns("lock", "*-placebo-*"))
    print("\n".join(verdict_lines(result)))


def main() -> None:
    """Make all of them, or those named on the command line."""
    for name, scenario, spec in examples():
        if not sys.argv[1:] or name in sys.argv[1:]:
            keep(name, scenario, spec)


if __name__ == "__main__":
    main()
