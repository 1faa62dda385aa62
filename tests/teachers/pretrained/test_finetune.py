"""Fine-tuning: it begins as the probe, goes on from there, and is out of fold, repeatable and stopped like any training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.errors import Stopped
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.pretrained import finetune
from kd_core.teachers.pretrained.encoder import open_encoder
from kd_core.teachers.pretrained.probe import Probe
from tests.teachers.pretrained.test_source import accuracy, answers, prepared, rows, tiny  # noqa: F401
from tests.teachers.pretrained.tiny import text_frame, write_model

TUNE = {"mode": "finetune", "epochs": 2, "learning_rate": 1e-3, "batch_size": 16}
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("family", ["Bert", "Roberta"])
def test_it_begins_as_the_probe_whatever_the_order_and_the_filling(tmp_path, family):
    encoder = open_encoder(write_model(tmp_path / "tiny", family), 64)
    texts = ["good card", "why did my top up not work again", "bad", "money is gone", "", "late late late"]
    vectors = np.zeros((6, 64), np.float32)
    for at, some in encoder.vectors(texts, torch.device("cpu")):
        vectors[at] = some
    rng = np.random.default_rng(0)
    head = Probe(
        "multiclass",
        3,
        vectors.mean(0),
        vectors.std(0) + 0.01,
        rng.normal(size=(64, 2), scale=0.2).astype(np.float32),
        rng.normal(size=2).astype(np.float32),
        np.array([0, 2]),
    )
    module = finetune.FineTuned(encoder.network, head, 3, lambda: None).eval()
    with torch.inference_mode():
        found = module(torch.from_numpy(finetune.rows_of(encoder, texts)))
    np.testing.assert_allclose(found.features, vectors, atol=2e-3)
    z = found.logits.log_softmax(1).numpy()
    np.testing.assert_allclose(z[:, [0, 2]], head.logits(vectors)[:, [0, 2]], atol=0.1)
    assert (z[:, 1] < -9).all()


def test_it_learns_more_than_its_probe_and_tells_every_epoch(rows, tiny):  # noqa: F811
    events = []
    found = answers(rows, {"model": tiny, **TUNE, "epochs": 4}, notify=events.append)
    probed = answers(rows, {"model": tiny})
    y = rows.train.y
    loss = [
        -(z - np.log(np.exp(z).sum(1, keepdims=True)))[np.arange(len(y)), y].mean()
        for z in (found.logits["train"], probed.logits["train"])
    ]
    assert loss[0] < loss[1] and accuracy(found, rows, "train") > 0.8
    epochs = [e for e in events if e["kind"] == "epoch"]
    assert (
        len(epochs) == 12 and {e["arm"] for e in epochs} == {"teacher"} and {e["fold"] for e in epochs} == {None, 0, 1}
    )
    assert [e["done"] for e in events if e["kind"] == "trained"] == [1, 2, 3]
    assert 1 <= found.details["selected_epoch"] <= 4 and found.details["mode"] == "finetune"
    assert found.num_parameters > 20_000 and found.latency_ms["whole"]["1"]["p50"] > 0


def test_labels_by_chance_are_not_learned_out_of_fold(tmp_path, tiny):  # noqa: F811
    data = prepared(tmp_path, text_frame(chance=True))
    found = answers(data, {"model": tiny, **TUNE, "epochs": 3}, folds=2)
    assert 0.3 < accuracy(found, data, "train") < 0.66


def test_the_same_seed_gives_the_same_answers_and_the_encoder_of_others_stays(rows, tiny):  # noqa: F811
    first, again = (answers(rows, {"model": tiny, **TUNE}) for _ in range(2))
    assert all(np.array_equal(first.logits[s], again.logits[s]) for s in first.logits)


def test_features_of_one_fit_are_given(rows, tiny):  # noqa: F811
    found = answers(rows, {"model": tiny, **TUNE}, folds=1, hidden=True)
    assert found.features["train"].shape == (len(rows.train), 64)


def test_a_stop_in_the_middle_is_honoured_and_finished_fits_are_kept(rows, tiny, tmp_path):  # noqa: F811
    cache, events = TeacherCache(tmp_path / "kept"), []

    def later():
        return any(e["kind"] == "epoch" and e["fold"] == 0 for e in events)

    with pytest.raises(Stopped):
        answers(rows, {"model": tiny, **TUNE}, cache, notify=events.append, should_stop=later)
    events.clear()
    found = answers(rows, {"model": tiny, **TUNE}, cache, notify=events.append)
    assert {e["fold"] for e in events if e["kind"] == "epoch"} == {0, 1}
    whole = answers(rows, {"model": tiny, **TUNE})
    np.testing.assert_array_equal(found.logits["train"], whole.logits["train"])


def test_a_stop_is_honoured_while_rows_are_only_answered(tmp_path):
    encoder = open_encoder(write_model(tmp_path / "tiny"), 64)
    head = Probe(
        "binary", 2, np.zeros(64), np.ones(64), np.zeros((64, 2), np.float32), np.zeros(2, np.float32), np.arange(2)
    )

    def stop():
        raise Stopped

    module = finetune.FineTuned(encoder.network, head, 2, stop)
    with pytest.raises(Stopped):
        finetune.predict(module, finetune.rows_of(encoder, ["good card"]), torch.device("cpu"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("mode", ["probe", "finetune"])
def test_a_gpu_answers_as_the_processor(rows, tiny, mode):  # noqa: F811
    settings = {"model": tiny, **TUNE, "mode": mode}
    there, here = (answers(rows, settings, device=device) for device in ("cuda", "cpu"))
    assert np.mean(there.logits["test"].argmax(1) == here.logits["test"].argmax(1)) > 0.9
