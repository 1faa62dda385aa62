"""Rare pieces of words are forgotten: by the network and by the file that reads texts for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.compress.base import STEPS, Stage
from kd_core.data.types.base import ColumnType
from kd_core.data.view import Viewed, Views
from kd_core.data.views import VIEWS
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.purpose import Purpose
from kd_core.export.raw_model import raw_model
from kd_core.export.raw_session import RawStudent
from kd_core.models.building import build
from kd_core.specs import Choice, ReadSpec
from kd_core.task import task_of
from tests.compress.students import begun

ENTRY = STEPS.get("trim_vocabulary")
WORDS = ["lost card", "new card", "cards are new", "where is money", "money was sent", "a card", "sent late"]


def reading(arch, share):
    """A student of real texts before and after the step, the view that it reads by, and the texts."""
    view = VIEWS.get("ngrams").make({"t": ColumnType("text")}, "binary", 0)
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 2)) for _ in range(80)]
    frame = pd.DataFrame({"t": pd.Series(texts, dtype="str")})
    view.fit(frame, np.arange(80) % 2, None)
    torch.manual_seed(0)
    stage, work = begun(arch, outputs=2)
    stage = Stage(arch, build(arch, view.spec, 2).eval())
    x = {part: view.encode(frame) for part in ("train", "validation", "test")}
    views = Views({"ngrams": lambda: Viewed(view.spec, x, view)})
    work = replace(work, dataset=replace(work.dataset, views=views))
    return stage, ENTRY.make(ENTRY.spec.parse({"share": share}), stage, work), view, frame


@pytest.mark.parametrize(
    "arch", [Choice(name="bag", settings={"size": "tiny"}), Choice(name="terms", settings={"size": "tiny"})]
)
def test_the_file_holds_the_first_pieces_alone_and_reads_texts_as_the_network_does(arch):
    stage, found, view, frame = reading(arch, 0.6)
    pieces = found.told[-1]["pieces"]
    assert pieces["before"] == stage.module.reads() and pieces["after"] == found.module.reads()
    assert pieces["after"] == pieces["before"] - round(0.6 * pieces["before"])
    short = view.first(found.module.reads())
    assert short.terms == view.terms[: pieces["after"]]
    aim = Purpose(task_of("binary"), "target", ("no", "yes"), 0.0, 1.0, ReadSpec())
    whole, cut = (raw_model(onnx_bytes(m, view.spec), view.first(m.reads()), aim) for m in (stage.module, found.module))
    assert len(cut) < 0.8 * len(whole)
    expected = torch.softmax(found.module(torch.from_numpy(view.encode(frame))).logits, 1).detach().numpy()
    assert np.abs(RawStudent(cut).run(frame)[0] - expected).max() < 1e-6


def test_texts_of_known_pieces_are_answered_as_before():
    arch = Choice(name="bag", settings={"size": "tiny"})
    stage, found, view, _ = reading(arch, 0.5)
    x = view.encode(pd.DataFrame({"t": pd.Series(["card", "card late", "zzz"], dtype="str")}))
    known = x // 4096 <= found.module.reads()
    rows = torch.from_numpy(np.where(known, x, 0))
    assert known.any() and torch.equal(found.module(rows).logits, stage.module(rows).logits)


def test_word_pieces_in_order_and_tables_are_refused_in_words():
    for name in ("recurrent", "mlp"):
        stage, work = begun(Choice(name=name, settings={"size": "tiny"}))
        reason = ENTRY.facts["suits"](stage, work.rows(stage).spec)
        assert reason is not None and ("order" in reason) is (name == "recurrent")
