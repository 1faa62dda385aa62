"""The data library keeps files by content, finds them again, and refuses what it can't keep."""

import io
import shutil

import pytest

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec


@pytest.fixture
def library(own_workspace):
    return DataLibrary(own_workspace)


def test_a_file_is_kept_once_and_found_by_hash(library):
    first = library.add(b"a,b\n1,2\n", "one.csv")
    again = library.add(io.BytesIO(b"a,b\n1,2\n"), "two.csv")
    assert first.sha256 == again.sha256 and first.size_bytes == 8
    assert [f.name for f in library.files()] == ["two.csv"]
    path = library.resolve(first.source)
    assert path.name == "original" and read_table(path, name=first.name).frame["b"].tolist() == ["2"]
    assert library.get(first.sha256) == again


def test_files_are_newest_first_and_can_be_deleted(library):
    a, b = library.add(b"a\n1\n", "a.csv"), library.add(b"b\n1\n", "b.csv")
    assert [f.name for f in library.files()] == ["b.csv", "a.csv"]
    library.delete(a.sha256)
    assert library.files() == [b]
    with pytest.raises(DataError, match=r"is not in the workspace\. Upload it again\."):
        library.resolve(a.source)
    with pytest.raises(DataError, match="is not in the workspace"):
        library.delete("../" + b.sha256)
    with pytest.raises(DataError, match="is not in the workspace"):
        library.get("..")


def test_samples_and_paths(library, tmp_path):
    assert library.resolve("sample:visits").is_file()
    with pytest.raises(DataError, match=r"There is no sample 'nope'. Known samples: .*visits"):
        library.resolve("sample:nope")
    with pytest.raises(DataError, match=r"There is no sample .\.\./visits"):
        library.resolve("sample:../visits")
    path = tmp_path / "mine.csv"
    path.write_text("a\n1\n")
    assert library.resolve(str(path)) == path
    for missing in (str(tmp_path / "no.csv"), "a\x00b", str(tmp_path)):
        with pytest.raises(DataError, match="There is no file"):
            library.resolve(missing)


def test_an_empty_upload_leaves_nothing(library):
    with pytest.raises(DataError, match=r"The file is empty \(0 bytes\)."):
        library.add(b"", "none.csv")
    assert list(library.data.iterdir()) == [] and library.files() == []


def test_a_broken_stream_leaves_nothing(library):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        library.add(Broken(), "x.csv")
    assert list(library.data.iterdir()) == []


def test_a_full_disk_is_refused_before_writing(library, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 5 * 2**20))
    with pytest.raises(DataError, match=r"Only 5 MB are free in the workspace; 500 MB are needed\."):
        library.add(b"a\n1\n", "a.csv")
    assert limits.MIN_FREE_DISK_BYTES == 500 * 2**20


def test_specs_come_back_equal(library):
    spec = DatasetSpec(source="sample:visits", target="purchased", drop=("hour",))
    other = DatasetSpec(source="sample:visits", target="purchased")
    dataset_id = library.save_spec(spec)
    library.save_spec(other)
    assert dataset_id == spec.digest()[:12] and library.spec(dataset_id) == spec
    assert {i for i, _ in library.specs()} == {dataset_id, other.digest()[:12]}
    for wrong in ("0" * 12, "../../etc"):
        with pytest.raises(DataError, match="There is no dataset"):
            library.spec(wrong)


META = {
    "{}": "lacks an entry, or has one too many",
    "": "is empty",
    "[]": "holds no JSON object",
    '{"sha256": 1, "name": "a", "size_bytes": 2, "added_utc": ""}': "holds values of a wrong kind",
    '{"sha256": "x", "name": "a", "size_bytes": 2, "added_utc": ""}': "belongs to another file",
    None: "is missing",
}


@pytest.mark.parametrize("text", META)
def test_a_damaged_entry_is_named_and_the_others_are_listed(library, text):
    a, b = library.add(b"a\n1\n", "a.csv"), library.add(b"b\n1\n", "b.csv")
    meta = library.data / a.sha256 / "meta.json"
    meta.unlink() if text is None else meta.write_text(text)
    assert library.files() == [b]
    assert [str(e) for e in library.damaged()] == [
        f"The entry of the file {a.sha256[:12]} is damaged: meta.json {META[text]}. Upload the file again."
    ]
    with pytest.raises(DataError, match=r"is damaged: meta\.json"):
        library.get(a.sha256)
    assert library.resolve(a.source).is_file()  # runs on it go on
    library.add(b"a\n1\n", "a.csv")
    assert {f.name for f in library.files()} == {"a.csv", "b.csv"} and library.damaged() == []


@pytest.mark.parametrize("data", [b"{}", b"", b"[" * 9000, b"\xff\xfe", b"{"])
def test_a_damaged_dataset_is_named_and_the_others_are_listed(library, data):
    ids = [library.save_spec(DatasetSpec(source="sample:visits", target=t)) for t in ("a", "b")]
    (library.datasets / f"{ids[0]}.json").write_bytes(data)
    assert [i for i, _ in library.specs()] == [ids[1]]
    (told,) = library.damaged()
    assert told.message.startswith(f"The dataset {ids[0]} is damaged: ") and told.code == "damaged_dataset"
    with pytest.raises(DataError, match=rf"The dataset {ids[0]} is damaged: .*choose its file again"):
        library.spec(ids[0])


def test_links_out_of_the_workspace_are_not_followed(library, tmp_path):
    outside = tmp_path / "secret.csv"
    outside.write_text("a,b\n1,2\n")
    kept = library.add(b"a\n1\n", "a.csv")
    (library.data / kept.sha256 / "original").unlink()
    (library.data / kept.sha256 / "original").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of the workspace"):
        library.resolve(kept.source)
    whole = "0" * 64
    (library.data / whole).symlink_to(tmp_path)
    (tmp_path / "original").write_text("a\n1\n")
    with pytest.raises(DataError, match="leads out of the workspace"):
        library.resolve(f"sha256:{whole}")
    assert library.files() == [] and len(library.damaged()) == 2
    dataset = library.save_spec(DatasetSpec(source="sample:visits", target="a"))
    (tmp_path / "spec.json").write_text((library.datasets / f"{dataset}.json").read_text())
    (library.datasets / f"{dataset}.json").unlink()
    (library.datasets / f"{dataset}.json").symlink_to(tmp_path / "spec.json")
    with pytest.raises(DataError, match="Its file is a link"):
        library.spec(dataset)
