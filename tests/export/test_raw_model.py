"""A student's file: raw columns in, the answer out, in as few bytes as hold the same numbers."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pandas as pd
import pytest
import torch

from kd_core.data.encoding.raw_graph import _shared_rows
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import typed_rows
from kd_core.data.views import VIEWS
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.purpose import Purpose, purpose_from
from kd_core.export.raw_model import FACTS, facts_of, raw_model
from kd_core.export.raw_session import RawSession, RawStudent, open_front
from kd_core.models.base import Outputs
from kd_core.models.building import build
from kd_core.models.piecewise_edges import fit_edges
from kd_core.specs import Choice, ReadSpec
from kd_core.task import task_of
from kd_core.training.predict import predict
from tests.export.tables import ROWS, columns, odd_rows


def purpose(task):
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    return Purpose(task_of(task), "goal", classes, 3.5, 20.0, ReadSpec(separator=";"))


def made(task, arch="mlp", kind="table", drop=()):
    frame, types, told = columns()
    types = {name: column for name, column in types.items() if name not in drop}
    view = VIEWS.get(kind).make(types, task, 0)
    view.fit(frame, np.arange(ROWS) % {"binary": 2, "multiclass": 3}.get(task, 10**9), None)
    aim = purpose(task)
    torch.manual_seed(0)
    network = build(Choice(name=arch), view.spec, aim.task.num_outputs(len(aim.classes))).eval()
    return view, network, aim, {name: cells for name, cells in told.items() if name not in drop}


def answers(view, network, aim, rows):
    typed, *_ = typed_rows(rows, view.types)
    found = aim.task.answers(predict(network, view.encode(typed)), aim.mean, aim.std)
    return found["p"] if aim.task.has_classes else found["values"][:, None]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_file_answers_raw_rows_as_the_engine_does(task):
    view, network, aim, told = made(task)
    student = RawStudent(raw_model(onnx_bytes(network, view.spec), view, aim))
    rows = odd_rows(told, 200)
    found, _ = student.run(rows)
    assert found.shape == (200, max(1, len(aim.classes)))
    assert np.abs(found - answers(view, network, aim, rows)).max() <= 1e-5 * (aim.std if task == "regression" else 1)
    assert student.purpose == aim and student.run([])[0].shape == (0, found.shape[1])


@pytest.mark.parametrize(("arch", "kind"), [("mlp", "table"), ("piecewise", "columns"), ("additive", "columns")])
def test_many_rows_are_laid_out_by_copying_whole_rows(arch, kind):
    view, network, aim, _ = made("binary", arch, kind)
    nodes = onnx.load_from_string(raw_model(onnx_bytes(network, view.spec), view, aim)).graph.node
    kinds = [node.op_type for node in nodes]
    assert "OneHot" not in kinds
    (upright,) = next(node for node in nodes if node.op_type == "Transpose").output
    (placed,) = [node for node in nodes if upright in node.input]
    assert placed.op_type == "Gather" and not any(a.name == "axis" for a in placed.attribute)  # whole rows: axis 0


def test_a_network_that_reads_its_rows_twice_gets_them_as_they_are():
    class Twice(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.one, self.other = torch.nn.Linear(width, 2), torch.nn.Linear(width, 2)

        def forward(self, x):
            return Outputs(self.one(x) * self.other(x))

    view, _, aim, told = made("binary")
    network = Twice(view.spec.width).eval()
    student = RawStudent(raw_model(onnx_bytes(network, view.spec), view, aim))
    rows = odd_rows(told, 50)
    assert np.abs(student.run(rows)[0] - answers(view, network, aim, rows)).max() <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["piecewise", "additive", "trees"])
def test_a_network_that_cuts_numbers_gets_the_same_bits_from_the_graph(arch):
    frame, *_ = columns()
    view, network, aim, told = made("binary", arch, "columns")
    x = view.encode(frame)
    targets = np.eye(2)[np.arange(ROWS) % 2]
    if arch != "trees":
        network.load_state_dict(fit_edges(32, view.spec, x, targets), strict=False)
    student = RawStudent(raw_model(onnx_bytes(network, view.spec), view, aim))
    rows = odd_rows(told, 300, seed=3)
    assert np.abs(student.run(rows)[0] - answers(view, network, aim, rows)).max() <= 1e-5
    exact = [i for i, name in enumerate(view.feature_names) if not name.startswith("words topic")]
    found, _ = open_front(view).run(rows)
    typed, *_ = typed_rows(rows, view.types)
    assert np.array_equal(found[:, exact], view.encode(typed)[:, exact], equal_nan=True)


def test_a_file_tells_how_it_is_asked():
    view, network, aim, _ = made("binary", drop=("words",))
    model = onnx.load_from_string(raw_model(onnx_bytes(network, view.spec), view, aim))
    kinds = {one.name: one.type.tensor_type.elem_type for one in model.graph.input}
    text, number = onnx.TensorProto.STRING, onnx.TensorProto.DOUBLE
    assert kinds["colour"] == kinds["gift"] == kinds["town"] == text
    assert not model.HasField("doc_string")  # files of tables have the bytes that they had before views were carried
    assert kinds["price"] == kinds["code"] == kinds["when"] == number
    told = facts_of({p.key: p.value for p in model.metadata_props})
    assert purpose_from(told) == aim and list(told["columns"]) == list(view.types) and told["texts"] == {}
    with pytest.raises(ValueError, match="schema 9"):
        facts_of({FACTS: json.dumps({**told, "schema": 9})})


def test_a_column_named_as_the_answer_is_no_trouble():
    frame, types, _ = columns()
    types = {"answer": types["price"], "a": types["colour"]}
    view = VIEWS.get("table").make(types, "regression", 0)
    view.fit(frame.rename(columns={"price": "answer", "colour": "a"}), np.arange(ROWS) * 0.5, None)
    network = build(Choice(name="linear"), view.spec, 1).eval()
    student = RawStudent(raw_model(onnx_bytes(network, view.spec), view, purpose("regression")))
    assert student.run({"answer": 50.0, "a": "red"})[0].shape == (1, 1)


def test_weights_that_fit_take_half_the_bytes_and_nothing_is_rounded():
    view, network, aim, _ = made("binary", drop=("words",))
    whole = raw_model(onnx_bytes(network, view.spec), view, aim)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half().float())
    half = raw_model(onnx_bytes(network, view.spec), view, aim)
    numbers = sum(p.numel() for p in network.parameters())
    assert len(whole) - len(half) > 1.8 * numbers
    other = raw_model(onnx_bytes(network, view.spec), view, aim)
    assert half == other


def test_vectors_that_fit_take_one_byte_a_number_and_nothing_is_rounded():
    view = VIEWS.get("ngrams").make({"t": ColumnType("text")}, "binary", 0)
    frame = pd.DataFrame({"t": pd.Series(["a lost card", "a new card", "lost cards are new"] * 9, dtype="str")})
    view.fit(frame, np.arange(27) % 2, None)
    network = build(Choice(name="bag", settings={"size": None, "width": 256}), view.spec, 2).eval()
    whole = raw_model(onnx_bytes(network, view.spec), view, purpose("binary"))
    network.shorten(view.encode(frame))
    short = raw_model(onnx_bytes(network, view.spec), view, purpose("binary"))
    assert len(whole) - len(short) > 2.8 * network.bag.vectors.numel()
    expected = torch.softmax(network(torch.from_numpy(view.encode(frame))).logits, 1).detach().numpy()
    assert np.abs(RawStudent(short).run(frame)[0] - expected).max() < 1e-6


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_view_that_is_no_graph_is_carried_in_the_file(task):
    view, network, aim, told = made(task)
    view.graph = lambda: None
    student, rows = RawStudent(raw_model(onnx_bytes(network, view.spec), view, aim)), odd_rows(told, 50)
    found, _ = student.run(rows)
    assert np.abs(found - answers(view, network, aim, rows)).max() <= 1e-5 * (aim.std if task == "regression" else 1)
    assert student.run([])[0].shape == (0, found.shape[1]) and student.purpose == aim


def test_the_readers_session_of_a_view_has_its_shape():
    view, *_ = made("binary")
    session = open_front(view)
    assert isinstance(session, RawSession) and session.run([])[0].shape == (0, view.spec.width)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(("arch", "kind"), [("mlp", "table"), ("piecewise", "columns")])
@pytest.mark.parametrize("most", [0, 150])
def test_a_file_with_fewer_names_answers_raw_rows_as_the_engine_does(task, arch, kind, most):
    frame, types, told = columns()
    whole = VIEWS.get(kind).make(types, task, 0)
    y = np.arange(ROWS) % {"binary": 2, "multiclass": 3}.get(task, 10**9)
    whole.fit(frame, y, None)
    view = whole.shortened(most)
    view.fit(frame, y, None)
    aim = purpose(task)
    torch.manual_seed(0)
    network = build(Choice(name=arch), view.spec, aim.task.num_outputs(len(aim.classes))).eval()
    data = raw_model(onnx_bytes(network, view.spec), view, aim)
    student, rows = RawStudent(data), [*odd_rows(told, 200), *frame.astype("object").head(100).to_dict("records")]
    found, _ = student.run(rows)
    assert np.abs(found - answers(view, network, aim, rows)).max() <= 1e-5 * (aim.std if task == "regression" else 1)
    for row, expected in zip(rows[:60], found, strict=False):
        assert np.allclose(student.run(row)[0][0], expected, atol=1e-6 * aim.std, rtol=0)
    assert len(data) < len(raw_model(onnx_bytes(network, view.spec), whole, aim)) or whole.spec != view.spec


def test_labels_of_equal_values_share_a_row_of_the_table():
    rows = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [5, 6], [5, 6], [1, 2]], np.float32)
    ids = {name: at for at, name in enumerate("abcdefg")}
    found, other, kept = _shared_rows(ids, 6, rows, 0)
    assert len(kept) == 3 and all(np.array_equal(kept[found[n]], rows[at]) for n, at in ids.items())
    assert np.array_equal(kept[other], rows[6]) and found["b"] == 2  # the row of fewest labels is the last
    found, other, kept = _shared_rows(ids, 6, rows, 3)
    assert [found[n] for n in "abc"] == [0, 1, 2] and found["d"] == found["e"] == 3 and other == found["g"] == 4
    signed = np.array([[0.0], [-0.0]], np.float32)
    assert len(_shared_rows({"a": 0, "b": 1}, 1, signed, 0)[2]) == 2  # the same bits, not the same numbers
