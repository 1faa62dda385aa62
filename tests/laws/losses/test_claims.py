"""What every registered loss declares of itself, and what holds for all at the edges of what can come: checked, not believed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import (
    OF_ROWS,
    ROWS,
    at_all_settings,
    batch,
    fewest_classes,
    has_classes,
    lesson,
    modules,
    reference,
    spread,
    tensors,
    value,
)

ENTRIES = LOSSES.entries()
OF_ANSWERS = [e for e in ENTRIES if not OF_ROWS.intersection(e.needs) and "student_features" not in e.needs]
TEMPERED = [e for e in ENTRIES if "temperature" in e.spec.model_fields]


def numbered(outputs, change):
    """The same outputs with every tensor changed."""
    return outputs.each(change)


def own_of(entry, chosen, student, teacher):
    return modules(entry, entry.spec.parse(chosen), student, teacher)


def check_finite(entry, student, teacher, y):
    """Value and gradient are numbers."""
    own = own_of(entry, {}, student, teacher)
    student = student.each(lambda t: t.detach().clone().requires_grad_())
    found = value(entry, {}, student, teacher, y, own)
    assert torch.isfinite(found)
    found.backward()
    assert all(t.grad is None or torch.isfinite(t.grad).all() for t in tensors(student).values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_every_loss_declares_what_it_claims(entry):
    assert isinstance(entry.facts["zero_at_equality"], bool)
    assert isinstance(entry.facts["shift_invariant"], bool)
    assert (entry.facts.get("row_mean") is True) is ("doubled" not in entry.facts)
    assert entry not in TEMPERED or isinstance(entry.facts["tempered"], bool)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
class TestClaims:
    @at_all_settings
    def test_a_mean_over_rows_is_that_of_its_rows(self, entry, chosen):
        if not entry.facts.get("row_mean"):
            pytest.skip("rows are compared with each other")
        student, teacher, y = batch(entry)
        own = own_of(entry, chosen, student, teacher)
        rows = [torch.tensor([i]) for i in range(ROWS)]
        each = [value(entry, chosen, student.rows(i), teacher.rows(i), y[i], own).item() for i in rows]
        assert value(entry, chosen, student, teacher, y, own).item() == pytest.approx(np.mean(each), rel=1e-9)

    @at_all_settings
    def test_doubling_the_batch_multiplies_it_as_declared(self, entry, chosen):
        student, teacher, y = batch(entry)
        own = own_of(entry, chosen, student, teacher)
        once = value(entry, chosen, student, teacher, y, own).item()
        double = [numbered(o, lambda t: t.repeat(2, *(1,) * (t.dim() - 1))) for o in (student, teacher)]
        factor = value(entry, chosen, *double, torch.cat([y, y]), own).item() / once
        declared = 1.0 if entry.facts.get("row_mean") else entry.facts["doubled"]
        if isinstance(declared, tuple):
            assert declared[0] * (1 - 1e-9) <= factor <= declared[1] * (1 + 1e-9)
        else:
            assert factor == pytest.approx(declared, rel=1e-9)

    @at_all_settings
    def test_the_order_of_rows_changes_nothing(self, entry, chosen):
        student, teacher, y = batch(entry)
        own = own_of(entry, chosen, student, teacher)
        order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))
        turned = value(entry, chosen, student.rows(order), teacher.rows(order), y[order], own).item()
        assert turned == pytest.approx(value(entry, chosen, student, teacher, y, own).item(), rel=1e-9)

    @at_all_settings
    def test_it_is_zero_at_equality_where_it_says_so(self, entry, chosen):
        if entry not in OF_ANSWERS:
            pytest.skip("compares something else than answers")
        _, teacher, y = batch(entry)
        found = value(entry, chosen, Outputs(teacher.logits), teacher, y).item()
        assert (abs(found) < 1e-9) is entry.facts["zero_at_equality"]

    @at_all_settings
    def test_it_falls_to_zero_as_the_student_approaches(self, entry, chosen):
        if entry not in OF_ANSWERS or not entry.facts["zero_at_equality"]:
            pytest.skip("is not 0 at equality")
        student, teacher, y = batch(entry)
        z_s, z_t = student.logits, teacher.logits
        far = z_t + (z_s - z_t) + 3 * torch.sign(z_s - z_t)
        path = [
            value(entry, chosen, Outputs(z_t + w * (far - z_t)), teacher, y).item() for w in (1.0, 0.6, 0.3, 0.1, 0.0)
        ]
        assert path == sorted(path, reverse=True)
        assert path[0] > path[-1]

    @at_all_settings
    def test_a_number_added_to_a_row_changes_what_it_says(self, entry, chosen):
        student, teacher, y = batch(entry)
        own = own_of(entry, chosen, student, teacher)
        shift = torch.linspace(-5, 5, ROWS, dtype=torch.float64)[:, None]
        plain = value(entry, chosen, student, teacher, y, own).item()
        moved = replace(student, logits=student.logits + shift), replace(teacher, logits=teacher.logits - 2 * shift)
        found = value(entry, chosen, *moved, y, own).item()
        assert (found == pytest.approx(plain, rel=1e-9)) is entry.facts["shift_invariant"]


@pytest.mark.parametrize("entry", TEMPERED, ids=lambda e: e.name)
def test_gradient_keeps_its_size_when_the_temperature_moves_where_it_says_so(entry):
    student, teacher, y = batch(entry, rows=400)
    teacher = numbered(
        teacher, lambda t: t * 0.05
    )  # deviation .1: small logits, where the limit of large T holds at once
    sizes = []
    for temperature in (1.0, 2.0, 5.0, 20.0):
        z = (student.logits * 0.05).requires_grad_()
        value(entry, {"temperature": temperature}, Outputs(z, student.features), teacher, y).backward()
        sizes.append(z.grad.norm().item())
    assert (max(sizes) < 1.05 * min(sizes)) is entry.facts["tempered"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
class TestEdges:
    def test_finite_in_bfloat16(self, entry):
        student, teacher, y = batch(entry, dtype=torch.bfloat16)
        check_finite(entry, student, teacher, y.to(torch.bfloat16) if y.is_floating_point() else y)

    @pytest.mark.parametrize("size", [1e2, 1e4])
    def test_finite_for_extreme_logits(self, entry, size):
        student, teacher, y = batch(entry)
        wide = [numbered(o, lambda t: t.float() * size) for o in (student, teacher)]
        check_finite(entry, *wide, y)
        check_finite(entry, wide[0], numbered(teacher, torch.Tensor.float), y)

    def test_finite_for_a_row_of_equal_logits(self, entry):
        student, teacher, y = batch(entry)
        for flat in ((0,), (1,), (0, 1)):
            given = [numbered(o, torch.clone) for o in (student, teacher)]
            for k in flat:
                given[k].logits[3] = 0.7
            check_finite(entry, *given, y)

    def test_finite_for_one_row(self, entry):
        student, teacher, y = batch(entry)
        one = torch.tensor([5])
        check_finite(entry, student.rows(one), teacher.rows(one), y[one])

    def test_finite_for_one_class_in_a_batch(self, entry):
        student, teacher, y = batch(entry)
        check_finite(entry, student, teacher, torch.full_like(y, 1))

    def test_works_with_the_fewest_classes_it_is_offered_for(self, entry):
        given = batch(entry, classes=fewest_classes(entry))
        own = own_of(entry, {}, *given[:2])
        assert value(entry, {}, *given, own).item() == pytest.approx(reference(entry, {}, *given, own), rel=1e-9)
        check_finite(entry, *given)

    def test_a_lesson_follows_its_rows_in_any_order(self, entry):
        student, teacher, y = batch(entry, dtype=torch.float32)
        made = lesson(entry, {}, y, teacher)
        order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))
        plain = made(student, torch.arange(ROWS)).total.item()
        assert made(student.rows(order), order).total.item() == pytest.approx(plain, rel=1e-5)
        assert made(student, order).total.item() != pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("entry", OF_ANSWERS, ids=lambda e: e.name)
def test_equals_the_formula_at_any_shape_and_setting(entry):
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(st.integers(1, 9), st.integers(fewest_classes(entry), 13), st.integers(0, 10**6), st.data())
    def check(rows, classes, seed, drawn):
        free = {n: f for n, f in entry.spec.model_fields.items() if spread(f) and n not in ("alpha", "weight")}
        chosen = {n: drawn.draw(st.sampled_from(spread(f, 7)), label=n) for n, f in free.items()}
        given = batch(entry, seed=seed, classes=classes, rows=rows)
        own = own_of(entry, chosen, *given[:2])
        expected = reference(entry, chosen, *given, own)
        assert value(entry, chosen, *given, own).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)

    check()
    assert has_classes(entry) or fewest_classes(entry) == 2
