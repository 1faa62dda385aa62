"""Static whole numbers: bytes in the file, ranges from training rows alone, a precision per layer."""

from __future__ import annotations

import collections

import numpy as np
import onnx
import pytest

from kd_core.compress.base import STEPS, Stage
from kd_core.compress.steps import int8
from kd_core.compress.whole_numbers.network import Network, answers_of
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.building import build_for
from kd_core.specs import Choice
from tests.compress.test_learning import work_of
from tests.compress.whole_numbers.small import guarded, one_layer_matters, trained
from tests.distill.test_student import make_dataset


def carried_out(name, stage, work, **settings):
    entry = STEPS.get(name)
    return entry.make(entry.spec.parse(settings), stage, work)


def kinds(data):
    model = onnx.load_from_string(data)
    return collections.Counter(onnx.TensorProto.DataType.Name(w.data_type) for w in model.graph.initializer)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("settings", [{}, {"scheme": "tensor"}, {"method": "percentile"}, {"narrow": False}])
def test_a_file_holds_bytes_and_answers_as_before(task, settings):
    dataset, stage = trained(task)
    before = onnx_bytes(stage.module, dataset.view().spec)
    made = carried_out("int8", stage, work_of(dataset), **settings)
    assert kinds(made.file)["INT8"] >= 3 and len(made.file) < 0.6 * len(before)
    assert stage.file is None and made.told[-1]["name"] == "int8"
    assert [one["precision"] for one in made.told[-1]["layers"]] == ["int8"] * 3
    x = dataset.view().parts["validation"]
    was, now = answers_of(before, x), answers_of(made.file, x)
    # 8 bits in full range: a processor without instructions for them adds pairs in 16 bits, which saturate
    most = 0.5 if settings.get("narrow") is False else 0.1
    assert 0 < np.abs(was - now).max() <= most * np.abs(was).max()


def test_the_same_seed_gives_the_same_bytes_and_another_watches_other_rows():
    dataset, stage = trained()
    files = [carried_out("int8", stage, work_of(dataset, seed=seed), rows=50).file for seed in (0, 0, 1)]
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("name", ["int8", "int8_dynamic", "int4"])
def test_validation_and_test_rows_are_not_read(name):
    dataset, stage = trained()
    assert carried_out(name, stage, guarded(dataset, "train")).file


def test_layers_are_judged_on_validation_rows_and_never_on_test_rows():
    dataset, stage = trained()
    made = carried_out("int8", stage, guarded(dataset, "train", "validation"), scope="local")
    assert [one["layer"] for one in made.told[-1]["sensitivity"]] == ["body.0", "body.2", "head"]


def test_the_layer_that_costs_the_most_stays_as_it_is():
    dataset, stage = one_layer_matters()
    work, x = work_of(dataset), dataset.view().parts["validation"]
    before = answers_of(onnx_bytes(stage.module, dataset.view().spec), x).argmax(1)
    every = carried_out("int8", stage, work)
    local = carried_out("int8", stage, work, scope="local")
    precisions = {one["layer"]: one["precision"] for one in local.told[-1]["layers"]}
    assert precisions == {"body.0": "float", "body.2": "int8", "head": "int8"}
    lost = {one["layer"]: one["lost"] for one in local.told[-1]["sensitivity"]}
    assert lost["body.0"] > 10 > 1 > max(lost["body.2"], lost["head"])
    agree = [(answers_of(one.file, x).argmax(1) == before).mean() for one in (every, local)]
    assert agree[0] < 0.8 and agree[1] >= 0.98


def test_where_every_layer_must_stay_nothing_is_called_rounded(monkeypatch):
    dataset, stage = trained()
    names = frozenset(one.name for one in Network(onnx_bytes(stage.module, dataset.view().spec)).layers())
    monkeypatch.setattr(int8, "staying", lambda *given: names)
    with pytest.raises(KDError, match=r"more than 0\.5 points are lost") as error:
        carried_out("int8", stage, work_of(dataset), scope="local")
    assert error.value.code == "compress_unsuited" and "qat" in error.value.hint


def test_local_without_loss_rounds_everything():
    dataset, stage = trained()
    made = carried_out("int8", stage, work_of(dataset), scope="local", most_lost=20)
    assert {one["precision"] for one in made.told[-1]["layers"]} == {"int8"}


def test_what_was_rounded_is_not_rounded_again_and_trees_are_refused():
    dataset, stage = trained()
    made, inputs = carried_out("int8", stage, work_of(dataset)), dataset.view().spec
    for name in ("int8", "int8_dynamic", "int4", "fp16", "qat"):
        entry = STEPS.get(name)
        assert entry.facts["changes"] == "file" and "already" in entry.facts["suits"](made, inputs)
        with pytest.raises(KDError, match="already") as error:
            carried_out(name, made, work_of(dataset))
        assert error.value.code == "compress_unsuited"
    arch = Choice(name="trees")
    columns = InputSpec("columns", (5,), values=(9,) * 5)
    from kd_core.models.building import build

    trees = Stage(arch, build(arch, columns, 2).eval())
    assert "multiply none" in STEPS.get("int8").facts["suits"](trees, columns)


def test_a_small_network_grows_and_a_large_one_shrinks():
    dataset = make_dataset()
    for width, smaller in ((4, False), (64, True)):
        arch = Choice(name="mlp", settings={"size": None, "width": width, "depth": 2})
        stage = Stage(arch, build_for(dataset, arch).eval())
        before = len(onnx_bytes(stage.module, dataset.view().spec))
        assert (len(carried_out("int8", stage, work_of(dataset)).file) < before) == smaller
