"""Pictures that a table of rows names, in the folder of that table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core import limits
from kd_core.data.pictures.beside import with_files
from kd_core.errors import DataError


def rows(*names):
    return pd.DataFrame({"photo": pd.Series(names, dtype="str"), "price": np.arange(len(names))})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "pics").mkdir(parents=True)
    (tmp_path / "in" / "pics" / "a.png").write_bytes(b"one")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "secret.png")
    return tmp_path / "in"


def test_names_become_what_their_files_hold(folder):
    found = with_files(rows("pics/a.png", None, " pics\\a.png ", ""), ["photo", "other"], folder)
    assert found["photo"].tolist() == [b"one", None, b"one", None] and found["price"].tolist() == [0, 1, 2, 3]
    plain = rows("pics/a.png").assign(photo=[1.5])
    assert with_files(plain, ["photo"], folder) is not None and with_files(plain, ["photo"], folder)["photo"][0] == 1.5


@pytest.mark.parametrize("name", ["../secret.png", "link.png", "gone.png", "pics", "C:secret.png", "a\x00b"])
def test_a_name_of_no_file_in_the_folder_is_refused(folder, name):
    with pytest.raises(DataError, match=r"Row 2 names the picture .* under 'photo', which does not lie in") as caught:
        with_files(rows("pics/a.png", name), ["photo"], folder)
    assert caught.value.code == "no_such_picture"


def test_an_absolute_path_is_refused(folder):
    with pytest.raises(DataError, match="which does not lie in"):
        with_files(rows(str(folder / "pics" / "a.png")), ["photo"], folder)


def test_a_large_file_is_refused(folder, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 2)
    with pytest.raises(DataError, match="which is too large"):
        with_files(rows("pics/a.png"), ["photo"], folder)
