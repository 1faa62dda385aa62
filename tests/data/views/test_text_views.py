"""Texts read as weighted terms and as word pieces."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from kd_core.data.preparation import prepare, profile_source
from kd_core.data.types.base import ColumnType
from kd_core.data.views import VIEWS, foreseen
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec

ENGLISH = ["my card was lost in the mail", "the card is lost", "top up failed again", "why did my top up fail today"]
CHINESE = ["这个手机很好用,值得买", "手机屏幕坏了,很失望", "物流很快,包装也好", "质量太差了,不值得买"]
TEXT = {"t": ColumnType("text")}


def frame(texts):
    return pd.DataFrame({"t": pd.Series(texts, dtype="str")})


def fitted(kind, texts, types=TEXT):
    view = VIEWS.get(kind).make(types, "binary", 0)
    assert view.fit(frame(texts), np.arange(len(texts)) % 2, None) == {}
    return view


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_terms_come_from_the_training_texts_alone(texts):
    view = fitted("tfidf", texts * 3)
    x = view.encode(frame([*texts, "zzz qqq", ""]))
    assert issparse(x) and x.shape == (6, view.spec.width) and x.dtype == np.float32
    assert np.allclose(np.sqrt(x[:4].multiply(x[:4]).sum(axis=1)), 1, atol=1e-5)
    assert x[4:].count_nonzero() == 0  # unknown words and no words count for nothing


def test_words_and_pairs_of_words_are_terms_and_chinese_is_cut_into_characters():
    assert {"top up", "card"} <= set(fitted("tfidf", ENGLISH * 2).vectorisers["t"].vocabulary_)
    assert {"手机", "很"} <= set(fitted("tfidf", CHINESE * 2).vectorisers["t"].vocabulary_)


def test_texts_without_a_common_term_give_one_empty_column():
    view = fitted("tfidf", ["ab", "cd", "ef", "gh"])
    assert view.spec.shape == (1,) and view.encode(frame(["ab", "xy"])).count_nonzero() == 0


def test_texts_that_are_cut_are_counted_and_told():
    long = [" ".join(f"w{i}" for i in range(400))] * 3
    (told,) = fitted("tokens", ENGLISH * 3 + long).told()
    assert (told.severity, told.code) == ("warning", "cut_texts")
    assert told.message.startswith("20% of the training texts are longer than 256 word pieces")
    assert fitted("tokens", ENGLISH * 50 + [ENGLISH[0] * 3]).told() == ()  # 1 in 200: any length leaves a few out
    assert fitted("ngrams", ENGLISH * 3 + long).told() == ()


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_word_pieces_keep_their_order_and_are_filled_up_with_zero(texts):
    view = fitted("tokens", texts * 5)
    x = view.encode(frame([texts[0], "", texts[0] * 100]))
    spec = view.spec
    assert x.shape == (3, *spec.shape) and x.dtype == np.dtype(spec.dtype) == np.int32
    assert x.max() < spec.high and not x[1].any()
    assert x[2].all()  # cut at its end
    known = [view.tokenizer.id_to_token(i) for i in x[0] if i]
    assert "".join(known).replace("##", "") == texts[0].lower().replace(" ", "")


def test_what_was_never_seen_is_unknown():
    view = fitted("tokens", ENGLISH * 5)
    assert view.encode(frame(["Ж"]))[0, 0] == view.tokenizer.token_to_id("[UNK]") == 1


def test_another_program_cuts_texts_the_same_way_by_the_saved_tokenizer(tmp_path):
    view = fitted("tokens", ENGLISH * 5)
    (tmp_path / "tokenizer.json").write_bytes(view.state()["tokenizer.json"])
    texts = [*ENGLISH, "Lost CARD? lost card!", "a " * 500]
    code = (
        "import json, sys; from tokenizers import Tokenizer; t = Tokenizer.from_file(sys.argv[1]); "
        "print(json.dumps([e.ids for e in t.encode_batch(json.loads(sys.argv[2]))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "tokenizer.json"), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == view.encode(frame(texts)).tolist()
    assert view.encode(frame(["card"]))[0].tolist().count(0) == view.spec.shape[0] - 1  # saving changed nothing


@pytest.mark.slow
def test_every_process_finds_the_same_pieces():
    """Kept trainings and answers are found by a hash of the data, so a view must not depend on the process."""
    code = (
        "from tests.data.views.test_text_views import *; v = fitted('tokens', (ENGLISH + CHINESE) * 7); "
        "print(hash_of(v.state()['tokenizer.json']))"
    )
    found = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert len(found) == 1


def hash_of(data):
    import hashlib

    return hashlib.sha256(data).hexdigest()


def text_table(path, rows=120):
    rng = np.random.default_rng(0)
    words = np.array(["card", "lost", "money", "transfer", "late", "refund", "app", "code", "help", "please", "today"])
    texts = [" ".join(rng.choice(words, 9)) + f" number {i}" for i in range(rows)]
    label = ["lost" if "lost" in t.split() else "other" for t in texts]
    pd.DataFrame({"message": texts, "amount": rng.normal(size=rows).round(3), "label": label}).to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="label", kinds={"message": "text"})


def test_a_table_with_texts_can_be_read_in_every_way_and_one_without_only_as_a_table(tmp_path):
    data = prepare(text_table(tmp_path / "a.csv"))
    assert data.views.kinds == ("table", "columns", "ngrams", "tfidf", "together", "tokens") and data.views.read == ()
    tokens = data.view("tokens")
    assert data.views.read == ("tokens",)  # nothing is encoded that nobody reads
    assert [len(x) for x in tokens.parts.values()] == [len(p) for p in data.parts.values()]
    plain = prepare(DatasetSpec(source="sample:visits", target="purchased"))
    assert plain.views.kinds == ("table", "columns")
    with pytest.raises(DataError, match=r"can't be read as tokens\. They can be read as: table") as caught:
        plain.view("tokens")
    assert caught.value.code == "no_view"


def test_rows_that_were_made_follow_the_held_out_ones_in_every_view_of_texts(tmp_path):
    data, made = (
        prepare(text_table(tmp_path / "a.csv")),
        frame(["card lost today", ""]).rename(columns={"t": "message"}),
    )
    held = np.arange(len(data.train)) < 20
    for kind in ("tfidf", "tokens", "ngrams"):
        viewed = data.view(kind)
        rest, validation, left = data.without(kind, held, made)
        assert rest.shape[0] == len(data.train) - 20 and validation.shape[0] == len(data.validation)
        assert issparse(left) == viewed.spec.sparse and left.shape == (22, *viewed.spec.shape)
        whole, known, told = (
            x.toarray() if issparse(x) else x for x in (left, viewed.parts["train"], viewed.view.encode(made))
        )
        assert np.array_equal(whole[:20], known[held]) and np.array_equal(whole[20:], told)


def test_a_view_can_be_foreseen_before_anything_is_encoded(tmp_path):
    spec = text_table(tmp_path / "a.csv")
    found = foreseen(profile_source(spec.source, target=spec.target, kinds=spec.kinds))
    data = prepare(spec)
    assert set(found) == set(data.views.kinds)
    for kind, expected in found.items():
        made = data.view(kind).spec
        assert (made.kind, made.dtype, made.sparse, len(made.shape)) == (
            expected.kind,
            expected.dtype,
            expected.sparse,
            len(expected.shape),
        )


def test_held_out_rows_of_a_text_view_are_slices(tmp_path):
    data = prepare(text_table(tmp_path / "a.csv"))
    held = np.arange(len(data.train)) % 3 == 0
    for kind in ("tokens", "tfidf"):
        rest, validation, out = data.without(kind, held)
        assert (rest.shape[0], validation.shape[0], out.shape[0]) == ((~held).sum(), len(data.validation), held.sum())
