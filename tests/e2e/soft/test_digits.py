"""Soft labels of classes named by numbers, some pairs of which rest on one row, in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from pages.ui.shared import engine
from tests.e2e.furnished import filling
from tests.e2e.server import Server
from tests.e2e.soft.test_classes import opened, warm
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
WARNING = "one row makes most of it"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A server with one run of ten digits; 1 looks like 4 in one row alone, and like 2 in most."""
    root = tmp_path_factory.mktemp("digits") / "workspace"
    with filling(root):
        run_id, kept = soft_run(10, 300, classes=[str(digit) for digit in range(10)])
        label = np.arange(300) % 10
        sure = np.where(label[:, None] == np.arange(10), 6.0, 0.0).astype(np.float32)
        sure[label == 1, 2] = 4.0
        odd = int(np.flatnonzero(label == 1)[0])
        taught = sure.copy()
        taught[label == 1, 4] = 2.0  # a little even without that row, or it would be in no list
        taught[odd, 4] = 8.0
        alone = np.where(label[:, None] == np.arange(10), 6.0, 0.0).astype(np.float32)
        alone[label == 1, 2] = 2.5
        alone[np.flatnonzero(label == 3)[0], 5] = 8.0  # brighter than the pair above, by this row
        kept = {**kept, "labels": label, "teacher": taught, "student_0": taught, "baseline_0": alone}
        np.savez_compressed(engine.store().folder(run_id).artifact("soft_labels.npz"), **kept)
    app = Server(root)
    app.start()
    yield app, run_id, int(kept["row_ids"][odd]) + 1
    app.stop()


def listed(screen, pair):
    return screen.page.locator(".pairs button:not([hidden])", has_text=re.compile(rf"^{pair}"))


@pytest.mark.parametrize("width", [420, 1400])
def test_a_pair_that_rests_on_one_row_says_so_beside_no_number_and_was_not_inherited(browser, digits, width):
    server, run_id, _ = digits
    screen = opened(browser, server, run_id, t=1)
    screen.page.set_viewport_size({"width": width, "height": 900})
    view = screen.page.locator(".classmap .choice")
    view.get_by_text("Teacher", exact=True).click()
    line = listed(screen, "1 → 4")
    expect(line).to_contain_text(WARNING)
    numbers = [one.bounding_box() for one in line.locator(".num").all()]
    for tag in line.locator(".tag:not([hidden])").all():
        box = tag.bounding_box()
        assert all(n["y"] + n["height"] <= box["y"] + 1 or n["x"] >= box["x"] + box["width"] for n in numbers)
    assert WARNING not in listed(screen, "1 → 2").all_inner_texts()[:1]
    view.get_by_text("What the student inherited", exact=True).click()
    expect(line).to_have_count(0)
    screen.close()


def strength(screen):
    """How opaque most of the map is, of 255."""
    return screen.page.locator(".map canvas").first.evaluate(
        """e => { const of = new Map(); const all = e.getContext("2d").getImageData(0, 0, e.width, e.height).data;
           for (let k = 3; k < all.length; k += 4) if (all[k]) of.set(all[k], (of.get(all[k]) ?? 0) + 1);
           return [...of].sort((a, b) => b[1] - a[1])[0][0]; }"""
    )


def test_the_brightest_cell_is_told_where_one_row_makes_it_and_a_map_that_tells_nothing_is_pale(browser, digits):
    server, run_id, _ = digits
    screen = opened(browser, server, run_id, t=1)
    card, lines = screen.page.locator(".classmap"), screen.page.locator(".pairs button:not([hidden])")
    finding, legend = card.locator(".finding"), card.locator(".legend .ramp")
    expect(finding).not_to_contain_text("brightest")
    card.get_by_text("Baseline", exact=True).first.click()
    expect(finding).to_contain_text(re.compile(r"labelled 1 look like 2 most\. They give it 2\.8\d× the share"))
    expect(finding).to_contain_text(
        re.compile(r"The brightest cell, 3 → 5 at 3\.1\d×, rests mostly on one row: 1\.00× without it\.$")
    )
    assert [line[:5] for line in lines.all_inner_texts()] == ["1 → 2"]  # no pair at base rate or less
    card.get_by_text("What the student inherited", exact=True).click()
    expect(finding).to_contain_text("of the way from the baseline's")
    assert strength(screen) == 255 and "pale" not in legend.get_attribute("class")
    warm(screen, 20.0)
    expect(finding).to_contain_text("there is little to inherit")
    expect(card).to_contain_text("All cells are drawn pale, as nothing sure can be read from them.")
    assert strength(screen) == pytest.approx(0.35 * 255, abs=1) and "pale" in legend.get_attribute("class")
    screen.close()


def test_a_class_that_is_a_number_is_set_apart_from_its_share(browser, digits):
    server, run_id, row = digits
    screen = opened(browser, server, run_id, t=1, row=row)
    said = screen.page.locator(".row > .finding").inner_text()
    assert re.search(r"it gives 86\.\d\u00a0% to class 4, and only 11\.\d\u00a0% to class 1, the label\.", said), said
    assert re.search(r"The student gives 86\.\d\u00a0% to class 4 and 11\.\d\u00a0% to class 1\.", said), said
    expect(screen.page.locator(".rows li .key.teacher").first).to_have_text(re.compile(r"^\d: \d+\.\d\u00a0%$"))
    screen.close()


def test_rows_of_a_cell_tell_the_share_that_orders_them(browser, digits):
    server, run_id, row = digits
    screen = opened(browser, server, run_id, t=1)
    listed(screen, "1 → 4").click()
    first = screen.page.locator(".rows li").first
    expect(first.locator(".what")).to_contain_text(f"row {row}")
    expect(first.locator(".key.teacher")).to_have_text(re.compile(r"^4: 86\.\d\u00a0%$"))
    second = screen.page.locator(".rows li .key.teacher").nth(1)
    expect(second).to_have_text(re.compile(r"^1: 8\d\.\d\u00a0% · 4: 1\.\d\u00a0%$"))
    screen.close()
