"""A student's file for texts and pictures: the view lies inside, and the file alone answers raw rows."""

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import helper

import kd_core
from kd_core.data.types.base import ColumnType
from kd_core.data.views import VIEWS
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export import carried_view, compact
from kd_core.export.raw_model import FACTS, raw_model
from kd_core.export.raw_session import RawStudent
from kd_core.models import ARCHS
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.training.predict import predict
from tests.data.views.test_text_views import CHINESE, ENGLISH
from tests.export.test_raw_model import purpose

ODD = [
    "",
    None,
    " ",
    "\x00",
    "😀🏳️‍🌈 card",
    "a" * 100_000,
    "card lost " * 10_000,
    "质量太差了",
    "Ж\u0301é",
    "\ud800",
    "NA",
    "lost\ncard",
]
READERS = [e.name for e in ARCHS.entries() if {"tokens", "ngrams"} & set(e.facts["takes"])]
OUTSIDE = """
import json, sys, kd_core
model = kd_core.load(sys.argv[1])
print(json.dumps(model.answers([[text] for text in json.loads(sys.argv[2])]).tolist()))
assert "torch" not in sys.modules
"""


def made(arch, texts=(*ENGLISH, *CHINESE) * 4):
    takes = ARCHS.get(arch).facts["takes"]
    view = VIEWS.get(takes[0]).make({"t": ColumnType("text")}, "binary", 0)
    view.fit(pd.DataFrame({"t": pd.Series(texts, dtype="str")}), np.arange(len(texts)) % 2, None)
    torch.manual_seed(0)
    network = build(Choice(name=arch, settings={"size": "tiny"}), view.spec, 2).eval()
    return view, network, raw_model(onnx_bytes(network, view.spec), view, purpose("binary"))


@pytest.mark.parametrize("arch", READERS)
def test_odd_texts_are_answered_by_the_file_as_by_the_engine(arch):
    view, network, data = made(arch)
    student = RawStudent(data)
    found, said = student.run([{"t": text} for text in ODD])
    x, _ = view.read([{"t": text} for text in ODD])
    expected = purpose("binary").task.answers(predict(network, x), 0.0, 1.0)["p"]
    assert np.abs(found - expected).max() < 1e-5 and np.isfinite(found).all() and said == ()
    alone = np.concatenate([student.run({"t": text})[0] for text in ODD])
    assert np.abs(alone - found).max() < 1e-6  # one plain text takes a shorter way


@pytest.mark.parametrize("arch", READERS)
def test_a_file_has_the_same_bytes_each_time_and_packs(arch):
    assert made(arch)[2] == made(arch)[2]
    data = made(arch)[2]
    assert compact.unpacked(compact.packed(data)) == data


@pytest.mark.slow
@pytest.mark.parametrize("arch", READERS)
def test_the_one_file_answers_raw_texts_in_another_folder(arch, tmp_path):
    _, _, data = made(arch)
    texts = [*ENGLISH, *CHINESE, "top up"]
    expected = RawStudent(data).run([[text] for text in texts])[0]
    for name, content in {"a.onnx": data, "b.onnx.xz": compact.packed(data)}.items():
        (tmp_path / name).write_bytes(content)
        told = [sys.executable, "-c", OUTSIDE, name, json.dumps(texts)]
        place = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(told, cwd=tmp_path, env=place, capture_output=True, text=True, check=True)
        assert np.abs(np.array(json.loads(done.stdout)) - expected).max() < 1e-6


def test_what_is_inside_can_be_read_by_any_program():
    view, _, data = made("textcnn")
    model = onnx.load_from_string(data)
    told = json.loads({p.key: p.value for p in model.metadata_props}[FACTS])
    assert told["schema"] == 2 and told["view"]["kind"] == "tokens" and "view.zip" in model.doc_string
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(told["view"]["zip"]))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == view.learned()
    assert not any(content.startswith(b"\x80") for content in view.learned().values())  # no pickle


def with_view(data, **changed):
    model = onnx.load_from_string(data)
    (held,) = model.metadata_props
    told = json.loads(held.value)
    told["view"] |= changed
    helper.set_model_props(model, {FACTS: json.dumps(told)})
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"zip": "AAAA"}, "not a zip"), ({"zip": "?"}, "base64"), ({"kind": "smells"}, "no view 'smells'")],
)
def test_a_damaged_view_is_no_students_file(changed, why, tmp_path):
    (tmp_path / "a.onnx").write_bytes(with_view(made("textcnn")[2], **changed))
    with pytest.raises(KDError, match=f"a.onnx is not a student's file that takes raw columns \\(.*{why}") as caught:
        kd_core.load(tmp_path / "a.onnx")
    assert caught.value.code == "no_student_file"


def test_a_view_that_would_fill_the_memory_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(carried_view, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match=r"view can\'t be read: [\d,]+ bytes unpacked, more than 100"):
        RawStudent(made("textcnn")[2])


def test_pictures_come_as_files_or_pixels_of_any_size():
    from kd_core.data.pictures.column import as_files, column_of

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 9, 8, 3)).astype(np.uint8)
    frame = pd.DataFrame({"photo": column_of(pixels)})
    view = VIEWS.get("pixels").make({"photo": ColumnType("picture")}, "binary", 0)
    view.fit(frame, np.arange(6) % 2, None)
    network = build(Choice(name="cnn", settings={"size": "tiny"}), view.spec, 2).eval()
    student = RawStudent(raw_model(onnx_bytes(network, view.spec), view, purpose("binary")))
    expected = purpose("binary").task.answers(predict(network, view.encode(frame)), 0.0, 1.0)["p"]
    files = as_files(frame)["photo"].tolist()
    for rows in (frame, [{"photo": file} for file in files]):
        found, said = student.run(rows)
        assert np.abs(found - expected).max() < 1e-5 and said == ()
    large = pd.DataFrame({"photo": column_of(np.repeat(np.repeat(pixels, 2, axis=1), 2, axis=2))})
    found, said = student.run(large)
    assert said == ("Pictures of 16 x 18, colour were stretched to 8 x 9, colour.",) and found.shape == (6, 2)
    _, said = student.run([[files[0]], [None]])
    assert said == ("1 cell of photo holds no picture and was read as black: row 2.",)
    with pytest.raises(
        KDError, match=r"The picture of row 2 under 'photo' can't be read: it is a GIF, not a PNG, JPEG, WebP or BMP"
    ) as caught:
        student.run([[files[0]], [b"GIF89a"]])
    assert caught.value.code == "picture_unreadable"
