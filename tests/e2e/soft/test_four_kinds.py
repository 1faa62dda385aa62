"""What a hand does on four kinds of data: a cell, a bin and a class list rows, and the map's sentence says what the kept rows say."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.soft.small_runs import DATA
from tests.e2e.soft.soft_page import Page, lifts, ordered, soften, spared, times

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("kind", DATA)
def test_a_cell_a_bin_and_a_class_list_rows_that_show_what_they_are(browser, kinds, kind):
    one = Page(browser, kinds, kind, t=2)
    page, y = one.page, one.kept["labels"].astype(int)
    p = {arm: soften(z, 2.0) for arm, z in one.z.items()}
    apart = 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1)
    classes, before = one.result["dataset"]["classes"], len(one.sent)

    lift = lifts(p["teacher"], y)
    a, b = divmod(int(np.nanargmax(spared(p["teacher"], y))), len(classes))  # the map's sentence, from the kept rows
    said = page.locator(".classmap .finding").inner_text()
    if len(classes) > 2:
        assert f"labelled {classes[a]} look like {classes[b]} most. They give it {times(lift[a, b])} the share" in said
        page.locator(".pairs .pair:not(.titles)").first.click()
        rows = np.flatnonzero(y == a)
        assert one.listed() == ordered(p["teacher"][rows, b], one.ids[rows])[:10]
        expect(page.locator(".list .finding")).to_have_text(f"{len(rows)} rows labelled {classes[a]}, those most like {classes[b]} first")  # fmt: skip
    else:
        shares = [f"{100 * p['teacher'][y == i, 1 - i].mean():.1f}\u00a0%" for i in (0, 1)]
        assert all(share in said for share in shares)

    plot = page.locator(".histogram .plot").first  # the bin of the first row, by key
    plot.focus()
    largest = p["teacher"].max(axis=1)
    edges = np.linspace(1 / len(classes), 1, 25)
    wanted = int(np.clip(np.searchsorted(edges, np.sort(largest)[len(largest) // 2], side="right") - 1, 0, 23))
    page.keyboard.press("Home")
    for _ in range(wanted):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    high = edges[wanted + 1] if wanted < 23 else np.inf
    rows = np.flatnonzero((largest >= edges[wanted]) & (largest < high))
    assert len(rows) and one.listed() == ordered(apart[rows], one.ids[rows])[:10]

    page.locator(".rows li button").last.click()  # a row of the list is shown as what it is
    shown = one.listed()[-1]
    expect(page.locator(".walk input")).to_have_value(str(shown))
    row = one.rows.iloc[int(np.flatnonzero(one.ids == shown)[0])]
    if kind == "pictures":
        picture = one.brief().get_by_role("img", name="The picture of this row")
        expect(picture).to_be_visible()
        assert "data:image" in picture.evaluate("e => getComputedStyle(e).backgroundImage")
    elif kind == "table":
        names = one.brief().locator("dt").all_text_contents()
        assert len(names) >= 3 and set(names) <= set(one.rows.columns)
    else:
        texts = [str(v) for v in row if isinstance(v, str)]
        assert one.brief().locator("blockquote").first.inner_text().strip() in [words.strip() for words in texts]
        assert (kind == "chinese") == bool(re.search("[\u4e00-\u9fff]", one.brief().inner_text()))
    assert one.sent[before:] == []  # all of it without the server
    one.close()
