"""Run the finished example of the Start page for real and keep it: `python sample_data/make_example.py`.

The folder `sample_data/example/` is a run like any other, without its checkpoints.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kd_core.runs.direct import run_here  # noqa: E402
from kd_core.runs.service.execution import StopSignal  # noqa: E402
from kd_core.runs.view.report import verdict_lines  # noqa: E402
from kd_core.safe_io import sha256_file  # noqa: E402
from kd_core.scenarios import SCENARIOS, default_spec  # noqa: E402


def main() -> None:
    """Run the purchase scenario as it stands, seeds on automatic, and put the folder beside the samples."""
    spec = default_spec("purchase")
    table = HERE / f"{SCENARIOS.get('purchase').facts['sample']}.csv.gz"
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"sha256": sha256_file(table)})})
    with tempfile.TemporaryDirectory() as scratch:
        result, folder = run_here(spec, Path(scratch) / "example", lambda event: None, StopSignal())
        target = HERE / "example"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("checkpoints", "lock"))
    print("\n".join(verdict_lines(result)))


if __name__ == "__main__":
    main()
