from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data import preparation
from kd_core.data.files import reading
from kd_core.data.preparation import look_at, prepare, profile_source
from kd_core.data.views import VIEWS
from kd_core.errors import DataError
from kd_core.safe_io import sha256_file
from kd_core.specs import DatasetSpec, ReadSpec
from tests.data.tables import clean, codes, one


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.csv"
    data = clean() | {"visitor": [f"v{i // 3}" for i in range(600)]}
    pd.DataFrame(data).to_csv(path, index=False)
    return path


def spec(path, **more):
    return DatasetSpec(source=str(path), target="bought", **more)


def test_a_file_becomes_a_dataset(visits):
    found = prepare(spec(visits, drop=("visitor",)))
    assert (found.task, found.classes, found.name) == ("binary", ("no", "yes"), "visits.csv")
    assert [len(found.parts[p]) for p in ("train", "validation", "test")] == [420, 90, 90]
    assert found.view().parts["train"].dtype == np.float32
    assert found.train.y.dtype == np.int64
    assert found.view().view.feature_names[:2] == ("age", "spend")
    assert sorted(np.concatenate([p.row_ids for p in found.parts.values()])) == list(range(600))
    for part in found.parts.values():
        assert (found.rows["bought"].iloc[part.row_ids] == "yes").to_numpy().astype(int).tolist() == part.y.tolist()
        assert part.groups is None
    assert np.array_equal(found.view().view.encode(found.rows.iloc[found.test.row_ids]), found.view().parts["test"])


def test_rows_without_target_are_left_out_and_keep_the_others_places(tmp_path):
    data = clean()
    data["bought"] = data["bought"].astype(object)
    data["bought"][::10] = ""
    pd.DataFrame(data).to_csv(tmp_path / "a.csv", index=False)
    found = prepare(spec(tmp_path / "a.csv"))
    ids = np.concatenate([p.row_ids for p in found.parts.values()])
    assert len(ids) == 540
    assert not (ids % 10 == 0).any()
    assert "60 rows" in str(one(found.problems, "target_missing"))


def test_groups_stay_in_one_part(visits):
    found = prepare(spec(visits, group="visitor"))
    seen = [set(p.groups) for p in found.parts.values()]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not any("visitor" in n for n in found.view().view.feature_names)


def test_regression_keeps_the_unit_and_scales_by_train(tmp_path):
    rng = np.random.default_rng(0)
    y = 100 + 20 * rng.normal(size=300)
    pd.DataFrame({"x": rng.normal(size=300), "minutes": y.round(2)}).to_csv(tmp_path / "a.csv", index=False)
    found = prepare(DatasetSpec(source=str(tmp_path / "a.csv"), target="minutes"))
    assert found.train.y.dtype == np.float64
    assert found.target_mean == pytest.approx(found.train.y.mean(), rel=1e-6)
    assert found.scaled_y("train").std() == pytest.approx(1, abs=1e-4)
    assert found.num_outputs == 1


def test_a_small_spread_around_a_large_mean_is_kept(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"x": rng.normal(size=300), "t": 1.7e9 + rng.normal(size=300).round(3)}).to_csv(
        tmp_path / "a.csv", index=False
    )
    found = prepare(DatasetSpec(source=str(tmp_path / "a.csv"), target="t"))
    assert found.target_std == pytest.approx(1, abs=0.15)
    assert found.scaled_y("train").std() == pytest.approx(1, abs=1e-4)
    assert len(np.unique(found.scaled_y("train"))) > 200


