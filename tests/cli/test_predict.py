"""Raw rows in, answers out: the kept student answers rows of the file as it did in its run."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.errors import DataError, KDError
from kd_core.runs import experiment
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import ReadSpec, SweepSpec
from tests.runs.tables import small_spec

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
ROWS = 300


def shop_table(path, header=True):
    """Write what a German till would: semicolons, decimal commas, days first, Windows letters, gaps, unused columns."""
    rng = np.random.default_rng(3)
    total, town = rng.normal(20, 8, ROWS), rng.integers(0, 40, ROWS)
    gift = rng.random(ROWS) < 0.5
    lines = []
    for i in range(ROWS):
        amount = "k.A." if i == 5 else "" if i % 17 == 0 else f"{total[i]:.2f}".replace(".", ",")
        day = (pd.Timestamp("2025-01-01") + pd.Timedelta(days=int(rng.integers(0, 400)))).strftime("%d.%m.%Y")
        words = " ".join(rng.choice(["schöne", "Tasche", "kam", "zu", "spät", "gut", "verpackt"], 8))
        z = total[i] / 8 + 2 * gift[i] + (town[i] % 3) - 4 + rng.logistic() * 0.5
        cells = [
            f"k{i}",
            amount,
            f"Ort {town[i]}",
            day,
            ["FALSE", "TRUE"][int(gift[i])],
            words,
            "ja" if z > 0 else "nein",
        ]
        lines.append(cells)
    names = ["kunde", "betrag", "ort", "tag", "geschenk", "worte", "gekauft"]
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(([names] if header else []) + lines)
    return names, lines


def carry_out(spec, path):
    folder = RunFolder.create(path, spec)
    result = experiment.run(spec, folder, lambda event: None, lambda: False)
    folder.finish("done", result)
    return folder, result


def kept(folder, result):
    """Return positions and logits that the run kept of its best student."""
    arrays = np.load(folder.artifact("soft_labels.npz"))
    best = result["artifacts"]["students"][read_outcome(result).best]
    return arrays["row_ids"], arrays[f"student_{best['index']}"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    place = tmp_path_factory.mktemp("shop")
    names, lines = shop_table(place / "shop.csv")
    spec = small_spec(place / "shop.csv")
    folder, result = carry_out(
        spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"target": "gekauft", "positive": "ja"})}),
        place / "run",
    )
    return folder, result, names, lines


def rows_of(shop, used=slice(1, 6)):
    _, _, names, lines = shop
    return [dict(zip(names[used], line[used], strict=True)) for line in lines]


def test_rows_of_the_file_get_the_answers_of_the_run(shop):
    folder, result, *_ = shop
    opened, (ids, logits) = kd_core.load(folder.path), kept(folder, result)
    assert opened.columns == ("betrag", "ort", "tag", "geschenk", "worte")
    assert {c.kind for c in opened.engine.view.types.values()} == {"number", "category", "datetime", "boolean", "text"}
    rows = rows_of(shop)
    some = [rows[i] for i in ids]
    assert np.abs(opened.engine.logits(some)[0] - logits).max() <= 1e-6
    found = opened.predict(some)
    assert found.columns.tolist() == ["gekauft", "p_nein", "p_ja"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(found[["p_nein", "p_ja"]], p, atol=1e-6)
    assert found["gekauft"].tolist() == np.array(["nein", "ja"])[logits.argmax(axis=1)].tolist()
    alone = pd.concat([opened.predict(row) for row in some[:20]])
    assert np.allclose(alone[["p_nein", "p_ja"]], found[["p_nein", "p_ja"]][:20], atol=1e-6)


def test_a_row_may_hold_values_instead_of_texts(shop):
    opened, row = kd_core.load(shop[0].path), rows_of(shop)[1]
    typed = {
        **row,
        "betrag": float(row["betrag"].replace(",", ".")),
        "geschenk": row["geschenk"] == "TRUE",
        "tag": pd.to_datetime(row["tag"], format="%d.%m.%Y"),
    }
    frame = pd.DataFrame([typed], index=["order 7"])
    expected = opened.predict(row)
    assert opened.predict(typed).equals(expected) and opened.predict([[typed[n] for n in opened.columns]]).equals(
        expected
    )
    assert opened.predict(frame).index.tolist() == ["order 7"]
    assert opened.predict(frame).reset_index(drop=True).equals(expected)
    other = {**typed, "geschenk": not typed["geschenk"]}
    assert not opened.predict(other).equals(expected)


def test_columns_that_are_not_used_are_told_and_missing_ones_refused(shop):
    opened, rows = kd_core.load(shop[0].path), rows_of(shop, slice(0, 7))
    with pytest.warns(UserWarning, match=r"2 columns are not used: kunde, gekauft"):
        opened.predict(rows[:2])
    with pytest.raises(DataError, match=r"1 column is missing: ort"):
        opened.predict({k: v for k, v in rows[0].items() if k != "ort"})


def test_odd_rows_are_answered_each_like_alone(shop):
    opened, row = kd_core.load(shop[0].path), rows_of(shop)[1]
    odd = [
        {**row, "betrag": None, "ort": "Nirgends", "worte": ""},
        {**row, "betrag": "1e999", "tag": "32.13.2025", "geschenk": "vielleicht"},
        {**row, "betrag": float("inf"), "ort": f" {row['ort']} ", "worte": "Ж" * 3000},
        dict.fromkeys(row),
    ]
    with pytest.warns(UserWarning) as told:
        together = opened.answers(odd)
    assert [str(w.message)[:18] for w in told] == ["2 values of betrag", "1 value of tag cou"]
    assert np.isfinite(together).all()
    with pytest.warns(UserWarning):
        alone = np.concatenate([opened.answers([one]) for one in odd])
    assert np.allclose(together, alone, atol=1e-6)
    assert np.allclose(together, opened.engine.run(odd)[0], atol=1e-5)


def test_no_rows_get_no_answers(shop):
    opened = kd_core.load(shop[0].path)
    for rows in ([], pd.DataFrame(columns=opened.columns)):
        assert opened.predict(rows).columns.tolist() == ["gekauft", "p_nein", "p_ja"] and opened.predict(rows).empty


def test_a_file_is_read_as_the_file_of_the_run(shop, tmp_path):
    folder, _, names, lines = shop
    runner, expected = CliRunner(), kd_core.load(folder.path).predict(rows_of(shop)[:3])
    path = tmp_path / "new.csv"
    with path.open(
        "w", encoding="cp1252", newline=""
    ) as file:  # one row and two would be laid out otherwise if guessed
        csv.writer(file, delimiter=";").writerows([names[:6], *(line[:6] for line in lines[:3])])
    done = runner.invoke(app, ["predict", str(folder.path), str(path)])
    assert done.exit_code == 0, done.output
    assert "note: 1 column is not used: kunde" in done.stderr
    assert np.allclose(pd.read_csv(io.StringIO(done.stdout))["p_ja"], expected["p_ja"], atol=1e-6)
    out = tmp_path / "answers.csv"
    piped = runner.invoke(app, ["predict", str(folder.path), "-", "--out", str(out)], input=path.read_bytes())
    assert piped.exit_code == 0, piped.output
    assert out.read_text() == done.stdout and piped.stdout == ""
    lines_of_json = json.dumps(rows_of(shop)[1]).encode()  # piped in: there is no name to differ from
    piped = runner.invoke(app, ["predict", str(folder.path), "-"], input=lines_of_json)
    assert piped.exit_code == 0 and piped.stderr == "", piped.output
    rest = "".join(";".join(line[:6]) + "\n" for line in lines)  # one of many: a run leaves it out with a warning
    path.write_bytes(path.read_bytes() + rest.encode("cp1252") + b"torn;row\n")
    torn = runner.invoke(app, ["predict", str(folder.path), str(path)])
    assert torn.exit_code == 2 and "1 row does not have 6 fields" in torn.stderr
    path.write_text("betrag,ort\n1,x\n")
    other = runner.invoke(app, ["predict", str(folder.path), str(path)])
    assert other.exit_code == 2 and "columns are missing: betrag, ort, tag" in other.stderr


@pytest.mark.parametrize("named", [True, False])
def test_without_a_first_row_of_names_the_columns_of_the_run_are_meant(tmp_path, named):
    names, lines = shop_table(tmp_path / "shop.csv", header=False)
    names = names if named else [f"column {i + 1}" for i in range(len(names))]
    spec = small_spec(tmp_path / "shop.csv")
    asked = {"target": names[-1], "positive": "ja", "read": ReadSpec(names=tuple(names) if named else (), header="no")}
    dataset = spec.dataset.model_copy(update=asked)
    folder, result = carry_out(spec.model_copy(update={"dataset": dataset}), tmp_path / "run")
    opened, (ids, logits) = kd_core.load(folder.path), kept(folder, result)
    with (
        pytest.warns(UserWarning, match=f"{names[0]}, {names[-1]}"),
        pytest.warns(UserWarning, match="1 value of .* row 6, 'k.A.'"),
    ):
        found = opened.predict_file(tmp_path / "shop.csv")
    assert np.allclose(found["p_ja"][ids], 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), atol=1e-6)
    short = tmp_path / "short.csv"  # by their places alone, other columns would be read as these
    short.write_text("\n".join(";".join(line[:6]) for line in lines[:3]), "cp1252")
    with pytest.raises(DataError, match=r"7 names were given for 6 columns"):
        opened.predict_file(short)


def test_numbers_are_answered_in_their_own_unit(tmp_path):
    from tests.runs.tables import write_table

    path = write_table(tmp_path / "t.csv", "regression")
    folder, result = carry_out(small_spec(path, "regression"), tmp_path / "run")
    ids, logits = kept(folder, result)
    with pytest.warns(UserWarning, match="target"):
        found = kd_core.load(folder.path).predict(pd.read_csv(path, dtype="str").iloc[ids])
    told = json.loads(folder.artifact("model.json").read_text())
    assert found.columns.tolist() == ["target"] and found.index.tolist() == ids.tolist()
    assert np.allclose(found["target"], logits[:, 0].astype(float) * told["std"] + told["mean"], atol=1e-4)


def test_a_what_if_keeps_its_students_with_the_settings_of_their_best_cells(tmp_path):
    from tests.runs.tables import write_table

    path = write_table(tmp_path / "t.csv")
    spec = small_spec(path).model_copy(update={"sweep": SweepSpec(temperature=(1, 4), alpha=(0.5,), dropout=(0.2,))})
    folder, result = carry_out(spec, tmp_path / "run")
    ids, logits = kept(folder, result)
    (student,) = json.loads(folder.artifact("model.json").read_text())["students"]
    assert student["arch"]["settings"]["dropout"] == 0.2  # a layer more: the weights have other names
    with pytest.warns(UserWarning, match="target"):
        found = kd_core.load(folder.path).answers(pd.read_csv(path).iloc[ids])
    assert np.allclose(found[:, 1], 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), atol=1e-6)


def test_everything_that_answers_is_listed_in_the_manifest(shop):
    folder, result, *_ = shop
    told = json.loads(folder.artifact("model.json").read_text())
    assert result["artifacts"]["model"] == "artifacts/model.json" and told["classes"] == ["nein", "ja"]
    (student,) = told["students"]
    assert student["view"] == [f"artifacts/views/table/{n}" for n in ("table.json", "table.npz", "columns.json")]
    assert {"artifacts/model.json", student["weights"], student["onnx"], *student["view"]} <= set(
        folder.manifest()["files"]
    )
    assert told["read"]["separator"] == ";" and told["read"]["encoding"] == "cp1252"


def test_a_students_file_alone_answers_packed_or_not(shop, tmp_path):
    folder, result, *_ = shop
    rows, (entry,) = rows_of(shop)[6:46], result["artifacts"]["students"]
    wanted, told = kd_core.load(folder.path).answers(rows), result["students"][0]["deployed"]
    for kind, bytes_told in (("onnx", told["bytes"]), ("compact", told["compact"]["bytes"])):
        file = tmp_path / entry[kind].rsplit("/")[-1]
        file.write_bytes(folder.artifact(entry[kind].removeprefix("artifacts/")).read_bytes())
        assert file.stat().st_size == bytes_told
        assert np.array_equal(kd_core.load(file).answers(rows), wanted)
    assert (
        file.name == "0.onnx.xz" and told["compact"]["form"] == "onnx.xz" and told["bytes"] > told["compact"]["bytes"]
    )
    lines = "\n".join([";".join(rows[0]), *(";".join(row.values()) for row in rows)])
    done = CliRunner().invoke(app, ["predict", str(file), "-"], input=lines.encode("cp1252"))
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 41
    with pytest.raises(KDError, match="holds one student, which has no name in it; 'tiny' was asked for"):
        kd_core.load(file, "tiny")
    (tmp_path / "cut.onnx.xz").write_bytes(file.read_bytes()[:500])
    with pytest.raises(KDError, match="packed file can't be opened: it is cut off"):
        kd_core.load(tmp_path / "cut.onnx.xz")
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(
        KDError, match=r"x\.onnx is not a student's file that takes raw columns \(InvalidProtobuf"
    ) as caught:
        kd_core.load(tmp_path / "x.onnx")
    assert caught.value.code == "no_student_file"


def test_what_can_not_answer_says_why(shop, tmp_path):
    import shutil

    folder = shop[0]
    with pytest.raises(KDError, match=r"has no student 'huge'\. Its students: tiny") as caught:
        kd_core.load(folder.path, "huge")
    assert caught.value.code == "no_student"
    shutil.copytree(folder.path, tmp_path / "copy")
    copy = RunFolder(tmp_path / "copy")
    weights = copy.artifact("students/0.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(KDError, match=r"model\.json does not fit the other files \(SafetensorError"):
        kd_core.load(copy.path).engine
    file = copy.artifact("students/0.onnx")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(KDError, match=r"model\.json does not fit the other files \(InvalidProtobuf"):
        kd_core.load(copy.path)
    file.unlink()
    with pytest.raises(KDError, match=r"does not fit the other files \(FileNotFoundError") as caught:
        kd_core.load(copy.path)
    assert caught.value.code == "run_damaged"
    copy.artifact("model.json").unlink()
    with pytest.raises(
        KDError, match="no model that takes raw rows: it has not ended, or an earlier version"
    ) as caught:
        kd_core.load(copy.path)
    assert caught.value.code == "no_model"
    done = CliRunner().invoke(app, ["predict", str(copy.path), "-"], input="a\n1\n")
    assert done.exit_code == 1 and "Resume it, or run it again" in done.stderr
