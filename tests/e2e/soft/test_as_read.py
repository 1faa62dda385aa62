"""Soft labels in a real browser, as a reader meets them: what was inherited, the student's own answer, marks of few rows, larger bars."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from kd_core.evaluate import class_map, soft_labels
from kd_core.runs.store.runs import RunStore
from pages.ui.shared import engine
from pages.ui.words import run_names
from tests.e2e.screen import Screen
from tests.e2e.server import Server
from tests.e2e.soft.soft_page import times
from tests.e2e.soft.test_classes import ARMS, drawn, opened, slider, warm
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def served(tmp_path_factory, made):
    """Serve a workspace with the runs that `made` makes."""
    root = tmp_path_factory.mktemp("read") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root))
        engine._store.cache_clear()
        runs = made()
    engine._store.cache_clear()
    app = Server(root)
    app.start()
    yield app, runs
    app.stop()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server with runs of few rows and of several classes."""
    asked = {"few": (4, 27), "some": (4, 120), "eight": (8, 200), 10: (10, 600)}
    yield from served(tmp_path_factory, lambda: {name: soft_run(*of) for name, of in asked.items()})


@pytest.fixture
def pair(tmp_path_factory):
    """A server with one run, of two students."""
    yield from served(tmp_path_factory, lambda: with_another(*soft_run(4, 400)))


def with_another(run_id, kept):
    """Give a run a second student of the same rows, that was taught worse."""
    folder = engine.store().folder(run_id)
    rng = np.random.default_rng(9)
    again = {f"{arm}_1": (kept[f"{arm}_0"] + rng.normal(scale=1.5, size=kept["teacher"].shape)).astype(np.float32) for arm in ("student", "baseline")}  # fmt: skip
    np.savez_compressed(folder.artifact("soft_labels.npz"), **kept, **again)
    found = folder.result()
    found["students"].append({**found["students"][0], "name": "large"})
    found["artifacts"]["students"].append({**found["artifacts"]["students"][0], "index": 1})
    folder.write_result(found)
    return run_id, {**kept, **again}


def largest(values, most):
    """Places and values of the largest, the first of equal ones first."""
    flat = np.where(np.isfinite(values), values, -1).ravel()
    order = np.argsort(-flat, kind="stable")[:most]
    return order, flat[order]


def test_what_was_inherited_is_listed_as_its_map_shows_it_and_stays_for_the_other_student(browser, pair):
    server, (run_id, kept) = pair
    screen = opened(browser, server, run_id, t=1, student="tiny")
    page, y = screen.page, kept["labels"]
    tell = page.locator(".classmap .finding")

    def lifts(student, rows=slice(None)):
        arms = (kept["teacher"], kept[f"baseline_{student}"], kept[f"student_{student}"])
        return [class_map.log_lift(soft_labels.soften(z[rows]), y[rows], 4) for z in arms]

    page.get_by_text("What the student inherited").click()
    for student in (0, 1):
        if student:
            page.locator(".walk input").fill("31")
            page.keyboard.press("Enter")
            before = page.locator(".pairs").inner_text()
            page.get_by_test_id("stButtonGroup").get_by_text("large", exact=True).click()
            expect(page.locator(".pairs")).not_to_have_text(before, use_inner_text=True, timeout=60_000)
            expect(page.get_by_role("radio", name="What the student inherited")).to_be_checked(timeout=60_000)
            expect(page.locator(".walk input")).to_have_value("31")
            expect(slider(screen)).to_have_attribute("aria-valuetext", "T = 1")
        teacher, baseline, own = lifts(student)
        spared = class_map.lift_without_top(soft_labels.soften(kept["teacher"]), y, 4)
        came = np.abs(baseline - teacher) - np.abs(own - teacher)  # how much nearer to the teacher than the baseline
        one_row = np.maximum(spared, 0) < np.maximum(teacher, 0) / 2  # makes most of the likeness
        nearer = np.where((teacher >= 0.005) & (spared >= 0.005) & ~one_row, came, -1)
        expect(page.locator(".pairs h3").first).to_have_text(re.compile("came nearer"))
        want = [(k, v) for k, v in zip(*largest(nearer, 8), strict=True) if v >= 0.005]
        away = [
            (k, v)
            for k, v in zip(
                *largest(np.where(((teacher >= 0.005) | (own >= 0.005)) & ~one_row, -came, -1), 4), strict=True
            )
            if v >= 0.005
        ]
        assert want and page.get_by_text("Single pairs that went the other way").is_visible() == bool(away)
        lines = page.locator(".pairs button:not([hidden])").all_inner_texts()
        assert len(lines) == len(want + away)
        for at, ((k, v), line) in enumerate(zip(want + away, lines, strict=True)):
            a, b = divmod(int(k), 4)
            assert line.startswith(f"class {a:03d} → class {b:03d}")
            assert f"{'nearer' if at < len(want) else 'farther'} by {times(float(np.exp(v)))}" in line
            assert times(float(np.exp(own[a, b]))) in line
        share = class_map.inherited(teacher, baseline, own)
        low, high = class_map.inherited_between(lambda keep, of=student: lifts(of, keep), len(y))
        if low <= 0:
            expect(tell).to_contain_text("it can't be told from these 400 rows")
        elif high - low > 0.5:
            expect(tell).to_contain_text("how far is not clear from these 400 rows")
        else:
            expect(tell).to_contain_text(f"{100 * share:.0f}\u00a0% of the way")
    drawn_as_told(page, baseline, own)
    warm(screen, 20.0)
    way = np.nanmax(np.abs(np.subtract(*[np.maximum(class_map.log_lift(soft_labels.soften(kept[k], 20.0), y, 4), 0) for k in ("teacher", "baseline_1")])))  # fmt: skip
    assert way < np.log(1.1)
    expect(tell).to_contain_text("there is little to inherit")
    assert "of the way" not in tell.inner_text()
    screen.close()


