"""What the screens ask of the engine is asked again when its files have changed, and the collector is told once per import."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from kd_core.teachers import kept_models
from pages.ui.compress import runs_offered
from pages.ui.shared import engine

TOLD = {"task": "binary", "classes": ["0", "1"], "target": "y", "mean": 0.0, "std": 1.0}


def keeps(root, run, *names):
    """Write what a run says of the models that it kept."""
    file = root / "runs" / run / kept_models.MODEL
    file.parent.mkdir(parents=True, exist_ok=True)
    students = [{"name": n, "weights": "w", "view": [], "arch": {}, "kind": "mlp"} for n in names]
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({**TOLD, "students": students}))
    fresh.replace(file)
    return file


def test_models_of_a_run_follow_its_file(own_workspace):
    assert engine.models_of_run("one") == []
    keeps(own_workspace, "one", "tiny")
    assert engine.models_of_run("one") == ["tiny"]
    engine.models_of_run("one").append("not ours")
    assert engine.models_of_run("one") == ["tiny"]
    keeps(own_workspace, "one", "tiny", "line")
    assert engine.models_of_run("one") == ["tiny", "line"]


def test_a_file_changed_in_place_is_read_again(own_workspace):
    file = keeps(own_workspace, "one", "tiny")
    assert engine.models_of_run("one") == ["tiny"]
    held = file.stat()
    file.write_text(file.read_text().replace("tiny", "tidy"))  # as many bytes, in the same file
    os.utime(file, ns=(held.st_atime_ns, held.st_mtime_ns + 1))
    assert engine.models_of_run("one") == ["tidy"]


def test_a_run_that_was_deleted_has_no_models(own_workspace):
    file = keeps(own_workspace, "one", "tiny")
    assert engine.models_of_run("one") == ["tiny"]
    file.unlink()
    assert engine.models_of_run("one") == []


def test_two_workspaces_do_not_share_a_run_of_one_name(own_workspace, tmp_path, monkeypatch):
    keeps(own_workspace, "one", "tiny")
    other = keeps(tmp_path / "other", "one", "line")
    same = (own_workspace / "runs" / "one" / kept_models.MODEL).stat()
    os.utime(other, ns=(same.st_atime_ns, same.st_mtime_ns))
    assert engine.models_of_run("one") == ["tiny"]
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "other"))
    assert engine.models_of_run("one") == ["line"]


def test_a_run_that_is_a_link_out_of_the_workspace_has_no_models(own_workspace, tmp_path):
    keeps(tmp_path / "elsewhere", "one", "tiny")
    (own_workspace / "runs").mkdir(parents=True)
    (own_workspace / "runs" / "one").symlink_to(tmp_path / "elsewhere" / "runs" / "one")
    assert engine.models_of_run("one") == []


def test_only_so_many_runs_stay_in_memory(own_workspace):
    for number in range(kept_models.NAMED_RUNS + 3):
        keeps(own_workspace, f"r{number}", "tiny")
        assert engine.models_of_run(f"r{number}") == ["tiny"]
    assert kept_models._names.cache_info().currsize == kept_models.NAMED_RUNS


def test_a_run_can_be_made_smaller_while_it_keeps_the_weights_of_a_training(own_workspace):
    place = engine.store().runs / "one" / "checkpoints"
    place.mkdir(parents=True)
    assert not runs_offered.kept("one")
    (place / "trained").mkdir()
    (place / "trained" / "weights.safetensors").touch()
    (place / "way.json").touch()
    assert not runs_offered.kept("one")
    (place / "trained" / "0-student-0.json").touch()
    assert runs_offered.kept("one")


@pytest.mark.slow
def test_the_first_picture_waits_for_nothing_that_trains():
    """Torch takes two seconds to load: a result is judged and drawn without it, and a kept card without what reads data."""
    script = (
        "import sys, pages.ui.start.cards as cards; print(cards.card('demand').rows > 0)\n"
        "print([m for m in ('torch', 'sklearn', 'scipy.stats') if m in sys.modules])\n"
        "import pages.ui.result.page, pages.ui.start.player; from pages.ui.shared import example; from pages.ui.words import in_short\n"
        "found = example.read()[1]; pages.ui.result.page.verdict.judge(found, 0); in_short.of(found, 0)\n"
        "print([m for m in ('torch',) if m in sys.modules])"
    )
    root = Path(engine.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, timeout=120)
    assert done.stdout.split("\n")[:3] == ["True", "[]", "[]"], done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "module", "name", "title"),
    [
        ("loss", "kd_core.distill", "hinton", "Soft labels (KD)"),
        ("teacher", "kd_core.teachers", "gradient_boosting", "Gradient boosting"),
    ],
)
def test_a_part_is_named_by_its_title_while_its_registry_fills(kind, module, name, title):
    """A fresh server loads the engine beside its first page: the registry is there then, and still without this part."""
    script = (
        "import importlib, sys\n"
        "from pages.ui.shared import engine\n"
        "class Ear:\n"
        "    def find_spec(self, wanted, path=None, target=None):\n"
        f"        if wanted in ('{module}.losses', '{module}.sources'):\n"
        f"            print(engine.part_title('{kind}', '{name}'))\n"
        "sys.meta_path.insert(0, Ear())\n"
        f"importlib.import_module('{module}')\n"
        f"print(engine.part_title('{kind}', '{name}'))"
    )
    root = Path(engine.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, timeout=120)
    assert done.stdout.split("\n")[:-1] == [title, title], done.stdout + done.stderr


@pytest.mark.parametrize("name", [*engine.FIRST, *engine.SOON, *engine.HEAVY])
def test_what_is_loaded_ahead_is_there(name):
    assert importlib.util.find_spec(name) is not None


@pytest.fixture
def frozen(monkeypatch):
    """Count how often the collector is told to leave what is loaded."""
    told: list[int] = []
    monkeypatch.setattr(gc, "freeze", lambda: told.append(len(sys.modules)))
    return told


def load(monkeypatch, number):
    for i in range(number):
        monkeypatch.setitem(sys.modules, f"made_up_{i}", types.ModuleType("made_up"))


def test_before_the_background_has_loaded_a_page_freezes_nothing(frozen, monkeypatch):
    monkeypatch.setattr(engine, "_frozen_modules", None)
    load(monkeypatch, engine.FREEZE_MODULES)
    engine.page_shown()
    assert not frozen


def test_a_page_that_loaded_a_part_of_the_engine_freezes_it_once(frozen, monkeypatch):
    monkeypatch.setattr(engine, "_frozen_modules", len(sys.modules))
    load(monkeypatch, engine.FREEZE_MODULES - 1)
    engine.page_shown()
    assert not frozen
    load(monkeypatch, engine.FREEZE_MODULES)
    engine.page_shown()
    engine.page_shown()
    assert len(frozen) == 1


def test_what_the_background_loads_is_there():
    for name in (*engine.FIRST, *engine.HEAVY):
        assert __import__(name)
