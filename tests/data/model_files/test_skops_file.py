"""scikit-learn models in skops format: answers as their own, only types of our list, every index checked, in files made by skops itself."""

import importlib
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, PowerTransformer, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kd_core.data.model_files import skops_file
from kd_core.data.model_files.skops_types import ALLOWED
from kd_core.errors import DataError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(k=RNG.choice(["r", "g", "b"], 90, p=[0.7, 0.26, 0.04]))
HOLES = FRAME.assign(a=FRAME.a.where(FRAME.a > -1), k=FRAME.k.where(FRAME.k != "b"))
THREE = np.array(["u", "v", "w"])[np.digitize(X[:, 0], [-0.5, 0.5])]
TWO = np.where(X[:, 0] > 0, "no", "yes")
NUMBER = 3 * X[:, 0]
TEXTS = [f"hello {i % 7} world {t}" for i, t in enumerate(THREE)]
ENCODED = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
    (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5), ["k"]),
)
CLASSIFIERS = [
    LogisticRegression(),
    RidgeClassifier(),
    SGDClassifier(loss="log_loss"),
    DecisionTreeClassifier(max_depth=3),
    RandomForestClassifier(3, n_jobs=2),
    ExtraTreesClassifier(3),
    GradientBoostingClassifier(n_estimators=3),
    HistGradientBoostingClassifier(max_iter=3),
    MLPClassifier((4,), max_iter=5),
    GaussianNB(),
    KNeighborsClassifier(3),
    SVC(),
    LinearSVC(),
    CalibratedClassifierCV(SVC(), cv=3, ensemble=False),
    CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=3),
    BaggingClassifier(n_estimators=3),
    AdaBoostClassifier(n_estimators=3),
    VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())], voting="soft"),
    StackingClassifier([("a", GaussianNB())], LogisticRegression()),
    make_pipeline(PowerTransformer(), PCA(2), LinearDiscriminantAnalysis()),
    make_pipeline(FunctionTransformer(np.exp), LogisticRegression()),
]
REGRESSORS = [
    Ridge(),
    SVR(),
    DecisionTreeRegressor(),
    RandomForestRegressor(3),
    GradientBoostingRegressor(n_estimators=2, loss="huber", init="zero"),
    GradientBoostingRegressor(n_estimators=2),
    HistGradientBoostingRegressor(max_iter=2),
    KNeighborsRegressor(),
    MLPRegressor(hidden_layer_sizes=(4,), max_iter=4),
    TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
]
FRAMES = [
    make_pipeline(ENCODED, LogisticRegression()),
    make_pipeline(
        make_column_transformer((OrdinalEncoder(), ["k"]), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]),
    ),
    make_pipeline(
        make_column_transformer((OneHotEncoder(drop="first"), ["k"]), remainder="passthrough"),
        RandomForestClassifier(3),
    ),
]
OF_TEXTS = [
    make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
    make_pipeline(CountVectorizer(stop_words="english"), MultinomialNB()),
    make_pipeline(TfidfVectorizer(analyzer="char"), TruncatedSVD(3), KNeighborsClassifier()),
]
CASES = [
    *((m, X, y) for m in CLASSIFIERS for y in (TWO, THREE)),
    *((m, X, NUMBER) for m in REGRESSORS),
    *((m, FRAME, THREE) for m in FRAMES),
    *((m, TEXTS, THREE) for m in OF_TEXTS),
]


def name_of(value):
    return type(value).__name__ if hasattr(value, "fit") else ""


def saved(model, place):
    place.write_bytes(skops.io.dumps(model))
    return str(place)


@pytest.mark.parametrize(("model", "x", "y"), CASES, ids=name_of)
def test_it_answers_as_the_model_did_where_it_came_from(model, x, y, tmp_path):
    model.fit(x, y)
    file = saved(model, tmp_path / "m.skops")
    facts = skops_file.describe(file)
    form = "text" if isinstance(x, list) else "frame" if isinstance(x, pd.DataFrame) else "array"
    if form == "array":
        np.save(tmp_path / "0.npy", x)
    else:
        (pd.DataFrame({"t": x}) if form == "text" else x).to_parquet(tmp_path / "0.parquet")
    latency = skops_file.answer(file, facts["function"], form, [str(tmp_path / "0")])
    theirs = np.asarray(getattr(model, facts["function"])(x)).reshape(len(x), -1)
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), theirs, rtol=0, atol=1e-9)
    assert facts["classes"] == ([] if y is NUMBER else sorted(set(y))) and facts["text"] is (form == "text")
    assert facts["names"] == (list("abcdk") if form == "frame" else []) and facts["said"] == []
    assert facts["parameters"] > 0 and latency["1"]["p50"] > 0
    if form == "array":
        assert facts["features"] == 4


