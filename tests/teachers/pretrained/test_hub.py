"""Models fetched from a hub: only what is allowed, at a commit, three files, checked; and what is said where it can't be done."""

from __future__ import annotations

import json
import socket

import pytest

from kd_core.errors import KDError
from kd_core.runs.asked import chosen_teacher, teacher_choice
from kd_core.teachers.pretrained import folders
from kd_core.teachers.pretrained import hub as hubs
from tests.teachers.pretrained.hub_server import COMMIT, NAME, git_name, hub
from tests.teachers.pretrained.test_config import BERT
from tests.teachers.pretrained.test_folders import folder, refused  # noqa: F401

ID = f"{NAME}@{COMMIT}"
OTHER = "f" * 40


@pytest.fixture
def served(folder, monkeypatch):  # noqa: F811
    """A hub that holds the folder, and is allowed; a pickle and code lie beside."""
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    (folder / "modeling.py").write_text("raise SystemExit")
    with hub(folder) as (address, asked):
        monkeypatch.setenv(hubs.ADDRESS, address)
        monkeypatch.setenv(hubs.ALLOWED, NAME)
        yield folder, asked


def changed(folder, monkeypatch, change, tell=lambda *told: None):  # noqa: F811
    """Fetch from a hub that answers in another way, and return what was said."""
    with hub(folder, change) as (address, _):
        monkeypatch.setenv(hubs.ADDRESS, address)
        monkeypatch.setenv(hubs.ALLOWED, NAME)
        said = refused(hubs.known_as, ID, folders.TEXTS, tell)
    assert not list(folders.models().iterdir())  # nothing is left behind
    return said


def test_a_model_is_fetched_once_three_files_of_it_and_kept_with_where_it_came_from(served):
    place, asked = served
    heard = []
    name = hubs.known_as(ID, tell=lambda *told: heard.append(told))
    assert name.startswith("tiny-model-") and name == folders.add(place).replace("my-model", "tiny-model")
    own = [path.rpartition("/")[2] for path in asked if COMMIT in path]
    assert own == list(folders.FILES) and len(asked) == 4  # the weights lie elsewhere
    assert ("model.safetensors", 7, 7) in heard
    kept = folders.models() / name
    assert sorted(p.name for p in kept.iterdir()) == sorted([*folders.FILES, hubs.ORIGIN])
    told = json.loads((kept / hubs.ORIGIN).read_text())
    assert told["models"] == [ID] and set(told["sha256"]) == set(folders.FILES)
    assert hubs.origin(name) == ID and hubs.origin("other") is None and hubs.origin("../x") is None
    assert hubs.known_as(ID) == name and len(asked) == 4  # from the workspace, with nothing asked


def test_the_command_line_names_it_and_the_setting_holds_the_folder(served):
    _, asked = served
    found = teacher_choice("pretrained", [f"teacher.model={ID}"])
    assert found.settings == {"model": hubs.kept(hubs.parse(ID))} and asked
    both = chosen_teacher(["pretrained", "linear"], [f"teacher.1.model={ID}"])
    assert both.settings["members"][0]["settings"] == found.settings


def test_a_kept_folder_that_was_changed_is_not_taken_for_the_model(served):
    name = hubs.known_as(ID)
    (folders.models() / name / "model.safetensors").write_bytes(b"others!")
    code, said = refused(hubs.known_as, ID)
    assert code == "hub_changed" and f"folder '{name}'" in said and "Delete or rename" in said
    (folders.models() / name).rename(folders.models() / "mine")
    assert hubs.known_as(ID) == name


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (NAME, "hub_revision", "without a revision"),
        (f"{NAME}@main", "hub_revision", "at 'main', which is no commit"),
        (f"{NAME}@{COMMIT[:39]}", "hub_revision", "which is no commit"),
        (f"{NAME}@{COMMIT.upper()}", "hub_revision", "which is no commit"),
        (f"{NAME}@{OTHER}", "hub_file", "has no file config.json"),
        (f"maker/other@{COMMIT}", "hub_not_allowed", f"is not among the models that may be fetched here: {NAME}@any"),
        (f"http://x/{NAME}@{COMMIT}", "hub_name", "does not name a model of the hub"),
        (f"a/../b@{COMMIT}", "hub_name", "does not name a model of the hub"),
        (f"a..b/c@{COMMIT}", "hub_name", "does not name a model of the hub"),
    ],
)
def test_what_is_no_allowed_commit_is_refused(served, text, code, says):
    found, said = refused(hubs.known_as, text)
    assert found == code and says in said


def test_a_name_without_a_revision_is_told_how_to_write_it_and_a_folder_of_that_name_is_a_folder(
    served, tmp_path, monkeypatch
):
    code, said = refused(teacher_choice, "pretrained", [f"teacher.model={NAME}"])
    assert code == "hub_revision" and f"Write {NAME}@ and the 40 hexadecimal digits" in said
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker").mkdir()
    served[0].rename(tmp_path / NAME)
    assert teacher_choice("pretrained", [f"teacher.model={NAME}"]).settings["model"].startswith("tiny-model-")


