"""Zips of class folders: what becomes a row, what is left out, and what is refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import pixels_of
from kd_core.data.profile import profile_table
from kd_core.errors import DataError
from kd_core.specs import ReadSpec
from tests.data.pictures.zips import drawn, encoded, shapes, zipped

pytestmark = pytest.mark.slow

SOLID = {"red": (255, 0, 0), "white": (255, 255, 255)}


def solid(colour="red", size=(10, 8), mode="RGB"):
    return Image.new("RGB", size, SOLID[colour]).convert(mode)


def two(**files):
    """Two plain classes and further files."""
    plain = {f"{c}/{i}.png": encoded(solid(c)) for c in SOLID for i in range(3)}
    return plain | {name.replace("__", "/").replace("_png", ".png"): data for name, data in files.items()}


def said(table, code):
    (found,) = [p for p in table.problems if p.code == code]
    return found


def first(table, name="red"):
    return pixels_of(table.frame["picture"][table.frame["class"] == name])[0]


def test_a_row_is_a_picture_and_its_folder(tmp_path):
    table = read_table(zipped(tmp_path / "a.zip", shapes(15)))
    assert table.format == "pictures" and list(table.frame.columns) == ["picture", "class"]
    assert table.frame["class"].value_counts().to_dict() == {"bars": 15, "stars": 15, "rings": 15}
    assert table.understood == {"pictures": "45 pictures in 3 classes (15 each)", "size": "16 x 16, grey"}
    assert not table.problems
    drawn_first = np.asarray(drawn("bar", np.random.default_rng(0)))
    assert np.array_equal(first(table, "bars")[:, :, 0], drawn_first)
    found = profile_table(table)
    assert (found.target, found.task) == ("class", "multiclass") and found.column("picture").kind == "picture"
    assert not [p for p in found.problems if p.severity == "error"]


@pytest.mark.parametrize("prefix", ["all/", "all/of it/", "all/train/", ""])
def test_folders_around_the_classes_do_not_matter(tmp_path, prefix):
    table = read_table(zipped(tmp_path / "a.zip", {prefix + name: data for name, data in two().items()}))
    assert sorted(table.frame["class"].unique()) == ["red", "white"]


def test_train_and_test_folders_are_the_split(tmp_path):
    files = {f"{part}/{name}": data for part in ("train", "test") for name, data in two().items()}
    table = read_table(zipped(tmp_path / "a.zip", files))
    assert table.frame["class"].value_counts().to_dict() == {"red": 6, "white": 6}
    assert table.part == "split_part" and table.frame["split_part"].value_counts().to_dict() == {"train": 6, "test": 6}


def test_folders_of_parts_without_a_test_part_are_put_together_and_said(tmp_path):
    files = {f"{part}/{name}": data for part in ("train", "val") for name, data in two().items()}
    table = read_table(zipped(tmp_path / "a.zip", files))
    assert table.part is None and len(table.frame) == 12
    assert said(table, "parts_joined").message.startswith("The folders train, val were put together")


def test_folders_named_by_numbers_are_classes(tmp_path):
    files = {
        f"{i}/{k}.png": encoded(drawn("bar", np.random.default_rng(i * 9 + k))) for i in range(30) for k in range(4)
    }
    found = profile_table(read_table(zipped(tmp_path / "a.zip", files)))
    assert found.task == "multiclass" and len(found.classes) == 30


def test_loose_pictures_and_other_files_are_counted_and_left_out(tmp_path):
    files = two() | {"cover.png": encoded(solid()), "notes.txt": b"hello", "__MACOSX/red/._0.png": b"x"}
    table = read_table(zipped(tmp_path / "a.zip", files))
    assert len(table.frame) == 6
    assert (
        said(table, "loose_files").message == "1 of the pictures lie in no class folder and were left out: cover.png."
    )
    assert said(table, "skipped_members").message == "2 files that are no pictures were skipped: notes.txt, ._0.png."


def test_one_class_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"holds pictures in 1 class folder \('red'\); at least 2") as caught:
        read_table(zipped(tmp_path / "a.zip", {f"red/{i}.png": encoded(solid()) for i in range(3)}))
    assert caught.value.code == "class_folders"


def test_a_class_of_one_picture_blocks_with_a_way_out(tmp_path):
    found = profile_table(
        read_table(
            zipped(tmp_path / "a.zip", {**shapes(15), "odd/1.png": encoded(drawn("bar", np.random.default_rng(5)))})
        )
    )
    (problem,) = [p for p in found.problems if p.severity == "error"]
    assert "odd" in problem.message


@pytest.mark.parametrize(("mode", "expected"), [("RGB", (255, 0, 0)), ("P", (255, 0, 0)), ("CMYK", (254, 0, 0))])
def test_colour_modes_become_red_green_and_blue(tmp_path, mode, expected):
    form = "TIFF" if mode == "CMYK" else "PNG"
    data = encoded(solid(mode=mode), "JPEG", quality=100) if form == "TIFF" else encoded(solid(mode=mode))
    table = read_table(zipped(tmp_path / "a.zip", two(red__0_png=data)))
    assert table.understood["size"] == "10 x 8, colour"
    assert np.allclose(first(table)[4, 5], expected, atol=4)


def test_what_is_transparent_lies_on_white(tmp_path):
    clear = Image.new("RGBA", (10, 8), (255, 0, 0, 0))
    clear.putpixel((5, 4), (255, 0, 0, 255))
    picture = first(read_table(zipped(tmp_path / "a.zip", two(red__0_png=encoded(clear)))))
    assert picture[0, 0].tolist() == [255, 255, 255] and picture[4, 5].tolist() == [255, 0, 0]


def test_all_grey_pictures_keep_one_band(tmp_path):
    deep = Image.fromarray(np.full((8, 10), 40_000, np.uint16))
    veiled = Image.new("LA", (10, 8), (10, 0))
    files = {
        "a/0.png": encoded(deep),
        "a/1.png": encoded(veiled),
        "b/0.png": encoded(solid(mode="1")),
        "b/1.png": encoded(solid(mode="L")),
    }
    table = read_table(zipped(tmp_path / "a.zip", files))
    pixels = pixels_of(table.frame["picture"])
    assert pixels.shape == (4, 8, 10, 1)
    assert pixels[0].max() == 40_000 >> 8 and pixels[1].min() == 255


def test_a_camera_that_was_turned_is_turned_back(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise is needed
    shot = Image.new("RGB", (8, 10), "white")
    shot.paste((255, 0, 0), (0, 0, 8, 5))
    data = encoded(shot.rotate(90, expand=True), "JPEG", exif=exif, quality=95)
    files = {f"{c}/{i}.jpg": data for c in "ab" for i in range(2)}
    table = read_table(zipped(tmp_path / "a.zip", files))
    picture = first(table, "a")
    assert picture.shape == (10, 8, 3) and said(table, "turned_pictures").count == 4
    assert picture[1, 4, 1] < 60 and picture[8, 4, 1] > 200


def test_mixed_sizes_come_to_the_middle_one_and_at_most_the_side(tmp_path):
    files = {
        f"{c}/{i}.png": encoded(solid(size=size))
        for c in "ab"
        for i, size in enumerate([(300, 150), (300, 150), (20, 20)])
    }
    path = zipped(tmp_path / "a.zip", files)
    table = read_table(path)
    assert table.understood["size"] == "64 x 32, colour"
    told = said(table, "scaled_pictures").message
    assert told == "6 of 6 pictures of 2 sizes were stretched to 64 x 32, colour."
    assert read_table(path, ReadSpec(picture_side=100)).understood["size"] == "100 x 50, colour"


def huge_png(side):
    """A PNG whose head claims `side` x `side` pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (huge_png(50_000), "50,000 x 50,000 pixels"),
        (b"no picture at all", "no PNG, JPEG, WebP or BMP"),
        (b"", "no PNG, JPEG, WebP or BMP"),
        (encoded(solid(size=(60, 60)))[:90], "truncated|broken|not enough"),
        (encoded(solid(), "GIF"), "it is a GIF, not a PNG, JPEG, WebP or BMP"),
    ],
    ids=["claims too much", "text", "empty", "cut off", "another format"],
)
def test_a_broken_picture_is_named_and_left_out(tmp_path, data, why):
    table = read_table(zipped(tmp_path / "a.zip", two(red__bad_png=data)))
    assert len(table.frame) == 6
    problem = said(table, "broken_pictures")
    assert problem.count == 1
    assert problem.message.startswith("1 of 7 pictures can't be read and were left out: bad.png (")
    import re

    assert re.search(why, problem.message)