def test_missing_values_reach_an_imputer_as_they_do_where_it_came_from(tmp_path):
    model = make_pipeline(ENCODED, LogisticRegression()).fit(HOLES, THREE)
    HOLES.to_parquet(tmp_path / "0.parquet")
    skops_file.answer(saved(model, tmp_path / "m"), "predict_proba", "frame", [str(tmp_path / "0")])
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), model.predict_proba(HOLES), rtol=0, atol=1e-9)


def test_every_type_on_the_list_is_there():
    for loader, names in ALLOWED.items():
        for name in names if loader in ("ObjectNode", "TreeNode", "LossNode", "FunctionNode", "TypeNode") else ():
            module, _, own = name.rpartition(".")
            assert hasattr(importlib.import_module(module), own), name


def changed(model, place, change=lambda schema: None, arrays=lambda name, data: data, **options):
    """Write a model with another description, or other arrays."""
    buffer = io.BytesIO(skops.io.dumps(model))
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(place, "w", **options) as new:
        schema = json.loads(old.read("schema.json"))
        made = change(schema)
        new.writestr("schema.json", made if isinstance(made, str) else json.dumps(schema))
        for name in old.namelist():
            if name != "schema.json":
                new.writestr(name, arrays(name, old.read(name)))
    return str(place)


def nodes(schema, loader, module_class=""):
    """Find the parts of one kind."""
    found = []
    if isinstance(schema, dict):
        if schema.get("__loader__") == loader and module_class in f"{schema['__module__']}.{schema['__class__']}":
            found.append(schema)
        found += [one for value in schema.values() for one in nodes(value, loader, module_class)]
    elif isinstance(schema, list):
        found += [one for value in schema for one in nodes(value, loader, module_class)]
    return found


def attribute(name, loader, module, own, **more):
    """Put something else in the place of an attribute of the model."""

    def change(schema):
        schema["content"]["content"][name] = {"__class__": own, "__module__": module, "__loader__": loader, **more}

    return change


LINEAR = LogisticRegression().fit(X, TWO)
EMPTY = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}
ONE = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            attribute("C", "FunctionNode", "os", "system"),
            r"holds 1 type\(s\) that are not built here: os\.system\. Models of",
        ),
        (attribute("C", "TypeNode", "subprocess", "Popen"), r"subprocess\.Popen"),
        (attribute("C", "ObjectNode", "pathlib", "Path", content=EMPTY), r"pathlib\.Path"),
        (attribute("C", "ObjectNode", "sklearn.datasets._base", "load_files"), r"sklearn\.datasets\._base\.load_files"),
        (attribute("C", "ObjectNode", "sklearn.cluster._kmeans", "KMeans"), r"sklearn\.cluster\._kmeans\.KMeans"),
        (attribute("C", "FunctionNode", "numpy", "load"), r"numpy\.load"),
        (
            attribute("C", "NdArrayNode", "numpy", "memmap", type="numpy", file="x.npy"),
            r"numpy\.memmap \(NdArrayNode\)",
        ),
        (
            attribute("C", "MethodNode", "builtins", "str", content={"func": "format", "obj": ONE}),
            r"builtins\.str \(MethodNode\)",
        ),
        (
            attribute("C", "OperatorFuncNode", "operator", "methodcaller", attrs=ONE),
            r"operator\.methodcaller \(OperatorFuncNode\)",
        ),
        (
            attribute("C", "ConstructorFromReduceNode", "os", "system", content=ONE),
            r"os\.system \(ConstructorFromReduceNode\)",
        ),
        (
            attribute(
                "C",
                "PartialNode",
                "functools",
                "partial",
                content={"func": {"__class__": "eval", "__module__": "builtins", "__loader__": "FunctionNode"}},
            ),
            r"builtins\.eval",
        ),
        (attribute("C", "CachedNode", "builtins", "str"), r"builtins\.str \(CachedNode\)"),
        (
            attribute("C", "SparseMatrixNode", "scipy.sparse", "csr_matrix"),
            r"scipy\.sparse\.csr_matrix \(SparseMatrixNode\)",
        ),
        (lambda s: s.update(__class__="Popen", __module__="subprocess"), r"subprocess\.Popen"),
        (
            lambda s: s.update(protocol=1),
            r"another version of skops \(protocol 1; 2 is read\)\. Save the model again with skops",
        ),
        (lambda s: s.update(protocol=True), r"\(protocol True; 2 is read\)"),
        (lambda s: s.__delitem__("__loader__"), r"no skops file that can be used: KeyError"),
        (lambda s: "[" * 100_000, r"it is nested too deep"),
        (lambda s: "{", r"JSONDecodeError"),
        (lambda s: "7", r"AttributeError"),
        (
            attribute("C", "NdArrayNode", "numpy", "ndarray", type="numpy", file="../../etc/passwd"),
            r"it lacks the array",
        ),
        (lambda s: s["content"]["content"].pop("coef_"), None),
    ],
)
def test_what_is_not_on_the_list_is_named_and_not_built(change, words, tmp_path):
    file = changed(LINEAR, tmp_path / "m.skops", change)
    if words is None:  # a part that is missing is met when the model is asked
        np.save(tmp_path / "0.npy", X)
        with pytest.raises(DataError, match=r"can't answer these rows: \w+Error: .+coef_.+made for rows of this kind"):
            skops_file.answer(file, "predict_proba", "array", [str(tmp_path / "0")])
        return
    with pytest.raises(DataError, match=words):
        skops_file.describe(file)


