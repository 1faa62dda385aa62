"""What a teacher's network does while students learn is part of the estimate."""

import pytest

from kd_core.data.input_spec import InputSpec
from kd_core.runs import estimate
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, TrainingSpec

PICTURES = InputSpec(kind="pixels", shape=(1, 28, 28), dtype="uint8", high=256, sparse=False)


def test_a_teacher_that_runs_beside_its_students_takes_time_by_its_size(monkeypatch):
    monkeypatch.setattr(
        estimate, "busy", lambda: 1.0
    )  # what else this machine does comes and goes between two estimates
    shares = []

    def seconds(objective, size="small", mode="offline", **settings):
        spec = RunSpec(
            dataset=DatasetSpec(source="p.zip", target="class"),
            teacher=Choice(name="cnn", settings={"size": size}),
            students=(StudentSpec(name="s", arch=Choice(name="cnn", settings={"size": "tiny"})),),
            objective=Choice(name=objective),
            mode=Choice(name=mode, settings=settings),
            training=TrainingSpec(epochs=10, seeds=3),
        )
        found = estimate.foresee(spec, 10_000, {"pixels": PICTURES}, 10)
        shares.append(
            [w["first"] for w in found.fields(("data", "teacher", "students", "evaluate"))["work"] if "first" in w]
        )
        return sum(work.seconds for work in found.works if work.kind.startswith("training"))

    alone, beside, larger = seconds("at"), seconds("review"), seconds("review", "base")
    assert alone < beside < larger
    assert larger - alone > 2 * (beside - alone)
    few, many = (seconds("hinton", mode="data_free_pictures", pictures=n) for n in (1000, 4000))
    assert many - few == pytest.approx(3 * (few - seconds("hinton", mode="data_free_pictures", pictures=100)), rel=0.15)
    assert shares[0] == shares[1] == shares[2] == []
    assert 0 < shares[-1][0] < shares[-3][0] < shares[-2][0] < 1  # 100, 1,000 and 4,000 pictures are made first
