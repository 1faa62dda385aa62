import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from kd_core.data.encoding import text_block
from kd_core.data.encoding.saved import pack, unpack
from kd_core.data.profile import profile_table
from kd_core.data.types.base import ColumnType
from kd_core.data.types.typed_column import understand
from kd_core.data.views.table import TableView, count_features
from kd_core.errors import DataError
from tests.data.tables import clean, table


def typed(columns):
    found = {k: understand(pd.Series([str(v) for v in c], dtype="str"), k) for k, c in columns.items()}
    return {k: c.type for k, c in found.items()}, pd.DataFrame({k: c.values for k, c in found.items()})


def encode(columns, y, task="binary", groups=None):
    types, frame = typed(columns)
    encoder = TableView(types, task)
    return encoder, encoder.fit_transform(frame, np.asarray(y), groups)


def test_output_is_float32_contiguous_finite_and_named():
    rng = np.random.default_rng(0)
    n = 400
    columns = {
        "age": np.where(rng.random(n) < 0.1, "", rng.normal(40, 9, n).round(1).astype(str)),
        "channel": rng.choice(["mail", "web", ""], n),
        "member": rng.choice(["yes", "no"], n),
        "day": [f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(n)],
        "sku": [f"s{i % 60}" for i in range(n)],
    }
    encoder, x = encode(columns, rng.integers(0, 2, n))
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert np.isfinite(x).all()
    assert x.shape == (n, len(encoder.feature_names))
    assert sorted(encoder.feature_names) == sorted(
        (
            "age",
            "age missing",
            "channel=web",
            "channel=mail",
            "channel=missing",
            "member=yes",
            "day days",
            "day month sin",
            "day month cos",
            "day weekday sin",
            "day weekday cos",
            "sku target mean",
            "sku frequency",
        )
    )


def test_only_training_rows_are_learned_from():
    rng = np.random.default_rng(0)
    types, frame = typed({"a": rng.normal(size=200), "c": [f"v{i % 50}" for i in range(200)]})
    y = rng.integers(0, 2, 200)
    encoder = TableView(types, "binary")
    encoder.fit_transform(frame.iloc[:100], y[:100])
    before = encoder.encode(frame.iloc[100:])
    changed = frame.copy()
    changed.loc[150:, "a"] = 1e9
    assert np.array_equal(encoder.encode(changed.iloc[100:])[:50], before[:50])


def test_raw_rows_and_typed_rows_encode_alike():
    columns = {
        "n": ["1,5", "2,5", "NA", "7"] * 30,
        "c": [" a", "b", "c", ""] * 30,
        "f": ["yes", "no"] * 60,
        "d": ["31/01/2024", "02/03/2024"] * 60,
    }
    types, frame = typed(columns)
    encoder = TableView(types, "binary")
    x = encoder.fit_transform(frame, np.arange(120) % 2)
    raw = pd.DataFrame(columns, dtype="str")
    assert np.array_equal(encoder.encode(raw), x)


def test_unseen_categories_and_unreadable_cells_do_not_fail():
    rng = np.random.default_rng(0)
    columns = {
        "c": ["a", "b", "c"] * 40,
        "many": [f"v{i % 40}" for i in range(120)],
        "n": rng.normal(size=120),
        "f": ["yes", "no"] * 60,
        "d": ["2024-01-31", "2024-03-02"] * 60,
    }
    encoder, _ = encode(columns, rng.integers(0, 2, 120))
    new = pd.DataFrame({"c": ["zzz"], "many": ["zzz"], "n": ["oops"], "f": ["perhaps"], "d": ["soon"]}, dtype="str")
    found = encoder.encode(new)
    names = list(encoder.feature_names)
    assert np.isfinite(found).all()
    assert found[0, [names.index(f"c={v}") for v in "abc"]].tolist() == [0, 0, 0]
    assert abs(found[0, names.index("many target mean")]) < 1
    assert found[0, names.index("f=yes")] == 0.5


def test_heavy_tails_are_spread_and_a_mass_at_zero_stays_near():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(3000) < 0.8, 0, rng.lognormal(3, 2, 3000))
    encoder, x = encode({"v": values}, rng.integers(0, 2, 3000))
    assert np.abs(x).max() <= 3.5
    assert -0.6 < x[values == 0].mean() < 0
    assert (np.diff(x[np.argsort(values), 0]) >= 0).all()
    beyond = encoder.encode(pd.DataFrame({"v": [1e12, -5.0]}))[:, 0]
    assert beyond == pytest.approx([3.29, x[values == 0].mean()], abs=0.01)  # as the largest and the smallest seen


