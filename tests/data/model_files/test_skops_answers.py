"""scikit-learn models in skops format answer as they did where they came from."""

import numpy as np
import pandas as pd
import pytest
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
from tests.data.model_files.skops_files import FRAME, HOLES, NUMBER, TEXTS, THREE, TWO, X, name_of, saved

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]
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


def test_categories_by_their_type_are_read_as_words(tmp_path):
    frame = FRAME.assign(k=FRAME.k.astype("category"))
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5, categorical_features="from_dtype").fit(
        frame, THREE
    )
    FRAME.to_parquet(tmp_path / "0.parquet")
    skops_file.answer(saved(model, tmp_path / "m"), "predict_proba", "frame", [str(tmp_path / "0")])
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), model.predict_proba(frame), rtol=0, atol=1e-9)
