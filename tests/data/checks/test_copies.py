import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from kd_core.data.checks.copies import find_copies
from kd_core.data.preparation import _digest, prepare, understanding
from kd_core.data.targets import read_target
from kd_core.data.types.typed_column import understand
from kd_core.data.viewing import Columns
from kd_core.safe_io import sha256_file
from kd_core.specs import DatasetSpec
from kd_core.teachers.crossfit import folds

ROWS = 1000


def columns(rows=200, seed=0, **more):
    rng = np.random.default_rng(seed)
    held = {"x": rng.normal(size=rows).round(4), "z": rng.normal(size=rows).round(4), **more}
    return [understand(pd.Series([str(v) for v in values], dtype="str"), name) for name, values in held.items()]


def copied(rows, pairs):
    """Copy rows over others: (from, to)."""
    values = {c.name: c.values.to_numpy().copy() for c in columns(rows)}
    for old, new in pairs:
        for name in values:
            values[name][new] = values[name][old]
    return columns(rows, **values)


def everyone(rows=200):
    return np.ones(rows, bool)


def test_rows_without_copies_are_left_alone():
    found = find_copies(columns(), everyone(), None)
    assert (found.state, found.count, found.units) == ("none", 0, None)
    groups = np.arange(200) // 4
    assert find_copies(columns(), everyone(), groups).units is groups
    assert find_copies([], everyone(), None).state == "none"


def test_copies_are_one_unit_named_by_their_first_row():
    found = find_copies(copied(200, [(3, 150), (3, 40), (90, 91)]), everyone(), None)
    assert (found.state, found.count, found.largest) == ("together", 3, 3)
    expected = np.arange(200)
    expected[[150, 40, 91]] = [3, 3, 90]
    assert found.units.tolist() == expected.tolist()


def test_rows_without_a_target_join_nothing():
    present = everyone()
    present[40] = False
    found = find_copies(copied(200, [(3, 40)]), present, None)
    assert (found.state, found.same[40]) == ("none", -1)
    groups = np.arange(200) // 4
    found = find_copies(copied(200, [(3, 40), (40, 80), (120, 160)]), present, groups)
    assert found.units[0] == found.units[80] == 0  # rows 3 and 80 are copies of each other
    assert found.units[40] == 10  # their common copy has no target


