"""Late fusion: what a row's table, text and picture say is joined, and one file answers raw rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import TERM, TOGETHER, side_by_side, table_inputs
from kd_core.data.pictures.column import as_files
from kd_core.data.views import VIEWS
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.raw_model import raw_model
from kd_core.export.raw_session import RawStudent
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.training.predict import predict
from tests.export.test_carried_view import purpose
from tests.laws.test_views import fitted, odd_rows

SPEC = VIEWS.get(TOGETHER).facts["example"]


def fusion(spec=SPEC, size="tiny", outputs=3):
    torch.manual_seed(0)
    return build(Choice(name="fusion", settings={"size": size}), spec, outputs).eval()


def test_every_part_changes_the_answer_and_they_meet():
    module, x = fusion(), torch.from_numpy(SPEC.example(2))
    ends = np.cumsum([0, *(p.packed for p in SPEC.parts)])

    def answer(*parts):
        row = x[:1].clone()
        for at in parts:
            row[:, ends[at] : ends[at + 1]] = x[1:, ends[at] : ends[at + 1]]
        return module(row).logits

    plain = answer()
    moved = [answer(at) - plain for at in range(3)]
    assert all(m.abs().max() > 0 for m in moved)
    assert not torch.allclose(answer(0, 1, 2) - plain, sum(moved), atol=1e-6)  # more than the sum of what each says


def test_a_network_of_two_parts_has_no_branch_for_the_third():
    spec = side_by_side(TOGETHER, [SPEC.parts[0], SPEC.parts[2]])
    module = fusion(spec)
    assert list(module.branches) == ["table", "pixels"] and module.reads() == TERM
    assert fusion().reads() == 30 and module(torch.from_numpy(spec.example(4))).logits.shape == (4, 3)
    assert fusion(side_by_side(TOGETHER, [table_inputs(3), SPEC.parts[1]])).rows_at_once == 2**14


@pytest.mark.slow
def test_one_file_answers_raw_rows_as_the_engine_does():
    view, frame, _ = fitted(VIEWS.get(TOGETHER), "binary")
    network = fusion(view.spec, outputs=2)
    data = raw_model(onnx_bytes(network, view.spec), view.first(network.reads()), purpose("binary"))
    student = RawStudent(data)
    for rows in (frame.iloc[:40], odd_rows(frame)):
        expected = purpose("binary").task.answers(predict(network, view.encode(rows)), 0.0, 1.0)["p"]
        files = as_files(rows).astype("object")
        for given in (rows, files.where(files.notna(), None).to_dict("records")):
            found, _ = student.run(given)
            assert np.abs(found - expected).max() < 1e-5
