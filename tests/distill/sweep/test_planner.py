import pytest
import torch

from kd_core import device as devices
from kd_core.distill.stack import chunks
from kd_core.distill.sweep import forecast, foresight, planner, sequential, shares
from kd_core.distill.sweep.variants import Variant
from kd_core.errors import KDError
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher

SHORT = TrainingSpec(epochs=2, batch_size=32)
LONG = TrainingSpec(epochs=60, batch_size=32)  # 480 steps: enough for a probe
OTHER = StudentSpec(name="apart", arch=Choice(name="tabm", settings={"size": "tiny"}))


def variants(count=4, student=STUDENT):
    return [Variant(student, objective_for("binary", alpha=0.5), seed) for seed in range(count)]


def run(chosen, training=SHORT, **more):
    data, events = make_dataset(), []
    found = planner.train_variants(data, chosen, teacher(data), training, notify=events.append, **more)
    return found, events


def sweep_of(events):
    (event,) = [e for e in events if e["kind"] == "sweep"]
    return event


@pytest.fixture
def machine(monkeypatch):
    """Probes answer from a table of seconds per epoch; training is only noted down."""

    def made(sequential_seconds, fused_seconds, bfloat16=1.0, hardware=True, cores=2):
        done = []

        def answer(seconds):
            return lambda *args, precision, **more: seconds * (bfloat16 if precision == "bfloat16" else 1.0)

        def note(name):
            def train(dataset, variants, *args, **more):
                done.append((name, [v.seed for v in variants], more.get("lanes"), more["precision"]))
                return [None] * len(variants)

            return train

        monkeypatch.setattr(sequential, "probe", answer(sequential_seconds))
        monkeypatch.setattr(chunks, "probe", answer(fused_seconds))
        monkeypatch.setattr(sequential, "train_variants", note("sequential"))
        monkeypatch.setattr(chunks, "train_variants", note("fused"))
        monkeypatch.setattr(devices, "has_bfloat16", lambda kind: hardware)
        monkeypatch.setattr(shares, "cores", lambda: cores)
        monkeypatch.setattr(foresight, "SHORT_SECONDS", 0.0)
        return done

    return made


@pytest.mark.slow
@pytest.mark.parametrize("asked_after", [1, 2])  # before any way is measured, and between two
def test_a_stop_is_heard_between_the_measurements(machine, asked_after):
    done, heard = machine(2.0, 1.0), []

    def should_stop():
        heard.append(None)
        return len(heard) > asked_after

    found, events = run(variants(), LONG, should_stop=should_stop)
    assert found == [None] * 4 and not done and not [e for e in events if e["kind"] == "sweep"]
    assert len(heard) == asked_after + 1


def test_results_come_in_the_order_asked_whatever_is_stacked():
    mixed = [variants(3)[0], variants(1, OTHER)[0], *variants(3)[1:]]
    told = []
    found, events = run(mixed, on_trained=lambda position, trained: told.append((position, trained.variant)))
    assert [t.variant for t in found] == mixed
    assert sorted(told, key=lambda t: t[0]) == list(enumerate(mixed))
    event = sweep_of(events)
    assert (event["mode"], event["trainings"], event["precision"], event["probe"]) == ("fused", 4, "float32", {})
    assert "The work is too short for a probe" in event["why"]
    assert "3 of 4 are trained as one stack after another. 1 of 4 are trained one after another." in event["why"]
    assert "Not stacked, because the architecture 'tabm' has no stacked form" in event["why"]
    best = {}
    for scores in (e for e in events if e["kind"] == "scores"):
        best |= scores["best"]
    assert best == pytest.approx({str(i): t.score_selected for i, t in enumerate(found)})


def test_the_fastest_is_taken_and_the_numbers_are_told(machine):
    done = machine(sequential_seconds=0.05, fused_seconds=0.01)
    event = sweep_of(run(variants(), LONG)[1])
    assert done == [("fused", [0, 1, 2, 3], 1, "float32")]
    assert event["probe"] == {"sequential": 3.0, "fused": 0.6}
    assert event["why"].startswith("Foreseen for 4 trainings of at most 60 epochs: fused 0.6 s, sequential 3 s.")
    assert "Child processes were not measured" in event["why"]


def test_where_stacking_loses_they_are_trained_one_after_another(machine):
    done = machine(sequential_seconds=0.05, fused_seconds=0.06)
    assert sweep_of(run(variants(), LONG)[1])["mode"] == "sequential"
    assert done[0][0] == "sequential"


@pytest.mark.parametrize(
    ("asked", "hardware", "precision"),
    [
        ("auto", True, "float32"),
        ("auto", False, "float32"),
        ("float32", True, "float32"),
        ("bfloat16", True, "bfloat16"),
        ("bfloat16", False, "float32"),
    ],
)
def test_the_number_format_never_depends_on_a_probe(machine, asked, hardware, precision):
    done = machine(0.15, 0.1, bfloat16=0.1, hardware=hardware)
    training = LONG.model_copy(update={"precision": asked})
    _, events = run([*variants(2), *variants(2, OTHER)], training)
    assert sweep_of(events)["precision"] == precision
    assert {used for *_, used in done} == {precision}
    warned = [e["message"] for e in events if e["kind"] == "warning"]
    lacks = ["bfloat16 was asked for, but this cpu has no arithmetic for it; float32 is used."]
    assert warned == (lacks if asked == "bfloat16" and not hardware else [])


