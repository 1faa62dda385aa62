"""Which types a scikit-learn model from a file may be made of: this list and nothing else, whatever a file or skops trusts.

A type stands here when all that it does with what a file holds is arithmetic of numpy and scipy on dense arrays, or when
`skops_bounds` checks the numbers that its compiled code takes as they stand.
"""

from __future__ import annotations

_LINEAR = {
    "_base": ("LinearRegression",),
    "_bayes": ("ARDRegression", "BayesianRidge"),
    "_coordinate_descent": ("ElasticNet", "ElasticNetCV", "Lasso", "LassoCV"),
    "_glm.glm": ("GammaRegressor", "PoissonRegressor", "TweedieRegressor"),
    "_huber": ("HuberRegressor",),
    "_logistic": ("LogisticRegression", "LogisticRegressionCV"),
    "_perceptron": ("Perceptron",),
    "_ridge": ("Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV"),
    "_stochastic_gradient": ("SGDClassifier", "SGDRegressor"),
}
_ENSEMBLE = {
    "_bagging": ("BaggingClassifier", "BaggingRegressor"),
    "_forest": ("ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor"),
    "_gb": ("GradientBoostingClassifier", "GradientBoostingRegressor"),
    "_hist_gradient_boosting.binning": ("_BinMapper",),
    "_hist_gradient_boosting.gradient_boosting": ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
    "_hist_gradient_boosting.predictor": ("TreePredictor",),
    "_stacking": ("StackingClassifier", "StackingRegressor"),
    "_voting": ("VotingClassifier", "VotingRegressor"),
    "_weight_boosting": ("AdaBoostClassifier", "AdaBoostRegressor"),
}
_LOSSES = (
    "AbsoluteError",
    "ExponentialLoss",
    "HalfBinomialLoss",
    "HalfGammaLoss",
    "HalfMultinomialLoss",
    "HalfPoissonLoss",
    "HalfSquaredError",
    "HuberLoss",
    "PinballLoss",
)
_LINKS = ("HalfLogitLink", "IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
_SCALERS = (
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "PowerTransformer",
    "QuantileTransformer",
    "RobustScaler",
    "StandardScaler",
)
_OTHERS = {
    "calibration": ("CalibratedClassifierCV", "_CalibratedClassifier", "_SigmoidCalibration"),
    "compose._column_transformer": ("ColumnTransformer",),
    "compose._target": ("TransformedTargetRegressor",),
    "decomposition._pca": ("PCA",),
    "decomposition._truncated_svd": ("TruncatedSVD",),
    "discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "dummy": ("DummyClassifier", "DummyRegressor"),
    "feature_extraction.text": ("CountVectorizer", "TfidfTransformer", "TfidfVectorizer"),
    "frozen._frozen": ("FrozenEstimator",),
    "impute._base": ("MissingIndicator", "SimpleImputer"),
    "isotonic": ("IsotonicRegression",),
    "naive_bayes": ("BernoulliNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
    "neighbors._classification": ("KNeighborsClassifier",),
    "neighbors._regression": ("KNeighborsRegressor",),
    "neural_network._multilayer_perceptron": ("MLPClassifier", "MLPRegressor"),
    "pipeline": ("FeatureUnion", "Pipeline"),
    "preprocessing._data": _SCALERS,
    "preprocessing._encoders": ("OneHotEncoder", "OrdinalEncoder"),
    "preprocessing._function_transformer": ("FunctionTransformer",),
    "preprocessing._label": ("LabelBinarizer", "LabelEncoder"),
    "svm._classes": ("LinearSVC", "LinearSVR", "SVC", "SVR"),
    "tree._classes": ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
    "utils._bunch": ("Bunch",),
    "_loss.link": _LINKS,
    "_loss.loss": _LOSSES,
}


def _named(start: str, names: dict[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(f"{start}.{module}.{name}" for module, own in names.items() for name in own)


OBJECTS = _named("sklearn.linear_model", _LINEAR) | _named("sklearn.ensemble", _ENSEMBLE) | _named("sklearn", _OTHERS)
_NUMBERS = ("bool_", "bool", "float32", "float64", "int32", "int64", "uint8", "uint32", "uint64", "str_")
_PLAIN = ("str", "int", "float", "bool")
_FUNCTIONS = ("abs", "absolute", "cbrt", "exp", "expm1", "log", "log10", "log1p", "log2", "sqrt", "square")

# By the word for how skops rebuilds a part: what may be rebuilt so. Methods, operators and bytes are rebuilt from nothing.
ALLOWED: dict[str, frozenset[str]] = {
    "ObjectNode": OBJECTS,
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "LossNode": frozenset(
        f"sklearn._loss._loss.Cy{name}" for name in (*_LOSSES, "HalfTweedieLoss", "HalfTweedieLossIdentity")
    ),
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "SetNode": frozenset({"builtins.set"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "JsonNode": frozenset({"builtins.str"}),
    "NdArrayNode": frozenset({"numpy.ndarray", *(f"numpy.{name}" for name in _NUMBERS)}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "TypeNode": frozenset({*(f"builtins.{name}" for name in _PLAIN), *(f"numpy.{name}" for name in _NUMBERS)}),
    "FunctionNode": frozenset({"sklearn.utils.validation.check_array", *(f"numpy.{name}" for name in _FUNCTIONS)}),
    "PartialNode": frozenset({"functools.partial"}),  # of a function on this list only, as its parts are looked at too
}
# What no answer needs and no file needs to give: generators, how a fit went on, trees that neighbours are looked up in.
LEFT_OUT = frozenset(
    {
        "_feature_subsample_rng",
        "_in_fit",
        "_metadata_request",
        "_optimizer",
        "_random_state",
        "_raw_predict_init",
        "_rng",
        "_tree",
        "memory",
        "random_state",
    }
)