def test_a_part_can_not_stand_in_for_one_that_was_checked(tmp_path):
    """Two parts of one number: skops would take the first for both."""
    tree = DecisionTreeClassifier(max_depth=2).fit(X, TWO)

    def change(schema):
        state = nodes(schema, "TreeNode")[0]["content"]
        other = json.loads(json.dumps(state))
        other["content"]["nodes"] = {
            k: v for k, v in other["content"]["values"].items() if k != "__id__"
        }  # no nodes at all
        schema["content"]["content"] = {"spare": other, **schema["content"]["content"]}

    np.save(tmp_path / "0.npy", X)
    skops_file.answer(changed(tree, tmp_path / "m", change), "predict_proba", "array", [str(tmp_path / "0")])
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), tree.predict_proba(X))


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


def test_what_gives_no_answer_is_said(tmp_path):
    with pytest.raises(DataError, match=r"holds StandardScaler, which gives neither probabilities.+Save a classifier"):
        skops_file.describe(saved(StandardScaler().fit(X), tmp_path / "m"))


def test_rows_that_a_model_was_not_made_for_are_said(tmp_path):
    np.save(tmp_path / "0.npy", X[:, :3])
    with pytest.raises(
        DataError, match=r"can't answer these rows: ValueError: X has 3 features, but LogisticRegression"
    ):
        skops_file.answer(saved(LINEAR, tmp_path / "m"), "predict_proba", "array", [str(tmp_path / "0")])


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_file_that_was_cut_off_is_refused(share, tmp_path):
    data = skops.io.dumps(LINEAR)
    (tmp_path / "m").write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="no skops file that can be used"):
        skops_file.describe(str(tmp_path / "m"))


def test_a_bomb_and_a_zip_without_a_description_are_refused(tmp_path, monkeypatch):
    file = changed(LINEAR, tmp_path / "m", arrays=lambda n, data: bytes(50 * 2**20), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"unpacks to 1?,?\d+ times its size; at most 100 times"):
        skops_file.describe(file)
    with zipfile.ZipFile(tmp_path / "n", "w") as archive:
        archive.writestr("hello", "there")
    with pytest.raises(DataError, match=r"it has no schema\.json"):
        skops_file.describe(str(tmp_path / "n"))
    monkeypatch.setattr(skops_file, "SKOPS_SCHEMA_BYTES", 100)
    with pytest.raises(DataError, match=r"its schema\.json takes more than 0 MB"):
        skops_file.describe(saved(LINEAR, tmp_path / "o"))


def test_an_array_that_speaks_of_more_than_it_has_is_refused(tmp_path):
    def arrays(name, data):
        out = io.BytesIO()
        np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        return out.getvalue() + data

    with pytest.raises(DataError, match=r"speaks of \(1000000000000,\) numbers and has others"):
        skops_file.describe(changed(LINEAR, tmp_path / "m", arrays=arrays))
    with pytest.raises(DataError, match=r"ValueError"):
        skops_file.describe(changed(LINEAR, tmp_path / "n", arrays=lambda name, data: b"no array"))


def test_columns_that_a_model_encodes_first_are_counted_before_its_trees_see_them(tmp_path):
    frame = FRAME.assign(k=FRAME.k.astype("category"))
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(frame, THREE)
    model._preprocessor = make_column_transformer((StandardScaler(), ["a"])).fit(frame)
    FRAME.to_parquet(tmp_path / "0.parquet")
    with pytest.raises(DataError, match=r"histogram boosting reads another number of features than it says"):
        skops_file.answer(saved(model, tmp_path / "m"), "predict_proba", "frame", [str(tmp_path / "0")])


def test_categories_by_their_type_are_read_as_words(tmp_path):
    frame = FRAME.assign(k=FRAME.k.astype("category"))
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5, categorical_features="from_dtype").fit(
        frame, THREE
    )
    FRAME.to_parquet(tmp_path / "0.parquet")
    skops_file.answer(saved(model, tmp_path / "m"), "predict_proba", "frame", [str(tmp_path / "0")])
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), model.predict_proba(frame), rtol=0, atol=1e-9)


def test_another_version_of_scikit_learn_is_said(tmp_path):
    def change(schema):
        schema["content"]["content"]["_sklearn_version"]["content"] = '"1.2.3"'

    assert skops_file.describe(changed(LINEAR, tmp_path / "m", change))["said"] == ["1.2.3"]
