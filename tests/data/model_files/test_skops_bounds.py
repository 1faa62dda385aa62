"""Every index that compiled code takes as it stands is checked, in files made by skops itself."""

import io

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from kd_core.data.model_files import skops_file
from kd_core.errors import DataError
from tests.data.model_files.skops_files import FRAME, TEXTS, THREE, TWO, X, attribute, changed, name_of, nodes, saved

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]


def with_nodes(model, place, change):
    """Change the node arrays of a model's trees."""

    def arrays(name, data):
        found = np.load(io.BytesIO(data))
        if found.dtype.names and {"left_child", "left"} & set(found.dtype.names):
            change(found)
            out = io.BytesIO()
            np.save(out, found)
            return out.getvalue()
        return data

    return changed(model, place, arrays=arrays)


def put(name, value, at=0):
    def change(found):
        found[name][at] = value

    return change


TREES = [DecisionTreeClassifier(max_depth=3), RandomForestClassifier(2), GradientBoostingClassifier(n_estimators=2)]


@pytest.mark.parametrize("model", TREES, ids=name_of)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put("left_child", 10**9), r"leads to a node that it does not have"),
        (put("right_child", -7), r"leads to a node that it does not have"),
        (put("left_child", 0), r"leads to a node that it does not have"),
        (lambda found: put("left_child", found["right_child"][0])(found), r"leads back to a node that was met before"),
        (put("feature", 4), r"asks for a feature that is not one of the 4"),
        (put("feature", -2), r"asks for a feature that is not one of the 4"),
    ],
)
def test_nodes_that_lead_out_of_a_tree_or_round_in_it_are_refused(model, change, words, tmp_path):
    with pytest.raises(DataError, match=words):
        skops_file.describe(with_nodes(model.fit(X, TWO), tmp_path / "m", change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put("left", 10**6), r"leads to a node that it does not have"),
        (put("left", 0), r"leads to a node that it does not have"),
        (put("right", 1), r"leads back to a node|does not have"),
        (put("feature_idx", 4), r"asks for a feature that is not one of the 4"),
        (put("is_categorical", 1), r"asks for categories that it does not have"),
    ],
)
def test_nodes_of_histogram_boosting_too(change, words, tmp_path):
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, TWO)
    with pytest.raises(DataError, match=words):
        skops_file.describe(with_nodes(model, tmp_path / "m", change))


def of_tree(name, to):
    def change(schema):
        nodes(schema, "TreeNode")[0]["content"]["content"][name]["content"] = to

    return change


def args_of_tree(at, to):
    def change(schema):
        nodes(schema, "TreeNode")[0]["__reduce__"]["args"]["content"][at]["content"] = to

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (of_tree("node_count", "1000000"), r"speaks of 1000000 nodes and has"),
        (args_of_tree(0, "1000000"), r"reads another number of features than it says"),
        (args_of_tree(0, "-1"), r"no number of features or answers"),
        (args_of_tree(2, "1000000000"), r"no number of features or answers"),
        (args_of_tree(2, "2"), r"no number of classes"),
        (
            attribute("n_features_in_", "JsonNode", "builtins", "str", content="9"),
            r"another number of features than it says",
        ),
    ],
)
def test_counts_of_a_tree_that_its_arrays_do_not_have_are_refused(change, words, tmp_path):
    tree = DecisionTreeClassifier(max_depth=3).fit(X, TWO)
    with pytest.raises(DataError, match=words):
        skops_file.describe(changed(tree, tmp_path / "m", change))


def array_of(name, to):
    """Change one array that is an attribute of the model."""

    def make(model):
        setattr(model, name, to(getattr(model, name)))

    return make


def cut(found):
    return found[:-1]


ONE_HOT = make_pipeline(OneHotEncoder(), LogisticRegression())


@pytest.mark.parametrize(
    ("model", "x", "spoil", "words"),
    [
        (
            SVC(),
            X,
            array_of("_dual_coef_", lambda a: a[:, :-1]),
            r"lists of a support vector machine have different lengths",
        ),
        (SVC(), X, array_of("_intercept_", lambda a: a[:0]), r"lists of a support vector machine"),
        (SVC(), X, array_of("support_", cut), r"lists of a support vector machine"),
        (SVC(), X, array_of("_n_support", lambda a: a * 1000), r"lists of a support vector machine"),
        (SVC(), X, array_of("support_vectors_", lambda a: a[:, :2]), r"lists of a support vector machine"),
        (
            SVC(),
            X,
            array_of("kernel", lambda k: "precomputed"),
            r"has a kernel or rows that are not read \(precomputed\)",
        ),
        (KNeighborsClassifier(), X, array_of("_fit_X", lambda a: a[:, :2]), r"nearest neighbours have another width"),
        (KNeighborsClassifier(), X, array_of("_y", lambda a: a + 10**6), r"classes of nearest neighbours lie outside"),
        (KNeighborsClassifier(), X, array_of("_y", cut), r"answers of nearest neighbours are not one for each row"),
        (KNeighborsClassifier(), X, array_of("n_neighbors", lambda n: 10**9), r"fewer rows than nearest neighbours"),
        (
            RandomForestClassifier(2),
            X,
            lambda m: setattr(m.estimators_[1], "n_features_in_", 9),
            r"another number of features|different numbers of features",
        ),
        (
            GradientBoostingClassifier(n_estimators=2),
            X,
            array_of("estimators_", lambda a: np.concatenate([a, a], 1)),
            r"boosted trees are not one for each answer",
        ),
        (
            GradientBoostingClassifier(n_estimators=2),
            X,
            lambda m: setattr(m, "init_", GaussianNB().fit(X, THREE)),
            None,
        ),
        (
            HistGradientBoostingClassifier(max_iter=2),
            X,
            lambda m: setattr(m._bin_mapper, "is_categorical_", np.zeros(9, np.uint8)),
            r"another number of features than it says",
        ),
        (
            ONE_HOT,
            FRAME[["k"]],
            lambda m: setattr(m[0], "_n_features_outs", [1]),
            r"places of categories are not one for each",
        ),
        (
            make_pipeline(CountVectorizer(), MultinomialNB()),
            TEXTS,
            lambda m: m[0].vocabulary_.update(hello=10**6),
            r"places of words are not one for each",
        ),
        (
            make_pipeline(CountVectorizer(), MultinomialNB()),
            TEXTS,
            lambda m: setattr(m[0], "input", "filename"),
            r"takes its texts for names of files",
        ),
    ],
)
def test_lists_that_compiled_code_would_read_beyond_are_refused(model, x, spoil, words, tmp_path):
    model.fit(x, TWO)
    spoil(model)
    file = saved(model, tmp_path / "m")
    if words is None:  # three classes of a start are two probabilities too many; what is told to begin at is one number
        assert skops_file.describe(file)["classes"] == ["no", "yes"]
        return
    with pytest.raises(DataError, match=words):
        skops_file.describe(file)


def test_columns_that_a_model_encodes_first_are_counted_before_its_trees_see_them(tmp_path):
    frame = FRAME.assign(k=FRAME.k.astype("category"))
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(frame, THREE)
    model._preprocessor = make_column_transformer((StandardScaler(), ["a"])).fit(frame)
    FRAME.to_parquet(tmp_path / "0.parquet")
    with pytest.raises(DataError, match=r"histogram boosting reads another number of features than it says"):
        skops_file.answer(saved(model, tmp_path / "m"), "predict_proba", "frame", [str(tmp_path / "0")])
