"""Soft labels in a real browser: the drawn numbers are the server's, a choice lists rows, all by key and without the server."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from kd_core.evaluate import calibration, class_map, soft_labels
from kd_core.evaluate.base import Answers
from pages.ui.soft import component
from tests.e2e.furnished import filling
from tests.e2e.screen import Screen
from tests.e2e.server import Server
from tests.e2e.soft.soft_page import times
from tests.pages.soft_runs import KINDS, soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
MANY = {2: 400, 10: 600, 77: 1500, 150: 2000}  # rows by number of classes
ARMS = {"teacher": "teacher", "student": "student_0", "baseline": "baseline_0"}
CLOSE = 1e-6


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server whose workspace holds a run for each number of classes and each kind of rows."""
    root = tmp_path_factory.mktemp("soft") / "workspace"
    with filling(root):
        runs = {num: soft_run(num, rows) for num, rows in MANY.items()}
        runs |= {kind: soft_run(4, 120, kind) for kind in KINDS}
    app = Server(root)
    app.start()
    yield app, runs
    app.stop()


def opened(browser, server, run_id, **more):
    screen = Screen(browser, server.url)
    screen.sent = []  # what the page says to the server
    screen.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: screen.sent.append(frame)))
    screen.open(f"/soft-labels?run={run_id}" + "".join(f"&{k}={v}" for k, v in more.items()))
    expect(screen.page.locator(".soft .bar")).to_be_visible(timeout=60_000)
    return screen


def slider(screen):
    return screen.page.get_by_role("slider", name="Temperature T")


def warm(screen, temperature):
    """Drag T to a step, as the slider's input event does."""
    at = component.temperatures().index(temperature)
    slider(screen).evaluate("(e, at) => { e.value = at; e.dispatchEvent(new Event('input')); }", at)
    expect(screen.page.locator(".lead")).to_contain_text(f"At T = {temperature:g} ")


def drawn(screen):
    with screen.page.expect_download() as saved:
        screen.page.get_by_role("button", name="Save these numbers").click()
    return json.loads(saved.value.path().read_text("utf-8"))


def close(found, wanted):
    found = np.array(found, dtype=float)  # null: not a number
    assert found.shape == np.shape(wanted)
    assert np.allclose(found, wanted, atol=CLOSE, rtol=CLOSE, equal_nan=True)


@pytest.mark.parametrize("num", MANY)
def test_all_charts_equal_the_servers_numbers(browser, furnished, num):
    server, runs = furnished
    run_id, kept = runs[num]
    screen = opened(browser, server, run_id)
    y, z = kept["labels"], {arm: kept[key] for arm, key in ARMS.items()}
    for temperature in (0.5, 1.0, 2.0, 4.5, 20.0):
        warm(screen, temperature)
        found = drawn(screen)
        assert found["temperature"] == temperature and len(found["rows"]["number"]) == len(y)
        p = {arm: soft_labels.soften(v, temperature) for arm, v in z.items()}
        lift = {arm: class_map.log_lift(v, y, num) for arm, v in p.items()}
        row = int(np.flatnonzero(kept["row_ids"] + 1 == found["row"])[0])
        for arm, one in found["arms"].items():
            nats = soft_labels.entropy(p[arm])
            close(one["row"], p[arm][row])
            close(one["lift"], np.exp(lift[arm]))
            close(one["lift_without_top"], np.exp(class_map.lift_without_top(p[arm], y, num)))
            close([one["largestMean"], one["entropyMean"]], [p[arm].max(axis=1).mean(), nats.mean()])
            close(one["effective"], np.exp(nats.mean()))
            for name, values, low, high in (("largest", p[arm].max(axis=1), 1 / num, 1), ("entropy", nats, 0, np.log(num))):  # fmt: skip
                counts, _ = np.histogram(np.clip(values, low, high), bins=np.linspace(low, high, 25))
                close(one[name], counts / len(y))
            bins = calibration.bins(Answers("multiclass", y, p[arm]))
            close([[b["confidence"], b["accuracy"], b["count"]] for b in one["calibration"]],
                  [[b["confidence"], b["accuracy"], b["count"]] for b in bins])  # fmt: skip
            close(one["calibrationError"], calibration.expected_error(bins))
        for arm in ("student", "baseline"):
            close(found["kl"][arm], soft_labels.kl(z["teacher"], z[arm], temperature))
        share = class_map.inherited(lift["teacher"], lift["baseline"], lift["student"])
        close(found["inherited"] if share is not None else 0.0, share or 0.0)
        assert (found["inherited"] is None) == (share is None)
        between = class_map.inherited_between(
            lambda keep, p=p: tuple(class_map.log_lift(p[arm][keep], y[keep], num) for arm in ("teacher", "baseline", "student")), len(y)
        )  # fmt: skip
        cheap = share is not None and 30 * len(y) * num <= 3_000_000
        assert (found["inherited_between"] is not None) == (cheap and between is not None)
        if found["inherited_between"] is not None:
            close(found["inherited_between"], between)
        close(found["rows"]["distance"], 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1))
        close(found["rows"]["teacher_entropy"], soft_labels.entropy(p["teacher"]))
        bars_show(screen, p, row)
        marks_show(screen, found)
        sentences_say(screen, p, lift, y)
    screen.close()


