"""A number in front of a noun may be one: the catalogue then says "1 row", in Python and in the browser."""

from __future__ import annotations

import re

from pages.ui.charts import confusion
from pages.ui.shared import findings
from pages.ui.shared.text import catalogue, t

NOUNS = "rows|students|seeds|columns|classes|labels|queries|items|cells|runs|trainings|candidates|variants"
COUNTS = re.compile(rf"(?:^|[^:])\{{(?:num|n|count)\}} (?:\w+ )?(?:{NOUNS})\b")
HOVER = re.compile(r"(hover|\bThese \{num\}|[Oo]f these \{num\})")  # drawn with decimals; never said of one


def test_a_counted_noun_knows_its_singular():
    assert COUNTS.search("of {num} rows") and not COUNTS.search("{num} {num:row|rows}")
    counted = {key: said for key, said in catalogue().items() if COUNTS.search(said)}
    assert not {key: said for key, said in counted.items() if not HOVER.search(f"{key} {said}")}


def test_one_is_singular():
    assert t("soft_labels.live.chosen_class", num=1, a="9") == "1 row labelled 9"
    assert t("soft_labels.live.chosen_class", num=2, a="9") == "2 rows labelled 9"


def test_a_mean_over_seeds_is_not_rounded_to_a_row():
    counts = [[26.3, 0.7], [0.3, 120.4]]
    told = {"true_title": "t", "predicted_title": "p", "hover": "{count}"}
    drawn = confusion.confusion(counts, ["9", "3"], **told).to_dict()["data"]
    words = [text for group in drawn for text in (group.get("text") or ())]
    assert {"26.3", "0.7", "0.3", "120"} <= set(words)
    said = findings.of_confusion("Student", counts, ["9", "3"], (0, 1, 0.7, 0.026))
    assert said.endswith("Most often 9 is taken for 3: 0.7 rows.")
