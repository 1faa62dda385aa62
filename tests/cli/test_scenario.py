"""The command that runs a scenario: its story, its sample, its verdict."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.scenarios.base import smoke
from kd_core.scenarios.ready import ready, small_rows

runner = CliRunner()


@pytest.mark.slow
def test_a_hasty_scenario_tells_its_story_and_its_verdict(tmp_path):
    done = runner.invoke(app, ["scenario", "risk", "--smoke", "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    entry = SCENARIOS.get("risk")
    assert f"{entry.title}. {entry.facts['story']}" in done.output and "answers yes from" in done.output
    result = RunFolder(tmp_path / "run").result()
    assert sum(result["dataset"]["rows"].values()) == small_rows("risk")


def test_a_name_that_nobody_knows_gets_the_nearest():
    done = runner.invoke(app, ["scenario", "riks"])
    assert done.exit_code == 2 and "Did you mean 'risk'?" in done.output


def test_the_list_shows_names_and_titles():
    done = runner.invoke(app, ["list", "scenarios"])
    assert all(e.name in done.output and e.title in done.output for e in SCENARIOS.entries())


@pytest.mark.parametrize("name", ["risk", "demand"])
def test_a_sample_that_is_not_there_is_made(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KD_SAMPLES", str(tmp_path / "samples"))
    story, spec = ready(name)
    (file,) = (tmp_path / "samples").iterdir()
    assert file.name.startswith(SCENARIOS.get(name).facts["sample"]) and spec == default_spec(name)
    assert story == SCENARIOS.get(name).facts["story"]
    stamp = file.stat().st_mtime_ns
    ready(name)
    assert file.stat().st_mtime_ns == stamp


def test_a_hasty_run_differs_by_its_small_file_alone():
    _, spec = ready("demand", hasty=True)
    usual = smoke(default_spec("demand"))
    assert spec.dataset.source == f"sha256:{spec.dataset.sha256}"
    data = spec.dataset.model_copy(update={"source": usual.dataset.source, "sha256": None})
    assert spec.model_copy(update={"dataset": data}) == usual
