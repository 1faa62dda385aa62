import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from kd_core import limits
from kd_core.data.encoding import encoded
from kd_core.data.encoding.encoded import EncodedFolder, chunks
from kd_core.data.input_spec import table_inputs
from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from tests.data.tables import clean, codes, one

PARTS = ("train", "validation", "test")


@pytest.fixture
def every_kind(tmp_path):
    """A table with columns of every kind, gaps, a heavy tail, groups and a category of many values."""
    rng = np.random.default_rng(1)
    n = 600
    columns = clean(n) | {
        "gap": np.where(rng.random(n) < 0.1, "", rng.normal(5, 2, n).round(2).astype(str)),
        "sku": [f"s{i % 70}" for i in range(n)],
        "day": [f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(n)],
        "member": rng.choice(["yes", "no", ""], n),
        "note": [" ".join(rng.choice(["late", "blue", "large", "gift", "again", "never"], 7)) for _ in range(n)],
        "visitor": [f"v{i // 3}" for i in range(n)],
    }
    path = tmp_path / "a.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="bought", group="visitor", kinds={"note": "text"})


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr(encoded, "memory_budget", lambda: 100)


def folder(workspace):
    return next((workspace / "encoded").iterdir())


@pytest.mark.slow
def test_rows_in_files_are_those_in_memory_bit_for_bit(every_kind, own_workspace, monkeypatch):
    whole = prepare(every_kind)
    whole.view()  # fitted and encoded when first asked for: before the memory is taken away
    assert not (own_workspace / "encoded").exists()
    monkeypatch.setattr(encoded, "memory_budget", lambda: 100)
    monkeypatch.setattr(encoded, "CHUNK_BYTES", 37 * 4 * whole.view().spec.width)
    mapped = prepare(every_kind)
    assert {"sku target mean", "note topic 1", "day days", "gap missing"} < set(mapped.view().view.feature_names)
    assert (mapped.hash, mapped.view().view.feature_names) == (whole.hash, whole.view().view.feature_names)
    for part in PARTS:
        x = mapped.view().parts[part]
        assert isinstance(x, np.memmap)
        assert x.flags.c_contiguous and x.flags.writeable  # torch takes it without a copy and without a warning
        assert x.tobytes() == whole.view().parts[part].tobytes()
    assert folder(own_workspace).name == whole.hash
    said = one(mapped.problems, "encoded_on_disk")
    assert said.severity == "note"
    assert said.message.endswith(" GB, 1e-07 GB of memory are meant for them: they are kept in a file.")
    assert "encoded_on_disk" not in codes(whole.problems)


@pytest.mark.slow
def test_writing_to_mapped_rows_changes_no_file(every_kind, no_memory):
    first = prepare(every_kind)
    kept = first.view().parts["train"][0, 0]
    first.view().parts["train"][0, 0] = 77
    assert prepare(every_kind).view().parts["train"][0, 0] == kept


def test_the_second_run_encodes_nothing(every_kind, no_memory, own_workspace, monkeypatch):
    first = prepare(every_kind)
    first.view()
    before = folder(own_workspace).stat().st_ino
    monkeypatch.setattr(encoded, "_write_part", lambda *given: pytest.fail("encoded again"))
    monkeypatch.setattr(encoded, "_verified", set())  # as in a new process: checksums are compared
    again = prepare(every_kind)
    assert all(again.view().parts[p].tobytes() == first.view().parts[p].tobytes() for p in PARTS)
    assert folder(own_workspace).stat().st_ino == before
    assert "damaged_encoding" not in codes(again.problems)


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["byte", "short", "missing", "manifest", "library"])
def test_damaged_rows_are_encoded_again_and_said(every_kind, no_memory, own_workspace, harm):
    whole = prepare(every_kind)
    expected = {p: whole.view().parts[p].tobytes() for p in PARTS}
    place = folder(own_workspace)
    data = (place / "test.npy").read_bytes()
    if harm == "byte":
        (place / "test.npy").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == "short":
        (place / "test.npy").write_bytes(data[:-5])
    elif harm == "missing":
        (place / "test.npy").unlink()
    elif harm == "manifest":
        (place / "manifest.json").write_text("[]")
    else:
        manifest = json.loads((place / "manifest.json").read_text())
        manifest["libraries"]["numpy"] = "1.0"
        (place / "manifest.json").write_text(json.dumps(manifest))
    again = prepare(every_kind)
    assert all(again.view().parts[p].tobytes() == expected[p] for p in PARTS)
    said = one(again.problems, "damaged_encoding")
    assert str(said) == ("The encoded rows kept on disk are damaged or of another version. They were encoded again.")


def save(root, key, rows=10):
    return EncodedFolder(root).parts(
        key, {"train": rows}, table_inputs(1), {"train": lambda at: np.ones((rows, 1), np.float32)[at]}
    )


def test_the_least_recently_used_go_when_there_is_no_room(tmp_path, monkeypatch):
    for at, key in enumerate("abc"):
        save(tmp_path, key)
        os.utime(tmp_path / key, (at, at))
    size = sum(f.stat().st_size for f in (tmp_path / "a").iterdir())
    save(tmp_path, "a")  # used again: now b is the oldest
    monkeypatch.setattr(limits, "ENCODED_DISK_BYTES", 3 * size)
    save(tmp_path, "d")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "c", "d"]
    monkeypatch.setattr(limits, "ENCODED_DISK_BYTES", 0)
    save(tmp_path, "a")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]  # the one in use stays


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("D", (), {"free": limits.MIN_FREE_DISK_BYTES + 39})())
    with pytest.raises(
        DataError, match=r"rows take 4e-08 GB on disk, 3\.9e-08 GB are free in .*\. Free disk"
    ) as caught:
        save(tmp_path, "a")
    assert caught.value.code == "disk_full"
    assert not any(tmp_path.iterdir())


def test_an_encoding_that_breaks_off_leaves_nothing(tmp_path):
    def encode(at):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        EncodedFolder(tmp_path).parts("a", {"train": 3}, table_inputs(1), {"train": encode})
    assert not any(tmp_path.iterdir())


def test_another_process_may_be_faster(tmp_path):
    def encode(at):
        if not (tmp_path / "a").exists():
            save(tmp_path, "a", 3)
        return np.ones((3, 1), np.float32)[at]

    found, problems = EncodedFolder(tmp_path).parts("a", {"train": 3}, table_inputs(1), {"train": encode})
    assert found["train"].tolist() == [[1], [1], [1]]
    assert not problems
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_chunks_cover_all_rows_once(monkeypatch):
    monkeypatch.setattr(encoded, "CHUNK_BYTES", 40)
    assert [(s.start, s.stop) for s in chunks(7, 12)] == [(0, 3), (3, 6), (6, 7)]
    assert [(s.start, s.stop) for s in chunks(2, 400)] == [(0, 1), (1, 2)]


def test_the_memory_meant_for_rows_is_a_share_of_what_is_free(monkeypatch):
    monkeypatch.setattr(encoded.memory, "free_bytes", lambda: 1000)
    monkeypatch.setattr(limits, "ENCODED_MEMORY_SHARE", 0.3)
    assert encoded.memory_budget() == 300
