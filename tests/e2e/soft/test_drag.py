"""A step of T in a real browser: what is in sight moves at once, what is not follows when T rests, is seen, or is saved."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from kd_core.evaluate import soft_labels
from pages.ui.soft import component
from tests.e2e.soft.test_as_read import served
from tests.e2e.soft.test_classes import opened
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
# JavaScript: moves T, and reads in the very frame in which the step is drawn.
TOOLS = """
  const shadow = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).find((root) => root?.querySelector(".soft"));
  const read = () => ({ sure: shadow.querySelector(".spread .finding").textContent, classes: [...shadow.querySelectorAll(".classes .scroll button")].map((e) => e.lastChild.textContent) });
  const moved = (at) => new Promise((done) => {
    const slider = shadow.querySelector("input[type=range]");
    slider.value = at;
    slider.dispatchEvent(new Event("input"));
    requestAnimationFrame(() => done(read()));
  });
"""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server with a run of ten classes."""
    yield from served(tmp_path_factory, lambda: soft_run(10, 600))


def step(temperature):
    return component.temperatures().index(temperature)


def undecided(kept, temperature):
    """What the list of classes says: between how many the teacher hesitates on rows of each."""
    nats = soft_labels.entropy(soft_labels.soften(kept["teacher"], temperature))
    y = kept["labels"]
    return {f"{np.exp(nats[y == c].mean()):.1f}" for c in np.unique(y)}


def test_what_is_out_of_sight_follows_when_t_rests_and_when_the_numbers_are_saved(browser, furnished):
    server, (run_id, kept) = furnished
    screen = opened(browser, server, run_id, t=1)
    page = screen.page
    page.wait_for_timeout(500)
    found = page.evaluate(f"async (at) => {{ {TOOLS} return await moved(at); }}", step(2.0))
    assert "At T = 2 " in found["sure"] and set(found["classes"]) == undecided(kept, 1.0)
    now = sorted(undecided(kept, 2.0))
    classes = page.locator(".classes .scroll button > :last-child")
    expect(classes.filter(has_text=now[0]).first).to_be_attached()
    assert set(classes.all_text_contents()) == set(now)
    with page.expect_download():
        found = page.evaluate(
            f"""async (at) => {{ {TOOLS} await moved(at); shadow.querySelector(".save").click(); return read(); }}""",
            step(5.0),
        )
    assert set(found["classes"]) == undecided(kept, 5.0)
    screen.close()


def test_what_comes_into_sight_moves_with_t_that_never_rests(browser, furnished):
    server, (run_id, kept) = furnished
    screen = opened(browser, server, run_id, t=1)
    found = screen.page.evaluate(
        f"""async (places) => {{
          {TOOLS}
          shadow.querySelector(".classes").scrollIntoView({{ block: "end" }});
          let found;
          for (const at of places) found = await moved(at);
          return found;
        }}""",
        list(range(step(8.0) + 1)),
    )
    assert set(found["classes"]) == undecided(kept, 8.0) and "At T = 8 " not in found["sure"]
    screen.close()


def test_a_sentence_that_grows_by_a_line_does_not_lay_the_map_anew(browser, furnished):
    server, (run_id, _) = furnished
    screen = opened(browser, server, run_id, t=1)
    page = screen.page
    page.wait_for_timeout(500)
    heights, laid, again = page.evaluate(
        f"""async (places) => {{
          {TOOLS}
          const [heights, page] = [new Set(), shadow.querySelector(".soft")];
          let laid = 0;
          new MutationObserver((all) => {{ laid += all.length; }}).observe(shadow.querySelector("canvas.still"), {{ attributeFilter: ["width"] }});
          const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          for (const at of places) {{ await moved(at); await drawn(); heights.add(page.offsetHeight); }}
          const before = laid;
          page.style.width = "600px";
          await drawn();
          await drawn();
          return [heights.size, before, laid];
        }}""",
        list(range(0, len(component.temperatures()), 3)),
    )
    assert heights > 1 and laid == 0 and again > 0
    screen.close()
