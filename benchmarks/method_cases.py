"""The sets of the methods benchmark, each with its pair of teacher and student."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pictures, retail
from kd_core.data.archives.tables import part_in
from kd_core.data.files.reading import read_table
from kd_core.data.types.part_column import PART
from kd_core.specs import Choice, DatasetSpec


@dataclass(frozen=True)
class Case:
    """One set with its pair of teacher and student. `epochs` of every student."""

    write: Callable[[Path, Path], DatasetSpec]
    teacher: Choice
    folds: int
    student: Choice
    epochs: int


def _pictures(data: Path, folder: Path) -> DatasetSpec:
    if not (target := folder / "pictures.zip").exists():
        pictures.pack(data / "fashion_mnist", target, 12_000)
    return DatasetSpec(source=str(target), target="class")


def _all_pictures(data: Path, folder: Path) -> DatasetSpec:
    """All 70,000, in the parts that their publisher made."""
    if not (target := folder / "all_pictures.zip").exists():
        with zipfile.ZipFile(target, "w") as archive:
            for member in sorted((data / "fashion_mnist").glob("*-ubyte.gz")):
                archive.write(member, member.name)
    return DatasetSpec(source=str(target), target="class", part=PART)


def _few_pictures(data: Path, folder: Path) -> DatasetSpec:
    if not (target := folder / "few_pictures.zip").exists():
        pictures.pack(data / "fashion_mnist", target, 5_000)
    return DatasetSpec(source=str(target), target="class")


def _rentals(data: Path, folder: Path) -> DatasetSpec:
    if not (target := folder / "hour.csv").exists():
        with zipfile.ZipFile(data / "bike_sharing" / "Bike-Sharing-Dataset.zip") as archive:
            target.write_bytes(archive.read("hour.csv"))
    return DatasetSpec(source=str(target), target="cnt", drop=("instant", "dteday", "casual", "registered"))


def _questions(data: Path, folder: Path) -> DatasetSpec:
    if not (target := folder / "questions.zip").exists():
        with zipfile.ZipFile(target, "w") as archive:
            for name in ("train.csv", "test.csv"):
                archive.write(data / "banking77" / name, name)
    return DatasetSpec(source=str(target), target="category", part=part_in(target))


def _orders(data: Path, folder: Path) -> DatasetSpec:
    if not (target := folder / "orders.csv").exists():
        retail.derive(data / "online_retail" / "online_retail_by_day.zip", folder / "all.csv")
        frame = read_table(folder / "all.csv").frame
        order = (
            frame["InvoiceNo"].drop_duplicates().sample(frac=1, random_state=0)
        )  # whole invoices, in an order of their own
        place = frame["InvoiceNo"].map({name: i for i, name in enumerate(order)})
        frame.iloc[place.argsort(kind="stable").to_numpy()[:40_000]].to_csv(target, index=False)
        (folder / "all.csv").unlink()
    return DatasetSpec(source=str(target), target="no_customer", positive="yes", group="InvoiceNo", drop=("InvoiceNo",))


MINILM = Choice(name="pretrained")
CASES = {
    "pictures": Case(
        _pictures, Choice(name="cnn", settings={"epochs": 10}), 2, Choice(name="cnn", settings={"size": "tiny"}), 12
    ),
    "pictures_all": Case(
        _all_pictures, Choice(name="cnn", settings={"epochs": 10}), 2, Choice(name="cnn", settings={"size": "tiny"}), 12
    ),
    "questions": Case(_questions, MINILM, 3, Choice(name="bag", settings={"size": "small"}), 20),
    "questions_lstm": Case(_questions, MINILM, 3, Choice(name="recurrent", settings={"size": "tiny"}), 15),
    "pictures_few": Case(
        _few_pictures, Choice(name="cnn", settings={"epochs": 8}), 1, Choice(name="cnn", settings={"size": "tiny"}), 12
    ),
    "questions_blocks": Case(
        _questions,
        Choice(name="text_transformer", settings={"size": "small", "epochs": 12}),
        1,
        Choice(name="text_transformer", settings={"size": "tiny"}),
        12,
    ),
    "rentals": Case(_rentals, Choice(name="lightgbm"), 3, Choice(name="mlp", settings={"size": "small"}), 60),
    "orders": Case(_orders, Choice(name="lightgbm"), 3, Choice(name="mlp", settings={"size": "small"}), 60),
}