def test_a_huge_number_is_read_as_missing_and_said(tmp_path):
    x = np.random.default_rng(0).normal(size=60)
    x[3] = -1.7e308
    pd.DataFrame({"x": x, "t": ["a", "b"] * 30}).to_csv(tmp_path / "a.csv", index=False)
    found = prepare(DatasetSpec(source=str(tmp_path / "a.csv"), target="t"))
    said = [p.message for p in found.problems if p.code == "huge_values"]
    assert said == ["Column x: 1 value beyond 1e+100 (row 4)."]
    assert np.isfinite(found.view().parts["train"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_yes_no_set_by_hand_on_many_values_is_said_and_merges_nothing(tmp_path, ending):
    frame = pd.DataFrame({"x": np.arange(60) % 5 * 10, "w": ["a", "b", "c"] * 20, "t": ["a", "b"] * 30})
    frame.to_csv(tmp_path / "a.csv", index=False) if ending == "csv" else frame.to_parquet(tmp_path / "a.parquet")
    found = prepare(
        DatasetSpec(source=str(tmp_path / f"a.{ending}"), target="t", kinds={"x": "boolean", "w": "boolean"})
    )
    assert [p.message for p in found.problems if p.code == "not_boolean"] == [
        "Column x was set to yes/no but takes 5 values.",
        "Column w was set to yes/no but takes 3 values.",
    ]
    column = list(found.view().view.feature_names).index("x")
    assert len(np.unique(np.concatenate([x[:, column] for x in found.view().parts.values()]))) == 5


def test_time_split_puts_the_newest_last(tmp_path):
    data = clean() | {"day": pd.date_range("2024-01-01", periods=600).strftime("%Y-%m-%d")}
    pd.DataFrame(data).to_csv(tmp_path / "a.csv", index=False)
    found = prepare(spec(tmp_path / "a.csv", time="day"))
    assert found.train.row_ids.max() < found.validation.row_ids.min()
    assert found.validation.row_ids.max() < found.test.row_ids.min()


@pytest.mark.slow
def test_hash_names_what_decides_the_rows(visits, tmp_path):
    base = prepare(spec(visits)).hash
    copy = tmp_path / "copy.csv"
    copy.write_bytes(visits.read_bytes())
    assert prepare(spec(copy, name="other")).hash == base
    assert prepare(spec(visits, sha256=sha256_file(visits))).hash == base
    assert prepare(spec(visits, task="binary", positive="yes")).hash == base
    others = [{"split_seed": 1}, {"drop": ("noise",)}, {"group": "visitor"}, {"positive": "no"}, {"test_share": 0.2}]
    assert len({base, *(prepare(spec(visits, **o)).hash for o in others)}) == 6
    copy.write_bytes(visits.read_bytes() + b"30,1,mail,0,yes,v1\n")
    assert prepare(spec(copy)).hash != base


def test_same_spec_gives_the_same_arrays(visits):
    a, b = prepare(spec(visits)), prepare(spec(visits))
    assert a.hash == b.hash
    for part in ("train", "validation", "test"):
        assert a.view().parts[part].tobytes() == b.view().parts[part].tobytes()


def test_a_changed_file_is_refused(visits):
    with pytest.raises(
        DataError, match=r"visits.csv is not the file of this dataset any more \(sha256 \w{12}…, expected 0{12}…\)"
    ):
        prepare(spec(visits, sha256="0" * 64))


def test_all_problems_are_raised_at_once(visits):
    with pytest.raises(DataError) as caught:
        prepare(DatasetSpec(source=str(visits), target="bough", drop=("nois",)))
    assert caught.value.code == "several_problems"
    assert "Did you mean 'bought'?" in str(caught.value)
    assert "Did you mean 'noise'?" in str(caught.value)


def test_profile_source_takes_overrides_and_the_decimal_mark(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{1 + i % 7},{100 + i % 3};{'ab'[i % 2]}\n" for i in range(60))
    path.write_text("price;label\n" + rows, "utf-8")
    found = profile_source(str(path), ReadSpec(decimal=","), target="label", positive="a")
    assert (found.positive, found.column("price").maximum) == ("a", 7.102)
    assert "ambiguous_comma" in codes(profile_source(str(path)).problems)


@pytest.mark.slow
def test_only_tables_with_a_text_column_depend_on_how_texts_are_encoded(visits, tmp_path, monkeypatch):
    data = clean() | {"review": [f"it was {['good', 'bad'][i % 2]} on day {i} for all" for i in range(600)]}
    pd.DataFrame(data).to_csv(tmp_path / "reviews.csv", index=False)
    before = [prepare(spec(p)).hash for p in (visits, tmp_path / "reviews.csv")]
    monkeypatch.setattr("kd_core.data.views.table.TEXT_VERSION", 99)
    after = [prepare(spec(p)).hash for p in (visits, tmp_path / "reviews.csv")]
    assert before[0] == after[0] and before[1] != after[1]


def test_what_was_looked_at_is_not_read_again_to_be_prepared(visits, monkeypatch):
    read = []
    monkeypatch.setattr(preparation, "read_table", lambda path, *a: read.append(path) or reading.read_table(path, *a))
    asked = spec(visits)
    assert look_at(asked).task == prepare(asked).task and len(read) == 1
    prepare(asked)
    assert len(read) == 2  # kept for one use
    look_at(asked)
    prepare(spec(visits, split_seed=1))
    assert len(read) == 4  # another dataset
    look_at(asked)
    assert len(read) == 4  # looked at before, and not used since
    visits.write_text(visits.read_text() + visits.read_text().splitlines()[-1] + "\n")
    assert len(prepare(asked).rows) == len(pd.read_csv(visits)) and len(read) == 5  # another file


def test_a_view_that_came_later_left_the_names_of_datasets_as_they_were(visits, monkeypatch):
    now = prepare(spec(visits)).hash
    entry = VIEWS.get("columns")
    newer = replace(entry, facts={**entry.facts, "version": 2})
    monkeypatch.setattr(VIEWS, "_entries", {**VIEWS._entries, "columns": newer})
    raised = prepare(spec(visits)).hash
    monkeypatch.setattr(VIEWS, "_entries", {name: e for name, e in VIEWS._entries.items() if name != "columns"})
    assert prepare(spec(visits)).hash == now != raised
