"""Twenty small files as people have them, and what should be understood of each."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import openpyxl


@dataclass(frozen=True)
class Odd:
    """A file, and what must be understood of it without help, or after the one answer."""

    content: Callable[[], bytes]
    columns: list[str]
    rows: int
    target: str
    task: str
    kinds: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    asked: str | None = None  # code of the one question
    read: dict[str, object] = field(default_factory=dict)  # the answer, as reading settings ...
    chosen: dict[str, object] = field(default_factory=dict)  # ... or as choices of the dataset
    name: str = "odd.csv"


def text(rows: list[list[object]], separator: str = ",", head: str | None = None) -> bytes:
    lines = [head] if head else []
    return "\n".join([*lines, *(separator.join(str(v) for v in row) for row in rows)]).encode() + b"\n"


def people(padding: str = "", missing: str = "?", rows: int = 120) -> list[list[object]]:
    """Age, kind of work, hours, income: like a census without a header."""
    rng = np.random.default_rng(0)
    work = rng.choice(["Private", "State-gov", missing], rows, p=[0.6, 0.3, 0.1])
    made = [
        [20 + i % 47, work[i], 20 + int(rng.integers(0, 40)), ">50K" if rng.random() < 0.3 else "<=50K"]
        for i in range(rows)
    ]
    return [[made_cell if j == 0 else f"{padding}{made_cell}" for j, made_cell in enumerate(row)] for row in made]


def count(rows: list[list[object]], at: int, word: str) -> int:
    return sum(str(row[at]).strip() == word for row in rows)


def grades(rows: int = 200) -> list[list[object]]:
    rng = np.random.default_rng(1)
    quality = np.clip(rng.normal(6, 1, rows).round(), 3, 9).astype(int)
    return [[round(7 + rng.random(), 2), round(float(q) / 3 + rng.random(), 2), q] for q in quality]


def attacks() -> list[list[object]]:
    kinds = ["normal."] * 60 + ["smurf."] * 45 + ["spy."] * 2 + ["perl."]
    return [[i * 7 % 50, ["tcp", "udp"][i % 2], i * i % 97, kind] for i, kind in enumerate(kinds)]


def mushrooms() -> list[list[object]]:
    rng = np.random.default_rng(2)
    return [[*rng.choice(list("pe"), 1), *rng.choice(list("xbsf"), 2)] for _ in range(90)]


def book(*sheets: tuple[str, list[list[object]]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def named(*rows: list[list[object]], names: str) -> bytes:
    return text([r for part in rows for r in part], head=names)


def measured(rows: int = 100, gap: str = "-", every: int = 9) -> list[list[object]]:
    return [
        [
            f"2024-0{1 + i % 9}-{1 + i % 28:02d}" if i % every else gap,
            gap if i % every == 4 else round(3 + (i * 37 % 50) / 7, 2),
            "yes" if i % 3 else "no",
        ]
        for i in range(rows)
    ]


NUMBERED = [f"column {i}" for i in range(1, 5)]
ODD = {
    "census without names": Odd(
        lambda: text(people()),
        NUMBERED,
        120,
        "column 4",
        "binary",
        {"column 1": "number", "column 2": "category"},
        {"column 2": count(people(), 1, "?")},
        "header_missing",
        {"names": ("age", "work", "hours", "income")},
    ),
    "census padded by spaces": Odd(
        lambda: text(people(" ")),
        NUMBERED,
        120,
        "column 4",
        "binary",
        {"column 3": "number"},
        {"column 2": count(people(), 1, "?")},
        "header_missing",
    ),
    "census with names and padding": Odd(
        lambda: named(people(" "), names="age, work, hours, label"),
        ["age", "work", "hours", "label"],
        120,
        "label",
        "binary",
        {"age": "number"},
        {"work": count(people(), 1, "?")},
    ),
    "german style, spaces between": Odd(
        lambda: text(people(missing="A14"), " "),
        NUMBERED,
        120,
        "column 4",
        "binary",
        {"column 1": "number"},
        {},
        "header_missing",
    ),
    "tabs without names": Odd(
        lambda: text(people(), "\t"),
        NUMBERED,
        120,
        "column 4",
        "binary",
        {"column 3": "number"},
        {},
        "header_missing",
        {},
        {},
        "odd.tsv",
    ),
    "all numbers without names": Odd(
        lambda: text([[round(i * 1.7 % 9, 1), i * 31 % 17, i % 2] for i in range(90)]),
        NUMBERED[:3],
        90,
        "column 3",
        "binary",
        {},
        {},
        "header_missing",
    ),
    "attacks with rare classes": Odd(
        lambda: named(attacks(), names="seconds,protocol,bytes,label"),
        ["seconds", "protocol", "bytes", "label"],
        108,
        "label",
        "multiclass",
        {"protocol": "category"},
        {},
        "small_class",
        {},
        {"rare": "merge"},
    ),
    "attacks, one against the rest": Odd(
        lambda: named(attacks(), names="seconds,protocol,bytes,label"),
        ["seconds", "protocol", "bytes", "label"],
        108,
        "label",
        "binary",
        {},
        {},
        "small_class",
        {},
        {"one_class": "normal."},
    ),
    "letters alone, no names": Odd(
        lambda: text(mushrooms()),
        NUMBERED[:3],
        90,
        "column 3",
        "multiclass",
        {"column 1": "category"},
        {},
        "header_doubtful",
        {"header": "no"},
    ),
    "letters alone, with names": Odd(
        lambda: named(mushrooms(), names="label,cap,gill"), ["label", "cap", "gill"], 90, "label", "binary"
    ),
    "wine, a grade": Odd(
        lambda: text(grades(), ";", '"acidity";"alcohol";"quality"'),
        ["acidity", "alcohol", "quality"],
        200,
        "quality",
        "regression",
        {"quality": "number"},
        {},
        "target_unsure",
        {},
        {"target": "quality", "task": "regression"},
    ),
    "wine, the class in front": Odd(
        lambda: text([[1 + i % 3, round(i * 1.3 % 7, 2), round(i * 1.9 % 5, 2)] for i in range(90)]),
        NUMBERED[:3],
        90,
        "column 1",
        "multiclass",
        {},
        {},
        "header_missing",
        {},
        {"target": "column 1"},
    ),
    "numbers with N/A": Odd(
        lambda: named(measured(gap="N/A"), names="day,size,sold,bought".replace(",sold", "")),
        ["day", "size", "bought"],
        100,
        "bought",
        "binary",
        {"day": "datetime", "size": "number"},
        {"day": 12, "size": 11},
    ),
    "numbers with a point": Odd(
        lambda: named(measured(gap="."), names="day,size,bought"),
        ["day", "size", "bought"],
        100,
        "bought",
        "binary",
        {"day": "datetime", "size": "number"},
        {"day": 12, "size": 11},
    ),
    "numbers with null and spaces": Odd(
        lambda: named(measured(gap=" null "), names="day,size,bought"),
        ["day", "size", "bought"],
        100,
        "bought",
        "binary",
        {"day": "datetime", "size": "number"},
        {"day": 12, "size": 11},
    ),
    "votes with question marks": Odd(
        lambda: named(
            [["y" if i % 3 else "n", "?" if i % 5 == 0 else "yn"[i % 2], "dr"[i % 2]] for i in range(100)],
            names="budget,aid,class",
        ),
        ["budget", "aid", "class"],
        100,
        "class",
        "binary",
        {"aid": "boolean"},
        {"aid": 20},
    ),
    "years as names": Odd(
        lambda: named([[f"c{i % 30}", i * 3 % 11 + 0.5, i * 7 % 13 + 0.5] for i in range(90)], names="city,2019,2020"),
        ["city", "2019", "2020"],
        90,
        "2020",
        "regression",
        {},
        {},
        "header_doubtful",
        {"header": "yes"},
        {"target": "2020"},
    ),
    "two sheets, a note first": Odd(
        lambda: book(
            ("read me", [["note"], ["rows follow"], ["see there"]]),
            ("rows", [["size", "hours", "sold"], *[[i % 13, i * 7 % 11, "yes" if i % 3 else "no"] for i in range(80)]]),
        ),
        ["size", "hours", "sold"],
        80,
        "sold",
        "binary",
        {"size": "number"},
        {},
        "several_sheets",
        {"sheet": "rows"},
        {},
        "odd.xlsx",
    ),
    "a sheet without names": Odd(
        lambda: book(("rows", people())),
        NUMBERED,
        120,
        "column 4",
        "binary",
        {"column 1": "number"},
        {"column 2": count(people(), 1, "?")},
        "header_missing",
        {},
        {},
        "odd.xlsx",
    ),
    "a last column of one value": Odd(
        lambda: named([[i % 13, i * 7 % 11 + 0.5, "ab"[i % 2], "v1"] for i in range(80)], names="w,h,kind,version"),
        ["w", "h", "kind", "version"],
        80,
        "kind",
        "binary",
        {"version": "constant"},
        {},
        "target_unsure",
        {},
        {"target": "kind"},
    ),
    "an answer known only afterwards": Odd(
        lambda: named(
            [[i % 50, 30 + 400 * (i % 3 == 0) + i * 37 % 300, "yes" if i % 3 == 0 else "no"] for i in range(300)],
            names="age,duration,subscribed,y".replace(",subscribed", ""),
        ),
        ["age", "duration", "y"],
        300,
        "y",
        "binary",
    ),
    "a semicolon file with decimal commas": Odd(
        lambda: text(
            [[f"{3 + i % 7},{i % 10}5", f"{i % 4}", "ja" if i % 3 else "nein"] for i in range(90)],
            ";",
            "size;rooms;label",
        ),
        ["size", "rooms", "label"],
        90,
        "label",
        "binary",
        {"size": "number"},
    ),
}
