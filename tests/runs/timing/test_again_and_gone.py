"""Runs in the latency lab of which something is gone, or whose teacher is trained again for it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from kd_core.errors import SpecError
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.store.kept_rows import answers_of, frame_of
from kd_core.runs.timing.session import measure
from kd_core.runs.timing.teacher import open_teacher
from kd_core.runs.timing.ways import Way, ready
from tests.runs.timing.test_session import asked, by_role, network_run, run  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


def test_a_teacher_that_answers_otherwise_now_is_not_timed_in_its_place(run, tmp_path):  # noqa: F811
    copy = RunFolder(shutil.copytree(run.path, tmp_path / "copy"))
    with np.load(copy.artifact("soft_labels.npz")) as held:
        arrays = {name: held[name] for name in held.files}
    np.savez(copy.artifact("soft_labels.npz"), **(arrays | {"teacher": arrays["teacher"] + 0.1}))
    models = [by_role(copy)[role].id for role in ("teacher", "student")]
    session = measure(asked(copy, models=models, again=True))
    assert {t["model"].split("/")[1] for t in session["times"]} == {"student"}
    assert "answers otherwise than in the run" in session["models"][0]["missing"][0]["reason"]


def test_a_network_trained_again_is_the_run_s_own(network_run):  # noqa: F811
    again = open_teacher(network_run, by_role(network_run)["teacher"], True, lambda event: None, lambda: False)
    z = answers_of(network_run)["teacher"].astype(np.float64)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    said = ready(again, Way("onnxruntime"), "whole").predict(again.rows)[0]
    assert len(again.rows) == len(frame_of(network_run)) and np.abs(said - p).max() < 1e-3
    assert "trained again" in again.notes[0]


def test_two_runs_of_one_name_and_a_file_that_is_gone_are_said(run, tmp_path):  # noqa: F811
    copy = RunFolder(shutil.copytree(run.path, tmp_path / run.path.name))
    with pytest.raises(SpecError, match="Two of the runs are called 'run'"):
        measure(asked(run, copy))
    path = copy.path / next(one for one in copy.read(MODEL)["students"])["onnx"]
    path.unlink()
    session = measure(asked(copy, models=[by_role(copy)[role].id for role in ("student", "plain")]))
    assert {t["model"].split("/")[1] for t in session["times"]} == {"plain"} and session["models"][0]["missing"]