def drawn_as_told(page, baseline, own):
    """The line below the map of what was inherited tells the number that its cell has, also where the two before it give another."""
    page.locator(".map").focus()
    seen = set()
    for key in ("Up", "Down", "Down", "Down", *("Right", "Up", "Up", "Up", "Right", "Down", "Down", "Down", "Right", "Up", "Up", "Up")):  # fmt: skip
        page.keyboard.press(f"Arrow{key}")
        told = page.locator(".classmap .pointer").inner_text()
        a, *b = map(int, re.findall(r"class (\d+)", told))
        assert bool(b) == ("Drawn: " in told)
        if not b:
            continue
        lifts = np.array([own[a, b[0]], baseline[a, b[0]]])
        floored = bool((lifts <= -0.005).any())
        assert (
            f"Drawn: {times(float(np.exp(np.subtract(*np.maximum(lifts, 0)))))}, the student over the baseline" in told
        )
        assert ("as what is below base rate counts as 1.00×" in told) == floored
        seen.add((a, b[0], floored))
    assert len(seen) == 12 and {floored for *_, floored in seen} == {True, False}
    page.locator(".classmap .choice").get_by_text("Teacher", exact=True).click()
    expect(page.locator(".classmap .pointer")).not_to_contain_text("Drawn")
    page.get_by_text("What the student inherited").click()


def test_the_students_own_answer_is_named_where_it_is_neither_of_the_two(browser, furnished):
    server, runs = furnished
    run_id, kept = runs[10]
    z, y = {arm: kept[key] for arm, key in ARMS.items()}, kept["labels"]
    ranked = np.argsort(-z["teacher"], axis=1, kind="stable")
    other = np.where(ranked[:, 0] == y, ranked[:, 1], y)
    first = z["student"].argmax(axis=1)
    apart = (first != ranked[:, 0]) & (first != other)
    for row, named in ((int(np.flatnonzero(apart)[0]), True), (int(np.flatnonzero(~apart)[0]), False)):
        screen = opened(browser, server, run_id, t=1, row=int(kept["row_ids"][row]) + 1)
        said = screen.page.locator(".row > .finding").inner_text()
        share = f"{100 * soft_labels.soften(z['student'])[row, first[row]]:.1f}\u00a0%"
        assert (f"The student answers class {first[row]:03d}, with {share}," in said) == named
        screen.close()


