"""Where teacher and students learn: each where it takes less time, as asked for where somebody asks."""

from __future__ import annotations

import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.data.preparation import prepare
from kd_core.errors import SpecError
from kd_core.machine import device as devices
from kd_core.runs import estimate
from kd_core.runs.cost.places import Places, choose_places
from kd_core.runs.direct import run_here
from kd_core.runs.plan import views_read
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.view.wording import sentence
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from tests.runs.tables import small_spec, write_table

CORE = {"data": 3.0, "teacher:cnn": 37.0, "training:apart": 5.0, "evaluate": 1.0}
GPU = {"data": 3.0, "teacher:cnn": 9.0, "training:apart": 15.0, "evaluate": 2.0}


def by_size(gpu):
    return GPU if gpu else CORE


@pytest.fixture
def offered(monkeypatch):
    monkeypatch.setattr(devices, "offers_gpu", lambda: True)


def test_each_learns_where_it_takes_less_time(offered):
    places, found = choose_places("auto", by_size)
    assert places == Places("cuda", "cpu", pytest.approx(15 + 2 - 5 - 1))
    assert found == {"data": 3.0, "teacher:cnn:cuda": 9.0, "training:apart": 5.0, "evaluate": 1.0}


def test_what_a_gpu_does_not_save_its_own_start_learns_on_the_processor(offered):
    assert choose_places("auto", lambda _: CORE)[0] == Places("cpu", "cpu")
    sides = {gpu: {"teacher:cnn": 1.0, "training:apart": 5.0 - 1.9 * gpu} for gpu in (False, True)}
    assert choose_places("auto", sides.get)[0] == Places("cpu", "cpu")
    sides[True]["training:apart"] = 2.9
    assert choose_places("auto", sides.get)[0] == Places("cpu", "cuda")


@pytest.mark.parametrize(("asked", "both"), [("cpu", "cpu"), ("cuda", "cuda")])
def test_a_device_that_was_asked_for_is_taken_for_both(offered, asked, both):
    places, found = choose_places(asked, by_size)
    assert places == Places(both, both) and sum(found.values()) == sum(by_size(both == "cuda").values())
    assert [kind.endswith(":cuda") for kind in found] == [
        False,
        both == "cuda",
        both == "cuda",
        False,
    ]  # as `pace` counts


def test_without_a_gpu_the_processor_is_all_there_is(monkeypatch):
    monkeypatch.setattr(devices, "offers_gpu", lambda: False)
    places, found = choose_places("auto", by_size)
    assert places == Places() and found == CORE and places.fields() == {"device": "cpu", "teacher_device": "cpu"}


def test_what_the_machine_does_besides_does_not_move_a_run(offered):
    spec = small_spec("t.csv").model_copy(update={"teacher": Choice(name="mlp_large")})
    about = spec, 5_000, {"table": InputSpec("table", (20,), "float32")}, 2
    idle, busy = (estimate.foresee(*about, estimate.Circumstances(busy=n)) for n in (1.0, 9.0))
    assert idle.places == busy.places and busy.seconds > 5 * idle.seconds


# Times on one H200 beside four cores (docs/LAB.md): students of lists > 85 s there, 36 s here; a teacher of pictures 9 s and 37 s.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "teacher", "students"), [("search", "cpu", "cpu"), ("product_pictures", "cuda", "cpu")]
)
def test_scenarios_go_where_they_were_measured_to_be_quicker(offered, name, teacher, students):
    spec = default_spec(name)
    rows = prepare(spec.dataset)
    inputs = {kind: rows.view(kind).spec for kind in views_read(spec, rows.views.kinds)}
    found = estimate.foresee(spec, len(rows.rows), inputs, rows.num_outputs)
    assert (found.places.teacher, found.places.students) == (teacher, students)


def test_the_plan_says_where_each_learns_and_what_a_gpu_would_take_more():
    plan = {"kind": "plan", "trainings": 4, "epochs": 20, **Places("cuda", "cpu", 44.4).fields()}
    assert "on cpu, the teacher on cuda (all on the GPU would take about 44 s more)." in sentence(plan)
    assert sentence({**plan, **Places("cuda", "cuda").fields(), "gpu_slower_seconds": None}).endswith("on cuda.")


def test_a_gpu_that_is_not_there_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError):
        devices.pick("cuda")


@pytest.mark.slow
def test_small_students_learn_on_the_processor_beside_a_gpu_and_give_the_same_numbers(tmp_path, offered):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    plans, found = {}, {}
    for device in ("auto", "cpu"):
        training = spec.training.model_copy(update={"device": device})
        events = []
        asked = spec.model_copy(update={"training": training})
        found[device], _ = run_here(asked, tmp_path / device, events.append, StopSignal())
        plans[device] = next(e for e in events if e["kind"] == "plan")
    assert plans["auto"]["device"] == plans["auto"]["teacher_device"] == "cpu"
    assert [s["metrics"] for s in found["auto"]["students"]] == [s["metrics"] for s in found["cpu"]["students"]]