def marks_show(screen, found):
    """Calibration is drawn with the marks of its legend, as wide as its card."""
    card = screen.page.locator("section.belief")
    assert card.locator(".keys").inner_text().split() == ["Teacher", "Student", "Baseline"]
    for arm, sign in (("teacher", "H"), ("baseline", "L"), ("student", "a")):  # a square, a cross, a circle
        shapes = card.locator(f".dots.{arm} path").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
        assert len(shapes) == len(found["arms"][arm]["calibration"]) and all(sign in shape for shape in shapes)
    assert card.locator("svg").bounding_box()["width"] > 0.8 * card.bounding_box()["width"]


def bars_show(screen, p, row):
    """Bars and marks stand where the numbers are: widths in percent of their half."""
    ranked = np.argsort(-p["teacher"][row], kind="stable")
    lines = screen.page.eval_on_selector_all(
        ".bars .line:not(.titles)",
        """all => all.map(l => [l.querySelector('button')?.title.replace('Write the formula for ', '') ?? '',
            ...['.fill.teacher', '.fill.student'].map(s => parseFloat(l.querySelector(s).style.width)), parseFloat(l.querySelector('.mark').style.left)])""",
    )
    shown = [int(name.removeprefix("class ")) for name, *_ in lines if name]
    assert shown == [c for c in ranked if c in set(shown)] and shown[0] == ranked[0]
    for (name, *widths), arm_order in zip(lines, [("teacher", "student", "baseline")] * len(lines), strict=True):
        c = int(name.removeprefix("class ")) if name else None
        want = [100 * p[a][row][c] if c is not None else 100 * (1 - p[a][row][shown].sum()) for a in arm_order]
        assert widths == pytest.approx(want, abs=1e-3)


def sentences_say(screen, p, lift, y):
    said = screen.page.locator(".lead").inner_text()
    nats = soft_labels.entropy(p["teacher"]).mean()
    share = f"{100 * p['teacher'].max(axis=1).mean():.1f}\u00a0%"
    assert f"first class {share} on average over all {len(y):,} rows" in said
    assert f"evenly between {np.exp(nats):.1f} classes" in said
    if lift["teacher"].shape[0] > 2:
        rows = np.bincount(y, minlength=len(lift["teacher"]))
        firm = (rows >= (10 if rows.max() >= 10 else 1))[:, None]  # of fewer rows it may be luck
        (a, b), *_ = class_map.top_pairs(
            np.where(firm, class_map.lift_without_top(p["teacher"], y, len(rows)), np.nan), 1
        )
        told = screen.page.locator(".classmap .finding").inner_text()
        factor = np.exp(lift["teacher"][a, b])
        assert f"labelled class {a:03d} look like class {b:03d} most. They give it {times(factor)} the share" in told


def listed(screen):
    """Rows of the list in their order, by number."""
    said = screen.page.locator(".rows li .what span:first-child").all_inner_texts()
    return [int(re.sub(r"\D", "", words)) for words in said]


