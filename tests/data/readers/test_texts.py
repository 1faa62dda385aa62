"""Zips of class folders of text files: what becomes a row, what is left out, and what is refused."""

import pytest

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.data.preparation import prepare
from kd_core.data.profile import profile_table
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec, ReadSpec
from tests.data.pictures.zips import zipped

WORDS = {"refund": "please return my money for order", "delivery": "where is the parcel with number"}


def letters(each=20, prefix="", encoding="utf-8"):
    return {f"{prefix}{c}/{i}.txt": f"{w} {i}".encode(encoding) for c, w in WORDS.items() for i in range(each)}


def said(table, code):
    (found,) = [p for p in table.problems if p.code == code]
    return found


def test_a_row_is_a_text_and_its_folder(tmp_path):
    table = read_table(zipped(tmp_path / "a.zip", letters()))
    assert table.format == "texts" and list(table.frame.columns) == ["text", "class"]
    assert table.frame["class"].value_counts().to_dict() == {"refund": 20, "delivery": 20}
    assert "please return my money for order 7" in set(table.frame["text"][table.frame["class"] == "refund"])
    assert table.understood == {"texts": "40 texts in 2 classes (20 each)", "encoding": "UTF-8"}
    found = profile_table(table)
    assert (found.target, found.task, found.column("text").kind) == ("class", "binary", "text")
    assert table.part is None


def test_folders_train_and_test_are_the_split(tmp_path):
    path = zipped(tmp_path / "a.zip", {**letters(30, "train/"), **letters(10, "test/")})
    table = read_table(path)
    assert table.part == "split_part" and list(table.frame.columns) == ["text", "class", "split_part"]
    dataset = prepare(DatasetSpec(source=str(path), target="class", part="split_part"), tmp_path)
    assert len(dataset.parts["test"].y) == 20 and dataset.columns == ("text",)
    names = table.frame["split_part"].to_numpy()[dataset.parts["test"].row_ids]
    assert set(names) == {"test"}


def test_without_being_asked_for_the_split_is_named_and_its_column_is_no_feature(tmp_path):
    table = read_table(zipped(tmp_path / "a.zip", {**letters(30, "train/"), **letters(10, "test/")}))
    found = profile_table(table)
    assert found.given_part == "split_part"
    assert "split_part holds a split: it says train and test." in [p.message for p in found.problems]
    assert not found.column("split_part").used
    asked = profile_table(table, part="split_part")
    assert (
        asked.given_part is None
        and asked.column("split_part").why_dropped == "says the part of the split; not a feature"
    )


@pytest.mark.parametrize(("encoding", "shown"), [("gb18030", "GB18030"), ("utf-16", "UTF-16")])
def test_older_encodings_are_found(tmp_path, encoding, shown):
    chinese = {"退款": "请把订单的钱退还给我，谢谢", "物流": "我的包裹现在到了哪里，什么时候送到"}
    files = {f"{c}/{i}.txt": f"{w}{i}".encode(encoding) for c, w in chinese.items() for i in range(20)}
    table = read_table(zipped(tmp_path / "a.zip", files))
    assert table.understood["encoding"] == shown
    assert "请把订单的钱退还给我，谢谢3" in set(table.frame["text"])


def test_what_is_no_text_empty_or_too_long_is_counted_and_left_out(tmp_path):
    odd = {
        "refund/empty.txt": b" \n",
        "refund/long.txt": b"a" * (limits.CELL_BYTES + 1),
        "refund/broken.txt": b"caf\xff\xfe",
        "refund/photo.png": b"x",
        "README.txt": b"hello",
        "loose.txt": b"no folder",
    }
    table = read_table(zipped(tmp_path / "a.zip", letters() | odd))
    assert len(table.frame) == 40
    assert said(table, "empty_texts").message == "1 of 43 text files are empty and were left out: empty.txt."
    unreadable = said(table, "unreadable_texts").message
    assert unreadable.startswith("2 of 43 text files can't be read and were left out: ")
    assert "long.txt (100,001 bytes)" in unreadable and "broken.txt (byte 4 is not UTF-8)" in unreadable
    assert said(table, "loose_files").message == "1 of the texts lie in no class folder and were left out: loose.txt."
    assert said(table, "skipped_members").message == "2 files that are no texts were skipped: photo.png, README.txt."


def test_one_folder_is_refused(tmp_path):
    files = {f"mail/in/{i}.txt": b"hello" for i in range(9)} | {"mail/in/deep/a.txt": b"x"}
    with pytest.raises(DataError, match=r"a\.zip holds texts in \d class folder"):
        read_table(zipped(tmp_path / "a.zip", files))


def test_nothing_readable_is_refused_with_the_first_reason(tmp_path):
    files = {f"{c}/{i}.txt": b" " for c in "ab" for i in range(5)}
    with pytest.raises(DataError, match=r"None of the 10 texts of a\.zip can be read; the first: all are empty"):
        read_table(zipped(tmp_path / "a.zip", files))


def test_an_unknown_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match="There is no encoding 'klingon'"):
        read_table(zipped(tmp_path / "a.zip", letters()), ReadSpec(encoding="klingon"))


def test_a_path_out_of_the_zip_is_refused(tmp_path):
    with pytest.raises(DataError, match="has a path that leads out of the archive"):
        read_table(zipped(tmp_path / "a.zip", letters() | {"../x.txt": b"y"}))
