import numpy as np
import pytest

from kd_core.data.checks.copies import find_copies
from kd_core.data.checks.leaks import leak_problems
from kd_core.data.profile import profile_table, understand_table
from tests.data.tables import clean, codes, one, table

LEAKS = {
    "leak_column",
    "leak_later",
    "leak_sum",
    "group_straddles",
    "id_column",
    "row_number",
    "duplicate_rows",
    "random_over_time",
}


def leaks(data, **more):
    found = profile_table(table(data), **more)
    assert not [str(p) for p in found.problems if p.severity == "error"]
    return [p for p in found.problems if p.code in LEAKS]


@pytest.mark.parametrize("seed", range(4))
def test_honest_data_draws_no_leak_warning(seed):
    assert leaks(clean(1500, seed), target="bought") == []
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1500, 4)).round(4)
    data = {f"x{i}": x[:, i] for i in range(4)} | {"city": rng.choice([f"c{i}" for i in range(80)], 1500)}
    assert leaks(data | {"y": (x @ [1, 2, 0, 1] + rng.normal(0, 2, 1500)).round(4)}, target="y") == []


@pytest.mark.parametrize("noise", [0.6, 1.0])
def test_one_honestly_strong_feature_draws_no_leak_warning(noise):
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=2000), rng.normal(size=2000)
    z = 3 * strong + weak
    flag = np.where(z + 3 * noise * rng.logistic(size=2000) > 1, "yes", "no")
    assert leaks({"strong": strong, "weak": weak, "y": flag}, target="y") == []
    value = (z + 2 * noise * rng.normal(size=2000)).round(3)
    assert leaks({"strong": strong, "weak": weak, "y": value}, target="y") == []


def test_a_copy_of_the_target_is_a_leak():
    data = clean()
    found = leaks(data | {"paid": np.where(data["bought"] == "yes", "1", "0")}, target="bought")
    assert codes(found) == ["leak_column"]
    assert "paid alone predicts bought almost perfectly" in str(found[0])
    assert found[0].column == "paid"


def shop(wrong=0):
    """The item and its shelf say which department it is of; a few rows may stand in the wrong one."""
    rng = np.random.default_rng(0)
    item = rng.integers(0, 60, 3000)
    shelf, department = item % 12, item % 4
    department[:wrong] = (department[:wrong] + 1) % 4
    words = {"item": [f"i{n}" for n in item], "shelf": [f"s{n}" for n in shelf], "age": rng.integers(18, 90, 3000)}
    return words | {"department": [f"d{n}" for n in department]}


def test_columns_whose_every_value_has_one_answer_are_named_in_plain_words():
    found = {p.column: p for p in leaks(shop(), target="department") if p.code == "leak_column"}
    assert found.keys() == {"item", "shelf"}
    assert str(found["item"]).startswith(
        "item gives department away: rows with the same item have the same department, in 100 % of the 3,000 rows whose value"
    )
    assert found["item"].hint == "Leave it out unless it is really known before the prediction is needed."
    some = {p.column: p for p in leaks(shop(wrong=30), target="department") if p.code == "leak_column"}
    assert "item alone predicts department almost perfectly" in str(some["item"])


def test_a_nearly_perfect_column_far_above_the_rest_is_a_leak():
    data, rng = clean(3000), np.random.default_rng(1)
    flipped = np.where(rng.random(3000) < 0.03, "no", data["bought"])
    found = leaks(data | {"invoice_sent": np.where(flipped == "yes", "sent", "none")}, target="bought")
    assert codes(found) == ["leak_column"]
    assert found[0].column == "invoice_sent"


def calls(rows=3000, seed=0):
    """How long a call lasted tells whether it will have been a sale, but nobody knows it before the call."""
    data, rng = clean(rows, seed), np.random.default_rng(seed)
    yes = data["bought"] == "yes"
    return data, np.exp(rng.normal(5 + 1.2 * yes, 0.9)).round()


def test_a_column_known_only_afterwards_is_named_when_it_stands_far_above_the_rest():
    data, seconds = calls()
    found = leaks(data | {"duration": seconds}, target="bought")
    assert codes(found) == ["leak_later"]
    assert found[0].column == "duration" and found[0].severity == "warning"
    assert str(found[0]).startswith("duration tells most about bought (it removes ")
    assert "its name suggests that it is known only afterwards. Drop it unless" in str(found[0])
    assert 0.1 < found[0].values["share"] < 0.65