def test_a_choice_lists_its_rows_and_a_row_of_the_list_is_shown(browser, furnished):
    server, runs = furnished
    run_id, kept = runs[10]
    screen = opened(browser, server, run_id, t=2)
    page, sent = screen.page, len(screen.sent)
    y, ids = kept["labels"], kept["row_ids"] + 1
    p = {arm: soft_labels.soften(kept[key], 2.0) for arm, key in ARMS.items()}
    apart = 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1)
    wide = soft_labels.disagreements(kept["teacher"], kept["student_0"], 2.0)
    page.locator(".list").get_by_role("button", name="Disagreements").click()
    assert listed(screen) == ids[wide[:10]].tolist()

    page.locator(".pairs .pair:not(.titles)").first.click()  # a cell
    (a, b), *_ = class_map.top_pairs(class_map.lift_without_top(p["teacher"], y, 10), 1)
    rows = np.flatnonzero(y == a)
    order = rows[np.argsort(-p["teacher"][rows, b], kind="stable")]
    assert listed(screen) == ids[order[:10]].tolist()
    expect(page.locator(".list .finding")).to_have_text(
        f"{len(rows)} rows labelled class {a:03d}, those most like class {b:03d} first"
    )
    answer = page.locator(".card.classmap + .card.list")  # right below the map that asked
    assert answer.bounding_box()["y"] >= page.locator(".card.classmap").bounding_box()["y"]
    page.locator(".rows li button").nth(2).click()  # a row of the list
    expect(page.locator(".walk input")).to_have_value(str(ids[order[2]]))
    expect(page.locator(".walk .quiet")).to_have_text(f"3 of {len(rows)} in the list")
    page.get_by_role("button", name="Next row of the list").click()
    expect(page.locator(".walk input")).to_have_value(str(ids[order[3]]))

    plot = page.locator(".histogram .plot").first  # a bin
    plot.focus()
    page.keyboard.press("Home")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    largest = p["teacher"].max(axis=1)
    edges = np.linspace(0.1, 1, 25)
    rows = np.flatnonzero((largest >= edges[8]) & (largest < edges[9]))
    assert len(rows) > 3
    assert listed(screen) == ids[rows[np.argsort(-apart[rows], kind="stable")]][:10].tolist()

    page.locator(".classes .scroll button").first.click()  # a class, the one with the most disagreements
    parted = np.array([np.isin(wide, np.flatnonzero(y == c)).sum() / max(1, (y == c).sum()) for c in range(10)])
    name = page.locator(".classes .scroll .name").first.inner_text()
    worst = int(name.removeprefix("class "))
    assert parted[worst] == parted.max()
    rows = np.flatnonzero(y == worst)
    expect(page.locator(".list .finding")).to_have_text(f"{len(rows)} rows labelled {name}")

    page.locator(".list").get_by_role("button", name="All rows").click()
    page.get_by_label("Order of the rows").select_option("close")
    assert listed(screen) == ids[np.argsort(apart, kind="stable")[:10]].tolist()
    assert sent > 0 and screen.sent[sent:] == []  # all of it without the server
    screen.close()


def test_t_moves_by_key_is_spoken_and_kept_in_the_address(browser, furnished):
    server, runs = furnished
    screen = opened(browser, server, runs[10][0], t=2, row=7)
    page, steps = screen.page, component.temperatures()
    expect(page.locator(".walk input")).to_have_value("7")
    here = steps.index(2.0)
    slider(screen).focus()
    for key, at in (("ArrowRight", here + 1), ("ArrowLeft", here), ("Home", 0), ("End", len(steps) - 1)):
        page.keyboard.press(key)
        expect(slider(screen)).to_have_attribute("aria-valuetext", f"T = {steps[at]:g}")
    page.keyboard.press("PageDown")  # a tenth of the way
    at = int(slider(screen).input_value())
    assert len(steps) - 1 - at == pytest.approx(len(steps) / 10, abs=1)
    assert "Arrow keys move T a little, Page Up and Page Down further" in slider(screen).get_attribute("title")
    page.keyboard.press("Home")
    expect(page.locator(".soft [role=status]")).to_contain_text("At T = 0.5 the teacher gives its first class")
    page.wait_for_url(re.compile(r"[?&]t=0\.5&"))
    page.reload()
    expect(slider(screen)).to_have_attribute("aria-valuetext", "T = 0.5", timeout=60_000)
    page.mouse.wheel(0, 1500)
    expect(slider(screen)).to_be_in_viewport()  # T stays in sight
    screen.close()


