"""XGBoost's JSON and UBJSON forms: answers as the library's own, and nothing that leads out of the file's own lists."""

import json

import numpy as np
import pytest

from kd_core.data.model_files import ubjson
from kd_core.data.model_files.booster import Booster
from kd_core.data.model_files.xgboost_json import read
from kd_core.errors import DataError
from tests.data.model_files.test_lightgbm_text import rows

xgboost = pytest.importorskip("xgboost")
CASES = [
    ("binary:logistic", {}),
    ("binary:logistic", {"base_score": 0.3, "booster": "dart", "rate_drop": 0.3}),
    ("binary:logitraw", {}),
    ("multi:softprob", {}),
    ("multi:softmax", {"base_score": 0.5}),
    ("reg:squarederror", {}),
    ("reg:squarederror", {"num_parallel_tree": 3, "subsample": 0.6}),
    ("reg:absoluteerror", {"max_depth": 0, "max_leaves": 12, "grow_policy": "lossguide", "tree_method": "hist"}),
]


def grown(objective="binary:logistic", rounds=8, names=("a", "b c", "d", "e"), **settings):
    frame, s = rows()
    y = (
        s > 0.5
        if objective.startswith("binary")
        else np.digitize(s, [0, 1.5])
        if objective.startswith("multi")
        else 50 + 3 * s
    )
    told = {"objective": objective, "nthread": 1, "max_depth": 4, **settings}
    told |= {"num_class": 3} if objective.startswith("multi") else {}
    x = xgboost.DMatrix(frame[list("abcd")].to_numpy(), y, feature_names=list(names) if names else None)
    return xgboost.train(told, x, rounds)


def opened(data, folder):
    (folder / "m").write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    facts = read(str(folder / "m"), str(folder / "trees.npz"))
    return facts, Booster.load(folder / "trees.npz")


@pytest.mark.parametrize(("objective", "settings"), CASES)
@pytest.mark.parametrize("form", ["json", "ubj"])
def test_it_answers_as_the_library_does(objective, settings, form, tmp_path):
    model = grown(objective, **settings)
    facts, found = opened(bytes(model.save_raw(form)), tmp_path)
    x = rows(seed=1)[0][list("abcd")].to_numpy()
    theirs = model.predict(xgboost.DMatrix(x, feature_names=["a", "b c", "d", "e"]), output_margin=True)
    np.testing.assert_allclose(found.answer(x), theirs.reshape(len(x), -1), rtol=0, atol=1e-6)
    assert facts["names"] == ["a", "b c", "d", "e"] and facts["said"] == []
    assert facts["kind"] == {"b": "odds", "m": "logits", "r": "number"}[objective[0]]


def test_later_trees_than_the_best_round_are_not_asked_and_it_says_so(tmp_path):
    frame, s = rows()
    x = xgboost.DMatrix(frame[list("abcd")].to_numpy(), s > 0.5)
    told = {"objective": "binary:logistic", "nthread": 1, "eta": 0.9, "max_depth": 6}
    model = xgboost.train(
        told,
        x,
        60,
        evals=[(xgboost.DMatrix(rows(2)[0][list("abcd")].to_numpy(), rows(3)[1] > 0.5), "v")],
        early_stopping_rounds=3,
        verbose_eval=False,
    )
    facts, found = opened(bytes(model.save_raw("json")), tmp_path)
    used = model.best_iteration + 1
    assert facts["trees"] == used < model.num_boosted_rounds() and facts["names"] == []
    assert facts["said"] == [f"Training stopped at round {used}, the best one: 3 later trees are not asked."]
    theirs = model.predict(x, output_margin=True, iteration_range=(0, used))
    np.testing.assert_allclose(found.answer(frame[list("abcd")].to_numpy())[:, 0], theirs, rtol=0, atol=1e-6)


def tree(model, number=0):
    return model["learner"]["gradient_booster"]["model"]["trees"][number]


def set_in(name, value, at=0):
    def change(model):
        tree(model)[name][at] = value

    return change