def test_stacks_that_are_done_at_once_are_not_probed(machine, monkeypatch):
    done = machine(0.01, 0.05)
    monkeypatch.setattr(foresight, "SHORT_SECONDS", 1.5)
    event = sweep_of(run(variants(), LONG)[1])
    assert (event["mode"], event["probe"]) == ("fused", {})
    assert done[0][0] == "fused"
    assert sweep_of(run([*variants(), *variants(1, OTHER)], LONG)[1])["probe"]  # what can't be stacked takes longer


class FakeCrew:
    """Children that answer from a table."""

    count, answers, trained = 2, {}, []

    def __init__(self, *args, **more):
        FakeCrew.trained, FakeCrew.left = [], False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        FakeCrew.left = True

    def probe(self, way, parts, *, steps, precision):
        assert [len(p) for p in parts] == [2, 2]
        return self.answers[way]

    def shares(self, stacked, apart):
        return {"stacked": list(stacked), "apart": list(apart)}

    def train(self, shares, **more):
        FakeCrew.trained.append(shares)


@pytest.mark.parametrize(
    ("answers", "mode", "trained"),
    [
        ({"fused": 0.4, "sequential": 0.9}, "processes", [{"stacked": [0, 1, 2, 3], "apart": []}]),
        ({"fused": 0.9, "sequential": 0.4}, "processes", [{"stacked": [], "apart": [0, 1, 2, 3]}]),
        ({"fused": 0.9, "sequential": 0.9}, "fused", []),
        ({"fused": float("inf"), "sequential": float("inf")}, "fused", []),
    ],
)
def test_children_are_measured_when_the_work_is_long(machine, monkeypatch, answers, mode, trained):
    done = machine(sequential_seconds=2.0, fused_seconds=0.8)  # 48 s
    monkeypatch.setattr(forecast, "Crew", FakeCrew)
    FakeCrew.answers = answers
    _, events = run(variants(), LONG.model_copy(update={"precision": "float32"}))
    event = sweep_of(events)
    assert event["mode"] == mode
    assert FakeCrew.trained == trained
    assert bool(done) is not bool(trained)
    assert FakeCrew.left
    assert ("processes" in event["probe"]) is (min(answers.values()) < float("inf"))
    died = [e["message"] for e in events if e["kind"] == "warning"]
    assert died == ([] if min(answers.values()) < 9 else ["A child process ended while it was measured."])


def test_where_no_children_can_be_started_it_goes_on_without(machine, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    done = machine(sequential_seconds=2.0, fused_seconds=0.8)
    monkeypatch.setattr(shares.handover, "write", full)
    _, events = run(variants(), LONG)
    assert done[0][0] == sweep_of(events)["mode"] == "fused"
    assert [e["code"] for e in events if e["kind"] == "warning"] == ["no_children"]
    with pytest.raises(KDError, match="Child processes can't be started"):
        run(variants(), LONG, mode="processes")


@pytest.mark.parametrize(
    ("sequential_seconds", "fused_seconds", "cores"), [(0.6, 0.4, 2), (2.0, 0.6, 1), (9.0, 1.0, 2)]
)
def test_children_are_not_started_when_they_cannot_save_enough(
    machine, monkeypatch, sequential_seconds, fused_seconds, cores
):
    """Short work; one core; stacks so fast that two children training one by one could not beat them."""
    monkeypatch.setattr(forecast, "Crew", None)  # starting any would fail
    machine(sequential_seconds, fused_seconds, cores=cores)
    monkeypatch.setattr(forecast, "START_SECONDS", 10.5)
    assert sweep_of(run(variants(), LONG)[1])["mode"] == "fused"


@pytest.mark.parametrize("mode", ["fused", "sequential"])
def test_a_mode_asked_for_is_taken(machine, mode):
    done = machine(1.0, 0.2) if mode == "sequential" else machine(0.2, 1.0)
    event = sweep_of(run(variants(), LONG, mode=mode)[1])
    assert event["mode"] == mode == done[0][0]
    assert event["why"].startswith(f"The mode '{mode}' was asked for.")


def test_a_mode_that_cannot_work_is_refused():
    with pytest.raises(
        KDError, match=r"The student 'apart' can't be trained in a stack: the architecture 'tabm' has no"
    ) as caught:
        run([*variants(1), *variants(1, OTHER)], mode="fused")
    assert caught.value.code == "cannot_fuse"
    with pytest.raises(KDError, match="trains on the cores of the CPU, but the device is cuda") as caught:
        run(variants(1), mode="processes", device=torch.device("cuda"))
    assert caught.value.code == "no_processes"


def test_nothing_is_begun_after_a_stop_or_for_nothing():
    assert run(variants(2), should_stop=lambda: True) == ([None, None], [])
    assert run([]) == ([], [])


def test_seconds_are_written_as_a_person_would():
    assert [planner.spoken(s) for s in (0.123, 7.26, 41.4, 118.7)] == ["0.12 s", "7.3 s", "41 s", "119 s"]


@pytest.mark.slow
def test_real_probes_lead_to_an_allowed_choice():
    found, events = run([*variants(4), *variants(2, OTHER)], LONG)
    event = sweep_of(events)
    assert event["mode"] in ("fused", "sequential")
    assert set(event["probe"]) == {"fused", "sequential"}
    assert all(seconds > 0 for seconds in event["probe"].values())
    assert all(t.score_selected > 0.5 for t in found)


@pytest.mark.slow
def test_processes_by_name_train_everything():
    mixed = [*variants(2), *variants(2, OTHER)]
    found, events = run(mixed, mode="processes")
    assert sweep_of(events)["mode"] == "processes"
    assert [t.variant for t in found] == mixed