def test_the_map_is_read_by_key_zoomed_and_searched(browser, furnished):
    server, runs = furnished
    run_id, kept = runs[150]
    screen = opened(browser, server, run_id, t=2)
    page = screen.page
    area = page.get_by_role("application", name=re.compile("Classes that look alike"))
    pointer = page.locator(".classmap .pointer")
    page.get_by_placeholder("Find a class").fill("class 077")
    expect(pointer).to_contain_text("Labelled class 077")
    area.focus()
    before = pointer.inner_text()
    page.keyboard.press("ArrowDown")
    expect(pointer).not_to_have_text(before)
    expect(page.locator(".soft [role=status]")).to_have_text(pointer.inner_text())
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    a = int(re.search(r"class (\d+)", pointer.inner_text())[1])
    expect(page.locator(".list .finding")).to_contain_text(f"{(kept['labels'] == a).sum()} rows labelled class {a:03d}")
    row = page.locator(".rows li button").first  # Enter goes to the rows, Escape comes back to the cell
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(area).to_be_focused()
    expect(page.locator(".map i.lit")).to_be_in_viewport()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".map i.kept")).to_be_visible()
    page.get_by_role("button", name="All classes").click()
    page.get_by_text("What the student inherited").click()
    expect(page.locator(".classmap .finding")).to_contain_text("of the way from the baseline's likenesses")
    screen.close()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_show_what_they_are(browser, furnished, kind):
    server, runs = furnished
    run_id, _ = runs[kind]
    screen = opened(browser, server, run_id, row=1)
    page = screen.page
    shown = page.locator(".row .content")
    if kind == "pictures":
        picture = shown.get_by_role("img", name="The picture of this row")
        expect(picture).to_be_visible()
        assert "data:image/png" in picture.evaluate("e => getComputedStyle(e).backgroundImage")
        expect(page.locator(".rows li .picture").first).to_be_visible()
        page.get_by_label("Row", exact=True).fill(
            "40"
        )  # the 14th row: in a sheet of 11 a line, the third of the second
        page.keyboard.press("Enter")
        expect(picture).to_have_css("background-position", "-224px -112px")
    elif kind == "table":
        expect(shown.locator("dd")).to_have_text(["0", "phone 0"])
        expect(page.locator(".rows li .brief").first).to_contain_text("device phone")
    else:
        first = {"english": "parcel late 0", "chinese": "快递太慢了 0"}[kind]
        expect(shown.locator("blockquote")).to_have_text(first)
        said = page.locator(".rows li .brief").first.inner_text()
        assert re.search(r"\d$", said)
    assert not [u for u in screen.requests if not u.startswith((server.url, "data:", "blob:", "ws:"))]
    screen.close()


def test_the_way_from_label_to_shares_is_played_and_still_where_motion_is_unwanted(browser, furnished):
    server, runs = furnished
    screen = opened(browser, server, runs[10][0], t=2)
    page = screen.page
    bars = page.locator(".bars .line:not(.titles) .fill.student")
    page.locator(".choice").get_by_text("Label", exact=True).click()
    widths = bars.evaluate_all("all => all.map(e => e.style.width)")
    assert sorted(widths) == ["0%"] * 9 + ["100%"]
    page.locator(".row .choice").get_by_text("Teacher", exact=True).click()
    teacher = bars.evaluate_all("all => all.map(e => parseFloat(e.style.width))")
    assert sum(teacher) == pytest.approx(100) and max(teacher) < 100
    assert page.locator(".play").is_visible()
    page.emulate_media(reduced_motion="reduce")
    assert not page.locator(".play").is_visible()
    screen.close()
