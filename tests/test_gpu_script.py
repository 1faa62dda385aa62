"""The command for a GPU runs without one: small, with the engine's packages only, and judges what can be judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kd_core.models import ARCHS

ROOT = Path(__file__).resolve().parent.parent
ALONE = """
import runpy, sys
for name in ("streamlit", "plotly", "pytest", "requests", "httpx"):
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "pytest" else find(name, *more)
sys.argv = ["gpu.py", "--quick", "--json", sys.argv[1]]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""


@pytest.mark.slow
def test_it_needs_the_engine_alone_and_covers_every_student(tmp_path):
    place = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(place)], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(place.read_text())
    assert {"device", "device_name", "torch", "python", "cuda", "checks"} <= found.keys()
    checks = {c["name"]: c for c in found["checks"]}
    assert all({"name", "value", "goal", "passed", "n"} == c.keys() for c in checks.values())
    assert not [c for c in checks.values() if c["passed"] is False]
    for entry in ARCHS.entries():
        if "student" in entry.facts["roles"] and "fits" not in entry.facts:
            assert any(name.split()[0].rstrip(",") == entry.name for name in checks), entry.name
    assert checks["tests marked gpu"]["n"] == "skipped: pytest is not installed"
    if found["device"] == "cpu":
        assert "There is no GPU" in done.stdout
        assert checks["one student: eager step / graphed step"]["passed"] is None
