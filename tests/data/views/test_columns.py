import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.profile import profile_table
from kd_core.data.view import HeldOut
from kd_core.data.views.columns import MOST_VALUES, ColumnsView, foresee
from kd_core.data.views.table import TableView
from pages.ui.shared import facts
from tests.data.tables import table
from tests.data.views.test_table import typed


def made(columns, y=None, task="binary"):
    types, frame = typed(columns)
    view = ColumnsView(types, task)
    y = np.arange(len(frame)) % 2 if y is None else np.asarray(y)
    own = view.fit(frame, y)
    return view, view.encode(frame, own), frame


def test_numbers_are_moved_and_scaled_and_nothing_else():
    values = np.concatenate([np.random.default_rng(0).normal(50, 4, 999), [1e6]])
    view, x, _ = made({"a": values})
    fitted = np.polyfit(values, x[:, 0].astype(np.float64), 1)
    assert np.abs(np.polyval(fitted, values) - x[:, 0]).max() < 1e-2 and x.max() > 1e5  # neither clipped nor bent
    assert abs(np.median(x)) < 1e-6 and 0.9 < x[:-1].std() < 1.1  # one far value does not squeeze the others
    far = view.encode(pd.DataFrame({"a": [1e29, -1e29]}))[:, 0]
    assert np.isfinite(far).all() and far[0] > 1e28 and far[1] < -1e28


def test_a_number_that_float32_could_not_hold_keeps_its_last_digit():
    stamps = 1_700_000_000 + np.arange(400.0)
    _, x, _ = made({"a": [f"{v:.0f}.5" for v in stamps]})
    assert len(np.unique(x)) == 400


@pytest.mark.parametrize("values", [[5.0] * 40, [0.0] * 39 + [7.0], [""] * 40])
def test_columns_with_hardly_any_values_stay_finite(values):
    _, x, _ = made({"a": values, "b": np.arange(40)})
    assert not np.isinf(x).any()


def test_what_is_missing_stays_missing():
    view, x, frame = made(
        {
            "n": ["1.5", "", "3.5", "4"] * 30,
            "f": ["yes", "no", "", "yes"] * 30,
            "d": ["2024-01-31", "2024-03-02 10:00", "2025-01-01", ""] * 30,
            "c": ["a", "b", "", "a"] * 30,
        }
    )
    names = [n.replace("=", " ").split()[0] for n in view.feature_names]
    assert names == ["n", "f", *["d"] * 8, "c", "c", "c"] and not any(" missing" in n for n in view.feature_names)
    missing = np.isnan(x)
    assert missing[1].tolist() == [n == "n" for n in names] and missing[2].tolist() == [n == "f" for n in names]
    assert missing[3].tolist() == [n == "d" for n in names] and not missing[0].any()
    assert view.spec.holes == tuple(range(10))
    full = frame.dropna(subset=["n", "f", "d"])  # a column without holes in training may have them later
    whole = ColumnsView(view.types, "binary")
    whole.fit(full, np.arange(len(full)) % 2)
    assert whole.spec.holes == () and np.isnan(whole.encode(frame)).any()


def test_yes_and_no_are_one_and_nothing():
    _, x, _ = made({"f": ["yes", "no"] * 30})
    assert x[:2, 0].tolist() == [1, 0]


def test_the_values_of_the_training_rows_are_counted():
    rng = np.random.default_rng(0)
    columns = {
        "wide": rng.normal(size=900),
        "few": rng.integers(0, 5, 900),
        "flag": rng.integers(0, 2, 900),
        "kind": rng.choice(["a", "b"], 900),
    }
    view, _, _ = made(columns)
    assert view.spec.values == (MOST_VALUES, 5, 2, 2, 2)


def test_dates_are_the_same_calendar_parts_as_in_the_table():
    types, frame = typed({"d": ["2024-01-31", "2024-03-02", "2025-07-01"] * 20})
    y = np.arange(60) % 2
    one, two = ColumnsView(types, "binary"), TableView(types, "binary")
    assert np.array_equal(one.fit_transform(frame, y), two.fit_transform(frame, y))
    assert one.feature_names == two.feature_names


def test_averages_of_the_target_forget_held_out_rows():
    rng = np.random.default_rng(0)
    types, frame = typed({"sku": [f"s{i % 60}" for i in range(600)], "n": rng.normal(size=600)})
    y, held = rng.integers(0, 2, 600), np.arange(600) % 5 == 0
    train, validation = np.arange(500), np.arange(500, 600)

    def told(y):
        view = ColumnsView(types, "binary")
        own = view.fit(frame.iloc[train], y[train])
        parts = {"train": view.encode(frame.iloc[train], own), "validation": view.encode(frame.iloc[validation])}
        return view.without(HeldOut(frame, train, validation, y[train], None, held[:500], parts))

    other = np.where(held, 1 - y, y)
    assert all(np.array_equal(a, b) for a, b in zip(told(y), told(other), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(told(y), told(1 - y), strict=True))


def test_it_is_foreseen_from_the_profile_and_kept_beside_the_draft(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    n = 300
    columns = {
        "age": ["" if i % 9 == 0 else str(i % 50) for i in range(n)],
        "spend": rng.normal(size=n).round(6),
        "channel": rng.choice(["mail", "web", "app"], n),
        "sku": [f"s{i % 60}" for i in range(n)],
        "y": rng.choice(["yes", "no"], n),
    }
    found = profile_table(table({k: [str(v) for v in c] for k, c in columns.items()}), target="y")
    view, x, _ = made({k: c for k, c in columns.items() if k != "y"})
    spec = foresee(found)
    assert spec is not None and spec.shape == view.spec.shape == x.shape[1:]
    assert spec.values == (50, MOST_VALUES, 2, 2, 2, 60, 60)
    assert spec.holes == view.spec.holes == (0,)
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path))
    facts.keep("abc", facts.Facts(n, 4, {"columns": spec}, 2, ("no", "yes"), "binary", ("age",), (30, 0, 20)))
    assert json.loads((tmp_path / "drafts" / "abc.facts.json").read_text())["inputs"]["columns"]["holes"] == [0]
    kept = facts.kept("abc")
    assert kept.inputs == {"columns": spec} and kept.parts == (30, 0, 20) and kept.names == ("age",)
