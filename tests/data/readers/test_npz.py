"""NumPy archives of pictures and labels; objects in them are never loaded."""

import io

import numpy as np
import pytest

from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import pixels_of
from kd_core.errors import DataError
from tests.data.pictures.zips import zipped

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 10, 9, 3), np.uint8)
LABELS = np.resize([0, 1], 40)


def saved(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
def test_arrays_of_train_and_test_are_rows_and_a_split(tmp_path, names):
    parts = dict(zip(names, (PICTURES[:30], LABELS[:30, None], PICTURES[30:], LABELS[30:, None]), strict=True))
    table = read_table(saved(tmp_path / "a.npz", **parts))
    assert table.format == "npz" and table.part == "split_part"
    train = table.frame[table.frame["split_part"] == "train"]
    assert np.array_equal(pixels_of(train["picture"]), PICTURES[:30])
    assert table.frame["class"].value_counts().to_dict() == {"0": 20, "1": 20}


def test_words_are_labels_and_bands_may_come_second(tmp_path):
    words = np.where(LABELS == 1, "shoe", "bag")
    table = read_table(saved(tmp_path / "a.npz", images=np.moveaxis(PICTURES, 3, 1), labels=words))
    assert np.array_equal(pixels_of(table.frame["picture"]), PICTURES) and table.part is None
    assert set(table.frame["class"]) == {"shoe", "bag"}


def test_an_array_laid_out_by_columns_is_the_same(tmp_path):
    table = read_table(saved(tmp_path / "a.npz", x=np.asfortranarray(PICTURES), y=LABELS))
    assert np.array_equal(pixels_of(table.frame["picture"]), PICTURES)


def test_objects_are_refused_and_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was loaded",))

    path = saved(tmp_path / "a.npz", x=PICTURES, y=np.array([Trap()] * 40, object))
    with pytest.raises(DataError, match=r"'y\.npy' holds Python objects, which can run code"):
        read_table(path)


def test_other_arrays_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"a\.npz holds no pictures with labels; its arrays: features, weights"):
        read_table(saved(tmp_path / "a.npz", features=PICTURES, weights=LABELS))


def test_numbers_that_are_no_bytes_are_refused(tmp_path):
    with pytest.raises(DataError, match="all: float64") as error:
        read_table(saved(tmp_path / "a.npz", x=PICTURES / 255, y=LABELS))
    assert error.value.hint == "Save them as bytes from 0 to 255 (uint8)."


def test_labels_of_measures_are_refused(tmp_path):
    with pytest.raises(DataError, match="labels of float64, shape"):
        read_table(saved(tmp_path / "a.npz", x=PICTURES, y=LABELS / 3))


def test_a_head_that_lies_is_damage(tmp_path):
    file = io.BytesIO()
    np.save(file, PICTURES)
    lying = file.getvalue().replace(b"(40, 10, 9, 3)", b"(99, 10, 9, 3)")
    with pytest.raises(DataError, match=r"a\.npz is incomplete or damaged \(x\.npy says that it holds"):
        read_table(zipped(tmp_path / "a.npz", {"x.npy": lying, "y.npy": lying}))
