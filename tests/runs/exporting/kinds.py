"""One small run of every kind of student that can be taken home."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd

from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios.samples import write_sample
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec
from tests.data.pictures.zips import shapes, zipped

TABLE = ("tiny", "piecewise:tiny", "additive", "trees:tiny", "linear")
NUMBERS = ("tiny", "trees:tiny", "piecewise:tiny")
TEXTS = ("textcnn:tiny", "bag", "tiny")
_ENGLISH = ["good", "bag", "late", "small", "shape", "arrived", "Größe", "it's", "refund", "lovely"]
_CHINESE = list("这个包很好看质量不错物流快退款差评")


def odd_table(path, task="binary", rows=360):
    """Write what a German till would: semicolons, decimal commas, days first, Windows letters, gaps, texts."""
    rng = np.random.default_rng(3)
    total, town, gift = rng.normal(20, 8, rows), rng.integers(0, 40, rows), rng.random(rows) < 0.5
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), "D")
    paid = np.exp(2 * rng.normal(size=rows))
    with path.open("w", encoding="cp1252", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(["betrag", "bezahlt", "ort", "tag", "geschenk", "worte", "ziel"])
        for i in range(rows):
            z = total[i] / 8 + 2 * gift[i] + (town[i] % 3) - 4 + rng.logistic() * 0.5
            amount = "" if i % 17 == 0 else f"{total[i]:.2f}".replace(".", ",")
            words = " ".join(rng.choice(["schöne", "Tasche", "kam", "zu", "spät", "gut"], 8))
            label = {"binary": "ja" if z > 0 else "nein", "regression": f"{10 + 3 * z:.2f}".replace(".", ",")}[task]
            cells = [amount, f"{paid[i]:.2f}".replace(".", ","), f"Ort {town[i]}", days[i].strftime("%d.%m.%Y")]
            out.writerow([*cells, ["FALSE", "TRUE"][int(gift[i])], words, label])
    return DatasetSpec(source=str(path), target="ziel", task=task)


def texts(path, words, join, rows=240):
    rng = np.random.default_rng(5)
    held = [join.join(rng.choice(words, 12)) + ("" if i % 9 else f" {i}") for i in range(rows)]
    label = ["yes" if text.count(words[0]) + text.count(words[1]) > 2 else "no" for text in held]
    pd.DataFrame({"message": held, "spam": label}).to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="spam")


def table(place):
    return odd_table(place / "t.csv"), TABLE, Choice(name="gradient_boosting", settings={"rounds": 20}), {}


def regression(place):
    asked = odd_table(place / "t.csv", "regression")
    return asked, NUMBERS, Choice(name="gradient_boosting", settings={"rounds": 20}), {"objective": Choice(name="mse")}


def english(place):
    return texts(place / "t.csv", _ENGLISH, " "), TEXTS, teacher_choice("sklearn", ["teacher.view=tfidf"]), {}


def chinese(place):
    return texts(place / "t.csv", _CHINESE, ""), TEXTS, teacher_choice("sklearn", ["teacher.view=tfidf"]), {}


def pictures(place):
    data = DatasetSpec(source=str(zipped(place / "shapes.zip", shapes(45, colour=True))), target="class")
    return data, ("cnn:tiny",), teacher_choice("cnn", ["teacher.size=tiny", "teacher.epochs=2"]), {}


def fusion(place):
    data = DatasetSpec(source=str(write_sample("product_category", place, rows=200)), target="shelf")
    return data, ("fusion:tiny",), teacher_choice("fusion", ["teacher.size=tiny", "teacher.epochs=1"]), {}


KINDS = {one.__name__: one for one in (table, regression, english, chinese, pictures, fusion)}


def carried_out(kind, place):
    """Carry out the run of a kind and return its folder and the names of its students."""
    dataset, students, teacher, more = KINDS[kind](place)
    spec = RunSpec(
        name=kind,
        dataset=dataset,
        teacher=teacher,
        students=tuple(map(student_spec, students)),
        objective=more.get("objective", Choice(name="hinton")),
        training=TrainingSpec(epochs=2, seeds=1, learning_rate=0.01),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False, placebo=False),
    )
    folder = RunFolder.create(place / "run", spec)
    folder.finish("done", experiment.run(spec, folder, lambda event: None, lambda: False))
    return folder, [student.name for student in spec.students]