def test_groups_and_copies_are_joined_over_any_number_of_steps():
    groups = np.arange(200) // 4 * 7
    found = find_copies(copied(200, [(0, 20), (21, 40), (42, 60)]), everyone(), groups)
    joined = np.isin(groups // 7, [0, 5, 10, 15])
    assert found.largest == 16
    assert set(found.units[joined]) == {0}
    assert np.array_equal(found.units[~joined], groups[~joined])


def test_a_large_group_is_the_persons_choice_and_a_large_joined_unit_is_not():
    groups = np.r_[np.zeros(80, np.int64), np.arange(80, 200)]
    assert find_copies(copied(200, [(90, 91)]), everyone(), groups).state == "together"
    found = find_copies(copied(200, [(0, 91)]), everyone(), groups)
    assert (found.state, found.largest) == ("large", 81)
    assert found.units is groups
    assert find_copies(copied(200, [(0, i) for i in range(1, 20)]), everyone(), None).state == "together"  # a tenth
    assert find_copies(copied(200, [(0, i) for i in range(1, 21)]), everyone(), None).state == "large"


def test_few_categories_are_natural_and_free_text_is_not():
    rng = np.random.default_rng(0)
    few = columns(400, x=rng.choice(["a", "b"], 400), z=rng.choice(list("uvw"), 400))
    assert find_copies(few, everyone(400), None).state == "natural"
    words = [" ".join(rng.choice(["red", "good", "slow", "shoe", "very", "late", "box"], 12)) for _ in range(400)]
    words[300:] = words[:100]
    text = understand(pd.Series(words, dtype="str"), "review")
    assert text.kind == "text"
    assert find_copies([text], everyone(400), None).state == "together"


@pytest.mark.parametrize(("rows", "state"), [(40, "together"), (41, "natural")])
def test_copies_are_natural_where_fewer_than_ten_different_rows_can_exist_for_one_in_the_file(rows, state):
    """Two columns of 19 values, or none: 400 different rows."""
    values = pd.Series([f"v{i % 19}" for i in range(rows)], dtype="str")
    found = find_copies([understand(values, name, "category") for name in "ab"], everyone(rows), None)
    assert (found.state, found.count) == (state, rows - 19)


def test_left_apart_when_asked():
    found = find_copies(copied(200, [(3, 40)]), everyone(), None, "apart")
    assert (found.state, found.count, found.units) == ("apart", 1, None)


def copied_table(path, label_noise=0.0, rows=ROWS):
    """Write rows of which a third stand in the file twice; labels are nearly a coin's toss, the same for both copies."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 5)).round(4), columns=list("abcde"))
    frame["y"] = np.where(frame["a"] + rng.normal(0, 4, rows) > 0, "yes", "no")
    twice = pd.concat([frame, frame.iloc[: rows // 2]])
    turned = rng.random(rows // 2) < label_noise
    twice.iloc[rows:, -1] = np.where(turned, "no", twice["y"].iloc[rows:])
    twice.to_csv(path, index=False)
    return str(path)


@pytest.mark.slow
def test_rows_known_by_heart_inflate_a_teacher_only_without_the_rule(tmp_path):
    """The old rule let copies fall anywhere: the same teacher on the same file then looks far better than it is."""
    path = copied_table(tmp_path / "a.csv", rows=3000)
    scores, known = {}, {}
    for copies in ("apart", "together"):
        data = prepare(DatasetSpec(source=path, target="y", copies=copies))
        teacher = RandomForestClassifier(100, random_state=0).fit(data.view().parts["train"], data.train.y)
        seen = (data.view().parts["test"][:, None] == data.view().parts["train"][None]).all(axis=2).any(axis=1)
        right = teacher.predict(data.view().parts["test"]) == data.test.y
        known[copies], scores[copies] = seen.mean(), (right.mean(), right[~seen].mean())
    assert known["apart"] > 0.33 and known["together"] == 0
    assert scores["apart"][0] > 0.68 and scores["apart"][1] < 0.58  # what was known by heart
    assert scores["together"][0] < 0.58


def test_copies_share_a_part_and_a_fold_and_the_units_say_so(tmp_path):
    data = prepare(DatasetSpec(source=copied_table(tmp_path / "a.csv", 0.3), target="y"))
    fold_N = folds(data.train.y, data.train.groups, 5, 0)
    for split, part in data.parts.items():
        assert part.units.dtype == np.int64
        x = data.view().parts[split]
        rows = pd.DataFrame(x).assign(unit=part.units)
        assert (rows.groupby(list(range(x.shape[1])))["unit"].nunique() == 1).all()
        assert rows["unit"].nunique() == len(rows.drop_duplicates())
    assert (pd.Series(fold_N).groupby(data.train.units).nunique() == 1).all()
    assert not set(data.train.units) & set(data.test.units) and not set(data.train.units) & set(data.validation.units)
    assert [len(p) for p in data.parts.values()] == [1050, 225, 225]


def test_time_keeps_its_order_and_folds_keep_copies(tmp_path):
    frame = pd.read_csv(copied_table(tmp_path / "a.csv"))
    frame["day"] = np.arange(len(frame))
    frame.loc[ROWS + 100 :, "day"] -= ROWS - 1  # some copies lie close to their row
    frame.to_csv(tmp_path / "a.csv", index=False)
    spec = DatasetSpec(source=str(tmp_path / "a.csv"), target="y", time="day", drop=("day",))
    data, apart = prepare(spec), prepare(spec.model_copy(update={"copies": "apart"}))
    assert all(np.array_equal(data.parts[p].row_ids, apart.parts[p].row_ids) for p in data.parts)
    assert len(set(data.train.units)) < len(data.train)
    assert (pd.Series(folds(data.train.y, data.train.groups, 5, 0)).groupby(data.train.units).nunique() == 1).all()


def test_groups_stay_whole_where_copies_join_them(tmp_path):
    frame = pd.read_csv(copied_table(tmp_path / "a.csv"))
    frame["shop"] = np.r_[np.arange(ROWS) // 5, 1000 + np.arange(ROWS // 2) // 2]
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = prepare(DatasetSpec(source=str(tmp_path / "a.csv"), target="y", group="shop"))
    shops = {name: set(frame["shop"].iloc[part.row_ids]) for name, part in data.parts.items()}
    assert not shops["train"] & shops["test"] and not shops["train"] & shops["validation"]
    assert not (data.view().parts["test"][:, None] == data.view().parts["train"][None]).all(axis=2).any()


@pytest.mark.slow
def test_without_copies_nothing_moves():
    """Fixed digests of the rows and the folds of each sample, made before copies were looked at."""
    before = {"visits": "01e6753e9078f81b", "orders": "b5e43b54c22ed438", "delivery": "5a8ceffbb9b9b15a"}
    for name, target in (("visits", "purchased"), ("orders", "next_category"), ("delivery", "minutes")):
        data = prepare(DatasetSpec(source=f"sample:{name}", target=target))
        assert data.train.groups is None and np.array_equal(data.test.units, data.test.row_ids)
        rows = hashlib.sha256(b"".join(p.row_ids.tobytes() for p in data.parts.values()))
        rows.update(folds(data.train.y, data.train.groups, 5, 0).tobytes())
        assert (name, rows.hexdigest()[:16]) == (name, before[name])


def test_only_files_with_copies_get_another_name(tmp_path):
    """Answers and trainings kept under a dataset's hash must not be taken for those of another split."""
    path = copied_table(tmp_path / "a.csv")
    pd.read_csv(path).iloc[:ROWS].to_csv(tmp_path / "b.csv", index=False)
    for spec, same in (
        (DatasetSpec(source=path, target="y"), False),
        (DatasetSpec(source=str(tmp_path / "b.csv"), target="y"), True),
    ):
        data = prepare(spec)
        target = read_target(understand(pd.read_csv(spec.source, dtype="str")["y"], "y"))
        alone = replace(understanding(spec), joined=False)
        columns = Columns(data.rows, data.view().view.types, {}, data.train.y, None, data.task, 0)
        before = _digest(spec, sha256_file(Path(spec.source)), target, columns, alone)
        assert (data.hash == before) is same


def test_the_default_is_not_written_so_that_older_work_keeps_its_name():
    spec = DatasetSpec(source="a.csv", target="y")
    assert "copies" not in spec.model_dump() and "copies" not in spec.to_json()
    apart = DatasetSpec.from_json(spec.to_json().replace("{", '{"copies":"apart",', 1))
    assert apart.copies == "apart" and '"copies":"apart"' in apart.to_json()
