"""The data library keeps files by content, finds them again, and refuses what it can't keep."""

import io
import shutil

import pytest

from kd_core import limits
from kd_core.data.library import DataLibrary
from kd_core.data.reading import read_table
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
