"""LightGBM's text form: answers as the library's own, and nothing that leads out of the file's own lists."""

import re

import lightgbm
import numpy as np
import pandas as pd
import pytest

from kd_core.data.model_files import booster as trees
from kd_core.data.model_files.booster import Booster
from kd_core.data.model_files.lightgbm_text import read
from kd_core.errors import DataError


def rows(seed=0, number=600):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(number, 4))
    x[rng.random(x.shape) < 0.15] = np.nan
    x[:, 1] = np.round(x[:, 1])
    s = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) * np.nan_to_num(x[:, 2])
    frame = pd.DataFrame(x, columns=list("abcd")).assign(e=pd.Categorical(rng.choice(list("uvwxyz"), number)))
    return frame, s + 2 * frame.e.isin(["x", "w"]).to_numpy()


def grown(objective="binary", rounds=12, words=False, **settings):
    frame, s = rows()
    y = {"binary": s > 0.5, "cross_entropy": s > 0.5, "multiclass": np.digitize(s, [0, 1.5])}.get(objective, 50 + 3 * s)
    told = {
        "objective": objective,
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 9,
        "min_data_per_group": 5,
        **settings,
    }
    told |= {"num_class": 3} if objective == "multiclass" else {}
    return lightgbm.train(told, lightgbm.Dataset(frame if words else frame[list("abcd")], y.astype(float)), rounds)


def opened(text, folder):
    (folder / "m.txt").write_text(text)
    facts = read(str(folder / "m.txt"), str(folder / "trees.npz"))
    return facts, Booster.load(folder / "trees.npz")


@pytest.mark.parametrize(
    ("objective", "settings"),
    [
        ("binary", {}),
        ("binary", {"sigmoid": 2.0}),
        ("binary", {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}),
        ("binary", {"boosting": "dart"}),
        ("cross_entropy", {}),
        ("multiclass", {}),
        ("regression", {}),
        ("regression", {"zero_as_missing": True}),
        ("regression", {"use_missing": False}),
        ("regression", {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}),
        ("regression_l1", {}),
        ("quantile", {}),
    ],
)
@pytest.mark.parametrize("words", [False, True])
def test_it_answers_as_the_library_does(objective, settings, words, tmp_path):
    model = grown(objective, words=words, **settings)
    facts, found = opened(model.model_to_string(), tmp_path)
    frame, _ = rows(seed=1)
    frame = frame.assign(e=frame.e.cat.set_categories([*"uvwxy", "new"]))  # z becomes unknown
    x = frame[list("abcd")].assign(
        **({"e": frame.e.map({c: i for i, c in enumerate("uvwxyz")}).astype(float)} if words else {})
    )
    z = found.answer(x.to_numpy())
    theirs = model.predict(frame if words else frame[list("abcd")])
    if facts["kind"] == "odds":
        z = 1 / (1 + np.exp(-facts["scale"] * z[:, 0]))
    elif facts["kind"] == "logits":
        e = np.exp(z)
        z = e / e.sum(1, keepdims=True)
    else:
        z = z[:, 0]
    np.testing.assert_allclose(z, theirs, rtol=0, atol=1e-9)
    assert facts["names"] == [*"abcd", *("e" * words)] and facts["categories"] == (
        {"4": list("uvwxyz")} if words else {}
    )
    assert found.by_category is words and facts["parameters"] == len(found.feature) + len(found.value)


def test_names_that_the_library_made_up_are_none(tmp_path):
    frame, s = rows()
    told = {"verbosity": -1, "num_threads": 1}
    model = lightgbm.train(told, lightgbm.Dataset(frame[list("abcd")].to_numpy(), s), 2)
    facts, _ = opened(model.model_to_string(), tmp_path)
    assert facts["names"] == [] and facts["features"] == 4