def test_light_tails_stay_linear():
    values = np.random.default_rng(0).uniform(10, 20, 500)
    _, x = encode({"v": values}, np.arange(500) % 2)
    assert np.corrcoef(values, x[:, 0])[0, 1] == pytest.approx(1, abs=1e-6)
    assert x.std() == pytest.approx(1, abs=1e-3)


def test_rare_categories_share_a_column():
    labels = ["a"] * 2000 + ["b"] * 1500 + ["rare1", "rare2"]
    encoder, x = encode({"c": labels}, np.arange(len(labels)) % 2)
    assert encoder.feature_names == ("c=a", "c=b", "c=other")
    assert x[-1].tolist() == [0, 0, 1]
    assert encoder.encode(pd.DataFrame({"c": ["new"]}))[0].tolist() == [0, 0, 1]


def test_target_means_are_cross_fitted_so_that_noise_stays_noise():
    rng = np.random.default_rng(0)
    labels, y = [f"v{i}" for i in rng.integers(0, 400, 1200)], rng.integers(0, 2, 1200)
    _, x = encode({"c": labels}, y)
    assert abs(roc_auc_score(y, x[:, 0]) - 0.5) < 0.06


def test_target_means_keep_groups_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 6)
    y = rng.integers(0, 2, 300)[groups]
    labels = [f"k{g}" for g in groups]  # the category is the group: nothing carries over to other groups
    _, alone = encode({"c": labels}, y)
    _, whole = encode({"c": labels}, y, groups=groups)
    assert roc_auc_score(y, alone[:, 0]) > 0.95
    assert abs(roc_auc_score(y, whole[:, 0]) - 0.5) < 0.08


@pytest.mark.parametrize(("classes", "width"), [(3, 4), (20, 26)])
def test_many_categories_for_many_classes(classes, width):
    rng = np.random.default_rng(0)
    labels, y = [f"v{i}" for i in rng.integers(0, 60, 2000)], rng.integers(0, classes, 2000)
    encoder, x = encode({"c": labels}, y, "multiclass")
    assert x.shape[1] == len(encoder.feature_names) == width


def test_regression_target_means():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 60, 2000)
    y = codes * 2.0 + rng.normal(size=2000)
    _, x = encode({"c": [f"v{c}" for c in codes]}, y, "regression")
    assert np.corrcoef(x[:, 0], y)[0, 1] > 0.99


def test_dates_lie_on_a_circle_with_hours_and_years():
    days = pd.date_range("2022-01-01 00:30", "2024-12-31 23:30", periods=500).strftime("%Y-%m-%d %H:%M:%S")
    encoder, x = encode({"t": days}, np.arange(500) % 2)
    names = list(encoder.feature_names)
    assert {"t year", "t days", "t hour sin", "t hour cos"} <= set(names)
    month = x[:, [names.index("t month sin"), names.index("t month cos")]]
    assert (month**2).sum(axis=1) == pytest.approx(np.ones(500), abs=1e-5)
    december, january = month[-1], month[0]
    assert np.linalg.norm(december - january) < 0.6
    gap = encoder.encode(pd.DataFrame({"t": ["", days[0]]}, dtype="str"))
    assert np.isfinite(gap).all()


@pytest.mark.parametrize("how", ["words", "characters"])
def test_text_becomes_topics_that_tell(how):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    if how == "words":
        good, bad, join = ["lovely", "fits", "great", "soft"], ["broken", "late", "rough", "refund"], " "
    else:
        good, bad, join = list("好喜欢满意"), list("差退货失望"), ""
    common = ["the", "dress", "was", "bought"] if how == "words" else list("这个商品")
    texts = [join.join([*rng.choice(common, 14), *rng.choice(good if v else bad, 3)]) for v in y]
    encoder, x = encode({"review": texts}, y)
    assert encoder.types["review"].kind == "text"
    assert encoder.feature_names[-1] == "review length"
    assert LogisticRegression(max_iter=500).fit(x[:300], y[:300]).score(x[300:], y[300:]) > 0.9
    assert np.isfinite(encoder.encode(pd.DataFrame({"review": ["", "unknownword"]}, dtype="str"))).all()


def test_features_are_counted_before_encoding():
    data = clean()
    data["age"] = data["age"].astype(object)
    data["age"][[3, 4]] = ""
    found = profile_table(table(data), target="bought", drop=["noise"])
    assert count_features(found) == 2 + 1 + 3  # age and its flag, spend, three channels
    types = {n: understand(table(data).frame[n], n).type for n in ("age", "spend", "channel")}
    x = TableView(types, "binary").fit_transform(found.frame, np.arange(600) % 2)
    assert x.shape[1] == count_features(found)


