"""Without a picture of the data: what noise is moved to, who remembers enough to teach so, what is kept, and who chooses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.data.input_spec import InputSpec
from kd_core.data.view import Viewed, Views
from kd_core.distill import MODES
from kd_core.distill.beside import made_pictures
from kd_core.distill.beside.made_pictures import Wanted, distance, remembers, roughness, stored
from kd_core.distill.meeting import Lesson, Way
from kd_core.distill.modes.data_free_pictures import DataFreePicturesSpec, mixed
from kd_core.errors import Stopped
from kd_core.models.building import build, start_weights
from kd_core.runs import plan
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers.base import network_of
from kd_core.training.predict import predict
from tests.distill.test_student import TRAINING, make_dataset, same
from tests.runs.tables import small_spec, write_table

MODE = MODES.get("data_free_pictures")
PICTURES = InputSpec("pixels", (1, 8, 8), "uint8", high=256)
TEACHER = Choice(name="cnn", settings={"size": "tiny"})
STUDENT = StudentSpec(name="cnn", arch=Choice(name="cnn", settings={"size": None, "width": 4}))
CPU = torch.device("cpu")
SMALL = Choice(name="data_free_pictures", settings={"pictures": 100, "steps": 10})


def never():
    return False


@pytest.fixture(scope="module")
def dataset():
    """Pictures whose left or right half is light."""
    data = make_dataset("binary")
    rng = np.random.default_rng(0)

    def drawn(y):
        x = rng.integers(0, 100, (len(y), 1, 8, 8))
        for row, side in enumerate(y):
            x[row, :, :, 4 * side : 4 * side + 4] += 150
        return x.astype(np.uint8)

    parts = {split: drawn(part.y) for split, part in data.parts.items()}
    return replace(data, views=Views({"pixels": lambda: Viewed(PICTURES, parts)}))


@pytest.fixture(scope="module")
def network(dataset):
    """A teacher that knows them."""
    with start_weights(1):
        made = build(network_of(TEACHER), PICTURES, 2)
    move, x, y = torch.optim.Adam(made.parameters(), 0.01), dataset.view("pixels").parts["train"], dataset.train.y
    for _ in range(60):
        move.zero_grad()
        nn.functional.cross_entropy(made(torch.from_numpy(x)).logits, torch.from_numpy(y)).backward()
        move.step()
    return made.eval()


def weights_of(network):
    return {name: t.numpy().copy() for name, t in network.state_dict().items()}


def lesson_of(dataset, network):
    unread = np.full((len(dataset.train), 2), np.nan, np.float32)
    taught = Choice(name="hinton", settings={"alpha": 1.0})
    return Lesson(dataset, STUDENT, taught, unread, TRAINING, TEACHER, weights=weights_of(network))


def test_the_distance_to_what_a_layer_remembers_is_that_of_the_formula():
    rng, layer = np.random.default_rng(0), nn.BatchNorm2d(3).double()
    layer.running_mean.copy_(torch.tensor(rng.normal(size=3)))
    layer.running_var.copy_(torch.tensor(rng.uniform(1, 2, 3)))
    x = rng.normal(size=(5, 3, 4, 4))
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
    expected = np.sqrt(((mean - layer.running_mean.numpy()) ** 2).sum())
    expected += np.sqrt(((variance - layer.running_var.numpy()) ** 2).sum())
    given = torch.tensor(x, requires_grad=True)
    found = distance(given, layer)
    assert found.item() == pytest.approx(expected, rel=1e-9)
    found.backward()
    up, down = x.copy(), x.copy()
    up[1, 2, 0, 3] += 1e-5
    down[1, 2, 0, 3] -= 1e-5
    slope = (distance(torch.tensor(up), layer) - distance(torch.tensor(down), layer)).item() / 2e-5
    assert given.grad[1, 2, 0, 3].item() == pytest.approx(slope, rel=1e-6)


def test_roughness_is_the_squared_step_from_pixel_to_pixel():
    x = np.random.default_rng(1).normal(size=(3, 2, 5, 6))
    expected = ((x[:, :, 1:] - x[:, :, :-1]) ** 2).mean() + ((x[..., 1:] - x[..., :-1]) ** 2).mean()
    assert roughness(torch.tensor(x)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_pictures_come_to_be_what_the_teacher_remembers_and_means(network):
    wanted = Wanted(130, (1, 8, 8), 2, 300, 0)
    x = made_pictures.made(network, wanted, CPU, never)
    assert x.dtype == np.uint8 and x.shape == (130, 1, 8, 8)
    meant = np.concatenate([np.arange(128) % 2, np.arange(128, 130) % 2])
    assert (predict(network, x).argmax(1) == meant).mean() > 0.65  # smooth ones at that: a half that ends sharply costs
    first = remembers(network)[1]
    seen = []
    watch = first.register_forward_pre_hook(lambda layer, given: seen.append(distance(given[0], layer).item()))
    noise = np.random.default_rng(0).integers(0, 256, x.shape).astype(np.uint8)
    for rows in (x[:128], noise[:128]):
        predict(network, rows)
    watch.remove()
    assert seen[0] < 0.5 * seen[1]


def test_they_follow_from_weights_and_seed_alone_and_the_network_stays_as_it_is(network):
    before = {name: t.clone() for name, t in network.state_dict().items()}
    wanted = Wanted(20, (1, 8, 8), 2, 5, 0)
    torch.manual_seed(0)
    first = made_pictures.made(network, wanted, CPU, never)
    torch.manual_seed(1)
    again = made_pictures.made(network, wanted, CPU, never)
    other = made_pictures.made(network, replace(wanted, seed=1), CPU, never)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    with pytest.raises(Stopped):
        made_pictures.made(network, wanted, CPU, lambda: True)


def test_they_are_made_once_kept_and_made_again_where_the_file_is_damaged(network, tmp_path, monkeypatch):
    monkeypatch.setattr(made_pictures, "_kept", {})
    wanted, weights = Wanted(12, (1, 8, 8), 2, 5, 0), weights_of(network)
    first = stored(network, weights, wanted, tmp_path, CPU, never)
    (file,) = tmp_path.glob("made-pictures-*.npy")
    assert stored(network, weights, wanted, tmp_path, CPU, lambda: True) is first  # nothing is made a second time
    made_pictures._kept.clear()
    assert np.array_equal(stored(network, weights, wanted, tmp_path, CPU, lambda: True), first)
    made_pictures._kept.clear()
    file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(stored(network, weights, wanted, tmp_path, CPU, never), first)
    other = {**weights, "head.bias": weights["head.bias"] + 1}
    stored(network, other, wanted, tmp_path, CPU, never)
    assert len([*tmp_path.glob("made-pictures-*.npy")]) == 2


def test_making_them_tells_how_far_it_is(network, tmp_path, monkeypatch):
    monkeypatch.setattr(made_pictures, "_kept", {})
    wanted, told = Wanted(140, (1, 8, 8), 2, 25, 0), []
    stored(network, weights_of(network), wanted, tmp_path, CPU, never, told.append)
    assert told == sorted(told) and told[-1] == 140 and 128 in told
    assert 10 <= len(told) <= 2 * (made_pictures.TOLD + 1) and all(0 < n <= 140 for n in told)
    told.clear()
    stored(network, weights_of(network), wanted, tmp_path, CPU, never, told.append)  # kept: nothing to wait for
    assert told == []


def test_mixtures_lie_between_two_pictures():
    x = np.random.default_rng(0).integers(0, 256, (50, 1, 4, 4)).astype(np.uint8)
    found = mixed(x, 0)
    assert found.shape == x.shape and found.dtype == np.uint8
    assert np.array_equal(mixed(np.full_like(x, 7), 0), np.full_like(x, 7))
    assert not np.array_equal(found, mixed(x, 1)) and found.std() < x.std()


def test_no_row_of_the_data_reaches_a_student_but_to_judge_it(dataset, network):
    lesson = lesson_of(dataset, network)
    spec = DataFreePicturesSpec(pictures=100, steps=10)
    first, again = (MODE.make(spec, lesson, Way(3)) for _ in range(2))
    assert same(first.student, again.student)
    blind = {split: np.zeros_like(x) for split, x in dataset.view("pixels").parts.items()}
    unseen = replace(dataset, views=Views({"pixels": lambda: Viewed(PICTURES, blind)}))
    unseen = replace(unseen, parts={**dataset.parts, "train": replace(dataset.train, y=1 - dataset.train.y)})
    other = MODE.make(spec, replace(lesson, dataset=unseen), Way(3))
    assert same(first.student, other.student)
    (helper,) = first.helpers
    assert (
        helper.name == "made pictures" and 0.5 < helper.score <= 1 and "against the teacher's answers" in helper.measure
    )
    assert first.student.trained.score_selected != other.student.trained.score_selected  # judged on real rows


@pytest.mark.slow
def test_a_student_learns_from_them_what_the_teacher_knows(dataset, network):
    spec = DataFreePicturesSpec(pictures=400, steps=60)
    training = TRAINING.model_copy(update={"epochs": 30, "batch_size": 32})
    met = MODE.make(spec, replace(lesson_of(dataset, network), training=training), Way(3))
    right = (met.student.logits["validation"].argmax(1) == dataset.validation.y).mean()
    assert right > 0.8


def spec_of(place, teacher, student=STUDENT, name="data_free_pictures"):
    spec = small_spec(write_table(place / "t.csv"))
    return spec.model_copy(update={"teacher": teacher, "students": (student,), "mode": Choice(name=name)})


@pytest.mark.parametrize(
    ("teacher", "student", "said"),
    [
        (TEACHER, STUDENT, "2,000 pictures are made from noise"),
        (Choice(name="mobilenet"), STUDENT, "2,000 pictures are made from noise"),
        (Choice(name="resnet"), StudentSpec(name="m", arch=Choice(name="mlp")), "reads table, and pictures are made"),
        (Choice(name="mlp"), STUDENT, "it reads table"),
        (Choice(name="random_forest"), STUDENT, "pictures are made by its own layers"),
    ],
)
def test_who_can_teach_without_pictures_and_who_learns_so(tmp_path, teacher, student, said):
    found = plan.check(spec_of(tmp_path, teacher, student), "binary", 2, ("pixels", "table"), 400)
    assert any(said in p.message for p in found), found


def test_it_has_no_place_where_numbers_are_predicted_or_no_pictures_are_read(tmp_path):
    spec = spec_of(tmp_path, TEACHER)
    assert any("not for regression" in p.message for p in plan.check(spec, "regression", 0, ("pixels",), 400))
    assert any("reads pixels" in p.message for p in plan.check(spec, "binary", 2, ("table",), 400))


def test_the_whole_lesson_is_the_teachers_and_one_fit_is_enough(tmp_path):
    carried = MODE.facts["recipe"](DataFreePicturesSpec(), spec_of(tmp_path, TEACHER))
    assert carried.objective.settings["alpha"] == 1.0 and carried.evaluation.folds == 2  # asked for by the recipe
    free = spec_of(tmp_path, TEACHER)
    free = free.model_copy(update={"evaluation": free.evaluation.model_copy(update={"folds": None})})
    assert MODE.facts["recipe"](DataFreePicturesSpec(), free).evaluation.folds == 1
