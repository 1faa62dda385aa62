"""Weights from a safetensors file as a source: names and shapes are checked, and what is not told by them is said."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load, save

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.preparation import prepare
from kd_core.errors import DataError, KDError, SpecError, Stopped
from kd_core.models.building import build_for, start_weights
from kd_core.runs.asked import teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources.weights import WeightsModel
from kd_core.training.predict import predict
from tests.runs.tables import small_spec, write_table
from tests.teachers.tables import dataset

pytestmark = pytest.mark.slow
ENTRY = SOURCES.get("weights")


def network(data, name="mlp", **settings):
    with start_weights(3):
        return build_for(data, Choice(name=name, settings=settings)).eval()


def ask(root, file, data, stop=lambda: False, **settings):
    kept = DataLibrary(root, UPLOADS).add(file, "teacher.safetensors").source if file is not None else ""
    return ENTRY.make(ENTRY.spec.parse({"path": kept, **settings}), Ask(data, None, 5, 0, None, "", "cpu", print, stop))


@pytest.fixture
def data():
    return dataset("binary")


@pytest.mark.parametrize(
    ("name", "built", "settings"),
    [
        ("mlp", {"size": "base"}, {}),
        ("mlp", {"size": "base"}, {"arch": "mlp", "size": "base"}),
        ("mlp", {"size": None, "width": 7, "depth": 3}, {"arch": "mlp", "shape": "width=7, depth=3"}),
        ("linear", {}, {}),
        ("resmlp", {"size": "tiny"}, {"arch": "resmlp"}),
    ],
)
def test_it_answers_as_the_network_does_and_finds_what_it_is(own_workspace, data, name, built, settings):
    module = network(data, name, **built)
    found = ask(own_workspace, save(module.state_dict()), data, **settings)
    for split, x in data.view().parts.items():
        np.testing.assert_allclose(found.logits[split], predict(module, x), rtol=1e-5, atol=1e-6)
    assert found.details["arch"] == name and found.num_parameters == sum(p.numel() for p in module.parameters())
    assert found.latency_ms["torch"]["1"]["p50"] > 0 and found.folds == 0
    said = found.notes[0]
    assert said["severity"] == "warning" and said["message"].startswith(f"The weights are taken for {name} (")
    assert "the table view of this data (float32 [4]) and answer the classes in the order no, yes" in said["message"]
    assert "teacher Earlier run" in said["hint"] and "is not known" in found.notes[1]["message"]


def test_half_precision_is_read_and_classes_are_turned(own_workspace, data):
    module = network(data, size="tiny")
    file = save({name: t.half() for name, t in module.state_dict().items()})
    found = ask(own_workspace, file, data, classes=["yes", "no"])
    np.testing.assert_allclose(found.logits["test"][:, ::-1], predict(module, data.view().parts["test"]), atol=1e-2)


def test_what_an_activation_does_is_as_said(own_workspace, data):
    module = network(data, size="tiny", activation="gelu")
    found = ask(own_workspace, save(module.state_dict()), data, arch="mlp", shape="activation=gelu")
    np.testing.assert_allclose(found.logits["test"], predict(module, data.view().parts["test"]), atol=1e-6)
    assert "activation gelu" in found.notes[0]["message"]


def states(data):
    whole = network(data, size="tiny").state_dict()
    first = next(iter(whole))
    last = list(whole)[-1]
    other = dataset("multiclass")
    return {
        "lacks": {n: t for n, t in whole.items() if n != first},
        "more": {**whole, "extra": torch.zeros(3)},
        "kind": {**whole, last: whole[last].to(torch.int64)},
        "classes": network(other, size="tiny").state_dict(),
        "nan": {**whole, last: whole[last] * torch.nan},
        "inf": {n: t + 1e38 for n, t in whole.items()},
    }


WRONG = {
    "lacks": (
        "weights_differ",
        r"The weights don't fit mlp \(size=tiny\), the nearest of 4 that were tried: it lacks '.+' \(\d+, 4\)\. Say",
    ),
    "more": ("weights_differ", r"'extra' \(3,\) is not part of it\. Say what they belong to"),
    "kind": ("weights_differ", r"'.+' holds I64, needed is torch\.float32"),
    "classes": (
        "weights_differ",
        r"'head\.bias' is \(3,\), needed is \(2,\); 'head\.weight' is \(3, 8\), needed is \(2, 8\)\. Say",
    ),
    "nan": ("weights_nan", r"The weights '.+' hold numbers that are not finite\. Take the weights of another epoch"),
    "inf": ("weights_nan", r"The weights answer some rows with no number\. Check the weights"),
}


@pytest.mark.parametrize("case", WRONG)
def test_differences_are_named(own_workspace, data, case):
    code, words = WRONG[case]
    with pytest.raises(DataError, match=words) as error:
        ask(own_workspace, save(states(data)[case]), data, arch="mlp")
    assert error.value.code == code


def test_of_all_architectures_the_nearest_is_compared_and_many_differences_are_counted(own_workspace, data):
    with pytest.raises(DataError, match=r"the nearest of \d\d that were tried: .+; .+; .+ and \d+ more differences"):
        ask(own_workspace, save({f"w{i}": torch.zeros(2) for i in range(9)}), data)


@pytest.mark.parametrize("keep", [0, 9, 60, -3])
def test_a_file_that_was_cut_off_is_said(own_workspace, data, keep):
    file = save(network(data, size="tiny").state_dict())[:keep] or b"\0"
    with pytest.raises(
        DataError, match=r"This is no safetensors file that can be read: .+ Write it with safetensors"
    ) as error:
        ask(own_workspace, file, data)
    assert error.value.code == "weights_damaged"


def test_a_head_that_claims_more_than_there_is_is_refused(own_workspace, data):
    head = b'{"w":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
    for size in (len(head), 2**40):
        with pytest.raises(DataError, match="no safetensors file that can be read"):
            ask(own_workspace, size.to_bytes(8, "little") + head, data)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"arch": "mpl"}, KDError, r"no architecture 'mpl'\. Did you mean 'mlp'\?"),
        (
            {"arch": "mlp", "shape": "width"},
            SpecError,
            r"The setting 'width' of the architecture is not understood\. Write name=value",
        ),
        ({"arch": "mlp", "shape": "width=100000"}, SpecError, "less than or equal to 2048"),
        ({"arch": "mlp", "shape": "wings=2"}, SpecError, "wings"),
        ({"arch": "textcnn"}, SpecError, "'textcnn' reads word pieces; these rows can be read as table"),
        ({"shape": "wings=2"}, SpecError, "No architecture that can teach reads the rows of this dataset"),
        ({"classes": ["yes", "maybe"]}, DataError, "has other classes than the data"),
    ],
)
def test_settings_that_can_not_work_are_said(own_workspace, data, settings, error, words):
    with pytest.raises(error, match=words):
        ask(own_workspace, save(network(data, size="tiny").state_dict()), data, **settings)


def test_nothing_chosen_and_a_stop(own_workspace, data):
    with pytest.raises(DataError, match=r"No file of weights is chosen\. Upload one"):
        ask(own_workspace, None, data)
    asked = iter([False, False])
    with pytest.raises(Stopped):
        ask(own_workspace, save(network(data, size="tiny").state_dict()), data, lambda: next(asked, True))


def test_it_is_saved_opened_and_asked_about_raw_rows(own_workspace, tmp_path):
    data = prepare(small_spec(write_table(tmp_path / "a.csv", "binary", 200)).dataset)
    live = ask(own_workspace, save(network(data, size="tiny").state_dict()), data).live
    rows = pd.DataFrame({"a": ["1", None], "b": [0.5, 2], "kind": ["red", "new"]})
    live.save(tmp_path)
    np.testing.assert_array_equal(WeightsModel.load(tmp_path, data).ask(rows), live.ask(rows))


def test_the_weights_of_a_run_teach_another_on_the_same_rows(own_workspace, tmp_path):
    spec = small_spec(write_table(tmp_path / "a.csv", "binary", 300))
    first, place = run_here(spec, tmp_path / "first", lambda event: None, StopSignal())
    file = place / first["artifacts"]["students"][0]["weights"]
    assert load(file.read_bytes())
    choice = teacher_choice("weights", [f"teacher.path={file}", "teacher.arch=mlp", "teacher.size=tiny"])
    result, _ = run_here(
        spec.model_copy(update={"teacher": choice}), tmp_path / "second", lambda event: None, StopSignal()
    )
    seed = first["students"][0]["seeds"].index(first["students"][0]["selection"]["kept_seed"])
    own = first["students"][0]["metrics"]["roc_auc"]["values"][seed]
    assert result["teacher"]["metrics"]["roc_auc"] == pytest.approx(own, abs=1e-9)
    assert result["teacher"]["parameters"] == first["students"][0]["parameters"] and result["students"][0]["gain"]