@pytest.mark.parametrize("name", ["seconds", "previous_duration", "income"])
def test_a_strong_column_with_another_name_is_no_such_leak(name):
    data, seconds = calls()
    assert leaks(data | {name: seconds}, target="bought") == []


def test_a_weak_duration_or_one_that_others_match_is_no_such_leak():
    data, seconds = calls()
    rng = np.random.default_rng(1)
    assert leaks(data | {"duration": rng.permutation(seconds)}, target="bought") == []
    noisy = (seconds * np.exp(rng.normal(0, 0.1, len(seconds)))).round()
    assert leaks(data | {"duration": seconds, "income": noisy}, target="bought") == []


def test_a_number_in_the_order_of_the_target_is_a_leak():
    rng = np.random.default_rng(0)
    y = rng.lognormal(0, 1, 800)
    found = leaks({"x": rng.normal(size=800), "scaled": np.log(y) * 3 + 1, "y": y}, target="y")
    assert codes(found) == ["leak_column"]
    assert found[0].column == "scaled"


def test_a_number_that_falls_where_the_target_rises_is_a_leak():
    rng = np.random.default_rng(0)
    y = rng.lognormal(0, 1, 800)
    found = leaks({"x": rng.normal(size=800), "left": 50 - np.sqrt(y), "y": y}, target="y")
    assert [(p.code, p.column) for p in found] == [("leak_column", "left")]


@pytest.mark.parametrize(
    ("strong", "other", "told"),
    [
        (0.72, 0.2, "far better than any other column"),
        (0.72, 0.23, "far better than any other column"),
        (0.72, 0.25, None),
        (0.72, 0.5, None),  # a third of 0.72 is 0.24
        (0.64, 0.0, None),
        (0.91, 0.9, "almost perfectly"),
    ],
)
def test_a_column_far_above_the_next_is_told_from_an_honest_one(strong, other, told):
    made = understand_table(table(clean()), target="bought")
    shares = {"age": strong, "spend": other, "channel": 0.0, "noise": 0.0}
    copied = find_copies(made.features, made.target.present, None)
    found = leak_problems(made.typed, made.features, made.target, [shares], made.parts, copied)
    named = [(p.column, told in p.message) for p in found if p.column == "age"]
    assert named == ([("age", True)] if told else [])


def test_parts_of_the_target_are_named_together():
    rng = np.random.default_rng(0)
    a, b, other = rng.poisson(30, 900), rng.poisson(80, 900), rng.normal(size=900)
    found = leaks({"guests": a, "members": b, "other": other, "total": a + b}, target="total")
    assert codes(found) == ["leak_sum"]
    assert str(found[0]).startswith("guests and members together give total exactly")
    assert found[0].values["columns"] == ["guests", "members"]


def test_groups_that_straddle_are_counted_and_gone_when_grouped():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(400), 5)
    data = clean(2000) | {"basket": [f"b{g}" for g in group]}
    data["bought"] = np.where(rng.random(400) < 0.3, "yes", "no")[group]
    found = leaks(data, target="bought")
    assert codes(found) == ["group_straddles"]
    assert 250 < found[0].count <= 400
    assert f"{found[0].count} of 400 values of basket have rows both in train and in validation or test" in str(
        found[0]
    )
    assert "Set basket as the group column" in found[0].hint
    assert leaks(data, target="bought", group="basket") == []


def test_groups_are_found_by_agreement_when_the_name_says_nothing():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(400), 5)
    data = {"a": rng.normal(size=2000), "ref": [f"k{g}" for g in group]}
    data["y"] = (rng.normal(size=400)[group] + 0.1 * rng.normal(size=2000)).round(3)
    assert codes(leaks(data, target="y")) == ["group_straddles"]


def test_values_that_agree_by_chance_alone_are_no_groups():
    """With one class in 19 of 20 rows any two rows agree in 90 %: that is chance, not a tie between them."""
    rng = np.random.default_rng(0)
    data = {"a": rng.normal(size=2000), "ref": [f"k{g}" for g in np.repeat(np.arange(400), 5)]}
    assert leaks(data | {"y": np.where(rng.random(2000) < 0.05, "yes", "no")}, target="y") == []
    tied = np.where(rng.random(400) < 0.05, "yes", "no")[np.repeat(np.arange(400), 5)]
    assert codes(leaks(data | {"y": tied}, target="y")) == ["group_straddles"]