def test_text_without_common_words_is_its_length():
    types = {"t": ColumnType("text")}
    texts = [f"{chr(0x4E00 + i)} {chr(0xAC00 + i)}" for i in range(50)]  # no two hold the same sign
    encoder = TableView(types, "binary")
    x = encoder.fit_transform(pd.DataFrame({"t": texts}, dtype="str"), np.arange(50) % 2)
    assert encoder.feature_names == ("t length",)
    assert x.shape == (50, 1)


def test_columns_empty_in_training_do_not_fail():
    columns = {"n": ColumnType("number"), "c": ColumnType("category"), "d": ColumnType("datetime")}
    frame = pd.DataFrame({"n": [np.nan] * 40, "c": [None] * 40, "d": [None] * 40}).astype({"c": "str", "d": "str"})
    encoder = TableView(columns, "binary")
    assert np.isfinite(encoder.fit_transform(frame, np.arange(40) % 2)).all()
    new = pd.DataFrame({"n": [7.0], "c": ["x"], "d": ["2024-01-31"]})
    assert np.isfinite(encoder.encode(new)).all()


def test_one_group_in_training_gives_no_target_means():
    labels = [f"v{i % 40}" for i in range(200)]
    _, x = encode({"c": labels}, np.arange(200) % 2, groups=np.zeros(200, np.int64))
    assert (x[:, 0] == x[0, 0]).all()


def test_every_text_is_taken_apart_once(monkeypatch):
    taken = []
    real = CountVectorizer.build_analyzer

    def counting(self):
        analyse = real(self)
        return lambda text: (taken.append(text), analyse(text))[1]

    monkeypatch.setattr(CountVectorizer, "build_analyzer", counting)
    texts = [f"this sentence number {i} speaks of {['cats', 'dogs', 'birds'][i % 3]}" for i in range(90)]
    encoder = TableView({"t": ColumnType("text")}, "binary")
    train, other = pd.DataFrame({"t": texts[:60]}, dtype="str"), pd.DataFrame({"t": texts[60:]}, dtype="str")
    own = encoder.fit(train, np.arange(60) % 2)
    x = encoder.encode(train, own)
    encoder.encode(other)
    assert sorted(t for t in taken if " " in t) == sorted(
        texts
    )  # vectoriser and decomposition are fitted on train once
    assert np.array_equal(x, encoder.encode(train))  # and the training rows' own encoding is that of any rows


def test_pieces_counted_by_word_are_those_counted_by_text():
    texts = np.array(["Cards, cards  and card_2\n(été)", "", " a", "cards\tand ca 日本語 İ", "a A a"], dtype=object)
    plain = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32)
    wanted = plain.fit_transform(texts)
    ours = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32)
    assert (text_block._occurrences(ours, texts, fit=True) != wanted).nnz == 0
    assert ours.vocabulary_ == plain.vocabulary_
    kept = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32, vocabulary=["car", "and ", " a "])
    assert (text_block._occurrences(kept, texts) != kept.transform(texts)).nnz == 0
    assert text_block._occurrences(kept, np.array(["", " "], dtype=object)).toarray().tolist() == [[0] * 3] * 2


@pytest.mark.parametrize(("text", "analyzer"), [("the cards were lost", "char_wb"), ("这个商品很好我喜欢", "char")])
def test_spaced_texts_give_pieces_of_words_and_others_signs(text, analyzer):
    view = TableView({"t": ColumnType("text")}, "binary")
    view.fit(pd.DataFrame({"t": [text] * 40}, dtype="str"), np.arange(40) % 2)
    assert view.blocks["t"]._how["analyzer"] == analyzer


def test_terms_of_one_text_alone_are_left_out_and_ties_go_by_name():
    texts = np.array(["b a a", "a b", "c b", "c only"], dtype=object)
    kept, counts = text_block._counted(texts, {"analyzer": "word", "token_pattern": r"(?u)\b\w+\b"})
    assert kept == ["b", "a", "c"]  # b in three texts; a and c in two
    assert counts.toarray().tolist() == [[1, 2, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]


def test_texts_that_are_all_alike_do_not_fail():
    encoder = TableView({"t": ColumnType("text")}, "binary")
    x = encoder.fit_transform(pd.DataFrame({"t": ["the same two words"] * 50}, dtype="str"), np.arange(50) % 2)
    assert np.isfinite(x).all()


def test_a_scaling_of_an_earlier_version_is_refused_by_name():
    values = np.random.default_rng(0).lognormal(0, 2, 400)
    encoder, _ = encode({"v": values}, np.arange(400) % 2)
    saved = encoder.state()
    parts = unpack("table", saved)
    del parts["v"]["heights"]
    with pytest.raises(DataError, match="Column v was scaled as an earlier version did it") as caught:
        TableView.from_state({**saved, **pack("table", parts)})
    assert caught.value.code == "earlier_encoding"
