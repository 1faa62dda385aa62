"""Cards of scenarios: each is kept beside the samples, and is what the scenario's own generator makes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from kd_core.scenarios import SCENARIOS
from kd_core.scenarios.cards import card, drawing
from kd_core.scenarios.samples import SEED
from kd_core.seeding import derive
from kd_core.workspace import samples

NAMES = SCENARIOS.names()
SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 12_000  # fourteen of them are sent with the page Start


def frame_of(name):
    facts = SCENARIOS.get(name).facts
    return SCENARIOS.get(name).make(np.random.default_rng(derive(SEED, name)), facts["rows"])


@pytest.mark.parametrize("name", NAMES)
def test_the_kept_picture_is_what_the_generator_makes(name):
    kept = card.read(name, samples())
    assert kept is not None, "run python sample_data/make_samples.py"
    assert (kept.svg, kept.shows, kept.names) == card.picture(name)
    assert len(kept.svg.encode()) < MOST_BYTES
    root = ET.fromstring(kept.svg)
    assert root.tag == f"{SVG}svg" and not [e for e in root.iter() if e.tag in (f"{SVG}script", f"{SVG}foreignObject")]
    assert all(e.get("href", "data:").startswith("data:image/webp;base64,") for e in root.iter(f"{SVG}image"))


@pytest.mark.parametrize("name", ["purchase", "service_chinese", "profile"])
def test_the_kept_size_of_a_run_is_what_its_sample_says(name):
    kept, made = card.read(name, samples()), card.made(name)
    assert kept == made and kept.rows == SCENARIOS.get(name).facts["rows"]


def test_every_kind_of_data_has_its_own_picture():
    shown = {name: card.read(name, samples()).shows for name in NAMES}
    assert len(set(shown.values())) >= 11
    assert shown["search"] == "query" and shown["next_product"] == "history" and shown["marketing"] == "labels"
    assert shown["product_pictures"] == "photos" and shown["product_category"] == "offers"


def written(name):
    root = ET.fromstring(card.read(name, samples()).svg)
    return [(e.text, (e.get("class") or "").split()) for e in root.iter(f"{SVG}text")]


def test_sentences_are_rows_of_the_sample_with_their_labels():
    frame, said = frame_of("service_chinese"), written("service_chinese")
    texts, labels = [w for w, look in said if "g" not in look], [w for w, look in said if "g" in look]
    assert len(texts) == len(labels) == 3 == len(set(labels))
    for shown, label in zip(texts, labels, strict=True):
        rows = frame[frame["message"].str.startswith(shown.rstrip("…"))]
        assert label in set(rows["intent"])


def test_a_query_shows_its_documents_in_order_of_grade():
    root = ET.fromstring(card.read("search", samples()).svg)
    full = [c.get("fill") is not None for c in root.iter(f"{SVG}circle")]
    grades = [sum(full[at : at + 4]) for at in range(0, len(full), 4)]
    assert len(grades) == 4 and grades == sorted(grades, reverse=True) and len(set(grades)) > 1
    frame, said = frame_of("search"), [w for w, _ in written("search")]
    query = said[0].strip("“”")
    for title, grade in zip(said[1:], grades, strict=True):
        rows = frame[(frame["query"] == query) & (frame["title"] == title[1:].strip())]
        assert grade in set(rows["grade"])


def test_what_followed_is_green_and_the_last_of_a_customers_items():
    frame = frame_of("next_product").sort_values(["customer", "time"], kind="stable")
    items = [(w, "g" in look) for w, look in written("next_product") if w != "→"]
    assert [green for _, green in items] == [False] * (len(items) - 1) + [True]
    strips = frame.groupby("customer", sort=False)["product"].agg(list)
    assert any(strip[: len(items)] == [w for w, _ in items] for strip in strips)


def test_dots_are_the_labels_of_the_first_customers():
    frame = frame_of("marketing")
    targets = ["coffee", "lunch", "groceries", "fashion", "fitness", "cinema"]
    root = ET.fromstring(card.read("marketing", samples()).svg)
    full = np.array([c.get("fill") is not None for c in root.iter(f"{SVG}circle")]).reshape(len(targets), -1)
    assert (full == frame[targets].head(full.shape[1]).to_numpy().T.astype(bool)).all() and full.any()


def test_histograms_are_shares_of_each_side():
    frame, kept = frame_of("purchase"), card.read("purchase", samples())
    values = frame[kept.names["column"]].to_numpy(float)
    edges = np.linspace(*np.nanquantile(values, [0.0, 0.985]), 25)
    root = ET.fromstring(kept.svg)
    paths = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("fill-opacity")]
    shares = [
        np.histogram(values[side], edges)[0] / side.sum()
        for side in (frame.purchased != "yes", frame.purchased == "yes")
    ]
    top = max(s.max() for s in shares)
    for path, share in zip(paths, shares, strict=True):
        heights = [float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)", path)][1:-1:2]
        assert heights == pytest.approx(130 - 100 * share / top, abs=0.06)


def test_words_are_cut_to_their_room_and_hostile_ones_stay_words():
    assert drawing.cut("a b", 100, 10) == "a b" and drawing.cut("abcdefgh", 20, 10).endswith("…")
    assert drawing.width("商品", 10) == 20 > drawing.width("ab", 10)
    picture = drawing.Picture()
    picture.chip(0, 0, "<script>&\"'", 300, answer=True)
    assert [e.text for e in ET.fromstring(picture.svg()).iter(f"{SVG}text")] == ["<script>&\"'"]


def test_samples_without_cards_have_none(tmp_path):
    assert card.read("purchase", tmp_path) is None
    path = card.write("reviews_chinese", tmp_path)
    assert path.parent == tmp_path / "cards" and card.read("reviews_chinese", tmp_path) == card.read(
        "reviews_chinese", samples()
    )


def test_a_scenario_of_two_classes_shows_further_rows_and_none_twice():
    frame = pd.DataFrame(
        {"review": [f"sentence number {i} of many" for i in range(9)], "pleased": ["yes", "no", *["yes"] * 7]}
    )
    from kd_core.scenarios.cards.pictures import _one_of_each

    assert _one_of_each(frame, "pleased", 4).index.tolist() == [0, 1, 2, 3]
