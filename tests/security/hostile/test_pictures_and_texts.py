"""Hostile pictures and texts: rows 44 to 51 of the table of hostile uploads for zips of class folders and columns of texts."""

import csv
import struct
import zlib

import pytest
from PIL import Image

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.data.profile import profile_table
from tests.data.pictures.zips import encoded
from tests.security.hostile.test_archives import found, refusal, zipped


def solid(colour=(255, 0, 0), size=(10, 8)):
    return Image.new("RGB", size, colour)


def pictures(**more):
    plain = {
        f"{name}/{i}.png": encoded(solid((200, 20 * i, 50 if name == "red" else 250)))
        for name in ("red", "blue")
        for i in range(3)
    }
    return [*plain.items(), *((name.replace("__", "/").replace("_", "."), data) for name, data in more.items())]


def texts(*more):
    plain = [(f"{name}/{i}.txt", f"{name} some words {i}") for name in ("refund", "card") for i in range(20)]
    return [*plain, *more]


def png(width, height):
    """A PNG whose head claims a size; its pixels are few."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("members", [pictures, texts], ids=["pictures", "texts"])
def test_row_44_a_bomb_among_them(tmp_path, members):
    name = members()[0][0].replace("0.", "bomb.")
    error = refusal(zipped(tmp_path, [*members(), (name, b"0" * 20_000_000)]))
    assert error.code == "zip_bomb" and f"'{name.split('/')[1]}' unpacks to" in error.message


def test_row_45_names_twice_and_twins(tmp_path):
    twice = refusal(zipped(tmp_path, [*pictures(), ("red/0.png", encoded(solid()))]))
    assert (twice.code, twice.message) == ("same_name", "'red/0.png' occurs more than once.")
    twins = refusal(zipped(tmp_path, texts(("REFUND/0.txt", "x"))))
    assert twins.code == "case_twins" and "only in upper and lower case" in twins.message


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_000, 10_000), (0, 0)])
def test_row_47_too_many_pixels_or_none(tmp_path, width, height):
    table = read_table(zipped(tmp_path, pictures(red__t_png=png(width, height))))
    problem = found(table, "broken_pictures")
    assert len(table.frame) == 6 and problem.message.startswith(
        "1 of 7 pictures can't be read and were left out: t.png ("
    )
    if width:
        assert f"{width:,} x {height:,} pixels" in problem.message
        assert f"at most {limits.PICTURE_PIXELS // 10**6} million pixels" in problem.hint


def test_row_48_cut_off_and_moving(tmp_path):
    cut = encoded(solid(size=(64, 64)), "JPEG")[:200]
    frames = {"save_all": True, "append_images": [solid((0, 255, 0))]}
    webp, apng = encoded(solid(), "WEBP", lossless=True, **frames), encoded(solid(), "PNG", **frames)
    table = read_table(zipped(tmp_path, pictures(red__cut_jpg=cut, red__a_webp=webp, red__b_png=apng)))
    assert len(table.frame) == 8 and "cut.jpg (" in found(table, "broken_pictures").message
    assert found(table, "moving_pictures").message == "2 pictures move; their first frame is taken."


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (encoded(solid(), "GIF"), "a GIF"),
        (b"8BPS\0\1" + b"\0" * 40, "a PSD"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "an EPS"),
        (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        (b"SIMPLE  =                    T", "a FITS"),
        (encoded(solid(), "TIFF"), "a TIFF"),
    ],
)
def test_row_49_other_kinds_named_png_are_named_and_never_opened(tmp_path, data, what):
    table = read_table(zipped(tmp_path, pictures(red__x_png=data)))
    assert f"x.png (it is {what}, not a PNG, JPEG, WebP or BMP)" in found(table, "broken_pictures").message


def test_row_50_one_folder_and_folders_of_dots(tmp_path):
    one = refusal(zipped(tmp_path, [(f"all/{i}.png", encoded(solid((9 * i, 0, 0)))) for i in range(6)]))
    assert "1 class folder" in one.message
    assert refusal(zipped(tmp_path, [*pictures(), ("../blue/9.png", encoded(solid()))])).code == "unsafe_path"


def test_row_51_files_of_odd_texts(tmp_path):
    odd = [
        ("refund/empty.txt", ""),
        ("refund/long.txt", "word " * 200_000),
        ("refund/faces.txt", "\U0001f600\U0001f600"),
        ("refund/bell.txt", "\x01\x07bell"),
    ]
    table = read_table(zipped(tmp_path, texts(*odd)))
    assert len(table.frame) == 42
    assert found(table, "empty_texts").message == "1 of 44 text files are empty and were left out: empty.txt."
    assert "long.txt (1,000,000 bytes)" in found(table, "unreadable_texts").message
    assert {"\U0001f600\U0001f600", "\x01\x07bell"} <= set(table.frame["text"])


def test_row_51_cells_of_odd_texts(tmp_path):
    path = tmp_path / "texts.csv"
    rows = [[f"please send the order number {i} back to me soon", "ab"[i % 2]] for i in range(200)]
    rows += [["", "a"], ["\U0001f600" * 4, "b"], ["\x01\x07 bell and more words here", "a"], ["word " * 19_000, "b"]]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
    profile = profile_table(read_table(path), target="label")
    problem = next(p for p in profile.problems if p.code == "missing_cells")
    assert problem.message == "1 row has an empty cell in text (row 201)."
    assert next(c for c in profile.columns if c.name == "text").kind == "text"
    assert not [p for p in profile.problems if p.severity == "error"]
