"""Every kind of answer has its own picture: its numbers are those of the kept rows, made again with numpy alone."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.soft.soft_page import Page, ordered, soften

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


def test_answers_that_are_numbers_show_errors_and_where_the_bound_lets_go(browser, kinds):
    one = Page(browser, kinds, "amounts")
    page, truth = one.page, one.kept["labels"].astype(np.float64)
    centre, unit = (float(np.ravel(one.result["artifacts"][side])[0]) for side in ("target_mean", "target_std"))
    z = {arm: values[:, 0] for arm, values in one.z.items()}
    y = (truth - centre) / unit
    expect(page.locator(".soft input[type=range]")).to_have_attribute("aria-valuetext", "m = 0.1")  # as trained
    for margin in (0.0, 0.1, 1.0):
        one.move(margin)
        found = one.saved()
        followed = (z["student"] - y) ** 2 + margin > (z["teacher"] - y) ** 2
        force = (z["student"] - z["teacher"]) ** 2
        assert found["margin"] == margin and np.array_equal(np.array(found["rows"]["followed"], bool), followed)
        assert found["followed"] == pytest.approx(followed.mean()) and found["pull"] == pytest.approx(force[followed].sum() / force.sum())  # fmt: skip
        for arm, values in z.items():
            off = (values - y) * unit
            assert found["arms"][arm]["rmse"] == pytest.approx(math.sqrt((off**2).mean()), rel=1e-6)
            assert found["arms"][arm]["meanOff"] == pytest.approx(np.abs(off).mean(), rel=1e-6)
            assert np.allclose(found["rows"][arm], values * unit + centre, rtol=1e-9)
            assert found["arms"][arm]["alike"] == pytest.approx(np.corrcoef(off, z["teacher"] - y)[0, 1], abs=1e-9)
        said = page.locator(".lead").inner_text()
        assert f"on {100 * (1 - followed.mean()):.1f}\u00a0% of these rows" in said
    page.locator(".list").get_by_role("button", name="Let go").click()
    apart = np.abs(z["student"] - z["teacher"])
    rows = np.flatnonzero((z["student"] - y) ** 2 + 1.0 <= (z["teacher"] - y) ** 2)
    assert one.listed() == ordered(apart[rows], one.ids[rows])[:10]

    area = page.locator(".plane")
    area.evaluate("e => e.scrollIntoView({ block: 'center' })")  # from under the bar
    box = area.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 330, steps=4)
    page.mouse.up()  # a rectangle over everything
    expect(page.locator(".list .finding")).to_contain_text("rows inside the rectangle")
    assert int(re.sub(r"\D", "", page.locator(".list .finding").inner_text())) >= 0.9 * len(y)
    area.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator(".walk input")).to_have_value(re.compile(r"^\d+$"))
    one.close()


def test_labels_have_a_share_each_and_equal_the_kept_rows(browser, kinds):
    one = Page(browser, kinds, "labels")
    has = one.kept["labels"] > 0
    names = one.result["dataset"]["classes"]
    for t in (0.5, 1.0, 4.5, 20.0):
        one.move(t)
        found = one.saved()
        p = {arm: 1 / (1 + np.exp(-z / t)) for arm, z in one.z.items()}
        log = {arm: (-np.logaddexp(0, -z / t), -np.logaddexp(0, z / t)) for arm, z in one.z.items()}
        row = int(np.flatnonzero(one.ids == found["row"])[0])
        for arm, told in found["arms"].items():
            assert np.allclose(told["row"], p[arm][row], atol=1e-6)
            assert told["expectedMean"] == pytest.approx(p[arm].sum(axis=1).mean(), abs=1e-6)
            nats = -(p[arm] * log[arm][0] + (1 - p[arm]) * log[arm][1]).sum(axis=1)
            assert told["entropyMean"] == pytest.approx(nats.mean(), abs=1e-6)
            assert sum(b["count"] for b in told["calibration"]) == has.size
            for a, b in [(0, 1), (2, 3)]:
                rows, base = has[:, a] & ~has[:, b], ~has[:, b]
                least = 0.1 / len(names)
                wanted = max(p[arm][rows, b].mean(), least) / max(p[arm][base, b].mean(), least)
                assert told["lift"][a][b] == pytest.approx(wanted, rel=1e-6)
                left = np.arange(len(has)) != np.argmax(np.where(rows, p[arm][:, b], -1))
                wanted = max(p[arm][rows & left, b].mean(), least) / max(p[arm][base & left, b].mean(), least)
                assert told["lift_without_top"][a][b] == pytest.approx(wanted, rel=1e-6)
        for arm in ("student", "baseline"):
            each = sum(np.exp(log["teacher"][k]) * (log["teacher"][k] - log[arm][k]) for k in (0, 1))
            assert found["kl"][arm] == pytest.approx(each.sum(axis=1).mean(), abs=1e-6)
        assert np.allclose(found["rows"]["distance"], np.abs(p["teacher"] - p["student"]).mean(axis=1), atol=1e-6)
    said = one.page.locator(".lead").inner_text()
    assert f"expects {p['teacher'].sum(axis=1).mean():.2f} labels a row on average over all {len(has):,} rows" in said and f"rows have {has.sum(axis=1).mean():.2f}" in said  # fmt: skip
    one.page.locator(".classes .scroll button").first.click()
    label = names.index(one.page.locator(".classes .scroll .name").first.inner_text())
    expect(one.page.locator(".list .finding")).to_have_text(f"{has[:, label].sum()} rows with the label {names[label]}")
    one.close()


def test_a_list_is_shared_out_and_its_orders_stand_side_by_side(browser, kinds):
    one = Page(browser, kinds, "lists")
    group = one.rows[one.result["dataset"]["group"]].astype(str).to_numpy()
    grade, names = one.kept["labels"].astype(float), list(dict.fromkeys(group))
    for t in (0.5, 2.0, 20.0):
        one.move(t)
        found = one.saved()
        assert sorted(found["queries"]) == sorted(names)
        share = {arm: {q: soften(z[group == q, 0][None], t)[0] for q in names} for arm, z in one.z.items()}
        for arm, told in found["arms"].items():
            assert np.allclose(told["row"], share[arm][found["row"]], atol=1e-6)
            assert told["largestMean"] == pytest.approx(np.mean([p.max() for p in share[arm].values()]), abs=1e-6)
        away = [float((p * np.log(p / share["student"][q])).sum()) for q, p in share["teacher"].items()]
        assert found["kl"]["student"] == pytest.approx(np.mean(away), abs=1e-6)
    first = one.page.locator(".order").nth(1).locator("button").first.inner_text()  # the teacher's
    at = np.flatnonzero(group == found["row"])
    best = at[int(one.z["teacher"][at, 0].argmax())]
    assert first.split() == [f"{grade[best]:g}", "row", str(one.ids[best])]
    page = one.page
    page.locator(".order button").first.focus()
    expect(page.locator(".ordercard .pointer")).to_contain_text("of the teacher")
    page.get_by_role("button", name="All queries").first.click()
    expect(page.locator(".list .finding")).to_have_text(f"All {len(names)} queries")
    page.locator(".rows li button").nth(1).click()
    expect(page.locator(".walk input")).to_have_value(
        page.locator(".rows li .what span:first-child").nth(1).inner_text()
    )
    one.close()


def test_the_next_items_stand_by_name_and_the_rest_has_its_mass(browser, kinds):
    one = Page(browser, kinds, "items")
    names, count = one.result["dataset"]["classes"], one.kept["teacher"].shape[1] // 2
    others = len(names) - count
    assert others > 0
    for t in (0.5, 1.0, 4.5):
        one.move(t)
        found = one.saved()
        row = int(np.flatnonzero(one.ids == found["row"])[0])
        dense = {}
        for arm, z in one.z.items():
            weights = np.repeat(np.exp(z[:, -1:] / t), len(names), axis=1)
            np.put_along_axis(weights, z[:, :count].astype(int), np.exp(z[:, count : 2 * count] / t), axis=1)
            dense[arm] = weights / weights.sum(axis=1, keepdims=True)
            told = found["arms"][arm]
            assert [name for name, _ in told["row"]] == [names[int(i)] for i in z[row, :count]]
            assert np.allclose(
                [share for _, share in told["row"]], dense[arm][row, z[row, :count].astype(int)], atol=1e-6
            )
            assert told["largestMean"] == pytest.approx(dense[arm].max(axis=1).mean(), abs=1e-6)
            nats = -(dense[arm] * np.log(dense[arm])).sum(axis=1)
            assert told["effective"] == pytest.approx(np.exp(nats.mean()), rel=1e-5)
        far = 0.5 * np.abs(dense["teacher"] - dense["student"]).sum(axis=1)
        assert np.allclose(found["rows"]["distance"], far, atol=1e-6)
        away = (dense["teacher"] * np.log(dense["teacher"] / dense["baseline"])).sum(axis=1).mean()
        assert found["kl"]["baseline"] == pytest.approx(away, abs=1e-5)
    expect(one.brief().locator(".item.newest")).to_be_visible()
    truth, z = one.kept["labels"], one.z["student"][:, :count]
    first = int(((z[:, 0] == truth) & (truth >= 0)).sum())
    line = one.page.locator(".classes .scroll button", has_text="first").first
    if first:
        line.click()
        expect(one.page.locator(".list .finding")).to_have_text(f"{first} rows by the student's list: first")
    one.close()
