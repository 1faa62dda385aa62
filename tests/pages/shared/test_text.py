"""Words, escaping and numbers of the screens."""

from __future__ import annotations

import ast
import html
import re
import string
from pathlib import Path

import pytest

from kd_core.errors import KDError
from pages.ui.shared import text
from pages.ui.shared.text import Safe, catalogue, escape, t
from tests.pages.screen import HOSTILE

PAGES = Path(__file__).resolve().parents[3] / "pages"
SOURCES = sorted(PAGES.rglob("*.py"))
WORDS_OF = {  # calls whose first argument a person reads
    "title",
    "header",
    "subheader",
    "markdown",
    "caption",
    "write",
    "text",
    "error",
    "warning",
    "info",
    "success",
    "button",
    "checkbox",
    "toggle",
    "radio",
    "selectbox",
    "multiselect",
    "slider",
    "select_slider",
    "text_input",
    "number_input",
    "file_uploader",
    "download_button",
    "expander",
    "popover",
    "tabs",
    "metric",
    "badge",
    "page_link",
    "link_button",
    "segmented_control",
    "pills",
    "spinner",
    "text_area",
}


def shown_by_markdown(safe: str) -> str:
    """What a reader sees of text that holds entities and word joiners only."""
    return html.unescape(safe).replace("\u2060", "")


@pytest.mark.parametrize("raw", [*HOSTILE, "1. first", "- item", "# head", "a|b", "x_y_z", "`code`", "a & b", "[a](b)"])
def test_hostile_text_is_shown_literally(raw):
    safe = escape(raw)
    assert not re.search(r"[<>*_`$\[\]|~\\]", safe)
    assert not re.search(r"&(?!#\d+;)", safe)
    assert "://" not in safe and not re.search(r":\w", safe)
    assert shown_by_markdown(safe) == raw.replace("\u202e", "⟨U+202E⟩")


def test_escaping_twice_changes_nothing():
    once = escape("a < b")
    assert escape(once) is once and isinstance(t("common.unforeseen", error_id="x<y"), Safe)
    assert "x&#60;y" in t("common.unforeseen", error_id="x<y")


def test_a_list_marker_or_a_mail_address_does_not_become_markup():
    assert escape("1. a").startswith("1&#46;") and escape("- a").startswith("&#45;")
    assert "\u2060" in escape("me@example.org") and escape("1.2 KB") == "1.2 KB"


def test_a_missing_word_is_an_error():
    with pytest.raises(KeyError, match="no_such_key"):
        t("common.no_such_key")


def test_every_key_the_screens_name_is_in_the_catalogue():
    known, named = catalogue(), 0
    for path in SOURCES:
        for key in re.findall(r"""\bt\(\s*"([a-z_]+\.[a-z_.]+)"\s*[,)]""", path.read_text("utf-8")):
            named += 1
            assert key in known, f"{path.name}: {key}"
        for name in re.findall(r"""\bterm\(\s*"([a-z_]+)"\s*\)""", path.read_text("utf-8")):
            named += 1
            assert f"glossary.{name}" in known, f"{path.name}: term {name}"
    assert named > 300  # the patterns above do find them


def test_templates_name_their_values():
    for key, value in catalogue().items():
        for _, name, _, _ in string.Formatter().parse(value):
            assert name is None or name.isidentifier(), key


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_no_words_are_written_in_the_code(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WORDS_OF):
            continue
        if ast.unparse(node.func.value) == "_LOG":
            continue
        said = [
            *(node.args[:1] if node.func.attr != "page_link" else ()),
            *(k.value for k in node.keywords if k.arg in ("label", "help", "placeholder")),
        ]
        for value in said:
            parts = (
                [value] if isinstance(value, ast.Constant) else value.values if isinstance(value, ast.JoinedStr) else []
            )
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    bare = re.sub(r":(material/\w+:?|\w+(?:-\w+)?\[)|&nbsp;", "", part.value)
                    assert not re.search(r"[A-Za-z]{2,}", bare), f"{path.name}:{node.lineno} says {part.value!r}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (12_400, "12.4 k"),
        (12_000, "12 k"),
        (3_100_000, "3.1 M"),
        (999_999, "1 M"),
        (249, "249"),
        (2.5, "2.5"),
        (-1234, "−1.23 k"),
        (None, "–"),
        (float("nan"), "–"),
        (4.2e9, "4.2 G"),
    ],
)
def test_counts_are_shortened(value, shown):
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 B"),
        (980, "980 B"),
        (1229, "1.2 KB"),
        (50_000, "49 KB"),
        (3_250_586, "3.1 MB"),
        (5 * 2**30, "5 GB"),
        (None, "–"),
    ],
)
def test_bytes_are_shortened(value, shown):
    assert text.size(value) == shown


