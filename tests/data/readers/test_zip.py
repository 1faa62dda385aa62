"""Zips of tables whose files are the parts of a split."""

import pytest

from kd_core.data.files.reading import read_table
from kd_core.data.preparation import prepare
from kd_core.data.profile import profile_table
from kd_core.errors import DataError
from kd_core.runs.asked import table_spec
from kd_core.specs import Choice, DatasetSpec
from tests.data.pictures.zips import zipped


def lines(count, shift=0, head="pages,minutes,bought"):
    rows = [f"{(7 * i + shift) % 31},{(3 * i + shift) % 17},{'yes' if (i + shift) % 3 else 'no'}" for i in range(count)]
    return "\n".join([head, *rows]).encode()


def test_files_named_train_and_test_are_the_split(tmp_path):
    path = zipped(tmp_path / "a.zip", {"set/train.csv": lines(90), "set/test.csv": lines(45, 1)})
    table = read_table(path)
    assert table.part == "split_part" and len(table.frame) == 135
    spec = table_spec(str(path), ["bought"], (None, "auto", None), None, None, Choice(name="linear"))
    assert spec.part == "split_part"
    dataset = prepare(spec, tmp_path)
    test = dataset.parts["test"].row_ids
    assert len(test) == 45 and set(table.frame["split_part"].to_numpy()[test]) == {"test"}
    assert dataset.columns == ("pages", "minutes")
    assert dataset.hash != prepare(spec.model_copy(update={"part": None}), tmp_path).hash


def test_one_chosen_member_or_other_names_are_no_split(tmp_path):
    path = zipped(tmp_path / "a.zip", {"train.csv": lines(60), "test.csv": lines(60, 1)})
    one = table_spec(str(path), ["bought"], ("train.csv", "auto", None), None, None, Choice(name="linear"))
    assert one.part is None
    months = read_table(zipped(tmp_path / "b.zip", {"may.csv": lines(60), "june.csv": lines(60, 1)}))
    assert months.part is None and "split_part" not in months.frame


def test_files_of_other_columns_are_no_split(tmp_path):
    path = zipped(tmp_path / "a.zip", {"train.csv": lines(60), "test.csv": lines(20, head="pages,minutes,paid")})
    assert read_table(path).part is None
    assert table_spec(str(path), ["bought"], (None, "auto", None), None, None, Choice(name="linear")).part is None


def test_rows_of_other_words_are_left_out_and_counted(tmp_path):
    body = lines(90).decode().splitlines()
    words = ["set", *("train" if i % 4 else "test" for i in range(80)), *["later"] * 10]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(f"{line},{word}" for line, word in zip(body, words, strict=True)))
    found = profile_table(read_table(path), target="bought", part="set")
    (said,) = [p for p in found.problems if p.code == "no_part"]
    assert said.message == "10 rows are left out: set says neither train, validation nor test."
    dataset = prepare(DatasetSpec(source=str(path), target="bought", part="set"), tmp_path)
    assert sum(len(part.y) for part in dataset.parts.values()) == 80


def test_the_target_can_not_be_the_part(tmp_path):
    path = zipped(tmp_path / "a.zip", {"train.csv": lines(60), "test.csv": lines(60, 1)})
    with pytest.raises(DataError, match="bought is the target and the column of parts at once"):
        prepare(DatasetSpec(source=str(path), target="bought", part="bought"), tmp_path)


def test_copies_across_given_parts_stay_and_are_said(tmp_path):
    rows = [
        f"{1.37 * i:.2f},{i * i % 101},{'yes' if i % 3 else 'no'},{'test' if i % 4 else 'train'}" for i in range(400)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["pages,minutes,bought,set", *rows, rows[1].replace("test", "train")]))
    found = profile_table(read_table(path), target="bought", part="set")
    (said,) = [p for p in found.problems if p.code == "duplicate_rows"]
    assert "1 rows of validation and test also stand in train" in said.message
    assert said.message.endswith("the split stays as set gives it.")
