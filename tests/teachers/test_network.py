import numpy as np
import pytest
import torch
from pydantic import Field

from kd_core.data.input_spec import table_inputs
from kd_core.errors import SpecError
from kd_core.models.base import SizeName
from kd_core.registry import Entry
from kd_core.specs import Choice, Spec, unit
from kd_core.teachers.answer_cache.kept import teacher_settings
from kd_core.teachers.base import SOURCES
from kd_core.teachers.network import NetworkSpec
from kd_core.teachers.sources.networks import spec_of
from tests.teachers.tables import fit_data


def test_the_callers_random_stream_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    entry = SOURCES.get("mlp")
    entry.make.fit(entry.spec(size="tiny", epochs=1), fit_data("binary"), 5, lambda e: None, lambda: False)
    assert torch.equal(torch.rand(3), expected)


def test_wide_tables_are_told_that_columns_share_tokens():
    rng = np.random.default_rng(0)
    data = fit_data(
        "binary",
        inputs=table_inputs(300),
        x=rng.standard_normal((200, 300)).astype("f4"),
        x_validation=rng.standard_normal((100, 300)).astype("f4"),
    )
    events, entry = [], SOURCES.get("ft_transformer")
    entry.make.fit(entry.spec(size="tiny", epochs=1), data, 0, events.append, lambda: False)
    said = [e for e in events if e["kind"] == "warning"]
    assert [e["code"] for e in said] == ["columns_share_tokens"]
    assert "300 encoded columns share tokens, 3 neighbours each" in said[0]["message"]


# As they were written when each network had a file of its own: runs and kept answers are found by these texts.
TRAINING = '"epochs":null,"learning_rate":0.001,'
REST = '"patience":8,"size":"{size}","weight_decay":0.001}}'
WRITTEN = {
    "mlp": '{"batch_size":null,"dropout":0.2,' + TRAINING + REST.format(size="base"),
    "mlp_large": '{"batch_size":null,"dropout":0.2,' + TRAINING + REST.format(size="large"),
    "resmlp": '{"batch_size":null,"dropout":0.2,' + TRAINING + REST.format(size="base"),
    "tabm": '{"batch_size":null,"dropout":0.1,' + TRAINING + '"members":16,' + REST.format(size="base"),
    "ft_transformer": '{"batch_size":256,"dropout":0.1,' + TRAINING + REST.format(size="small"),
}


@pytest.mark.parametrize("name", list(WRITTEN))
def test_settings_are_written_as_ever(name):
    assert teacher_settings(Choice(name=name)) == WRITTEN[name]
    changed = teacher_settings(Choice(name=name, settings={"size": "tiny", "dropout": 0.5}))
    assert '"size":"tiny"' in changed and '"dropout":0.5' in changed


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mlp", {"size": None}),
        ("mlp", {"width": 12}),
        ("mlp", {"activation": "gelu"}),
        ("linear", {"size": "tiny"}),
        ("resmlp", {"dropout": 0.9}),
        ("tabm", {"members": 1}),
        ("ft_transformer", {"batch_size": 8192}),
        ("textcnn", {"filters": 3}),
    ],
)
def test_what_is_no_setting_of_a_teacher_is_refused(name, settings):
    with pytest.raises(SpecError, match=next(iter(settings))):
        teacher_settings(Choice(name=name, settings=settings))


def test_settings_reach_the_network():
    entry, data = SOURCES.get("tabm"), fit_data("binary")
    spec = entry.spec(size="tiny", members=3, dropout=0.4, epochs=1)
    network = entry.make.fit(spec, data, 0, lambda e: None, lambda: False).module()
    assert (network.num_members, network.dropout.p, len(network.layers)) == (3, 0.4, 1)


class GatedSpec(Spec):
    """Settings with a list made anew each time, and one without hints."""

    size: SizeName = Field("small", description="Size by name.")
    width: int = Field(4, description="Units.", json_schema_extra=unit("units"))
    gates: list[int] = Field(default_factory=lambda: [1], description="Gates.", json_schema_extra=unit("gates"))
    tied: bool = Field(True, description="Tied.")
    sharpness: float = Field(1.0, description="Sharpness.", json_schema_extra=unit("times", advanced=True))


def test_a_teachers_form_has_what_is_neither_shape_nor_for_experts():
    facts = {"presets": {"small": {"width": 4}}}
    made = spec_of(Entry("gated", lambda *given: None, "Gated", GatedSpec, facts=facts))
    assert list(made.model_fields) == [*NetworkSpec.model_fields, "size", "gates", "tied"]
    assert (made().size, made().gates, made().tied, made.__name__) == ("base", [1], True, "GatedTeacher")
