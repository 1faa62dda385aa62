import json

import pytest
import torch

from kd_core.errors import KDError
from kd_core.safe_io import sha256_file
from kd_core.training import checkpoint
from kd_core.training.checkpoint import Checkpoints
from kd_core.training.loop import optimise

from .setting import pieces, same, weights


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)


def killed_after(epoch, folder, **plan):
    """Train and die while the event of an epoch is sent; the checkpoint before it is the newest."""

    def notify(event):
        if event["epoch"] == epoch:
            raise Killed

    with pytest.raises(Killed):
        optimise(*pieces(epochs=6, **plan), notify=notify, checkpoint=folder)


def essence(trained):
    drop = ("seconds", "rows_per_s")
    return [{k: v for k, v in h.items() if k not in drop} for h in trained.history]


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(tmp_path, every_epoch, optimiser):
    killed_after(4, tmp_path, optimiser=optimiser)
    events = []
    resumed = optimise(*pieces(epochs=6, optimiser=optimiser), notify=events.append, checkpoint=tmp_path)
    assert [e["epoch"] for e in events] == [4, 5, 6]
    whole = optimise(*pieces(epochs=6, optimiser=optimiser))
    assert same(weights(resumed.module), weights(whole.module))
    assert essence(resumed) == essence(whole)
    assert resumed.selected_epoch == whole.selected_epoch
    assert resumed.seconds > 0


def test_early_stopping_counts_on_over_a_resume(tmp_path, every_epoch):
    plan = {"patience": 2, "learning_rate": 0.5, "schedule": "constant"}
    killed_after(2, tmp_path, **plan)
    resumed, whole = optimise(*pieces(**plan), checkpoint=tmp_path), optimise(*pieces(**plan))
    assert (resumed.last_epoch, resumed.selected_epoch) == (whole.last_epoch, whole.selected_epoch)


def test_a_finished_training_is_taken_from_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "WORTH_SECONDS", 0.0)
    whole = optimise(*pieces(), checkpoint=tmp_path)
    events = []
    again = optimise(*pieces(), notify=events.append, checkpoint=tmp_path)
    assert not events
    assert same(weights(again.module), weights(whole.module))


def test_short_trainings_write_nothing(tmp_path):
    optimise(*pieces(epochs=1), checkpoint=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_two_checkpoints_are_kept_with_a_manifest_each(tmp_path, every_epoch):
    killed_after(6, tmp_path)
    places = sorted(p.name for p in tmp_path.iterdir())
    assert places == ["epoch-00004", "epoch-00005"]
    for place in tmp_path.iterdir():
        assert sorted(p.name for p in place.iterdir()) == ["counters.json", "manifest.json", "tensors.safetensors"]


@pytest.mark.parametrize("file", ["tensors.safetensors", "counters.json", "manifest.json"])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_used(tmp_path, every_epoch, file):
    killed_after(4, tmp_path)
    broken = tmp_path / "epoch-00003" / file
    broken.write_bytes(broken.read_bytes()[:-3] + b"???")
    events = []
    resumed = optimise(*pieces(epochs=6), notify=events.append, checkpoint=tmp_path)
    assert events[0]["kind"] == "warning"
    assert events[0]["code"] == "damaged_checkpoint"
    assert f"epoch-00003/{file} is damaged or unfinished" in events[0]["message"]
    assert events[0]["hint"] == "epoch-00002 is used instead."
    assert events[1]["epoch"] == 3
    assert same(weights(resumed.module), weights(optimise(*pieces(epochs=6)).module))


def test_a_process_killed_at_its_first_save_starts_again(tmp_path, every_epoch):
    killed_after(2, tmp_path)
    (tmp_path / "epoch-00001" / "manifest.json").unlink()
    events = []
    again = optimise(*pieces(epochs=6), notify=events.append, checkpoint=tmp_path)
    assert "epoch-00001/manifest.json is damaged or unfinished" in events[0]["message"]
    assert events[1]["epoch"] == 1
    assert same(weights(again.module), weights(optimise(*pieces(epochs=6)).module))


def test_a_training_whose_checkpoints_are_all_damaged_starts_again_by_itself(tmp_path, every_epoch):
    killed_after(4, tmp_path)
    for place in tmp_path.iterdir():
        (place / "tensors.safetensors").write_bytes(b"?")
    events = []
    again = optimise(*pieces(epochs=6), notify=events.append, checkpoint=tmp_path)
    assert [e["hint"] for e in events if e["kind"] == "warning"] == [
        "epoch-00002 is used instead.",
        "There is no earlier one: it is trained from the start.",
    ]
    assert [e["epoch"] for e in events if e["kind"] == "epoch"] == [1, 2, 3, 4, 5, 6]
    assert same(weights(again.module), weights(optimise(*pieces(epochs=6)).module))


@pytest.mark.parametrize("counters", ["{}", "[]", '{"work": 1, "counters": {}}', '{"work": {}}', "[" * 100_000])
def test_counters_that_are_none_are_damage_even_with_a_fitting_manifest(tmp_path, every_epoch, counters):
    killed_after(4, tmp_path)
    place = tmp_path / "epoch-00003"
    (place / "counters.json").write_text(counters)
    names = ("tensors.safetensors", "counters.json")
    (place / "manifest.json").write_text(json.dumps({n: sha256_file(place / n) for n in names}))
    events = []
    optimise(*pieces(epochs=6), notify=events.append, checkpoint=tmp_path)
    assert "epoch-00003/counters.json is damaged" in events[0]["message"] and events[1]["epoch"] == 3


def test_a_manifest_that_is_no_object_is_damage(tmp_path, every_epoch):
    killed_after(2, tmp_path)
    (tmp_path / "epoch-00001" / "manifest.json").write_text("[]")
    with pytest.raises(
        KDError, match=r"manifest\.json is damaged or unfinished\. There is no earlier one: it is trained"
    ):
        Checkpoints(tmp_path, {}).read(tmp_path / "epoch-00001")


def test_another_trainings_checkpoint_is_refused_by_name(tmp_path, every_epoch):
    killed_after(3, tmp_path)
    other = pieces(epochs=7)
    other[5] = 9
    with pytest.raises(KDError, match="belongs to another training: not the same in plan, seed") as caught:
        optimise(*other, checkpoint=tmp_path)
    assert caught.value.code == "other_checkpoint"


def test_saving_is_due_after_thirty_seconds_or_a_hundred_times_its_cost(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    kept = Checkpoints(tmp_path, {})
    now[0] = 29.0
    assert not kept.due()
    now[0] = 30.0
    assert kept.due()
    ticks = iter([30.0, 31.0, 31.0])
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(ticks, now[0]))
    kept.save({"w": torch.ones(2)}, {"epoch": 1})  # took 1 s
    now[0] = 130.0
    assert not kept.due()
    now[0] = 131.0
    assert kept.due()
    assert json.loads((tmp_path / "epoch-00001" / "counters.json").read_text())["counters"] == {"epoch": 1}
