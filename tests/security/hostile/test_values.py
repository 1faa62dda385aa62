"""Rows 21 to 35 of the table of hostile uploads: cells and columns that mislead, each with the text a person reads."""

import numpy as np
import pytest

from kd_core.data.preparation import prepare, profile_source
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec

ROWS = 90
RNG = np.random.default_rng(0)
AGE = [f"{v:.2f}" for v in RNG.normal(40, 10, ROWS)]
SPEND = [f"{v:.3f}" for v in RNG.lognormal(1, 1, ROWS)]
LABEL = ["yes" if v < 0.4 else "no" for v in RNG.random(ROWS)]


@pytest.fixture
def upload(tmp_path):
    def write(**columns):
        columns = {"age": AGE, "spend": SPEND, **columns}
        lines = [",".join(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
        path = tmp_path / "upload.csv"
        path.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
        return str(path)

    return write


def texts(profile, code):
    return [str(p) for p in profile.problems if p.code == code]


def refuse(source, target="y", **more):
    with pytest.raises(DataError) as caught:
        prepare(DatasetSpec(source=source, target=target, **more))
    return str(caught.value)


def test_21_infinite_value(upload):
    source = upload(a=["1e400", *AGE[1:]], y=LABEL)
    found = profile_source(source, target="y")
    assert texts(found, "infinite_values")[0].startswith("Column a: 1 infinite value (row 1).")
    assert np.isfinite(prepare(DatasetSpec(source=source, target="y")).view().parts["train"]).all()


def test_22_integer_beyond_64_bits(upload):
    found = profile_source(upload(a=[str(2**63 + 10 + i // 3) for i in range(ROWS)], y=LABEL), target="y")
    assert "90 integers larger than 2^63" in texts(found, "big_integers")[0]
    assert "treated as text" in texts(found, "big_integers")[0]
    assert found.column("a").examples[0] == str(2**63 + 10)


def test_23_labels_that_read_like_missing(upload):
    source = upload(y=["NA", "None", "null"] * 30)
    found = profile_source(source, target="y")
    assert set(found.classes) == {"NA", "None", "null"}
    assert found.class_counts == (30, 30, 30)
    assert "Kept as a value, not read as missing: NA, None, null in y" in texts(found, "missing_words_kept")[0]
    assert len(prepare(DatasetSpec(source=source, target="y")).rows) == ROWS


def test_23_missing_words_among_numbers_are_missing(upload):
    found = profile_source(upload(a=["NA", "null", *AGE[2:]], y=LABEL), target="y")
    assert (found.column("a").kind, found.column("a").missing) == ("number", 2)
    assert "2 cells with a word for missing" in texts(found, "missing_words")[0]


def test_24_leading_zeros(upload):
    found = profile_source(upload(shop=[f"00{i % 9}" for i in range(ROWS)], y=LABEL), target="y")
    assert "90 values starting with 0, such as 000" in texts(found, "leading_zeros")[0]
    assert found.column("shop").kind == "category"
    assert found.column("shop").examples[0] == "000"


def test_25_decimal_comma(tmp_path):
    path = tmp_path / "comma.csv"
    path.write_text("a;y\n" + "".join(f"{i},5;{v}\n" for i, v in enumerate(LABEL)), "utf-8")
    found = profile_source(str(path), target="y")
    assert (found.column("a").kind, found.column("a").maximum) == ("number", ROWS - 0.5)
    assert texts(found, "decimal_comma") == ["Column a uses a decimal comma."]


def test_26_labels_that_differ_only_by_spaces(upload):
    found = profile_source(upload(y=["cat", " cat", "dog"] * 30), target="y")
    assert sorted(zip(found.classes, found.class_counts, strict=True)) == [("cat", 60), ("dog", 30)]
    assert (
        "1 label merged with another: they differ only by spaces around them (rows 2, 5, 8, 11, 14, …)."
        in texts(found, "outer_spaces")[0]
    )


def test_27_labels_in_two_unicode_forms(upload):
    found = profile_source(upload(y=["caf\u00e9", "cafe\u0301", "tea"] * 30), target="y")
    assert sorted(zip(found.classes, found.class_counts, strict=True)) == [("caf\u00e9", 60), ("tea", 30)]
    assert "written in two Unicode forms that look the same" in texts(found, "unicode_forms")[0]


@pytest.mark.parametrize(
    ("cells", "classes", "said"),
    [(["True", "false", "1"], {"True", "false"}, "True and 1 read as True"), (["1.0", "0.0", "1.0"], {"1", "0"}, None)],
)
def test_28_spellings_of_yes_and_no(upload, cells, classes, said):
    found = profile_source(upload(y=cells * 30), target="y")
    assert set(found.classes) == classes
    assert dict(zip(found.classes, found.class_counts, strict=True))[found.positive] == 60
    if said:
        assert said in texts(found, "spellings_merged")[0]


def test_29_one_class(upload):
    assert refuse(upload(y=["yes"] * ROWS)).startswith("Needs >= 2 classes. Target y is always 'yes'.")


def test_30_class_with_one_row(upload):
    text = refuse(upload(y=["x", *["a", "b"] * 44, "a"]))
    assert "class x has 1 row; needs >= 3 (row 1)." in text


def test_31_thousands_of_classes(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("a,y\n" + "".join(f"{i % 7},{i / 10:.1f}\n" for i in range(5000)), "utf-8")
    text = refuse(str(path), task="multiclass")
    assert "5,000 different values: looks like regression" in text
    path.write_text("a,y\n" + "".join(f"{i % 7},label {i}\n" for i in range(5000)), "utf-8")
    assert "looks like an id or free text" in refuse(str(path))


def test_32_target_all_missing(upload):
    assert "Target y: all 90 values are missing." in refuse(upload(y=[""] * ROWS))


def test_33_feature_equals_target(upload):
    found = profile_source(upload(copy=LABEL, y=LABEL), target="y")
    assert "copy alone predicts y almost perfectly" in texts(found, "leak_column")[0]
    assert found.column("copy").target_link > 0.95


def test_34_same_rows_in_train_and_test(tmp_path):
    path = tmp_path / "twice.csv"
    rows = [f"{a},{s},{y}\n" for a, s, y in zip(AGE, SPEND, LABEL, strict=True)]
    path.write_text("age,spend,y\n" + "".join(rows + rows), "utf-8")
    text = texts(profile_source(str(path), target="y"), "duplicate_rows")[0]
    assert text.startswith("90 rows are copies of another row")
    assert "Copies are kept together on one side of the split" in text
    text = texts(profile_source(str(path), target="y", copies="apart"), "duplicate_rows")[0]
    assert "rows of validation and test also stand in train" in text


def test_35_constant_and_empty_columns(upload):
    source = upload(same=["x"] * ROWS, empty=[""] * ROWS, y=LABEL)
    found = profile_source(source, target="y")
    assert texts(found, "constant_column") == [
        "Column same is dropped: always the same value.",
        "Column empty is dropped: all values are missing.",
    ]
    assert prepare(DatasetSpec(source=source, target="y")).columns == ("age", "spend")
