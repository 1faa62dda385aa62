"""`compress RUN`, as a person types it; every stage is then asked, handed out and served as any student is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
import kd_core.runs.store.folder
from kd_core.cli.app import app
from kd_core.serving.served import open_served
from tests.cli.test_continuing import SMALL
from tests.runs.continuing.test_going import table

CHAIN = ["--step", "prune_structured=0.5", "--step", "distill", "--step", "int8"]


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.slow
def test_a_student_is_made_smaller_and_every_stage_is_taken_home(tmp_path, own_workspace):
    rows = table(900, 1)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    settings = ["mlp:160x2" if word == "tiny" else word for word in SMALL]
    first = ask("distill", tmp_path / "rows.csv", "--target", "bought", *settings, "--out", tmp_path / "one")
    assert first.exit_code == 0, first.output
    goals = ["--most-lost", "60", "--bytes", "40KB", "--set", "distill.epochs=1"]
    told = ask("compress", tmp_path / "one", *CHAIN, "--chain", "int8", *goals, "--out", tmp_path / "two")
    assert told.exit_code == 0, told.output
    assert "half-again-int8" in told.output and "Plan:" in told.output
    stages = {
        s["name"]: s for s in kd_core.runs.store.folder.RunFolder(tmp_path / "two").result()["compressed"]["stages"]
    }
    assert list(stages) == ["student", "half", "half-again", "half-again-int8", "int8"]
    assert stages["half-again-int8"]["bytes"] < stages["half"]["bytes"] < stages["student"]["bytes"]
    assert stages["half-again"]["step"]["settings"]["epochs"] == 1
    answers = {}
    for name in ("half", "half-again-int8", "int8"):
        out = tmp_path / f"{name}.csv"
        asked = ask("predict", tmp_path / "two", tmp_path / "rows.csv", "--student", name, "--out", out)
        assert asked.exit_code == 0, asked.output
        answers[name] = pd.read_csv(out)["p_yes"].to_numpy()
        bundle = tmp_path / f"{name}.zip"
        exported = ask("export", tmp_path / "two", "--student", name, "--target", "bundle", "--out", bundle)
        assert exported.exit_code == 0, exported.output
        some = rows.drop(columns="bought").head(30)
        for place, student in ((tmp_path / "two", name), (bundle, None)):
            served, _ = open_served(str(place), student).run(some)
            np.testing.assert_allclose(served[:, 1], answers[name][:30], atol=1e-5)
    assert np.abs(answers["half"] - answers["half-again-int8"]).max() > 1e-3


@pytest.mark.slow
def test_chains_are_searched_within_the_minutes(tmp_path, own_workspace):
    table(600, 1).to_csv(tmp_path / "rows.csv", index=False)
    first = ask("distill", tmp_path / "rows.csv", "--target", "bought", *SMALL, "--out", tmp_path / "one")
    assert first.exit_code == 0, first.output
    told = ask(
        "compress", tmp_path / "one", "--auto", "--minutes", "0.2", "--most-lost", "50", "--out", tmp_path / "two"
    )
    assert told.exit_code == 0, told.output


def test_what_can_not_be_asked_for_is_said(tmp_path, own_workspace):
    listed = ask("list", "steps")
    assert listed.exit_code == 0 and {"distill", "prune_structured", "int8"} <= {
        line.split()[0] for line in listed.output.splitlines()
    }
    for words, said in (
        (("compress", "nobody"), "Neither steps nor --auto"),
        (("compress", "nobody", "--auto", "--step", "int8"), "--auto searches them itself"),
        (("compress", "nobody", "--step", "int8", "--minutes", "1"), "are for a search"),
        (("compress", tmp_path / "nobody", "--step", "int8"), "no run"),
        (("compress", "nobody", "--step", "int9"), "no compression step"),
    ):
        found = ask(*words)
        assert found.exit_code == 2 and said in found.output and "hint" in found.output, found.output
