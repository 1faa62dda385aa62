"""Rows of (user, item, time), or lists of items, become histories with the item that came next; hostile files are told clearly."""

import numpy as np
import pandas as pd
import pytest

from kd_core.data.histories.dealing import HISTORY_ITEMS, ROWS_IN_ALL, TRAINING_ROWS, USER_SHARE, most_rows
from kd_core.data.plain.history import items_of
from kd_core.data.preparation import prepare, profile_source
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec, ReadSpec

TASK = "next_item"


def events(users=40, most=12, items=15, seed=0):
    """Each user's times are given out of order."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"u{u}", f"i{rng.integers(items)}", 1000 * u + t)
        for u in range(users)
        for t in range(int(rng.integers(4, most)))
    ]
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def saved(frame, folder, name="events.csv"):
    path = folder / name
    frame.to_csv(path, index=False)
    return str(path)


def dataset(frame, folder, **more):
    asked = {"target": "item", "group": "user", "time": "time", "task": TASK, **more}
    return prepare(DatasetSpec(source=saved(frame, folder), **asked), folder)


def profile(frame, folder, **more):
    asked = {"target": "item", "group": "user", "time": "time", "task": TASK, **more}
    return profile_source(saved(frame, folder), root=folder, **asked)


def codes(found):
    return {p.code for p in found.problems}


def blocked(frame, folder, **more):
    found = profile(frame, folder, **more)
    return {p.code: str(p) for p in found.problems if p.severity == "error"}


def test_the_last_item_is_test_the_last_but_one_validation_and_training_sees_neither(tmp_path):
    frame = events()
    data = dataset(frame, tmp_path)
    told = {u: own.sort_values("time")["item"].tolist() for u, own in frame.groupby("user")}
    rows = data.rows
    for split, back in (("test", 1), ("validation", 2)):
        part = data.parts[split]
        assert len(part) == len(told)
        for row, y in zip(part.row_ids, part.y, strict=True):
            own = told[rows["user"][row]]
            assert rows["item"][row] == own[-back] and items_of(rows["history"][row], " ") == own[:-back]
            assert y == (data.classes.index(own[-back]) if own[-back] in data.classes else -1)
    seen = {u: [] for u in told}
    for row in data.train.row_ids:
        history = items_of(rows["history"][row], " ")
        own = told[rows["user"][row]]
        assert history == own[: len(history)] and rows["item"][row] == own[len(history)] and len(history) >= 1
        seen[rows["user"][row]].append(len(history))
    assert all(sorted(found) == list(range(1, len(told[u]) - 2)) for u, found in seen.items())
    assert set(data.classes) == {i for own in told.values() for i in own[:-2]}
    assert (data.train.y >= 0).all() and data.train.y.dtype == np.int64


def test_units_are_users_in_all_three_parts(tmp_path):
    data = dataset(events(), tmp_path)
    for part in data.parts.values():
        names = data.rows["user"].iloc[part.row_ids].to_numpy()
        assert len(set(zip(part.units.tolist(), names, strict=True))) == len(set(names)) == len(set(part.units))
    assert set(data.test.units) == set(data.train.units)
    assert not {"groups_across", "leak"} & codes(data)


def test_item_numbers_are_those_of_first_appearance_in_training(tmp_path):
    frame = pd.DataFrame(
        [(u, i, t) for u in range(30) for t, i in enumerate(["z", "a", "m", "a", "k"])],
        columns=["user", "item", "time"],
    )
    data = dataset(frame, tmp_path)
    assert data.classes == ("z", "a", "m")
    (column,) = [c for c in profile(frame, tmp_path).columns if c.used and c.name == "history"]
    assert column.kind == "items"
    assert set(data.validation.y) == {1} and set(data.test.y) == {-1}  # k is new
    (new,) = [p for p in data.problems if p.code == "new_items"]
    assert new.count == 30 and "30 of 60" in new.message


def test_what_only_a_test_row_names_first_has_a_later_number(tmp_path):
    first = [("a", item, time) for time, item in enumerate("pqrsv")]  # s is validation, v test
    rest = [(f"u{u}", item, time) for u in range(40) for time, item in enumerate("pvqsrp")]
    data = dataset(pd.DataFrame([*first, *rest], columns=["user", "item", "time"]), tmp_path)
    assert data.classes == ("p", "q", "r", "v", "s")


def test_the_same_file_gives_the_same_rows_and_other_ties_another_name(tmp_path):
    frame = events().assign(time=lambda f: f["time"] // 4)
    first, second = dataset(frame, tmp_path), dataset(frame, tmp_path)
    assert first.hash == second.hash and first.rows.equals(second.rows)
    (ties,) = [p for p in first.problems if p.code == "time_ties"]
    sizes = frame.groupby(["user", "time"]).size()
    assert ties.count == sizes[sizes > 1].sum()
    other = dataset(frame, tmp_path, split_seed=1)
    assert other.hash != first.hash and not other.rows.equals(first.rows)
    shuffled = dataset(events(), tmp_path)
    assert "time_ties" not in codes(shuffled)


def test_without_a_time_the_order_of_the_file_counts(tmp_path):
    frame = events().sort_values(["user", "time"]).drop(columns="time")
    data = dataset(frame, tmp_path, time=None)
    assert "file_order" in codes(data)
    own = frame[frame["user"] == "u3"]["item"].tolist()
    row = next(r for r in data.test.row_ids if data.rows["user"][r] == "u3")
    assert items_of(data.rows["history"][row], " ") == own[:-1]


def test_lists_give_the_same_histories_as_rows(tmp_path):
    frame = events().sort_values(["user", "time"])
    lists = frame.groupby("user", sort=False)["item"].agg(", ".join).reset_index()
    rows, told = dataset(frame, tmp_path), dataset(lists, tmp_path, time=None)
    assert "item_lists" in codes(told) and any("commas" in p.message for p in told.problems)
    for split in ("train", "validation", "test"):
        pairs = []
        for data in (rows, told):
            part = data.rows.iloc[data.parts[split].row_ids]
            pairs.append(set(zip(part["user"].astype(str), part["history"], part["item"].astype(str), strict=True)))
        assert pairs[0] == pairs[1]
    alone = dataset(lists[["item"]], tmp_path, time=None, group=None)
    assert len(alone.test) == len(lists) and alone.rows["user"].iloc[0] == "row 1"


@pytest.mark.parametrize(
    ("counts", "most"),
    [
        ([5, 9, 3], 20),  # nobody has more
        ([5000] + [9] * 40, 20),  # one user would be all
        ([1000] * 100, 1000),  # few rows in all: every one
        ([1000] * 1000, 200),  # 200,000 in all
        ([9] * 100_000, 20),  # more rows than that of users of a few each: the least
        ([3000] + [100] * 400, 2105),  # a twentieth of 42,105
    ],
)
def test_how_many_training_rows_a_user_has(counts, most):
    counts = np.array(counts)
    found = most_rows(counts)
    assert found == most
    assert found == TRAINING_ROWS or (
        np.minimum(counts, found).sum() <= ROWS_IN_ALL and found <= USER_SHARE * np.minimum(counts, found).sum()
    )


def test_a_small_file_gives_all_rows_of_its_users(tmp_path):
    frame = pd.DataFrame(
        [(f"u{u}", f"i{(u + t) % 11}", t) for u in range(30) for t in range(42)], columns=["user", "item", "time"]
    )
    data = dataset(frame, tmp_path)
    assert len(data.train) == 30 * 39 and "events_skipped" not in codes(data)
    (made,) = [p for p in data.problems if p.code == "histories"]
    assert "at most the last 39" in made.message


def test_a_user_with_many_events_has_20_training_rows_and_short_histories(tmp_path):
    many = pd.DataFrame({"user": "busy", "item": [f"i{t % 7}" for t in range(5000)], "time": range(5000)})
    data = dataset(pd.concat([events(), many]), tmp_path)
    own = data.rows["user"].iloc[data.train.row_ids] == "busy"
    assert own.sum() == TRAINING_ROWS
    longest = max(len(items_of(cell, " ")) for cell in data.rows["history"])
    assert longest == HISTORY_ITEMS and {"history_cut", "events_skipped"} <= codes(data)
    assert data.rows["item"].iloc[data.test.row_ids[-1]] == many["item"].iloc[-1]


def test_users_with_few_events(tmp_path):
    few = pd.DataFrame([("two", "i1", 1), ("two", "rare", 2), ("one", "lonely", 1)], columns=["user", "item", "time"])
    data = dataset(pd.concat([events(), few]), tmp_path)
    (short,) = [p for p in data.problems if p.code == "short_users"]
    assert "1 user with two events" in short.message and "1 with one is" in short.message
    users = {s: set(data.rows["user"].iloc[data.parts[s].row_ids]) for s in data.parts}
    assert "two" in users["train"] and "two" not in users["test"] | users["validation"]
    assert "rare" in data.classes and "lonely" not in data.classes
    assert not any("one" in found for found in users.values())


def test_names_with_spaces_quotes_and_markup_are_kept(tmp_path):
    names = ["red shoe", 'say "hi"', "<script>alert(1)</script>", "naïve, or not", "плащ", "💎"]
    rng = np.random.default_rng(0)
    frame = events().assign(item=lambda f: [names[n] for n in rng.integers(0, len(names), len(f))])
    data = dataset(frame, tmp_path)
    assert set(data.classes) == set(names)
    assert all(set(items_of(cell, ";")) <= set(names) for cell in data.rows["history"])


def test_whole_numbers_are_names_without_a_point_and_others_stay_as_written(tmp_path):
    whole = events().assign(item=lambda f: f["item"].str[1:].astype(float) + 1, user=lambda f: f["user"].str[1:])
    whole.to_parquet(tmp_path / "events.parquet")
    asked = {"target": "item", "group": "user", "time": "time", "task": TASK}
    data = prepare(DatasetSpec(source=str(tmp_path / "events.parquet"), **asked), tmp_path)
    assert all(name.isdigit() for name in data.classes)
    coded = dataset(events().assign(item=lambda f: "00" + f["item"].str[1:]), tmp_path)
    assert all(name.startswith("00") for name in coded.classes)


def test_rows_that_lack_something_are_left_out_and_counted(tmp_path):
    frame = events().astype({"time": "object"})
    frame.loc[0, "user"], frame.loc[1, "item"], frame.loc[2, "time"] = None, None, "yesterday"
    found = dataset(frame, tmp_path)
    told = [p for p in found.problems if p.code == "events_left_out"]
    assert [(p.count, p.values["lacks"]) for p in told] == [(1, "a user"), (1, "an item"), (1, "a time")]
    assert told[0].rows == (1,)


def test_empty_elements_of_lists_are_counted(tmp_path):
    frame = pd.DataFrame({"item": ["a,b,,c,d", "b,c,a,,", "", *["a,b,c,d,a,b"] * 20]})
    data = dataset(frame, tmp_path, time=None, group=None)
    (empty,) = [p for p in data.problems if p.code == "empty_items"]
    assert empty.count == 3 and empty.rows == (1, 2)
    (without,) = [p for p in data.problems if p.code == "events_left_out"]
    assert without.count == 1 and without.rows == (3,)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda f: f.drop_duplicates("user"), "no_histories", "No user has 3 events"),
        (lambda f: f.assign(user=range(len(f))), "no_histories", "leave nothing to test on"),
        (lambda f: f.assign(item="only"), "one_item", "holds 1 item"),
        (lambda f: f.assign(time="soon"), "no_times", "No cell of the time column time"),
        (lambda f: f[f["user"].isin(["u1", "u2"])], "too_few_rows", "training rows; at least 30"),
        (lambda f: f.assign(item=[f"a b,c;d|e\tf{i % 9}" for i in range(len(f))]), "item_names", "can't be written"),
    ],
)
def test_what_can_not_work_is_said(tmp_path, change, code, said):
    told = blocked(change(events()), tmp_path)
    assert list(told) == [code] and said in told[code]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"target": "itm"}, "unknown_column"),
        ({"group": "usr"}, "unknown_column"),
        ({"target": "user"}, "target_role"),
        ({"part": "time"}, "not_of_histories"),
        ({"more_targets": ("time",)}, "not_of_histories"),
        ({"positive": "yes"}, "not_of_histories"),
        ({"target": None}, "no_items"),
    ],
)
def test_what_means_nothing_here_is_refused(tmp_path, asked, code):
    found = profile(events(), tmp_path, **asked)
    assert code in {p.code for p in found.problems if p.severity == "error"}
    assert [c.name for c in found.columns] == ["user", "item", "time"]  # others can be chosen


def test_too_many_items_are_refused_before_anything_learns(tmp_path, monkeypatch):
    monkeypatch.setattr("kd_core.data.histories.understood.ITEMS", 10)
    assert "holds 15 items; at most 10" in blocked(events(), tmp_path)["too_many_items"]
    with pytest.raises(DataError, match="at most 10"):
        dataset(events(), tmp_path)


@pytest.mark.slow
def test_real_ratings(real_data, tmp_path):
    asked = {"target": "movieId", "group": "userId", "time": "timestamp", "task": TASK}
    path = str(real_data("movielens_small/ml-latest-small.zip"))
    spec = DatasetSpec(source=path, read=ReadSpec(member="ml-latest-small/ratings.csv"), **asked)
    data = prepare(spec, tmp_path)
    assert {split: len(part) for split, part in data.parts.items()} == {"train": 99_006, "validation": 610, "test": 610}
    assert len(data.classes) == 9_685 and 0 < (data.test.y < 0).sum() < 40
