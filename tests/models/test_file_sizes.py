"""What the form says a student's file will take, against files of the samples."""

from __future__ import annotations

import pytest

from kd_core.data.input_spec import COLUMNS, TABLE, InputSpec
from kd_core.data.preparation import look_at, prepare
from kd_core.data.views.table import count_name_bytes
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.raw_model import raw_model
from kd_core.models import ARCHS
from kd_core.models.archs.trees import TreesSpec
from kd_core.models.base import ReadsFirst
from kd_core.models.building import build_for, cpu_state, deployed_state, viewed
from kd_core.models.file_sizes import file_bytes
from kd_core.runs.deployment import purpose_of
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.specs import Choice, DatasetSpec
from kd_core.task import task_of
from tests.runs.tables import order_lines

SAMPLES = {  # beside free text a file holds words, which nobody knows before they are read
    default_spec(n).dataset.source: default_spec(n).dataset
    for n in SCENARIOS.names()
    if not {"text", "pictures"} & set(" ".join(SCENARIOS.get(n).facts["tags"]).split())
    and not task_of(SCENARIOS.get(n).facts["task"]).by_history  # no table: read as what came before
    and not default_spec(
        n
    ).dataset.more_targets  # what several targets are called takes a file up to 2 KB more than the form says
}


def students():
    for entry in ARCHS.entries():
        facts = entry.facts
        if "student" in facts["roles"] and {TABLE, COLUMNS} & set(facts["takes"]) and "fits" not in facts:
            yield from (Choice(name=entry.name, settings={"size": size}) for size in facts["presets"])
            if not facts["presets"]:
                yield Choice(name=entry.name)


@pytest.mark.slow
@pytest.mark.parametrize("source", SAMPLES)
def test_a_file_takes_what_the_form_says(source):
    dataset = prepare(SAMPLES[source])
    wrong = {}
    for choice in students():
        rows, module = viewed(dataset, choice), build_for(dataset, choice).eval()
        module.load_state_dict(deployed_state(dataset, choice, cpu_state(module)))
        found = len(raw_model(onnx_bytes(module, rows.spec), rows.view, purpose_of(dataset)))
        told = file_bytes(choice, rows.spec, dataset.num_outputs, tuple(rows.view.types))
        if not 0.75 <= told / found <= 1.25:
            wrong[choice.name, choice.settings.get("size")] = told, found
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["bag", "terms", "textcnn"])
def test_a_file_that_knows_pieces_of_words_takes_what_the_form_says(arch):
    dataset = prepare(default_spec("service").dataset)
    for size in ("tiny", "base"):
        choice = Choice(name=arch, settings={"size": size})
        rows, module = viewed(dataset, choice), build_for(dataset, choice).eval()
        module.load_state_dict(deployed_state(dataset, choice, cpu_state(module)))
        view = rows.view.first(module.reads()) if isinstance(module, ReadsFirst) else rows.view
        found = len(raw_model(onnx_bytes(module, rows.spec), view, purpose_of(dataset)))
        told = file_bytes(choice, rows.spec, dataset.num_outputs, tuple(rows.view.types), 1)
        assert 0.75 <= told / found <= 1.25, (size, told, found)


@pytest.mark.slow
def test_a_table_with_free_text_is_told_at_its_most():
    dataset, choice = prepare(default_spec("service").dataset), Choice(name="linear")
    rows, module = viewed(dataset, choice), build_for(dataset, choice).eval()
    found = len(raw_model(onnx_bytes(module, rows.spec), rows.view, purpose_of(dataset)))
    terms = len(next(iter(rows.view.blocks.values())).terms)
    told = file_bytes(choice, rows.spec, dataset.num_outputs, tuple(rows.view.types), 1)
    assert told > found and 0.8 < (told - 160 * (20_000 - terms)) / found < 1.2


def test_trees_are_told_at_their_most():
    inputs = InputSpec(COLUMNS, (5,), values=(2,) * 5)
    told = [file_bytes(Choice(name="trees", settings={"size": s}), inputs, 2, ["a"] * 5) for s in TreesSpec.presets]
    assert told == sorted(told) and told[0] < 6_500 and told[-1] > 90_000
    several = file_bytes(Choice(name="trees", settings={"size": "tiny"}), inputs, 3, ["a"] * 5)
    assert abs(several - told[0] - 2 * 17.7 * 26 * 11) <= 1


def test_rows_that_are_not_read_raw_have_no_estimate():
    assert file_bytes(Choice(name="cnn"), InputSpec("pixels", (28, 28, 1)), 2, ["a"]) is None


@pytest.mark.parametrize("settings", [{}, {"label_bytes": 1500}, {"label_bytes": 0}], ids=["all", "some", "none"])
def test_names_of_category_values_are_foreseen_too(tmp_path, settings):
    spec = DatasetSpec(
        source=str(order_lines(tmp_path / "lines.csv")), target="back", task="binary", kinds={"product": "category"}
    )
    dataset, choice = prepare(spec), Choice(name="linear", settings=settings)
    labels = count_name_bytes(look_at(spec))
    rows, module = viewed(dataset, choice), build_for(dataset, choice).eval()
    found = len(raw_model(onnx_bytes(module, rows.spec), rows.view, purpose_of(dataset)))
    told = file_bytes(choice, rows.spec, dataset.num_outputs, tuple(rows.view.types), labels=labels)
    assert labels > 10_000 and abs(told - found) < 500 + 0.15 * found
