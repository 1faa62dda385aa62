"""Writing that survives, names and cells that can't hurt."""

from __future__ import annotations

import os

import pytest

from kd_core import safe_io
from kd_core.errors import DataError

HOSTILE = ["../x", "..", "a/../../x", "/etc/passwd", "a/../../../etc", "x\x00y", "..\\..\\x/../../y"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_root(tmp_path, name):
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "data-secret").mkdir()
    with pytest.raises(DataError, match=r"leads out of the workspace|holds a NUL byte"):
        safe_io.inside(root, name)


@pytest.mark.parametrize("name", ["a" * 256, "x/" + "书" * 86 + "/y", "\ud800"])
def test_what_can_name_no_file_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"No file can be named '.*Rename the file") as raised:
        safe_io.inside(tmp_path, name)
    str(raised.value).encode("utf-8")
    assert safe_io.inside(tmp_path, "a" * 255).parent == tmp_path.resolve()


def test_a_symlink_out_is_refused(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leads out"):
        safe_io.inside(root, "link", "other")


def test_a_sibling_with_the_same_beginning_is_outside(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="leads out"):
        safe_io.inside(tmp_path / "data", "../data-secret")


def test_plain_names_stay_inside(tmp_path):
    assert safe_io.inside(tmp_path, "a", "b.json") == tmp_path.resolve() / "a" / "b.json"


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    target = tmp_path / "x.json"
    safe_io.write_json(target, {"a": 1})

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        safe_io.write_json(target, {"a": 2})
    assert safe_io.read_json(target) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_io.write_json(tmp_path / "x.json", float("nan"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/pass\x00wd.csv", "passwd.csv"),
        ("C:\\a\\b.csv", "b.csv"),
        ("", "unnamed"),
        ("a" * 300 + ".csv", "a" * 68 + "…" + "a" * 7 + ".csv"),
        ("\u202efdp.csv", "fdp.csv"),
    ],
)
def test_shown_names_are_short_and_plain(name, shown):
    assert safe_io.shown_name(name) == shown


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+1", "-1", "\tx", "\rx"])
def test_formula_cells_are_prefixed(cell):
    assert safe_io.export_cell(cell) == "'" + cell


def test_other_cells_stay_as_they_are():
    assert [safe_io.export_cell(v) for v in ("a=1", -1.5, None)] == ["a=1", -1.5, None]
