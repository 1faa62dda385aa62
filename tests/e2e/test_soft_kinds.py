"""What a hand does on four kinds of data, and on every kind of answer: choices list rows, sentences say numbers, each worked out again here."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.e2e import small_runs
from tests.e2e.screen import Screen
from tests.e2e.server import Server
from tests.e2e.small_runs import ANSWERS, DATA, SEEDS

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
ARMS = {"teacher": "teacher", "student": "student_0", "baseline": "baseline_0"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server whose workspace holds a tiny run for each kind of data and of answers."""
    folder = tmp_path_factory.mktemp("kinds")
    root = folder / "workspace"
    with small_runs.workspace(root):
        runs = {kind: small_runs.what_if(kind) for kind in DATA}
        runs |= {kind: small_runs.answering(kind, folder) for kind in ANSWERS}
    app = Server(root)
    app.start()
    yield app, runs
    app.stop()


class Page:
    """The page of soft labels of one run, with what the run kept."""

    def __init__(self, browser: Any, furnished: Any, kind: str, **more: Any) -> None:
        server, runs = furnished
        self.folder = server.workspace / "runs" / runs[kind]
        self.kept = small_runs.kept(server.workspace, runs[kind])
        self.rows = pd.read_parquet(self.folder / "artifacts" / "rows.parquet")
        self.result = json.loads((self.folder / "result.json").read_text("utf-8"))
        self.ids = self.kept["row_ids"] + 1
        self.z = {arm: self.kept[key].astype(np.float64) for arm, key in ARMS.items()}
        self.screen = Screen(browser, server.url)
        self.page = self.screen.page
        self.sent: list[Any] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        self.screen.open(f"/soft-labels?run={runs[kind]}" + "".join(f"&{k}={v}" for k, v in more.items()))
        expect(self.page.locator(".soft .bar")).to_be_visible(timeout=120_000)

    def move(self, wanted: float) -> None:
        """Drag the slider to the step that says this."""
        slider = self.page.locator(".soft input[type=range]")
        steps = int(slider.get_attribute("max") or 0)
        low, high = 0, steps
        while low <= high:  # steps rise
            at = (low + high) // 2
            slider.evaluate("(e, at) => { e.value = at; e.dispatchEvent(new Event('input')); }", at)
            here = float((slider.get_attribute("aria-valuetext") or "").split("= ")[1])
            if here == wanted:
                return
            low, high = (at + 1, high) if here < wanted else (low, at - 1)
        raise AssertionError(f"no step {wanted}")

    def saved(self) -> dict[str, Any]:
        """Read the numbers that are drawn."""
        self.page.wait_for_timeout(100)
        with self.page.expect_download() as found:
            self.page.get_by_role("button", name="Save these numbers").click()
        read: dict[str, Any] = json.loads(found.value.path().read_text("utf-8"))
        return read

    def listed(self) -> list[int]:
        """Read the rows of the list, by number."""
        said = self.page.locator(".rows li .what span:first-child").all_inner_texts()
        return [int(re.sub(r"\D", "", words)) for words in said]

    def brief(self) -> Any:
        """Return the row that is shown."""
        return self.page.locator(".row .content")

    def close(self) -> None:
        self.screen.close()


def soften(z: Any, t: float) -> Any:
    e = np.exp((z - z.max(axis=1, keepdims=True)) / t)
    return e / e.sum(axis=1, keepdims=True)


def lifts(p: Any, y: Any) -> Any:
    """How much more rows of a class look like another than rows of all other classes do; NaN on the diagonal."""
    num = p.shape[1]
    found = np.full((num, num), np.nan)
    for a in range(num):
        for b in range(num):
            if a != b and (y == a).any():
                found[a, b] = max(p[y == a, b].mean(), 0.1 / num) / max(p[y != b, b].mean(), 0.1 / num)
    return found


def ordered(values: Any, ids: Any) -> list[int]:
    """Rows by falling value, equal ones as in the file."""
    return [int(ids[i]) for i in np.argsort(-values, kind="stable")]


@pytest.mark.parametrize("kind", DATA)
def test_a_cell_a_bin_and_a_class_list_rows_that_show_what_they_are(browser, furnished, kind):
    one = Page(browser, furnished, kind, t=2)
    page, y = one.page, one.kept["labels"].astype(int)
    p = {arm: soften(z, 2.0) for arm, z in one.z.items()}
    apart = 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1)
    classes, before = one.result["dataset"]["classes"], len(one.sent)

    lift = lifts(p["teacher"], y)
    a, b = divmod(int(np.nanargmax(lift)), len(classes))  # the map's sentence, from the kept rows
    said = page.locator(".classmap .finding").inner_text()
    if len(classes) > 2:
        assert (
            f"labelled {classes[a]} look like {classes[b]} most, {lift[a, b]:.{1 if lift[a, b] < 9.95 else 0}f}×"
            in said
        )
        page.locator(".pairs .pair:not(.titles)").first.click()
        rows = np.flatnonzero(y == a)
        assert one.listed() == ordered(p["teacher"][rows, b], one.ids[rows])[:10]
        expect(page.locator(".list .finding")).to_have_text(f"{len(rows)} rows labelled {classes[a]}, those most like {classes[b]} first")  # fmt: skip
    else:
        shares = [f"{100 * p['teacher'][y == i, 1 - i].mean():.1f} %" for i in (0, 1)]
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
        names = one.brief().locator("dt").all_inner_texts()
        assert len(names) >= 3 and set(names) <= set(one.rows.columns)
    else:
        texts = [str(v) for v in row if isinstance(v, str)]
        assert one.brief().locator("blockquote").first.inner_text().strip() in [words.strip() for words in texts]
        assert (kind == "chinese") == bool(re.search("[\u4e00-\u9fff]", one.brief().inner_text()))
    assert one.sent[before:] == []  # all of it without the server
    one.close()


