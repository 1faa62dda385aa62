import pytest

from kd_core.data.input_spec import table_inputs
from kd_core.errors import SpecError, UnknownName
from kd_core.models.building import build
from kd_core.specs import Choice


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(UnknownName, match=r"no architecture 'mpl'\. Did you mean 'mlp'"):
        build(Choice(name="mpl"), table_inputs(3), 2)


def test_no_columns_is_said():
    with pytest.raises(SpecError, match="at least 1 input and 1 output, got 0 and 2"):
        build(Choice(name="mlp"), table_inputs(0), 2)


def test_wrong_settings_are_listed_together():
    with pytest.raises(SpecError) as caught:
        build(Choice(name="mlp", settings={"width": 0, "depht": 2}), table_inputs(3), 2)
    assert "width" in str(caught.value) and "depht" in str(caught.value) and "2 problem(s)" in str(caught.value)