def test_ids_and_row_numbers_are_named_and_dropped():
    rng = np.random.default_rng(0)
    data = {"instant": range(600), "token": [f"{v:08x}" for v in rng.choice(2**31, 600, replace=False)]} | clean()
    found = profile_table(table(data), target="bought")
    assert "instant counts the rows and is dropped." in str(one(found.problems, "row_number"))
    assert "token has its own value in (nearly) every row (600 values) and is dropped" in str(
        one(found.problems, "id_column")
    )
    assert not found.column("token").used
    assert leaks(data, target="bought", drop=["instant", "token"]) == []
    kept = leaks(data, target="bought", kinds={"instant": "number"}, drop=["token"])
    assert "instant counts the rows: it says where a row stood" in str(kept[0])


def doubled(rows, times=2):
    return {k: np.concatenate([v, *[v[:rows]] * (times - 1)]) for k, v in clean().items()}


def test_copies_are_kept_together_and_told():
    found = one(leaks(doubled(100), target="bought"), "duplicate_rows")
    assert (found.severity, found.count) == ("note", 100)
    assert {"copies": 100, "crossing": 0, "state": "together"}.items() <= found.values.items()
    assert found.message == (
        "100 rows are copies of another row (same values in every feature). "
        "Copies are kept together on one side of the split."
    )
    found = one(leaks(doubled(1), target="bought"), "duplicate_rows")
    assert found.message.startswith("1 row is a copy of another row")


def test_copies_left_apart_are_counted_across_the_split():
    found = one(leaks(doubled(100), target="bought", copies="apart"), "duplicate_rows")
    assert (found.severity, found.count) == ("warning", 100)
    assert 20 < found.values["crossing"] < 80
    assert f"{found.values['crossing']} rows of validation and test also stand in train" in found.message
    assert found.message.endswith("Copies are split like any rows, as asked.")


def test_time_order_goes_before_copies():
    data = doubled(100) | {"day": [f"2024-{i // 60 + 1:02d}-{i % 28 + 1:02d}" for i in range(700)]}
    data["day"][600:] = ["2024-12-01"] * 100
    found = one(leaks(data, target="bought", time="day", drop=["day"]), "duplicate_rows")
    assert found.severity == "warning" and found.values["crossing"] > 60
    assert found.message.endswith(
        "Copies are kept together in the teacher's folds, but not in the split: time order goes before."
    )


def test_a_unit_of_too_many_copies_is_told():
    found = one(leaks(doubled(1, 80), target="bought"), "duplicate_rows")
    assert (found.severity, found.values["state"]) == ("warning", "large")
    assert found.message.endswith(
        "Keeping copies together would tie 80 of 679 rows into one unit (more than 10 %), so they are split like any rows."
    )
    assert one(leaks(doubled(1, 60), target="bought"), "duplicate_rows").values["state"] == "together"


def test_copies_that_would_leave_too_few_groups_are_told():
    shop = ["big"] * 560 + ["u"] * 20 + ["v"] * 20
    data = clean() | {"shop": shop}
    for name in ("age", "spend", "channel", "noise"):
        data[name][590] = data[name][570]
    found = one(leaks(data, target="bought", group="shop"), "duplicate_rows")
    assert found.values["state"] == "few"
    assert "would leave fewer than 3 groups to split, so only the groups are kept together" in found.message


def test_copies_are_only_a_note_where_few_different_rows_can_exist():
    rng = np.random.default_rng(0)
    data = {"a": rng.choice(["u", "v"], 500), "b": rng.choice(["s", "t", "w"], 500), "y": rng.choice(["p", "q"], 500)}
    found = one(leaks(data, target="y"), "duplicate_rows")
    assert (found.severity, found.values["state"]) == ("note", "natural")
    assert found.values["crossing"] > 100
    assert found.message.endswith("copies are expected; they are split like any rows.")


def test_dates_with_a_random_split_are_a_warning():
    data = clean() | {"day": [f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(600)]}
    found = one(leaks(data, target="bought"), "random_over_time")
    assert found.severity == "warning"
    assert "day is a date and the split is random" in str(found)


def test_a_sample_is_said_with_its_count():
    data = clean(21_000)
    found = leaks(data | {"paid": np.where(data["bought"] == "yes", "1", "0")}, target="bought")
    assert "(looked at 20,000 of 21,000 rows)" in str(one(found, "leak_column"))
