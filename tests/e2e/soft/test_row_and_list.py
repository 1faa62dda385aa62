"""Soft labels in a real browser: the row in sight is one of the list that the bar names, and its sentence names both runners-up."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from kd_core.evaluate import soft_labels
from tests.e2e.soft.test_as_read import served
from tests.e2e.soft.test_classes import ARMS, listed, opened
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def served_run(tmp_path_factory):
    """A server with one run of several classes."""
    yield from served(tmp_path_factory, lambda: soft_run(10, 600))


def test_the_row_in_sight_is_one_of_the_list_that_the_bar_names(browser, served_run):
    server, (run_id, kept) = served_run
    parted = kept["teacher"].argmax(axis=1) != kept["student_0"].argmax(axis=1)
    ids = kept["row_ids"] + 1
    alike, apart = int(ids[~parted][0]), int(ids[parted][0])
    for row, told in ((alike, "All 600 rows"), (apart, f"{parted.sum()} of 600 rows on which")):
        screen = opened(browser, server, run_id, row=row)
        page = screen.page
        expect(page.locator(".walk input")).to_have_value(str(row))
        expect(page.locator(".soft .bar .chip")).to_contain_text(told)
        expect(page.locator(".walk .quiet")).to_contain_text("in the list")
        page.locator(".list").get_by_role("button", name="Disagreements").click()
        first = str(apart if row == apart else listed(screen)[0])
        expect(page.locator(".walk input")).to_have_value(first)
        page.locator(".walk input").fill(str(alike))  # not of the list: it is left
        page.keyboard.press("Enter")
        expect(page.locator(".soft .bar .chip")).to_contain_text("All 600 rows")
        expect(page.locator(".walk input")).to_have_value(str(alike))
        screen.close()


def test_a_runner_up_that_is_not_named_yet_is_named(browser, served_run):
    server, (run_id, kept) = served_run
    p = {arm: soft_labels.soften(kept[key], 1.0) for arm, key in ARMS.items()}
    ranked = {arm: np.argsort(-kept[key], axis=1, kind="stable") for arm, key in ARMS.items()}
    label = kept["labels"]
    right = ranked["teacher"][:, 0] == label
    other = np.where(right, ranked["teacher"][:, 1], label)
    named = np.stack([ranked["teacher"][:, 0], other, ranked["student"][:, 0]], axis=1)
    student = (ranked["student"][:, 1, None] != named).all(axis=1)
    teacher = ~right & (ranked["teacher"][:, 1] != label)
    for wanted in (student & right, ~student & right, teacher):
        row = int(np.flatnonzero(wanted)[0])
        screen = opened(browser, server, run_id, t=1, row=int(kept["row_ids"][row]) + 1)
        said = screen.page.locator(".row > .finding").inner_text()
        for arm, unnamed in (("teacher", teacher), ("student", student)):
            second = ranked[arm][row, 1]
            share = f"{100 * p[arm][row, second]:.1f}\u00a0%"
            assert (f"Its runner-up is class {second:03d}, with {share}." in said) == bool(unnamed[row])
        screen.close()
