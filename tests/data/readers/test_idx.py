"""Zips of IDX files: pictures, labels and the published split."""

import gzip
import struct

import numpy as np
import pytest

from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import pixels_of
from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.runs.asked import table_spec
from kd_core.specs import Choice, DatasetSpec, ReadSpec
from tests.data.pictures.zips import zipped


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def digits(count, seed=0, side=12):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, side, side), np.uint8), np.resize([3, 5, 7], count).astype(np.uint8)


def mnist(pack=gzip.compress, **changed):
    files = {}
    for part, count in (("train", 60), ("t10k", 30)):
        pictures, labels = digits(count, count)
        files[f"{part}-images-idx3-ubyte.gz"] = pack(idx(pictures))
        files[f"{part}-labels-idx1-ubyte.gz"] = pack(idx(labels))
    return {**files, **{n.replace("_", "-"): v for n, v in changed.items()}}


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_pictures_labels_and_the_split_are_read(tmp_path, pack):
    path = zipped(tmp_path / "fashion.zip", mnist(pack))
    table = read_table(path)
    assert table.format == "idx" and table.part == "split_part"
    assert table.understood == {"pictures": "90 pictures in 3 classes (30 each)", "size": "12 x 12, grey"}
    assert table.frame["split_part"].value_counts().to_dict() == {"train": 60, "test": 30}
    test = table.frame[table.frame["split_part"] == "test"]
    assert np.array_equal(pixels_of(test["picture"])[:, :, :, 0], digits(30, 30)[0])
    assert test["class"].tolist() == digits(30)[1].astype(str).tolist()
    dataset = prepare(DatasetSpec(source=str(path), target="class", part="split_part"), tmp_path)
    assert [len(dataset.parts[p].y) for p in ("train", "validation", "test")] == [51, 9, 30]


def test_on_a_command_line_the_split_and_target_are_implied(tmp_path):
    path = zipped(tmp_path / "fashion.zip", mnist())
    asked = table_spec(str(path), None, (None, "auto", None), None, None, Choice(name="cnn"))
    assert (asked.target, asked.part) == ("class", "split_part")
    here = table_spec(str(path), None, (None, "auto", None), None, None, Choice(name="cnn"), part="none")
    assert here.part is None


def test_large_pictures_are_stretched(tmp_path):
    pictures, labels = digits(30, side=40)
    files = {"train-images-idx3-ubyte": idx(pictures), "train-labels-idx1-ubyte": idx(labels)}
    table = read_table(zipped(tmp_path / "a.zip", files), ReadSpec(picture_side=16))
    assert table.understood["size"] == "16 x 16, grey" and table.part is None
    (note,) = table.problems
    assert note.message == "30 pictures of 40 x 40, grey were stretched to 16 x 16, grey."


def test_pictures_without_labels_are_refused(tmp_path):
    files = mnist()
    del files["t10k-labels-idx1-ubyte.gz"]
    with pytest.raises(DataError, match=r"a\.zip holds 't10k-images-idx3-ubyte\.gz' without its labels"):
        read_table(zipped(tmp_path / "a.zip", files))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\0\0\x08\x03\0\0", "its head is not that of an IDX file of bytes"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "its head is not that of an IDX file of bytes"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], "its head names 6 bytes, it holds 5"),
        (
            b"\0\0\x08\x04" + b"\xff" * 16 + b"x",
            "its head names 340,282,366,604,025,813,516,997,721,482,669,850,625 bytes, it holds 1",
        ),
        (gzip.compress(b"\0" * 2**27), "it unpacks to more than 100 MB"),
        (gzip.compress(b"\0" * 100)[:-9], "it ends early"),
        (b"\x1f\x8bnonsense", "Error -3 while decompressing data"),
    ],
    ids=["cut", "other_kind", "short", "claims_more", "bomb", "cut_packed", "no_gzip"],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path, data, why):
    files = mnist() | {"train-images-idx3-ubyte.gz": data}
    with pytest.raises(DataError) as error:
        read_table(zipped(tmp_path / "a.zip", files))
    assert error.value.message.startswith(f"'train-images-idx3-ubyte.gz' can't be read: {why}")


def test_as_many_labels_as_pictures_are_needed(tmp_path):
    files = mnist() | {"train-labels-idx1-ubyte.gz": idx(np.zeros(59, np.uint8))}
    with pytest.raises(DataError, match=r"holds 60 pictures and labels of uint8, shape \(59,\) \(train\)"):
        read_table(zipped(tmp_path / "a.zip", files))


def test_files_that_hold_no_pictures_are_refused(tmp_path):
    files = mnist() | {"train-images-idx3-ubyte.gz": idx(np.zeros((60, 9), np.uint8))}
    with pytest.raises(DataError, match=r"no pictures of one size and of 1 or 3 bands: train: \(60, 9\)"):
        read_table(zipped(tmp_path / "a.zip", files))
