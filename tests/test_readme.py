"""What the README shows works as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_the_notebook_example_runs(tmp_path):
    code = re.search(r"## In a notebook\n\n```python\n(.*?)```", README, re.S)[1].replace("print,", "lambda e: None,")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KD_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"0\.\d+", done.stdout)) == 12


def test_every_command_of_the_readme_is_understood():
    from typer.testing import CliRunner

    from kd_core.cli.app import app

    for command in sorted(set(re.findall(r"python -m kd_core ([\w-]+)", README))):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command