def test_answers_that_are_numbers_show_errors_and_where_the_bound_lets_go(browser, furnished):
    one = Page(browser, furnished, "amounts")
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
        assert f"on {100 * (1 - followed.mean()):.1f} % of these rows" in said
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


def test_labels_have_a_share_each_and_equal_the_kept_rows(browser, furnished):
    one = Page(browser, furnished, "labels")
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
        for arm in ("student", "baseline"):
            each = sum(np.exp(log["teacher"][k]) * (log["teacher"][k] - log[arm][k]) for k in (0, 1))
            assert found["kl"][arm] == pytest.approx(each.sum(axis=1).mean(), abs=1e-6)
        assert np.allclose(found["rows"]["distance"], np.abs(p["teacher"] - p["student"]).mean(axis=1), atol=1e-6)
    said = one.page.locator(".lead").inner_text()
    assert f"expects {p['teacher'].sum(axis=1).mean():.2f} labels a row" in said and f"rows have {has.sum(axis=1).mean():.2f}" in said  # fmt: skip
    one.page.locator(".classes .scroll button").first.click()
    label = names.index(one.page.locator(".classes .scroll .name").first.inner_text())
    expect(one.page.locator(".list .finding")).to_have_text(f"{has[:, label].sum()} rows with the label {names[label]}")
    one.close()


def test_a_list_is_shared_out_and_its_orders_stand_side_by_side(browser, furnished):
    one = Page(browser, furnished, "lists")
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


def test_the_next_items_stand_by_name_and_the_rest_has_its_mass(browser, furnished):
    one = Page(browser, furnished, "items")
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
        mean, low_, high_ = (f"{100 * v:.{min(digits[0], digits[1] + 2)}f}" for v in (self.mean, low, high))
        return f"{mean} points [{low_}, {high_}]"


def steps(pairs: list[Pair], distance: Any) -> list[tuple[bool, float]]:
    """Holm's steps: from the clearest on, each at a level of its own, until one does not hold."""

    def clear(pair: Pair) -> float:
        away = distance(pair)
        return -math.inf if away <= 0 else away / pair.spread if pair.spread else math.inf

    found: list[tuple[bool, float]] = [(False, 0.0)] * len(pairs)
    going, at = True, 0
    for place in sorted(range(len(pairs)), key=lambda place: -clear(pairs[place])):
        half = pairs[place].wide(0.025 / (len(pairs) - at))
        going = going and distance(pairs[place]) > half
        found[place] = (going, half)
        at += going
    return found


def clauses(found: Any) -> list[str]:
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
    near, far = steps(pairs, lambda pair: margin - pair.mean), steps(pairs, lambda pair: pair.mean)
    said = []
    for (word, values, own, other, pair), (enough, near_half), (worse, far_half) in zip(named, near, far, strict=True):
        if enough:
            said.append(f"{word} {values[0]:g} or {values[1]:g} will do")
        elif worse:
            pair.half = far_half
            said.append(f"{word} {own:g} beats {other:g} by {pair.amount()}")
        else:
            level = max(near_half, far_half)  # the wider of both steps
            tail = next(t for t in (0.0125, 0.025) if math.isclose(pair.wide(t), level))
            room = max(margin - pair.mean, pair.mean)
            need = next((n for n in range(SEEDS + 1, 51) if pair.wide(tail, n) < room), None)
            told = f"about {need} seeds would tell" if need else "more than 50 seeds would be needed"
            said.append(f"{word} {other:g} is not clear yet ({told})")
    return said


@pytest.mark.parametrize("kind", DATA)
def test_the_sentence_of_a_what_if_says_what_its_scores_say(browser, furnished, kind):
    server, runs = furnished
    found = json.loads((server.workspace / "runs" / runs[kind] / "result.json").read_text("utf-8"))
    assert len({c["cell"] for c in found["cells"]}) >= 4 and all(len(c["seeds"]) == SEEDS for c in found["cells"])
    screen = Screen(browser, server.url)
    screen.open(f"/runs?run={runs[kind]}")
    answer = screen.page.locator(".st-key-whatif-answer h5")
    expect(answer).to_be_visible(timeout=120_000)
    said = answer.inner_text().strip()
    assert said.removesuffix(".").lower() == "; ".join(clauses(found)).lower()
    screen.close()


def test_the_quantile_of_this_file_is_students():
    """Against the closed form of two degrees of freedom, and a printed table."""
    share = 1 - 2 * 0.025
    assert tail_quantile(0.025, 2) == pytest.approx(share * math.sqrt(2 / (1 - share**2)), abs=1e-3)
    assert tail_quantile(0.0125, 9) == pytest.approx(2.685, abs=1e-3)