def test_marks_of_few_rows_are_hollow_and_not_joined(browser, furnished):
    server, runs = furnished
    for key, every in (("some", False), ("few", True)):
        screen = opened(browser, server, runs[key][0], t=1)
        card = screen.page.locator("section.belief")
        counts = [b["count"] for b in drawn(screen)["arms"]["teacher"]["calibration"]]
        few = card.locator(".dots.teacher path").evaluate_all("all => all.map((one) => one.classList.contains('few'))")
        fills = card.locator(".dots.teacher path").evaluate_all("all => all.map((one) => getComputedStyle(one).fill)")
        assert [fill == "none" for fill in fills] == few
        assert few == [count < 10 for count in counts] and any(few) and all(few) == every
        joined = sum(not a and not b for a, b in itertools.pairwise(few))
        assert (card.locator("path.teacher").get_attribute("d") or "").count("L") == joined
        said = card.locator(".finding").inner_text()
        assert ("27 rows: too few to tell" in said) == every and ("Hollow marks" in said) != every
        screen.close()


def bar_widths(screen):
    """Pixels of the teacher's and the student's bars, and of their tracks, line by line."""
    return np.array(
        screen.page.locator(".bars .line:not(.titles)").evaluate_all(
            """all => all.map((l) => ['.fill.teacher', '.fill.student', '.track'].map((s) => l.querySelector(s).offsetWidth))"""
        )
    )


def test_a_bar_is_as_wide_as_its_share_at_every_temperature(browser, furnished):
    server, runs = furnished
    run_id, kept = runs["eight"]
    screen = opened(browser, server, run_id, t=2, row=int(kept["row_ids"][3]) + 1)
    order = np.argsort(-kept["teacher"][3], kind="stable")
    teacher = []
    for full in (1.0, 0.2):
        screen.page.locator("select.widths").select_option(f"{full:g}")
        for temperature in (1.0, 2.0, 8.0, 20.0):
            warm(screen, temperature)
            found = bar_widths(screen)
            share = [soft_labels.soften(kept[ARMS[arm]], temperature)[3][order] for arm in ("teacher", "student")]
            want = found[:, 2:] * np.minimum(1, np.stack(share, axis=1) / full)
            assert np.abs(found[:, :2] - want).max() <= 1
            teacher.append(found[0, 0])
            cut = screen.page.locator(".bars .fill.over").count()
            assert cut == (np.stack(share) > full).sum()
        assert screen.page.locator("select.widths").input_value() == f"{full:g}"
    assert teacher[:4] == sorted(teacher[:4], reverse=True) and teacher[0] > teacher[3]
    expect(screen.page.locator(".bars + p")).to_have_text(re.compile("a full bar is 20\u00a0% at every T"))
    screen.close()