def test_nothing_but_broken_pictures_is_refused(tmp_path):
    files = {f"{c}/{i}.png": b"nothing" for c in "ab" for i in range(2)}
    with pytest.raises(DataError, match=r"None of the 4 pictures of a\.zip can be read; the first: no PNG") as caught:
        read_table(zipped(tmp_path / "a.zip", files))
    assert caught.value.code == "no_pictures"


def test_a_path_that_leads_out_is_refused(tmp_path):
    with pytest.raises(DataError, match="has a path that leads out of the archive") as caught:
        read_table(zipped(tmp_path / "a.zip", two() | {"../../red/1.png": encoded(solid())}))
    assert caught.value.code == "unsafe_path"


def test_running_out_of_time_speaks_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "PARSE_SECONDS", 0)
    with pytest.raises(DataError, match="Reading the file takes more than 0 s") as caught:
        read_table(zipped(tmp_path / "a.zip", two()))
    assert caught.value.hint.startswith("Make the pictures smaller")


def test_more_pixels_than_memory_is_meant_for_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ROWS", 5)
    with pytest.raises(DataError, match="has 6 rows; at most 5 are read"):
        read_table(zipped(tmp_path / "a.zip", two()))


@pytest.mark.parametrize(
    ("role", "given"), [("target", "the target"), ("group", "the group column"), ("time", "the time column")]
)
def test_a_column_of_pictures_has_no_other_role(tmp_path, role, given):
    table = read_table(zipped(tmp_path / "a.zip", shapes(15)))
    problems = profile_table(table, **{"target": "class", role: "picture"}).problems
    assert [p.message for p in problems if p.code == "picture_role"] == [
        f"Column picture holds pictures; it can't be {given}."
    ]


def test_types_set_by_hand_are_refused_in_words(tmp_path):
    table = read_table(zipped(tmp_path / "a.zip", shapes(15)))
    told = [str(p) for p in profile_table(table, kinds={"picture": "number"}).problems if p.severity == "error"]
    assert told == ["Column picture holds pictures; it can't be read as number. Leave its type open."]
    told = [str(p) for p in profile_table(table, kinds={"class": "picture"}).problems if p.code == "not_pictures"]
    assert told == ["Column class holds no pictures. Leave its type open, or choose another one."]
