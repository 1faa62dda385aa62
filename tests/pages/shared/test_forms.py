"""Forms made from specs: each kind of field, bounds, folds, and parts that register themselves."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

import pytest
from pydantic import Field
from streamlit.testing.v1 import AppTest

from kd_core.errors import SpecError
from kd_core.specs import Spec, SweepSpec, unit
from pages.ui.shared import forms


class Open(Spec):
    """Fields whose bounds are not values themselves."""

    above: float = Field(0.5, gt=0, lt=1, description="Between.")
    count: int = Field(5, gt=2, lt=9, description="A count.")
    some: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field((), max_length=8, description="Several.")
    closed: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field((), description="Several.")


class Everything(Spec):
    """One field of each kind."""

    share: float = Field(0.7, ge=0, le=1, description="A share.", json_schema_extra=unit("0..1"))
    heat: float = Field(2.0, ge=0.5, le=20, description="A log slider.", json_schema_extra=unit("divides", log=True))
    rate: float = Field(3e-3, gt=0, le=1e6, description="A wide number.", json_schema_extra=unit("per step", log=True))
    epochs: int | None = Field(None, ge=1, le=100, description="A count.", json_schema_extra=unit("epochs"))
    way: Literal["a", "b"] = Field("a", description="A choice.")
    maybe: Literal[".", ","] | None = Field(None, description="A choice or nothing.")
    on: bool = Field(True, description="A switch.", json_schema_extra=unit("yes/no", advanced=True))
    decay: float = Field(1e-4, ge=0, le=1, description="Too fine for a slider.")
    margin: float | None = Field(None, gt=0, le=1, description="A number or nothing.")
    word: str | None = Field(None, description="A word.")


def page() -> None:
    import streamlit as st

    from pages.ui.shared import forms
    from tests.pages.shared.test_forms import Everything

    st.session_state["held"] = forms.form(Everything, {"share": 0.25}, "f")


def held(at: AppTest) -> dict:
    return at.session_state["held"]


def test_each_field_has_a_widget_with_help_and_the_specs_bounds():
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert held(at) == {**Everything(share=0.25).model_dump()}
    assert at.slider(key="f.share").max == 1 and at.slider(key="f.share").help.startswith("A share.")
    assert "0..1" in at.slider(key="f.share").help
    heat = at.select_slider(key="f.heat")
    assert heat.options[0] == "0.5" and heat.options[-1] == "20" and "2" in heat.options
    assert at.number_input(key="f.epochs").value is None and at.number_input(key="f.epochs").max == 100
    assert (
        at.number_input(key="f.epochs").proto.placeholder == "auto"
    )  # an automatic number is an empty field that says so
    assert at.selectbox(key="f.maybe").value is None
    assert [e.label for e in at.expander] == ["More settings"]
    assert at.toggle(key="f.on").value is True
    assert at.number_input(key="f.decay").value == 1e-4


def test_what_is_entered_is_returned_and_fits_the_spec():
    at = AppTest.from_function(page).run()
    at.select_slider(key="f.heat").set_value(20.0)
    at.number_input(key="f.rate").set_value(0.5)
    at.number_input(key="f.epochs").set_value(12)
    at.selectbox(key="f.way").set_value("b")
    at.number_input(key="f.margin").set_value(0.5)
    at.text_input(key="f.word").set_value("x")
    at.run()
    assert Everything.parse(held(at)) == Everything(
        share=0.25, heat=20, rate=0.5, epochs=12, way="b", margin=0.5, word="x"
    )


@pytest.mark.parametrize("name", ["above", "count"])
def test_the_ends_that_a_widget_offers_are_inside_open_bounds(name):
    low, high = forms.bounds(Open.model_fields[name])
    assert low is not None and high is not None
    for value in (low, high):
        assert getattr(Open.parse({name: value}), name) == value
    assert (low, high) == ((3, 8) if name == "count" else (1e-6, 1 - 1e-6))


def several() -> None:
    import streamlit as st

    from pages.ui.shared import forms
    from tests.pages.shared.test_forms import Open

    st.session_state["held"] = {n: forms.numbers(n, Open.model_fields[n], (), "n") for n in ("some", "closed")}


def test_each_number_of_a_list_obeys_its_own_bounds_open_or_closed():
    at = AppTest.from_function(several).run()
    at.session_state["n.some"] = at.session_state["n.closed"] = ["0", "1e-9", "0.5", "1", "1.5", "-1", "nan", "x"]
    at.run()
    assert held(at) == {"some": (1e-9, 0.5), "closed": (0.0, 1e-9, 0.5, 1.0)}
    assert "0, 1, 1.5, -1, nan, x" in at.caption[0].value and "1.5, -1, nan, x" in at.caption[1].value
    assert Open.parse(held(at)).some == (1e-9, 0.5)


@pytest.mark.parametrize("name", sorted(SweepSpec.model_fields.keys() - {"mode"}))
def test_the_edges_of_every_what_if_list_are_taken_as_the_spec_takes_them(name):
    info = SweepSpec.model_fields[name]
    low, high = forms.item_bounds(info)
    assert low is not None and high is not None
    for edge in (low, high):
        assert getattr(SweepSpec.parse({name: (edge,)}), name) == (edge,)
    if name == "learning_rate":
        with pytest.raises(SpecError, match="greater than 0"):
            SweepSpec.parse({name: (0,)})


def test_log_steps_hold_the_bounds_and_the_given_value_and_grow_by_ratio():
    steps = forms.log_steps(0.5, 20, 2.0, 3.33)
    assert steps[0] == 0.5 and steps[-1] == 20 and {2.0, 3.33} <= set(steps)
    ratios = [b / a for a, b in itertools.pairwise(steps)]
    assert max(ratios) < 1.3 and steps == sorted(set(steps))


def test_only_changed_settings_are_kept():
    values = Everything().model_dump()
    assert forms.changed(Everything, values, {}) == {}
    assert forms.changed(Everything, {**values, "way": "b"}, {"share": 0.7}) == {"share": 0.7, "way": "b"}


def test_a_part_that_cannot_work_is_listed_with_its_reason():
    def page() -> None:
        import streamlit as st

        from kd_core.registry import Registry, Situation
        from kd_core.specs import Spec
        from kd_core.task import NUMERIC
        from pages.ui.shared import forms

        parts: Registry = Registry("loss")
        parts.register("one", title="One *bold*", spec=Spec)(1)
        parts.register("two", title="Two", spec=Spec, tasks=NUMERIC)(2)
        at = Situation(task="binary", num_classes=2)
        st.session_state["chosen"] = forms.part(parts, at, "two", "p", "Part", "help")

    at = AppTest.from_function(page).run()
    assert at.session_state["chosen"] == "one" and at.selectbox(key="p").options == ["One *bold*"]
    assert "Two (predicts a number; here it is yes or no)" in at.markdown[0].value


def test_nothing_fits_is_said_and_the_choice_is_kept():
    def page() -> None:
        import streamlit as st

        from kd_core.registry import Registry, Situation
        from kd_core.specs import Spec
        from kd_core.task import NUMERIC
        from pages.ui.shared import forms

        parts: Registry = Registry("loss")
        parts.register("two", title="Two", spec=Spec, tasks=NUMERIC)(2)
        at = Situation(task="binary", num_classes=2)
        st.session_state["chosen"] = forms.part(parts, at, "two", "p", "Part", "help")

    at = AppTest.from_function(page).run()
    assert [w.value for w in at.warning] == ["No loss works for this data."]
    assert at.session_state["chosen"] == "two" and not at.selectbox


def test_an_automatic_number_can_be_given_and_taken_back():
    at = AppTest.from_function(page).run()
    at.number_input(key="f.epochs").set_value(12)
    at.number_input(key="f.margin").set_value(0.5)
    assert (held(at.run())["epochs"], held(at)["margin"]) == (12, 0.5)
    at.number_input(key="f.epochs").set_value(None)
    at.number_input(key="f.margin").set_value(None)
    assert (held(at.run())["epochs"], held(at)["margin"]) == (None, None)


class Given(Spec):
    """A file and columns."""

    path: str | None = Field(None, description="A file.", json_schema_extra=unit("file", file=(".csv",)))
    columns: tuple[str, ...] = Field((), description="Some.", json_schema_extra=unit("names", columns=True))
    id: str | None = Field(None, description="One.", json_schema_extra=unit("name", columns=True))


def given_page() -> None:
    import streamlit as st

    from pages.ui.shared import forms
    from tests.pages.shared.test_forms import Given

    st.session_state["held"] = forms.form(Given, st.session_state.get("given", {}), "g", names_of_data=("a", "b"))


def test_a_file_is_kept_in_the_workspace_by_its_content(own_workspace):
    at = AppTest.from_function(given_page).run()
    assert not at.exception and held(at) == {"path": None, "columns": (), "id": None}
    at.file_uploader[0].set_value(("../../answers.csv", b"p\n1\n", "text/csv")).run()
    assert not at.exception
    source = held(at)["path"]
    folder = own_workspace / "uploads" / source.removeprefix("sha256:")
    assert (folder / "original").read_bytes() == b"p\n1\n"
    assert "Taken: answers.csv, 4 B" in at.caption[0].value
    assert sorted(p.relative_to(own_workspace).parts[0] for p in own_workspace.rglob("*")) == ["uploads"] * 4
    again = AppTest.from_function(given_page)  # another day: the draft names it, nothing is in the place for files
    again.session_state["given"] = {"path": source}
    assert held(again.run())["path"] == source and "Taken: answers.csv" in again.caption[0].value


def test_a_file_that_is_gone_or_refused_is_said(own_workspace):
    at = AppTest.from_function(given_page)
    at.session_state["given"] = {"path": f"sha256:{'0' * 64}"}
    at.run()
    assert "is not in the workspace" in at.error[0].value
    at.file_uploader[0].set_value(("a.csv", b"", "text/csv")).run()
    assert held(at)["path"] is None and "The file is empty" in at.error[0].value


def test_columns_are_those_of_the_data_or_others_that_are_written(own_workspace):
    at = AppTest.from_function(given_page)
    at.session_state["given"] = {"columns": ("b", "of the file"), "id": "a"}
    at.run()
    assert held(at) == {"path": None, "columns": ("b", "of the file"), "id": "a"}
    assert at.multiselect[0].options == ["a", "b", "of the file"]


def test_a_field_that_names_teachers_offers_those_that_ask_no_others_and_need_nothing_chosen():
    def page():
        from kd_core.teachers import SOURCES
        from pages.ui.runs import teachers

        teachers.fields(SOURCES.get("average").spec, {"teachers": ["mlp", "linear"]}, "f", ())

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    (drawn,) = at.multiselect
    assert drawn.value == ["mlp", "linear"] and {"gradient_boosting", "cnn"} <= set(drawn.options)
    assert not {"average", "soft_labels", "onnx"} & set(drawn.options)


def test_a_field_of_several_names_begins_with_its_default():
    def page():
        import streamlit as st

        from kd_core.teachers import SOURCES
        from pages.ui.runs import teachers
        from pages.ui.shared import forms

        spec = SOURCES.get("best").spec
        st.session_state["held"] = forms.changed(spec, teachers.fields(spec, {}, "f", ()), {})

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception and at.multiselect[0].value == ["lightgbm", "gradient_boosting"]
    assert at.session_state["held"] == {}


def test_a_share_of_epochs_is_called_so_and_epochs_are_epochs():
    from kd_core.compress.base import STEPS
    from kd_core.specs import TrainingSpec

    for name in ("distill", "qat", "prune_magnitude"):
        assert (
            str(forms.label("epochs", STEPS.get(name).spec.model_fields["epochs"])) == "Share of the student's epochs"
        )
    assert str(forms.label("epochs", TrainingSpec.model_fields["epochs"])) == str(forms.label("epochs")) == "Epochs"
    assert str(forms.label("unheard_of", None)) == "Unheard of"