def changed(text, name, to, tree=0):
    """Write another list under a name of one tree."""
    parts = re.split(rf"(?m)^{name}=.*$", text)
    lists = re.findall(rf"(?m)^{name}=(.*)$", text)
    lists[tree] = to(lists[tree]) if callable(to) else to
    return parts[0] + "".join(f"{name}={own}{part}" for own, part in zip(lists, parts[1:], strict=True))


def first(to):
    return lambda old: " ".join([str(to), *old.split()[1:]])


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("num_leaves", "1000000000", r"tree 0 speaks of 1,000,000,000 leaves and has 9"),
        ("num_class", "1000000000", r"a round has 1 trees, for 1,000,000,000 answers|trained for 'binary"),
        ("max_feature_idx", "1000000000", r"it names 4 features and speaks of 1,000,000,001"),
        ("split_feature", first(4), r"tree 0 asks for a feature that is not one of the 4"),
        ("split_feature", first(-1), r"tree 0 asks for a feature"),
        ("left_child", first(8), r"tree 0 leads to a node that it does not have"),
        ("left_child", first(-10), r"tree 0 leads to a node that it does not have"),
        ("left_child", first(0), r"tree 0 leads back to a node that was met before"),
        ("right_child", lambda old: " ".join([old.split()[0]] * 8), r"leads back to a node"),
        ("threshold", first("nan"), r"holds something that is no number"),
        ("leaf_value", first("inf"), r"holds something that is no number"),
        ("leaf_value", first("1e999"), r"holds something that is no number"),
        ("threshold", "1 2", r"different lengths|8 splits for 9"),
        ("decision_type", first(1), r"KeyError|lie outside"),
        ("left_child", first("x"), r"ValueError"),
        ("num_leaves", "9" * 5000, r"ValueError"),
    ],
)
def test_what_leads_out_of_the_lists_is_refused(name, to, words, tmp_path):
    text = changed(grown().model_to_string(), name, to)
    with pytest.raises(DataError, match=words):
        opened(text, tmp_path)


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("cat_boundaries", "0 999999"),
        ("cat_boundaries", "0 -1"),
        ("cat_threshold", "99999999999"),
        ("cat_threshold", "0"),
        ("cat_boundaries", "1 1"),
    ],
)
def test_categories_outside_of_their_list_are_refused(name, to, tmp_path):
    text = grown(words=True, rounds=30, max_depth=1).model_to_string()
    with pytest.raises(DataError, match=r"lie outside of their list|sends no category to the left"):
        opened(changed(text, name, to), tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tree\n", r"its beginning, its trees or its end is missing\. Save the model again"),
        ("hello", r"its beginning, its trees or its end is missing"),
        (lambda t: t[: len(t) // 2], r"its trees or its end is missing|speaks of|has|KeyError"),
        (
            lambda t: t.replace("objective=binary sigmoid:1", "objective=lambdarank"),
            r"trained for 'lambdarank'.+are read: binary",
        ),
        (lambda t: t.replace("is_linear=0", "is_linear=1"), r"leaves of this LightGBM model are linear models"),
        (
            lambda t: t.replace("pandas_categorical:[]", "pandas_categorical:" + "[" * 100_000),
            r"RecursionError|JSONDecodeError",
        ),
        (
            lambda t: t.replace("pandas_categorical:[]", "pandas_categorical:[[1]]"),
            r"categories of 1 features and asks 0",
        ),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(text, words, tmp_path):
    with pytest.raises(DataError, match=words):
        opened(text(grown().model_to_string()) if callable(text) else text, tmp_path)


def test_bytes_that_are_no_text_and_files_above_the_limit_are_refused(tmp_path, monkeypatch):
    (tmp_path / "m").write_bytes(b"tree\n\xff\xfe")
    with pytest.raises(DataError, match=r"no LightGBM text file that can be used: it is not text"):
        read(str(tmp_path / "m"), "unused")
    monkeypatch.setattr(trees, "FILE_BYTES", 2)
    with pytest.raises(DataError, match=r"LightGBM text file has more than 0 MB\. Use a smaller model"):
        read(str(tmp_path / "m"), "unused")
