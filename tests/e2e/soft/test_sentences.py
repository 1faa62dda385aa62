"""The sentence of a what-if on four kinds of data, worked out again from the scores of its cells alone."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from pages.ui.what_if.answers.typeset import typeset
from tests.e2e.screen import Screen
from tests.e2e.soft.small_runs import DATA, SEEDS

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


def tail_quantile(tail: float, df: int) -> float:
    """Find where Student's t leaves this much above: its density, added up."""
    x = np.linspace(0, 400, 4_000_001)
    log = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    density = np.exp(log - (df + 1) / 2 * np.log1p(x**2 / df))
    below = 0.5 + np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])])
    return float(np.interp(1 - tail, below, x))


class Pair:
    """The best cell against another, seed by seed; above 0 the other lies behind."""

    def __init__(self, best: Any, other: Any, higher: bool) -> None:
        far = np.subtract(best["scores"], other["scores"]) * (1 if higher else -1)
        self.mean, self.spread = float(far.mean()), float(far.std(ddof=1))
        self.half = 0.0

    def wide(self, tail: float, seeds: int = SEEDS) -> float:
        return tail_quantile(tail, seeds - 1) * self.spread / math.sqrt(seeds) if self.spread else 0.0

    def amount(self) -> str:
        """Write the mean in points with its interval, as many digits as its width asks for."""
        digits = [min(8, max(1, -math.floor(math.log10(100 * abs(v))))) if v else 1 for v in (self.half, self.mean)]
        low, high = self.mean - self.half, self.mean + self.half
        places = min(digits[0], digits[1] + 2)
        mean, low_, high_ = (f"{round(100 * v, places) + 0.0:.{places}f}" for v in (self.mean, low, high))  # never -0.0
        return f"{mean} points [{low_}, {high_}]"


def steps(pairs: list[Pair], members: int, distance: Any) -> list[tuple[bool, float]]:
    """Holm's steps among so many: from the clearest on, each at a level of its own, until one does not hold."""

    def clear(pair: Pair) -> float:
        away = distance(pair)
        return -math.inf if away <= 0 else away / pair.spread if pair.spread else math.inf

    found: list[tuple[bool, float]] = [(False, 0.0)] * len(pairs)
    going, at = True, 0
    for place in sorted(range(len(pairs)), key=lambda place: -clear(pairs[place])):
        half = pairs[place].wide(0.025 / (members - at))
        going = going and distance(pairs[place]) > half
        found[place] = (going, half)
        at += going
    return found


def sentence_of(found: Any) -> str:
    """Say of temperature and alpha what the best cell's neighbour in each is worth, from nothing but the cells' scores."""
    cells = {(c["temperature"], c["alpha"]): c for c in found["cells"] if c["alpha"] != 0}
    (best,) = [c for c in found["cells"] if c["cell"] == found["sweep"]["best"]]
    margin, higher = found["metric"]["margin"], found["metric"]["better"] == "higher"
    named = []
    for name, word, values in (("temperature", "T", (1, 4)), ("alpha", "alpha", (0.3, 0.9))):
        other = values[1] if best[name] == values[0] else values[0]
        place = {"temperature": best["temperature"], "alpha": best["alpha"], name: other}
        named.append((word, values, best[name], other, Pair(best, cells[place["temperature"], place["alpha"]], higher)))
    pairs = [one[-1] for one in named]
    any_pair = math.ceil(len(found["cells"]) * len(pairs) / 2)  # the best is chosen by the same seeds
    near = steps(pairs, len(pairs), lambda pair: margin - pair.mean)
    far = steps(pairs, any_pair, lambda pair: pair.mean)
    said, needs = [], []
    for (word, values, own, other, pair), (enough, near_half), (worse, far_half) in zip(named, near, far, strict=True):
        if worse and not enough and pair.mean + far_half < margin:  # the wider one decides
            far_half = max(near_half, far_half)
            worse = pair.mean > far_half
        if enough:
            said.append(f"{word} {values[0]:g} or {values[1]:g} will do")
        elif worse:
            pair.half = far_half
            said.append(f"{word} {own:g} beats {other:g} by {pair.amount()}")
        else:
            level = max(near_half, far_half)  # the wider of both steps
            tail = next(t for t in (0.025 / k for k in range(1, any_pair + 1)) if math.isclose(pair.wide(t), level))
            room = max(margin - pair.mean, pair.mean)
            need = next((n for n in range(SEEDS + 1, 51) if pair.wide(tail, n) < room), None)
            needs.append(need or 51)
            said.append(f"{word} {other:g} is not clear yet")
    told = [f"T {best['temperature']:g}, alpha {best['alpha']:g} is best on validation", "; ".join(said)]
    if needs:
        told.append(
            "more than 50 seeds would be needed to settle all that is open"
            if max(needs) > 50
            else f"about {max(needs)} seeds of each cell or more would settle all that is open"
        )
    return typeset(". ".join(told))


@pytest.mark.parametrize("kind", DATA)
def test_the_sentence_of_a_what_if_says_what_its_scores_say(browser, kinds, kind):
    server, runs = kinds
    found = json.loads((server.workspace / "runs" / runs[kind] / "result.json").read_text("utf-8"))
    assert len({c["cell"] for c in found["cells"]}) >= 4 and all(len(c["seeds"]) == SEEDS for c in found["cells"])
    screen = Screen(browser, server.url)
    screen.open(f"/runs?run={runs[kind]}")
    answer = screen.page.locator(".st-key-whatif-answer h5")
    expect(answer).to_be_visible(timeout=120_000)
    short = answer.inner_text().strip()
    screen.page.locator(".st-key-whatif-answer summary").click()
    long = screen.page.locator(".st-key-whatif-answer-long p")
    expect(long).to_be_visible()
    said = re.sub(
        r" \([^()]* may be as good with [^()]*\)", "", long.inner_text().strip()
    )  # of the frame, told elsewhere
    assert said.removesuffix(".").lower() == sentence_of(found).lower()
    needed = r"(\d+) seeds (?:of each cell )?would (?:be needed to )?settle"
    assert re.findall(needed, short) == re.findall(needed, said) and len(short) < len(said) + 10
    screen.close()


def test_the_quantile_of_this_file_is_students():
    """Against the closed form of two degrees of freedom, and a printed table."""
    share = 1 - 2 * 0.025
    assert tail_quantile(0.025, 2) == pytest.approx(share * math.sqrt(2 / (1 - share**2)), abs=1e-3)
    assert tail_quantile(0.0125, 9) == pytest.approx(2.685, abs=1e-3)