def test_larger_enlarges_bars_map_and_lists(browser, furnished):
    server, runs = furnished
    screen = opened(browser, server, runs["eight"][0], t=1)
    page = screen.page
    parts = (".bars .num", ".bars .z", ".pairs .titles .key", ".classmap .quiet", ".rows .what")
    size = lambda: [page.locator(one).first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") for one in parts]  # noqa: E731
    before, named = size(), page.locator(".map").bounding_box()["height"]
    page.get_by_role("button", name="Larger print", exact=True).click()
    assert all(now >= 1.35 * then for now, then in zip(size(), before, strict=True))
    assert page.locator(".map").bounding_box()["height"] > named
    assert page.locator(".soft .bar").bounding_box()["height"] < 130
    page.get_by_role("button", name="Larger print", exact=True).click()
    assert size() == before
    screen.close()


def test_the_way_to_the_student_is_paused_and_stepped_by_key(browser, furnished):
    server, runs = furnished
    screen = opened(browser, server, runs["eight"][0], t=2)
    page, bars = screen.page, screen.page.locator(".bars")
    finding, formulas = page.locator(".row > .finding"), page.locator(".row > .formulas")
    screen.settled()
    page.evaluate("document.fonts.ready")
    below = page.locator(".card.list").bounding_box()["y"]
    page.get_by_role("button", name="Play label to student").focus()
    page.keyboard.press("p")
    expect(bars).to_have_attribute("data-stage", "label")
    expect(finding).to_have_text(re.compile("^The label names .* says nothing of the other classes"))
    expect(formulas).to_be_hidden()
    page.wait_for_timeout(1500)
    expect(bars).to_have_attribute("data-stage", "label")  # long enough to speak over
    expect(bars).to_have_attribute("data-stage", "teacher", timeout=3000)
    page.keyboard.press("p")
    page.wait_for_timeout(3300)
    expect(bars).to_have_attribute("data-stage", "teacher")
    expect(finding).to_have_text(re.compile(r"^The teacher (?!.*student)"))  # no word of what is not drawn yet
    expect(formulas.locator(".key.student")).to_have_count(0)
    page.keyboard.press("n")
    expect(bars).to_have_attribute("data-stage", "student")
    expect(finding).to_contain_text("The student ")
    page.get_by_role("button", name="Next step").click()
    expect(bars).to_have_attribute("data-stage", "both")
    expect(formulas.locator(".key.student")).to_be_visible()
    assert page.locator(".card.list").bounding_box()["y"] == pytest.approx(below, abs=1)
    screen.close()


def test_cells_of_few_rows_are_faint_told_as_such_and_in_no_list(browser, served_few):
    server, runs = served_few
    for key, said in (
        ("some", "Pale and framed with dashes: cells of fewer than 10 rows"),
        ("all", "Every cell is of fewer than 10 rows"),
    ):
        run_id, kept = runs[key]
        screen = opened(browser, server, run_id, t=1)
        page, y = screen.page, kept["labels"]
        count = np.bincount(y, minlength=5)
        lift = class_map.lift_without_top(soft_labels.soften(kept["teacher"]), y, 5)
        if key == "some":
            assert count[0] == 3 and (count[1:] >= 10).all()
            lift[0] = np.nan
        (a, b), *_ = class_map.top_pairs(lift, 1)
        told = page.locator(".classmap .finding").inner_text()
        assert f"class {a:03d} look like class {b:03d} most" in told and f"on {count[a]} rows" in told
        expect(page.locator(".classmap .chart")).to_contain_text(said)
        titled = page.locator(".pairs h3").first.inner_text()
        assert titled.startswith("Largest cells of 10 rows or more" if key == "some" else "Largest cells, ranked")
        lines = page.locator(".pairs button:not([hidden])").all_inner_texts()
        assert any(line.startswith("class 000 →") for line in lines) == (key == "all")
        page.get_by_text("What the student inherited").click()
        few = page.locator(".classmap .finding").inner_text()
        assert ("too few for 5 classes" in few) == (key == "all") and f"{len(y)}" in few
        screen.close()


def with_few(run_id, kept):
    """Leave a run three rows of its first class."""
    folder = engine.store().folder(run_id)
    keep = np.flatnonzero(kept["labels"])
    keep = np.sort(np.concatenate([keep, np.flatnonzero(kept["labels"] == 0)[:3]]))
    kept = {name: values[keep] for name, values in kept.items()}
    np.savez_compressed(folder.artifact("soft_labels.npz"), **kept)
    place = folder.artifact("rows.parquet")
    pd.read_parquet(place).iloc[keep].reset_index(drop=True).to_parquet(place)
    return run_id, kept


@pytest.fixture
def served_few(tmp_path_factory):
    """A server with a run that has few rows of one class, and one that has few of each."""
    made = lambda: {"some": with_few(*soft_run(5, 300)), "all": soft_run(5, 30)}  # noqa: E731
    yield from served(tmp_path_factory, made)


@pytest.mark.parametrize("width", [1400, 420])
def test_the_box_names_the_run_that_is_shown_on_a_phone_too(browser, served_few, width):
    server, runs = served_few
    store = RunStore(server.workspace)
    names = run_names.of([store.get(run_id) for run_id, _ in runs.values()])
    for run_id, kept in runs.values():
        screen = Screen(browser, server.url)
        screen.page.set_viewport_size({"width": width, "height": 900})
        screen.open(f"/soft-labels?run={run_id}")
        expect(screen.page.locator(".soft .bar")).to_be_visible(timeout=60_000)
        screen.settled()
        box = screen.page.get_by_role("combobox", name="Run")
        expect(box).to_have_value(names[run_id])
        expect(screen.page.locator(".soft .bar")).to_contain_text(f"{len(kept['labels'])} rows")
        screen.close()
