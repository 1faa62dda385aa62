"""What holds for losses that hear more of a teacher than its answers: bases, folds, widths, places."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kd_core.distill import LOSSES
from kd_core.distill.inner.hints import Hints
from kd_core.distill.losses import rkd
from kd_core.distill.losses.vkd import Orthogonal
from kd_core.distill.sweep.variants import TEACHER
from kd_core.models import Outputs
from kd_core.registry import Situation
from kd_core.runs.plan import situation
from tests.laws.loss_cases import GIVES, ROWS, batch, modules, reference, settings_of, task_for, value

OF_FEATURES = [e for e in LOSSES.entries() if "teacher_features" in e.needs]
OF_ROWS = [e for e in OF_FEATURES if "one_basis" not in e.needs]
OF_ONE_BASIS = [e for e in OF_FEATURES if "one_basis" in e.needs]
FOLDS = torch.tensor([0, 1, 2, 0, 1, 0, 1, 0, 1, 0, 1, 0])  # the only row of fold 2 has none to be compared with


def named(entry):
    return entry.name


def turned(teacher, at):
    """The same teacher, the features of some rows in another basis."""
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(teacher.features.shape[1],) * 2))
    features = teacher.features.clone()
    features[at] = features[at] @ torch.tensor(turn)
    return replace(teacher, features=features)


def own_of(entry, chosen, student, teacher):
    return modules(entry, entry.spec.parse(chosen), student, teacher)


def test_there_are_losses_of_either_kind():
    assert {"sp", "pkt", "rkd", "cc"} <= {e.name for e in OF_ROWS}
    assert {"fitnets", "vkd", "crd"} <= {e.name for e in OF_ONE_BASIS}


@pytest.mark.parametrize("entry", OF_ROWS, ids=named)
class TestLossesThatCompareRows:
    @pytest.mark.parametrize("fold", [None, FOLDS], ids=["one fit", "folds"])
    def test_equals_the_formula_fold_by_fold(self, entry, fold):
        for chosen in settings_of(entry):
            student, teacher, y = batch(entry)
            teacher = replace(teacher, fold=fold)
            expected = reference(entry, chosen, student, teacher, y)
            assert expected > 0
            assert value(entry, chosen, student, teacher, y).item() == pytest.approx(expected, rel=1e-9)

    def test_another_basis_changes_nothing(self, entry):
        student, teacher, y = batch(entry)
        plain = value(entry, {}, student, teacher, y).item()
        assert value(entry, {}, student, turned(teacher, slice(None)), y).item() == pytest.approx(plain, rel=1e-9)
        assert value(entry, {}, student, turned(teacher, FOLDS == 1), y).item() != pytest.approx(plain, rel=1e-3)

    def test_another_basis_of_one_fold_changes_nothing_where_folds_are_known(self, entry):
        student, teacher, y = batch(entry)
        teacher = replace(teacher, fold=FOLDS)
        plain = value(entry, {}, student, teacher, y).item()
        assert value(entry, {}, student, turned(teacher, FOLDS == 1), y).item() == pytest.approx(plain, rel=1e-9)

    def test_a_fold_counts_by_its_share_of_the_rows(self, entry):
        student, teacher, y = batch(entry)
        one = FOLDS == 0
        at = one.nonzero().squeeze(1)
        alone = value(entry, {}, student.rows(at), teacher.rows(at), y[at]).item()
        others = torch.where(one, 0, torch.arange(1, ROWS + 1))  # every other row a fold of its own
        found = value(entry, {}, student, replace(teacher, fold=others), y).item()
        assert found == pytest.approx(alone * one.double().mean().item(), rel=1e-9)

    def test_the_student_is_not_held_to_the_teachers_width(self, entry):
        student, teacher, y = batch(entry)
        for width in (1, 40):
            wide = replace(student, features=torch.randn(ROWS, width, dtype=torch.float64))
            assert torch.isfinite(value(entry, {}, wide, teacher, y))

    def test_rows_without_any_feature_are_borne(self, entry):
        student, teacher, y = batch(entry)
        for rows in (slice(0, 2), slice(None)):
            features = student.features.clone()
            features[rows] = 0.0
            still = replace(student, features=features.requires_grad_())
            found = value(entry, {}, still, teacher, y)
            found.backward()
            assert torch.isfinite(found) and torch.isfinite(features.grad).all()

    def test_it_may_hear_several_folds(self, entry):
        at = Situation(task_for(entry), 4, GIVES - {"one_basis"}, grouped=True)
        assert entry.why_not(at) is None


@pytest.mark.parametrize("entry", OF_ONE_BASIS, ids=named)
class TestLossesOfOneBasis:
    def test_several_bases_are_another_lesson(self, entry):
        student, teacher, y = batch(entry)
        own = own_of(entry, {}, student, teacher)
        found = [value(entry, {}, student, t, y, own).item() for t in (teacher, turned(teacher, FOLDS == 1))]
        assert found[0] != pytest.approx(found[1], rel=1e-3)

    def test_several_folds_are_refused_and_one_is_advised(self, entry):
        at = Situation(task_for(entry), 4, GIVES - {"one_basis"}, grouped=True)
        assert "1 fold gives one" in entry.why_not(at)

    @pytest.mark.parametrize("width", [1, 9, 40])
    def test_its_module_meets_any_width(self, entry, width):
        student, teacher, y = batch(entry)
        student = replace(student, features=torch.randn(ROWS, width, dtype=torch.float64))
        own = own_of(entry, {}, student, teacher)
        expected = reference(entry, {}, student, teacher, y, own)
        assert value(entry, {}, student, teacher, y, own).item() == pytest.approx(expected, rel=1e-9)

    def test_its_module_learns(self, entry):
        student, teacher, y = batch(entry)
        own = own_of(entry, {}, student, teacher)
        steps, losses = torch.optim.Adam(own[0].parameters(), 0.05), []
        for _ in range(30):
            steps.zero_grad()
            found = value(entry, {}, student, teacher, y, own)
            found.backward()
            steps.step()
            losses.append(found.item())
        assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("entry", OF_FEATURES, ids=named)
def test_equals_the_formula_at_any_shape(entry):
    @settings(max_examples=15, deadline=None, derandomize=True, database=None)
    @given(st.integers(3, 14), st.integers(2, 17), st.integers(2, 17), st.integers(0, 10**6))
    def check(rows, wide, theirs, seed):
        rng = np.random.default_rng(seed)
        student, teacher, y = batch(entry, seed=seed, rows=rows)
        student = replace(student, features=torch.tensor(rng.normal(size=(rows, wide))))
        teacher = replace(teacher, features=torch.tensor(rng.normal(size=(rows, theirs))))
        own = own_of(entry, {}, student, teacher)
        expected = reference(entry, {}, student, teacher, y, own)
        assert value(entry, {}, student, teacher, y, own).item() == pytest.approx(expected, rel=1e-9)

    check()


@pytest.mark.parametrize("sizes", [(3, 8), (8, 3), (5, 5)])
def test_an_orthogonal_projection_stays_one_wherever_learning_moves_it(sizes):
    torch.manual_seed(0)
    module = Orthogonal(*sizes).double()
    steps = torch.optim.SGD(module.parameters(), 0.5)
    for _ in range(5):
        p = module(torch.eye(sizes[0], dtype=torch.float64))
        small = p @ p.T if sizes[0] <= sizes[1] else p.T @ p
        torch.testing.assert_close(small, torch.eye(min(sizes), dtype=torch.float64), rtol=0, atol=1e-12)
        steps.zero_grad()
        (p - 1).square().sum().backward()
        steps.step()


def test_angles_are_taken_among_so_many_rows_and_no_more():
    entry = LOSSES.get("rkd")
    student, teacher, y = batch(entry, rows=rkd.ANGLE_ROWS + 6)
    angles = {"distances": 0.0}
    plain = value(entry, angles, student, teacher, y).item()
    at = torch.arange(rkd.ANGLE_ROWS)
    assert plain == pytest.approx(value(entry, angles, student.rows(at), teacher.rows(at), y[at]).item(), rel=1e-12)
    features = student.features.clone()
    features[: rkd.ANGLE_ROWS] += torch.randn(rkd.ANGLE_ROWS, features.shape[1], dtype=torch.float64)
    assert value(entry, angles, replace(student, features=features), teacher, y).item() != pytest.approx(
        plain, rel=1e-3
    )


class TestAttention:
    entry = LOSSES.get("at")

    def test_bands_and_strength_do_not_count(self):
        student, teacher, y = batch(self.entry)
        plain = value(self.entry, {}, student, teacher, y).item()
        other = {name: 7 * t.flip(1) for name, t in student.hidden.items()}
        assert value(self.entry, {}, replace(student, hidden=other), teacher, y).item() == pytest.approx(
            plain, rel=1e-9
        )

    def test_places_do(self):
        student, teacher, y = batch(self.entry)
        plain = value(self.entry, {}, student, teacher, y).item()
        other = {name: t.flip(2) for name, t in student.hidden.items()}
        assert value(self.entry, {}, replace(student, hidden=other), teacher, y).item() != pytest.approx(
            plain, rel=1e-3
        )

    def test_it_is_zero_where_both_look_at_the_same(self):
        student, _, y = batch(self.entry)
        assert value(self.entry, {}, student, student, y).item() == 0

    def test_stages_are_paired_from_the_last_one_back(self):
        student, teacher, y = batch(self.entry)
        plain = value(self.entry, {}, student, teacher, y).item()
        first = {name: t for name, t in teacher.hidden.items() if name != "stage1"}
        assert value(self.entry, {}, student, replace(teacher, hidden=first), y).item() == plain

    def test_tables_and_trees_are_refused_in_words(self):
        for task in ("binary", "regression"):
            at = situation(task, 2, "mlp", ("table",), ("mlp",))
            assert "convolutional network that reads pictures" in self.entry.why_not(at)
        at = situation("multiclass", 10, "cnn", ("pixels",), ("linear_pixels",))
        assert "every student must be one" in self.entry.why_not(at)
        assert self.entry.why_not(situation("multiclass", 10, "cnn", ("pixels",), ("resnet", "cnn"))) is None


@pytest.mark.parametrize(
    "entry", [e for e in LOSSES.entries() if {"teacher_features", "teacher_maps"} & {*e.needs}], ids=named
)
def test_a_teacher_of_trees_has_no_inside(entry):
    at = situation("multiclass", 4, "random_forest", students=("mlp",), folds=5)
    assert ("teacher" in entry.why_not(at) and "inner features" in entry.why_not(at)) or "maps" in entry.why_not(at)


def test_a_probe_has_one_basis_whatever_the_folds():
    entry = LOSSES.get("fitnets")
    from kd_core.specs import Choice

    def why_not(mode):
        teacher = Choice(name="pretrained", settings={"mode": mode})
        return entry.why_not(situation("multiclass", 4, teacher, ("tokens",), ("bag",), folds=5))

    assert why_not("probe") is None
    assert "1 fold gives one" in why_not("finetune") and "does not give" in why_not("as_is")


def test_hints_are_tables_and_come_back():
    rng = np.random.default_rng(0)
    made = Hints(rng.normal(size=(9, 4)), np.arange(9) % 2, {"stage1": rng.normal(size=(9, 3, 3)).astype(np.float16)})
    assert made.gives() == {"features", "maps"} and Hints(made.features).gives() == {"features", "one_basis"}
    again = Hints.of({TEACHER: rng.normal(size=(9, 2)), **made.tables()})
    assert all(np.array_equal(again.tables()[name], table) for name, table in made.tables().items())
    assert Hints.of({TEACHER: rng.normal(size=(9, 2))}) is None
    other = made.shuffled(0)
    assert np.array_equal(other.folds, made.folds) and not np.array_equal(other.features, made.features)
    order = [int(np.flatnonzero((made.features == row).all(1))[0]) for row in other.features]
    assert sorted(order) == list(range(9)) and np.array_equal(other.maps["stage1"], made.maps["stage1"][order])


def test_a_batch_hears_its_own_rows():
    from kd_core.distill.inner.hints import HintTensors

    features, maps = np.arange(12.0).reshape(6, 2), {"stage1": np.arange(24.0).reshape(6, 2, 2).astype(np.float16)}
    heard = HintTensors(Hints(features, np.arange(6), maps))
    at = torch.tensor([4, 1])
    found = heard.beside(torch.zeros(2, 3), at)
    assert isinstance(found, Outputs) and found.fold.tolist() == [4, 1]
    assert found.features.tolist() == [[8, 9], [2, 3]] and found.features.dtype == torch.float32
    assert found.hidden["stage1"][0].flatten().tolist() == [16, 17, 18, 19]
