"""Zips of a table and the pictures that it names."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import pixels_of
from kd_core.data.preparation import prepare
from kd_core.data.profile import profile_table
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from tests.data.pictures.zips import encoded, zipped
from tests.data.readers.test_pictures import huge_png, said, solid

pytestmark = pytest.mark.slow

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255), "green": (0, 255, 0)}


def made(each=4, folder="images/", form="PNG", ending="png"):
    """Solid pictures, each of its own shade, and a row for each."""
    files, rows = {}, []
    for kind, colour in COLOURS.items():
        for i in range(each):
            shade = tuple(int(c * (1 - i / 40)) for c in colour)
            files[f"{folder}{kind}{i}.{ending}"] = encoded(Image.new("RGB", (10, 8), shade), form)
            rows.append(
                {"photo": f"{kind}{i}.{ending}", "price": len(rows) + 0.5, "about": f"it is {kind} {i}", "kind": kind}
            )
    return files, pd.DataFrame(rows)


def csv(frame):
    return frame.to_csv(index=False).encode()


def excel(frame):
    file = io.BytesIO()
    frame.to_excel(file, index=False)
    return file.getvalue()


def lines(frame):
    return "\n".join(json.dumps(row) for row in frame.to_dict("records")).encode()


def middle(table, row, column="photo"):
    return pixels_of(table.frame[column].iloc[[row]])[0, 4, 4].tolist()


@pytest.mark.parametrize(("name", "write"), [("t.csv", csv), ("t.xlsx", excel), ("t.jsonl", lines)])
@pytest.mark.parametrize("folder", ["", "images/", "all/of/them/"])
def test_a_row_gets_the_picture_that_it_names(tmp_path, name, write, folder):
    files, frame = made(folder=folder)
    frame = frame.sample(frac=1, random_state=1)  # in an order of its own
    table = read_table(zipped(tmp_path / "a.zip", {**files, name: write(frame)}))
    assert table.format == "named_pictures" and list(table.frame.columns) == list(frame.columns)
    assert table.understood["pictures (photo)"] == "12 pictures, 10 x 8, colour" and not table.problems
    for row, kind in enumerate(frame["kind"]):
        assert np.argmax(middle(table, row)) == ("red", "green", "blue").index(kind)
    found = profile_table(table, target="kind")
    assert found.column("photo").kind == "picture" and {p.code for p in found.problems if p.severity == "error"} == {
        "too_few_rows"
    }


@pytest.mark.parametrize(
    "written",
    [lambda n: f"images/{n}", lambda n: f".\\images\\{n}", lambda n: n.upper(), lambda n: f" {n} ", lambda n: n[:-4]],
    ids=["path", "backslashes", "upper case", "spaces", "no ending"],
)
def test_names_are_found_however_they_are_written(tmp_path, written):
    files, frame = made()
    frame["photo"] = frame["photo"].map(written)
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert middle(table, 0) == [255, 0, 0] and table.frame["photo"].notna().all()


def test_numbers_name_pictures_where_they_differ(tmp_path):
    files, frame = made()
    names = {name: f"images/{i + 100}.png" for i, name in enumerate(files)}
    frame["photo"] = [str(i + 100) for i in range(len(frame))]
    frame["size"] = [str(100 + i % 3) for i in range(len(frame))]  # as if it named pictures, too
    table = read_table(zipped(tmp_path / "a.zip", {**{names[n]: d for n, d in files.items()}, "t.csv": csv(frame)}))
    assert middle(table, 0) == [255, 0, 0] and table.frame["size"].tolist()[:3] == ["100", "101", "102"]


def test_rows_without_a_picture_stay_and_are_counted(tmp_path):
    files, frame = made(each=5)
    frame.loc[[0, 1], "photo"] = "../../red0.png", "/etc/passwd"
    frame.loc[[2, 3, 4], "photo"] = "gone.png", "", "https://shop.example/red4.png"
    files["images/blue0.png"] = b"nothing"
    frame.loc[6, "photo"] = "blue0.png"
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert len(table.frame) == 15 and table.frame["photo"].isna().to_numpy().nonzero()[0].tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert said(table, "rows_without_picture").message == (
        "7 of 15 rows have no picture under photo: 2 name no PNG, JPEG, WebP or BMP file of the zip, 2 name a path that leads out "
        "of the zip, 1 name none, 2 name a broken one. They stay; their picture is black."
    )
    assert said(table, "broken_pictures").message.startswith(
        "1 of 9 pictures can't be read and were left out: blue0.png (no PNG"
    )
    assert said(table, "unnamed_pictures").count == 6 and "blue1.png" in said(table, "unnamed_pictures").message
    assert middle(table, 0) == [0, 0, 0] and middle(table, 14)[1] > 200


def test_a_table_of_names_and_labels_loses_rows_without_a_picture(tmp_path):
    files, frame = made()
    frame.loc[0, "photo"] = "gone.png"
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame[["photo", "kind"]])}))
    assert len(table.frame) == 11 and table.frame["photo"].notna().all()
    assert said(table, "rows_without_picture").message.endswith("They were left out.")


def test_rows_of_the_same_pixels_are_counted(tmp_path):
    files, frame = made()
    frame.loc[1, "photo"] = "red0.png"  # the same file
    files["images/green1.png"] = files["images/green0.png"]  # another file with the same pixels
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert said(table, "shared_pictures").count == 4 and middle(table, 1) == middle(table, 0)


@pytest.mark.parametrize("form", ["BMP", "JPEG", "WEBP"])
def test_other_formats_are_read(tmp_path, form):
    files, frame = made(form=form, ending=form.lower())
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert table.frame["photo"].notna().all() and middle(table, 0)[0] > 200


def test_a_bomb_among_the_pictures_costs_its_row_alone(tmp_path):
    files, frame = made()
    files["images/red0.png"] = huge_png(50_000)
    table = read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert "50,000 x 50,000 pixels" in said(table, "broken_pictures").message
    assert table.frame["photo"].isna().sum() == 1


def test_a_format_that_is_not_read_is_named(tmp_path):
    files, frame = made(form="GIF", ending="gif")
    more, others = made(each=3)
    packed = zipped(tmp_path / "a.zip", {**files, **more, "t.csv": csv(pd.concat([others, frame.head(2)]))})
    table = read_table(packed)
    assert "2 name no PNG, JPEG, WebP or BMP file of the zip" in said(table, "rows_without_picture").message
    assert said(table, "skipped_members").count == 12


def test_a_table_that_names_no_picture_is_refused(tmp_path):
    files, frame = made()
    frame["photo"] = [f"x{i}.png" for i in range(len(frame))]
    with pytest.raises(DataError, match=r"No column of the table in a\.zip names the pictures .* 'blue0\.png'") as e:
        read_table(zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)}))
    assert e.value.code == "names_no_picture"


def test_nothing_but_broken_pictures_is_refused(tmp_path):
    files, frame = made()
    with pytest.raises(DataError, match=r"None of the 12 pictures of a\.zip can be read"):
        read_table(zipped(tmp_path / "a.zip", {**dict.fromkeys(files, b"no"), "t.csv": csv(frame)}))


def test_class_folders_beside_a_table_that_names_none_stay_class_folders(tmp_path):
    files = {f"{c}/{i}.png": encoded(solid(c)) for c in ("red", "white") for i in range(3)}
    table = read_table(zipped(tmp_path / "a.zip", {**files, "notes.csv": b"a,b\n1,2\n"}))
    assert table.format == "pictures"


def test_files_named_train_and_test_give_the_parts(tmp_path):
    files, frame = made()
    packed = zipped(tmp_path / "a.zip", {**files, "train.csv": csv(frame[:8]), "test.csv": csv(frame[8:])})
    table = read_table(packed)
    assert table.part == "split_part" and len(table.frame) == 12 and middle(table, 11)[1] > 200


def test_pixels_are_read_by_the_pixel_view(tmp_path):
    files, frame = made(each=30)
    path = zipped(tmp_path / "a.zip", {**files, "t.csv": csv(frame)})
    dataset = prepare(DatasetSpec(source=str(path), target="kind"), tmp_path)
    assert {"table", "ngrams", "pixels"} <= set(dataset.views.kinds)
    assert dataset.view("pixels").spec.shape == (3, 8, 10)