def set_path(*path, to):
    def change(model):
        place = model
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_in("split_indices", 4), r"tree 0 asks for a feature that is not one of the 4"),
        (set_in("split_indices", -1), r"tree 0 asks for a feature"),
        (set_in("split_indices", 2**70), r"OverflowError"),
        (set_in("left_children", 10**6), r"tree 0 leads to a node that it does not have"),
        (set_in("right_children", -5), r"tree 0 leads to a node that it does not have"),
        (set_in("left_children", 0), r"tree 0 leads back to a node that was met before"),
        (set_in("left_children", 2), r"tree 0 leads back to a node that was met before"),
        (set_in("split_conditions", float("nan")), r"tree 0 holds something that is no number"),
        (set_in("split_conditions", float("inf"), -1), r"tree 0 holds something that is no number"),
        (set_in("split_conditions", "a"), r"ValueError"),
        (set_in("split_type", 1), r"splits by categories, and its file does not say"),
        (lambda m: tree(m)["default_left"].pop(), r"the lists of tree 0 have different lengths"),
        (
            lambda m: tree(m).update(
                left_children=[], right_children=[], split_indices=[], split_conditions=[], default_left=[]
            ),
            r"different lengths",
        ),
        (
            lambda m: tree(m)["tree_param"].update(size_leaf_vector="3"),
            r"leaves of this XGBoost model hold several numbers each",
        ),
        (lambda m: m["learner"]["gradient_booster"]["model"]["tree_info"].pop(), r"it has 8 trees and speaks of 7"),
        (set_path("learner", "gradient_booster", "model", "tree_info", 0, to=1), r"tree 0 adds to answer 1 of 1"),
        (set_path("learner", "gradient_booster", "model", to={"trees": [], "tree_info": []}), r"it holds no trees"),
        (
            set_path("learner", "gradient_booster", "name", to="gblinear"),
            r"model is a 'gblinear', and only trees are read",
        ),
        (
            set_path("learner", "learner_model_param", "num_feature", to="1000000000"),
            r"names 4 features and speaks of 1,000,000,000",
        ),
        (set_path("learner", "learner_model_param", "base_score", to="2"), r"it begins at the probability 2"),
        (set_path("learner", "learner_model_param", "base_score", to="1,2"), r"it begins at 2 numbers for 1 answers"),
        (
            set_path("learner", "learner_model_param", "num_target", to="2"),
            r"trained for 'binary:logistic with 2 targets'",
        ),
        (
            set_path("learner", "objective", "name", to="rank:ndcg"),
            r"trained for 'rank:ndcg'; its answers are not known",
        ),
        (set_path("learner", to=[]), r"TypeError"),
    ],
)
def test_what_leads_out_of_the_lists_is_refused(change, words, tmp_path):
    model = json.loads(bytes(grown().save_raw("json")))
    change(model)
    with pytest.raises(DataError, match=words):
        opened(model, tmp_path)


def test_a_round_that_counts_to_the_number_of_classes_is_bounded(tmp_path):
    model = json.loads(bytes(grown("multi:softprob").save_raw("json")))
    model["learner"]["learner_model_param"]["num_class"] = "1000000000"
    with pytest.raises(DataError, match=r"it answers with 1,000,000,000 numbers a row; 1,000 at most are read"):
        opened(model, tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"learner": ' + b"[" * 200_000, r"it is nested too deep"),
        (b"{L" + bytes(7) + b"\x01a" + b"[" * 100_000, r"nested more than 64 deep"),
        (b"{L" + bytes(7) + b"\x07learner[$d#L" + b"\x7f" * 8, r"cut off, or counts more than it holds"),
        (b"{L" + bytes(7) + b"\x07learner[$Z#L" + b"\x7f" * 8, r"cut off, or counts more than it holds"),
        (b"{L" + bytes(7) + b"\x01a?", r"the mark b'\?', which is none of UBJSON's"),
        (b"{L" + bytes(7) + b"\x01a{$", r"an object with a count"),
        (b"{L" + bytes(7) + b"\x01a[#S", r"a count is no whole number"),
        (b"{", r"JSONDecodeError"),
        (b'{"learner": {}}', r"KeyError"),
        (b"\xff\xfe\x00", r"UnicodeDecodeError|JSONDecodeError"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(data, words, tmp_path):
    with pytest.raises(DataError, match=words):
        opened(data, tmp_path)


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_a_file_that_was_cut_off_is_refused(form, tmp_path):
    data = bytes(grown().save_raw(form))
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(DataError, match="no XGBoost file that can be used"):
            opened(data[: int(share * len(data))], tmp_path)


def test_ubjson_reads_every_kind_of_value():
    number = b"i\x05U\xc8I\x01\x00l\x00\x01\x00\x00L" + bytes(5) + b"\x01\x00\x00d?\x80\x00\x00D?\xf0" + bytes(6)
    assert ubjson.loads(b"[" + number + b"ZTFCaSi\x02hiHi\x011]") == [
        5,
        200,
        256,
        65536,
        65536,
        1.0,
        1.0,
        None,
        True,
        False,
        "a",
        "hi",
        "1",
    ]
    assert (
        ubjson.loads(b"[$i#i\x02\x01\xff") == [1, -1]
        and ubjson.loads(b"[#i\x01T") == [True]
        and ubjson.loads(b"{i\x01k[]}") == {"k": []}
    )