def test_times_ratios_and_spreads():
    found = [text.milliseconds(v) for v in (0.0057, 0.01949, 0.0994, 0.0996, 0.31, 9.996, 12.2, None)]
    assert found == ["5.7 µs", "19 µs", "99 µs", "0.10 ms", "0.31 ms", "10 ms", "12 ms", "–"]
    assert [text.forecast(v) for v in (42, 59.4, 89, 126, 150, 3 * 3600 + 299, None)] == [
        "42 s", "59 s", "1 min", "2 min", "3 min", "3 h 5 min", "–",
    ]  # fmt: skip
    assert (text.forecast(140), text.forecast(140, gone=119), text.forecast(140, gone=130)) == (
        "2 min",
        "2 min",
        "3 min",
    )
    assert [text.seconds(v) for v in (0.4, 42, 200, 7500, 120, None)] == [
        "0.4 s",
        "42 s",
        "3 min 20 s",
        "2 h 5 min",
        "2 min",
        "–",
    ]
    assert [text.fraction(1, 210), text.fraction(1, 2.3), text.fraction(3, 2), text.fraction(None, 2)] == [
        "1/210",
        "1/2.3",
        "1.5 x",
        "–",
    ]
    assert text.plus_minus(0.918, 0.002) == "0.918 ± 0.002" and text.plus_minus(0.918, None) == "0.918"
    assert text.signed(0.009) == "+0.009" and text.signed(-0.004) == "−0.004"
    assert text.interval(0.005, 0.013) == "[+0.005, +0.013]" and text.interval(None, None) == "–"
    assert text.percent(0.991) == "99.1 %" and text.exact(12330) == "12,330" and text.score(None) == "–"


def test_long_names_keep_both_ends():
    assert text.shorten("short") == "short"
    assert text.shorten("online_shoppers_intention.csv") == "online_shoppers_…ion.csv"


def test_errors_say_what_and_what_next(monkeypatch, caplog):
    said = []
    monkeypatch.setattr(text.st, "error", said.append)
    text.show_error(KDError("The file {name} is empty.", "Choose another.", "empty", name="<b>"))
    text.show_error(RuntimeError("secret path /x"))
    assert said[0] == "**The file &#60;b&#62; is empty.**\n\nChoose another."
    assert "secret" not in said[1] and re.search(r"error [0-9a-f]{8}", said[1])
    assert re.search(r"error ([0-9a-f]{8})", said[1])[1] in caplog.text


def test_names_beside_each_other_are_never_cut_to_the_same():
    alike = ["T=2 alpha=.7 tiny+small seeds=5 again", "T=2 alpha=.9 tiny+small lr=.01 seeds=5 again"]
    assert text.shorten(alike[0], 16) == text.shorten(alike[1], 16)
    assert text.shorten_all([*alike, "a name that stands for itself alone"], 16) == [*alike, "a name t…f alone"]
    assert text.shorten_all([alike[0], alike[0]], 16) == [text.shorten(alike[0], 16)] * 2


def test_names_alike_at_their_start_show_what_differs_in_their_own_order():
    alike = [f"T=4 α=.5 tiny+small by mlp teacher dropout=.{i} seeds=5" for i in (1, 3)]
    assert text.apart([*alike, "T=2 tiny", "T=4 tiny"]) == [
        "T=4 α=.5 … dropout=.1 seeds=5",
        "T=4 α=.5 … dropout=.3 seeds=5",
        "T=2 tiny",
        "T=4 tiny",
    ]
    assert text.apart(["x" * 40, "x" * 41, "x" * 40]) == ["x" * 40, "x" * 41, "x" * 40]


def test_lists_to_choose_from_show_names_literally():
    pages = Path(text.__file__).parents[2]
    lists = [
        p.name for p in pages.rglob("*.py") if re.search(r"selectbox\([^)]*format_func=escape", p.read_text("utf-8"))
    ]
    assert lists == []  # they read no markup, so that entities would be seen
    assert text.option("a_b <i>*") == "a_b <i>*" and "U+202E" in text.option("a\u202eb")


def test_names_of_runs_tell_what_the_others_have_not():
    begun = "visits.csv: T=2 α=.7"
    assert text.telling([f"{begun} base seeds=3", f"{begun} base+small seeds=3", f"{begun} base seeds=3"]) == [
        "base",
        "base+small",
        "base",
    ]
    assert text.telling(["x: T=4 α=.7 tiny seeds=3", "x: T=2 α=.7 small seeds=3 02:28"]) == [
        "T=4 tiny",
        "T=2 small 02:28",
    ]
    whole = ["x: T=2 seeds=3", "x: T=2"]
    assert text.telling(whole) == ["seeds=3", "x: T=2"]  # nothing would be left of the second
    assert text.telling(["α=1 a", "a α=1", "α=1 a"]) == ["α=1 a", "a α=1", "α=1 a"]  # alike without what all have
    assert text.telling(["one", "one"]) == ["one", "one"] and text.telling([]) == []
