"""Start in a real browser: the kept curves play by themselves and by key, stand still where a person wants no motion, and ask the server nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios import SCENARIOS
from kd_core.specs import RunSpec
from pages.ui.shared import example
from pages.ui.shared.text import plain, t
from pages.ui.start import learning, player
from tests.e2e.screen import Screen
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
CURVES = ".learning"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("start") / "workspace", {"KD_SMOKE": "1"})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sent():
    """What the browser draws, as the engine computes it."""
    from pages.ui.result import verdict

    found = example.read()
    assert found is not None
    learned = learning.read(example.FOLDER, found[1], verdict.best_student(found[1]))
    assert learned is not None
    return player.payload(learned, found[1])


def opened(browser, app, **context):
    screen = Screen(browser, app.url)
    screen.page.emulate_media(**context)
    screen.open("/")
    expect(screen.page.locator(CURVES)).to_be_visible(timeout=60_000)
    return screen


def epoch(screen):
    return int(screen.page.locator(f"{CURVES} input").input_value())


def test_the_curves_play_to_the_end_without_the_server(browser, app, sent):
    screen = opened(browser, app, reduced_motion="no-preference")
    curves = screen.page.locator(CURVES)
    expect(curves).to_have_attribute("data-state", "playing")
    before = epoch(screen)
    expect(curves).to_have_attribute("data-state", "finished", timeout=60_000)
    assert before < epoch(screen) == sent["epochs"]
    said = curves.locator("p").first.inner_text()
    for name in ("student", "baseline"):
        assert f"{sent['mean'][name][-1]:.3f}" in said
    assert f"{sent['teacher']:.3f}" in said
    assert all(value in said for value in sent["test"].values())  # and what the text beside says
    assert not [u for u in screen.requests if not u.startswith((app.url, "data:", "blob:", "ws:"))]
    screen.close()


def test_the_curves_are_moved_by_key_and_say_each_epochs_scores(browser, app, sent):
    screen = opened(browser, app, reduced_motion="reduce")
    curves = screen.page.locator(CURVES)
    expect(curves).to_have_attribute("data-state", "finished")  # at once: nothing has moved
    assert epoch(screen) == sent["epochs"]
    slider = screen.page.get_by_role("slider", name=sent["words"]["slider"])
    slider.focus()
    screen.page.keyboard.press("Home")
    for step in range(1, 4):
        at = epoch(screen)
        assert at == step
        said = curves.locator("p").first.inner_text()
        for name in ("student", "baseline"):
            assert f"{sent['mean'][name][at - 1]:.3f}" in said and slider.get_attribute("aria-valuetext") == said
        screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("Shift+Tab")
    button = screen.page.get_by_role("button", name=sent["words"]["play"])
    expect(button).to_be_focused()
    screen.page.keyboard.press("Enter")
    expect(curves).to_have_attribute("data-state", "playing")
    screen.page.keyboard.press("Enter")
    expect(curves).to_have_attribute("data-state", "paused")
    held = epoch(screen)
    screen.page.wait_for_timeout(300)
    assert epoch(screen) == held
    screen.close()


def test_lines_end_at_the_scores_that_they_stand_for(browser, app, sent):
    screen = opened(browser, app, reduced_motion="reduce")
    ends = screen.page.evaluate(
        """() => { const find = (root, s) => { for (const e of root.querySelectorAll('*')) { if (e.shadowRoot) { const f = find(e.shadowRoot, s); if (f) return f; } }
             return root.querySelector(s); };
           const box = find(document, '.learning'); const last = p => p.getAttribute('d').split(',').at(-1);
           return {student: Number(last(box.querySelector('.bold.student'))), baseline: Number(last(box.querySelector('.bold.baseline'))),
             teacher: Number(box.querySelector('line[stroke-dasharray]').getAttribute('y1')), faint: box.querySelectorAll('.faint').length,
             first: Number(box.querySelector('.bold.student').getAttribute('d').slice(1).split(/[,L]/)[1])}; }"""
    )
    first, last = sent["mean"]["student"][0], sent["mean"]["student"][-1]
    per_score = (ends["student"] - ends["first"]) / (last - first)
    for name, value in (("baseline", sent["mean"]["baseline"][-1]), ("teacher", sent["teacher"])):
        assert ends[name] == pytest.approx(ends["student"] + per_score * (value - last), abs=0.2)
    assert ends["faint"] == sum(len(seeds) for seeds in sent["seeds"].values())
    screen.close()


def test_on_a_phone_cards_stand_in_one_column_and_nothing_is_wider_than_the_screen(browser, app):
    screen = Screen(browser, app.url)
    screen.page.set_viewport_size({"width": 420, "height": 900})
    screen.open("/")
    expect(screen.page.locator(CURVES)).to_be_visible()
    screen.settled()
    for _ in range(100):  # a phone is drawn as a phone from its second drawing on
        if (top := screen.page.locator(CURVES).bounding_box()["y"]) < 600:
            break
        screen.page.wait_for_timeout(100)
    assert top < 600  # they play on the first screen
    names = ["own", *SCENARIOS.names()]
    screen.page.locator("summary").filter(has_text="more samples").click()
    expect(screen.page.locator(f".st-key-start-card-{names[-1]} button:visible").first).to_be_visible(timeout=60_000)
    boxes = [screen.page.locator(f".st-key-start-card-{name}").bounding_box() for name in names]
    lefts = {round(box["x"]) for box in boxes}  # those one fold away stand within its frame
    assert len(lefts) == 2 and max(lefts) - min(lefts) < 25
    assert all(box["x"] + box["width"] <= 420 for box in boxes)
    assert screen.page.evaluate("() => document.documentElement.scrollWidth") <= 420
    screen.close()
    screen = opened(browser, app)
    expect(screen.page.locator(f".st-key-start-card-{names[-1]} button:visible").first).to_be_visible(timeout=60_000)
    wide = [screen.page.locator(f".st-key-start-card-{name}").bounding_box() for name in names]
    assert len({round(box["x"]) for box in wide}) == 4
    assert screen.page.locator("[class*=st-key-start-card] img").count() == len(SCENARIOS.names())
    screen.close()


def test_a_card_starts_its_scenario_with_one_click(browser, app):
    screen = opened(browser, app)
    name = "service_chinese"
    screen.press(f"start-{name}")
    run_id = screen.run_id()
    spec = RunFolder(app.workspace / "runs" / run_id).spec()
    assert isinstance(spec, RunSpec) and spec.dataset.source == f"sample:{SCENARIOS.get(name).facts['sample']}"
    screen.close()


def test_the_example_runs_with_one_click(browser, app):
    screen = opened(browser, app)
    screen.page.get_by_role("button", name=plain(t("start.run_it"))).first.click()
    run_id = screen.run_id()
    assert RunFolder(app.workspace / "runs" / run_id).spec() == RunFolder(example.FOLDER).spec()
    screen.close()


def test_what_it_rests_on_opens_below_both_columns_and_moves_neither(browser, app):
    screen = opened(browser, app, reduced_motion="reduce")
    screen.settled()
    curves = screen.page.locator(CURVES)
    before = curves.bounding_box()
    under_title = lambda: curves.bounding_box()["y"] - screen.page.locator("h1").bounding_box()["y"]  # noqa: E731
    stood = under_title()  # a click on what is half out of sight scrolls the page
    fold = screen.page.locator(".st-key-start-sure")
    assert fold.bounding_box()["width"] > 1.5 * before["width"]
    fold.locator("summary").click()
    screen.sees("AGAINST THE TEACHER")
    screen.settled()
    assert under_title() == pytest.approx(stood, abs=2)
    screen.close()