def test_nothing_is_fetched_until_it_is_allowed_and_a_list_may_pin_the_commit(served, monkeypatch):
    _, asked = served
    monkeypatch.delenv(hubs.ALLOWED)
    assert hubs.why_off() == "is switched off: whoever runs this workbench allows models by KD_HUB_MODELS=owner/name"
    code, said = refused(hubs.known_as, ID)
    assert code == "hub_not_allowed" and "fetched here: none." in said and "folder's path on the command line" in said
    monkeypatch.setenv(hubs.ALLOWED, f" other/one , {NAME}@{OTHER}")
    assert refused(hubs.known_as, ID)[0] == "hub_not_allowed" and not asked and hubs.why_off() is None
    monkeypatch.setenv(hubs.ALLOWED, f"{NAME}@{OTHER},{ID}")
    assert hubs.known_as(ID)
    monkeypatch.setenv(hubs.ALLOWED, "*")
    assert hubs.why_off() == "is switched off: KD_HUB_MODELS is not understood: '*'."
    assert refused(hubs.known_as, ID)[0] == "hub_list"


def test_a_model_with_pickles_only_or_with_code_is_refused(served):
    place, _ = served
    (place / "model.safetensors").unlink()
    code, said = refused(hubs.known_as, ID)
    assert code == "hub_file" and f"{ID} has no file model.safetensors" in said and "save_pretrained()" in said
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "config.json").write_text(json.dumps(BERT | {"auto_map": {"AutoModel": "x.py"}}))
    code, said = refused(hubs.known_as, ID)
    assert code == "model_code" and not list(folders.models().iterdir())


def test_offline_is_said_with_the_way_by_a_folder(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv(hubs.ADDRESS, f"http://127.0.0.1:{port}")
    monkeypatch.setenv(hubs.ALLOWED, NAME)
    code, said = refused(hubs.known_as, ID)
    assert code == "hub_offline" and "config.json could not be fetched from 127.0.0.1: Connection refused." in said
    assert "name its path on the command line" in said


def test_a_file_that_is_too_large_is_refused_whether_it_says_so_or_not(folder, monkeypatch):  # noqa: F811
    (folder / "model.safetensors").write_bytes(b"w" * 2**19)
    monkeypatch.setitem(folders.FILE_BYTES, "model.safetensors", 2**18 + 5)
    heard: list[str] = []

    def tell(file, done, whole):
        heard.append(file)

    code, said = changed(folder, monkeypatch, lambda path, *told: told, tell)
    assert code == "hub_large" and "has 524,288 bytes or more, at most 262,149" in said
    assert "config.json" in heard and "model.safetensors" not in heard  # nothing of it is taken

    def silent(path, status, headers, body):
        return status, {**headers, **({"Content-Length": ""} if len(body) == 2**19 else {})}, body

    assert changed(folder, monkeypatch, silent, tell)[0] == "hub_large" and "model.safetensors" in heard


def test_a_file_that_breaks_off_or_is_another_one_is_refused(folder, monkeypatch):  # noqa: F811
    def short(path, status, headers, body):
        return status, {**headers, **({"Content-Length": "9"} if body == b"weights" else {})}, body

    code, said = changed(folder, monkeypatch, short)
    assert code == "hub_offline" and "broke off after 7 of 9 bytes" in said

    def other(path, status, headers, body):
        return status, headers, b"others!" if body == b"weights" else body

    code, said = changed(folder, monkeypatch, other)
    assert code == "hub_damaged" and "model.safetensors from 127.0.0.1 is not what was asked for" in said

    def config(path, status, headers, body):
        return status, headers, body + b" " if path.endswith("config.json") else body

    assert changed(folder, monkeypatch, config)[0] == "hub_damaged"

    def commit(path, status, headers, body):
        return status, {**headers, "X-Repo-Commit": OTHER}, body

    code, said = changed(folder, monkeypatch, commit)
    assert code == "hub_damaged" and "it is of the revision ffff" in said


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest",
        "https://evil.example/x",
        "https://huggingface.co.evil.example/x",
        "https://evilhf.co/x",
        "http://huggingface.co/x",
        "https://hf.co:8443/x",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_a_pointer_to_elsewhere_is_not_followed(folder, monkeypatch, to):  # noqa: F811
    def moved(path, status, headers, body):
        return (302, {**headers, "Location": to}, b"") if path.endswith("config.json") else (status, headers, body)

    code, said = changed(folder, monkeypatch, moved)
    assert code == "hub_refused" and "which is not followed" in said


def test_pointers_without_end_and_odd_answers_are_said(folder, monkeypatch):  # noqa: F811
    code, said = changed(folder, monkeypatch, lambda path, s, h, b: (302, {"Location": path}, b""))
    assert code == "hub_refused" and "more than 5 times" in said
    assert "418" in changed(folder, monkeypatch, lambda path, s, h, b: (418, {}, b""))[1]
    code, said = changed(folder, monkeypatch, lambda path, s, h, b: (503, {}, b""))
    assert code == "hub_offline" and "503 Service Unavailable" in said
    code, said = changed(folder, monkeypatch, lambda path, s, h, b: (401, {}, b""))
    assert code == "hub_file" and "or is not open to everyone" in said


@pytest.mark.parametrize(
    "address", ["http://hub.example", "ftp://127.0.0.1", "https://a:b@hub.example", "https://h?x=1", "x"]
)
def test_an_address_that_others_could_read_along_is_refused(monkeypatch, address):
    monkeypatch.setenv(hubs.ADDRESS, address)
    monkeypatch.setenv(hubs.ALLOWED, NAME)
    code, said = refused(hubs.known_as, ID)
    assert code == "hub_address" and "HF_ENDPOINT holds https://host" in said


def test_what_is_asked_for_is_named_as_git_names_it():
    assert git_name(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    with pytest.raises(KDError):
        hubs.parse("x")
