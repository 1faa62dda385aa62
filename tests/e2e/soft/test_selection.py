"""Soft labels in a real browser: one selection at a time, the bar of T as high with any of them, words that fit T and the label."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from kd_core.evaluate import soft_labels
from tests.e2e.soft.test_as_read import served
from tests.e2e.soft.test_classes import opened, warm
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server with a run of several classes."""
    yield from served(tmp_path_factory, lambda: soft_run(8, 400))


def pressed(page, selector, across, down):
    """Press a place inside an element, told in shares of its width and height."""
    place = page.locator(selector).first
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


@pytest.mark.parametrize("width", [1400, 420])
def test_a_selection_leaves_the_bar_as_it_is_and_its_rows_begin_below_it(browser, furnished, width):
    server, (run_id, _) = furnished
    screen = opened(browser, server, run_id, t=1)
    page, bar = screen.page, screen.page.locator(".soft .bar")
    page.set_viewport_size({"width": width, "height": 900})
    before = bar.bounding_box()["height"]
    told = page.locator(".list .finding")
    pressed(page, ".plot", 0.9, 0.5)
    expect(told).to_contain_text("to whose first class the teacher gives")
    assert bar.bounding_box()["height"] == before
    expect(page.locator(".chip span")).to_have_attribute("title", told.inner_text())
    page.get_by_role("button", name="See the rows").click()
    page.wait_for_timeout(1000)
    below = bar.bounding_box()["y"] + before
    assert page.locator(".list h2").bounding_box()["y"] >= below
    screen.close()


def test_what_is_ringed_is_what_the_rows_are_of(browser, furnished):
    server, (run_id, _) = furnished
    screen = opened(browser, server, run_id, t=1)
    page, told = screen.page, screen.page.locator(".list .finding")
    rings = page.locator(".map i:visible")
    apart = page.locator(".list").get_by_role("button", name="Disagreements")
    pressed(page, ".map", 0.6, 0.6)
    expect(told).to_contain_text("labelled class")
    assert rings.count()
    expect(page.locator(".map")).to_be_focused()  # only Enter goes to the rows
    apart.click()
    expect(told).to_contain_text("choose different classes")
    expect(rings).to_have_count(0)
    page.keyboard.press("Escape")
    expect(apart).to_be_focused()
    page.locator(".plot").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("to whose first class the teacher gives")
    assert page.locator(".plot rect:visible").count()
    apart.click()
    expect(page.locator(".plot rect:visible")).to_have_count(0)
    screen.close()


def test_at_one_nothing_is_compared_with_one(browser, furnished):
    server, (run_id, _) = furnished
    screen = opened(browser, server, run_id, t=2)
    lead, belief = (screen.page.locator(one) for one in (".lead", ".belief .finding"))
    expect(lead).to_contain_text("at T = 1)")
    expect(belief).to_contain_text("put the slider there")
    warm(screen, 1.0)
    expect(lead).not_to_contain_text("at T = 1)")
    expect(belief).not_to_contain_text("put the slider there")
    screen.close()


def test_where_teacher_and_label_differ_neither_is_called_wrong(browser, furnished):
    server, (run_id, kept) = furnished
    answers, labels = soft_labels.soften(kept["teacher"]).argmax(axis=1), kept["labels"]
    for same, words in ((True, "The teacher agrees with the label"), (False, "The teacher disagrees with the label")):
        row = int(((answers == labels) == same).argmax())
        screen = opened(browser, server, run_id, t=1, row=int(kept["row_ids"][row]) + 1)
        expect(screen.page.locator(".row > .finding")).to_contain_text(words)
        screen.close()
