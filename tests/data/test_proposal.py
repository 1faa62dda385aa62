"""What a table could be used to predict, and when a person is asked."""

import numpy as np
import pandas as pd

from kd_core.data.profile import profile_table
from kd_core.data.proposal import propose, readings
from kd_core.data.types.typed_column import understand
from tests.data.tables import clean, codes, one, table


def column(values, name="t"):
    return understand(pd.Series([str(v) for v in values], dtype="str"), name)


def typed(**columns):
    return [column(v, k) for k, v in columns.items()]


def infer_target(columns):
    return propose(columns).best


def test_infers_by_name_then_by_position():
    rng = np.random.default_rng(0)
    a, b, flag = rng.normal(size=50), rng.normal(size=50), ["yes", "no"] * 25
    assert infer_target(typed(a=a, Revenue=flag, b=b)) == "Revenue"
    assert infer_target(typed(label=flag, count=a)) == "label"
    assert infer_target(typed(survived=flag, fare=a, deck=["a", "b"] * 25)) == "survived"
    assert infer_target(typed(courier_rating=a, minutes=b)) == "minutes"
    assert infer_target(typed(a=flag, note=["x"] * 50)) == "a"
    assert infer_target(typed(a=a, b=flag)) == "b"
    assert infer_target(typed(a=flag, day=[f"2024-01-{i % 28 + 1:02d}" for i in range(50)])) == "a"
    assert infer_target(typed(a=["x"] * 50)) is None


def test_a_name_that_says_target_is_not_asked_about():
    rng = np.random.default_rng(0)
    a, flag = rng.normal(size=50), ["yes", "no"] * 25
    for columns in ({"label": flag, "a": a}, {"a": a, "Revenue": flag}, {"survived": flag, "fare": a}, {"a": a}):
        assert propose(typed(**columns)).sure
    unsure = propose(typed(kind=["a", "b"] * 25, x=a, y2=a + 1, income=["<50K", ">50K"] * 25))
    assert not unsure.sure and unsure.names == ("income", "kind", "y2")


def test_a_column_of_one_value_is_never_proposed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    for constant in (["5"] * 60, ["x", ""] * 30, ["1", ""] * 30):
        found = propose(typed(first=constant, x=x, middle=constant, z=x * 2, last=constant))
        assert set(found.names) == {"x", "z"}
    assert propose(typed(a=["x"] * 60, label=["1", ""] * 30)).names == ()


def test_where_no_name_says_so_the_profile_asks_with_three_candidates():
    data = {f"v{k}": v for k, v in clean().items()}
    found = profile_table(table({**data, "income": data["vbought"]}))
    assert found.target == "income" and found.candidates == ("income", "vbought", "vchannel")
    said = one(found.problems, "target_unsure")
    assert str(said) == (
        "No column is named like a target: income is taken for it; vbought or vchannel could be it as well. Choose what to predict."
    )
    chosen = profile_table(table(data), target="vbought")
    assert chosen.candidates == () and not {"target_unsure", "target_inferred"} & set(codes(chosen.problems))
    named = profile_table(table(clean()))
    assert named.candidates == () and one(named.problems, "target_inferred").severity == "note"


def test_ordered_whole_numbers_can_be_read_two_ways():
    rng = np.random.default_rng(0)
    assert readings(column(rng.binomial(10, 0.6, 500))) == ("multiclass", "regression")  # a quality from 0 to 10
    assert readings(column(rng.choice([1, 2, 3], 500))) == ()
    assert readings(column(rng.normal(size=500))) == ()
    assert readings(column(["a", "b", "c", "d", "e", "f"] * 50)) == ()
    assert readings(column(rng.permutation(500))) == ()
    data = clean() | {"quality": rng.binomial(10, 0.6, 600)}
    assert profile_table(table(data), target="quality").readings == ("multiclass", "regression")
    assert profile_table(table(data), target="bought").readings == ()


def test_numbers_that_nearly_never_change_come_last_but_a_rare_flag_does_not():
    rng = np.random.default_rng(0)
    edge = [0] * 99 + [3]
    ink = [*edge[:98], 2, 3]
    found = propose(typed(shape=list("abcde") * 20, ink=ink, grey=rng.normal(size=100), dark=rng.normal(size=100)))
    assert "ink" not in found.names and found.names[0] == "dark"
    assert propose(typed(grey=rng.normal(size=100), fraud=["no"] * 99 + ["yes"])).best == "fraud"
    assert propose(typed(ink=ink)).names == ("ink",)
