"""Every word a person reads: the catalogue, the one escaping, numbers, errors and empty states."""

from __future__ import annotations

import functools
import html
import logging
import math
import re
import tomllib
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core.errors import KDError, Problem, fill

CATALOGUE = Path(__file__).parent.parent / "catalogue"
_LOG = logging.getLogger("kd_workbench.pages")
BOUND_DIGITS = 6  # at most, of the end of an interval beside 0
_WORD_JOINER = "\u2060"
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_MARKUP = re.compile(r"[&<>$*_`~\[\]#|\\]")
_LIVE = re.compile(r":(?=\S)|@|(?<=www)\.|(?<=[<\-=])(?=[>\-=])|-(?=-)", re.IGNORECASE)


class Safe(str):
    """Text that is already escaped, so that it is not escaped twice."""


def escape(text: object) -> Safe:
    """Make text that Markdown labels and Plotly both show literally: no link, image, tag, formula or emoji.

    Entities stop markup and pseudo-HTML; a word joiner stops what is found only after entities are
    decoded (emoji names, links, arrows); invisible and direction-changing characters become visible.
    """
    if isinstance(text, Safe):
        return text
    shown = _INVISIBLE.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", str(text))
    shown = re.sub(r"\s*[\n\t]\s*", " ", shown)
    shown = _LIVE.sub(lambda m: m[0] + _WORD_JOINER, shown)
    shown = _MARKUP.sub(lambda m: f"&#{ord(m[0])};", shown)
    return Safe(re.sub(r"^(\s*\d*)([.)+\-])(?=\s|$)", lambda m: f"{m[1]}&#{ord(m[2])};", shown))  # no list, no rule


def plain(text: str) -> str:
    """Take escaping and bold type off again, for places that are never read as markup: alternative texts."""
    return html.unescape(text.replace("**", "")).replace(_WORD_JOINER, "") if isinstance(text, Safe) else str(text)


def option(name: object) -> str:
    """Show a name in a list to choose from, which reads no markup: literally, with what is invisible made visible."""
    return plain(escape(name))


def shorten(text: str, most: int = 24) -> str:
    """Shorten in the middle, so that both ends of a name stay readable."""
    return text if len(text) <= most else f"{text[: most - 8].rstrip()}…{text[-7:].lstrip()}"


def shorten_all(names: Sequence[str], most: int = 24) -> list[str]:
    """Shorten names that stand beside each other; those that would then look the same stay whole."""
    short = [shorten(name, most) for name in names]
    seen: dict[str, set[str]] = {}
    for name, cut in zip(names, short, strict=True):
        seen.setdefault(cut, set()).add(name)
    return [name if len(seen[cut]) > 1 else cut for name, cut in zip(names, short, strict=True)]


HEAD = 16  # letters of what several names share that are still shown


def apart(names: Sequence[str], most: int = 30) -> list[str]:
    """Leave out the middle of what names share whose first `most` characters are alike, so that what differs is not cut off by a narrow screen."""
    return list(_apart(tuple(names), most))


@functools.lru_cache(maxsize=16)
def _apart(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        alike.setdefault(name[:most], []).append(name)
    told = {}
    for group in alike.values():
        first, last = min(group), max(group)  # what these two share, all share
        shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        shared = shared if len(group) > 1 else 0
        start = group[0].rfind(" ", 0, shared) + 1  # a whole word
        head = group[0][:start][:HEAD].rpartition(" ")[0].rstrip(" ·,") or group[0][:HEAD]
        told |= {n: f"{head} … {n[start:]}" if start > len(head) + 3 else n for n in group}
    return tuple(told[n] for n in names)


def telling(names: Sequence[str]) -> list[str]:
    """Leave out of names what all of them begin and end with, and every setting that all have; a name of which nothing would be left stays whole."""
    words = [name.split(" ") for name in names]
    if len({*names}) < 2:
        return list(names)
    first, last = _common(words), _common([own[::-1] for own in words])
    shared = {word for word in set.intersection(*map(set, words)) if "=" in word}
    told = [" ".join(word for word in own[first : len(own) - last] if word not in shared) for own in words]
    alike = Counter(short for short, _ in {*zip(told, names, strict=True)})
    return [short if short and alike[short] == 1 else name for short, name in zip(told, names, strict=True)]


def _common(words: Sequence[Sequence[str]]) -> int:
    """Count the words that all begin with."""
    pairs = enumerate(zip(*words, strict=False))
    return next((k for k, at in pairs if len({*at}) > 1), min(map(len, words)))


@functools.cache
def catalogue(language: str = "en") -> dict[str, str]:
    """Read the language's files: one TOML file per page, keys `page.name` or `page.group.name`."""
    words: dict[str, str] = {}

    def add(prefix: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                add(f"{prefix}.{key}", value)
            else:
                words[f"{prefix}.{key}"] = str(value)

    for path in sorted((CATALOGUE / language).glob("*.toml")):
        add(path.stem, tomllib.loads(path.read_text("utf-8")))
    return words


def t(key: str, **values: object) -> Safe:
    """Say `key` in the person's language; values are escaped. Errors: KeyError for a missing key."""
    text = catalogue()[key]
    filled = {k: escape(v) if isinstance(v, str) else v for k, v in values.items()}
    return Safe(fill(text, **filled) if filled else text)


def term(name: str) -> Safe:
    """Explain a term in one or two sentences, for `help=`. Errors: KeyError for an unknown term."""
    return t(f"glossary.{name}")


def number(value: float | None, more: int = 0) -> str:
    """Shorten a count: 999, 12.4 k, 3.1 M; with so many `more` digits where it stands beside one that it is not."""
    if value is None or not math.isfinite(value):
        return "–"
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size < 1000 and float(size).is_integer():
        return f"{sign}{int(size)}"
    for limit, divisor, suffix in ((999.5, 1, ""), (999_500, 1e3, " k"), (999.5e6, 1e6, " M"), (math.inf, 1e9, " G")):
        if size < limit:
            return f"{sign}{_three(size / divisor, more)}{suffix}"
    raise AssertionError


def _three(size: float, more: int = 0) -> str:
    """Three significant digits, or more, without trailing zeros after the point."""
    if size == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(size))) + more
    return _short(f"{size:.{digits}f}")


def _short(shown: str) -> str:
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def exact(value: float | None) -> str:
    """Write a count in full, with thousands commas: 12,330."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def size(num_bytes: float | None, more: int = 0) -> str:
    """Shorten bytes: 980 B, 49 KB, 3.1 MB (1 KB = 1024 B); with so many `more` digits."""
    if num_bytes is None or not math.isfinite(num_bytes):
        return "–"
    for limit, divisor, suffix in ((1023.5, 1, "B"), (1023.5 * 2**10, 2**10, "KB"), (1023.5 * 2**20, 2**20, "MB")):
        if num_bytes < limit:
            return f"{_two(num_bytes / divisor, more)} {suffix}"
    return f"{_two(num_bytes / 2**30, more)} GB"


def _two(size: float, more: int) -> str:
    """Two digits below ten, whole numbers above, and so many more."""
    shown = f"{size:.{more}f}" if size >= 10 or float(size).is_integer() else f"{size:.{1 + more}f}"
    return _short(shown) if more else shown


def milliseconds(value: float | None, more: int = 0) -> str:
    """Shorten a time per prediction, in microseconds below 0.1 ms: 5.7 µs, 20 µs, 0.31 ms, 12 ms; with so many `more` digits."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 0.0995:
        return f"{_three(float(f'{1000 * value:.{2 + more}g}'), more)} µs"
    return f"{value:.{2 + more}f} ms" if value < 9.995 else f"{value:.{more}f} ms"


def tick(written: Callable[[float], str]) -> Callable[[float], str]:
    """Return how the ticks of an axis are written: of times all in one unit, so that they are read by their zeros."""
    return (lambda value: f"{value:,.10g} ms") if written is milliseconds else written


def seconds(value: float | None) -> str:
    """Shorten a duration: 0.4 s, 42 s, 3 min 20 s, 2 h 5 min."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 60:
        return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def forecast(value: float | None, gone: float = 0.0) -> str:
    """Shorten a time that is foreseen to what it is worth: whole minutes from a minute on, never less than what is `gone` already."""
    if value is None or not math.isfinite(value) or value < 59.5:
        return seconds(value)
    minutes = math.floor(value / 60 + 0.5)
    return seconds(60 * (minutes if 60 * minutes >= gone else math.ceil(value / 60)))


def fraction(part: float | None, whole: float | None) -> str:
    """Say a ratio of sizes or times as 1/210, or 2.3 x when the part is the larger."""
    if not part or not whole or not math.isfinite(part / whole):
        return "–"
    ratio = whole / part
    return f"1/{ratio:.0f}" if ratio >= 9.95 else f"1/{ratio:.1f}" if ratio > 1 else f"{1 / ratio:.2g} x"


def score(value: float | None, digits: int = 3, more: int = 0) -> str:
    """Write a metric value with fixed digits, or so many `more`, a dash when there is none; large errors are shortened."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return number(value, more)
    return f"{value:.{(1 if abs(value) >= 100 else digits) + more}f}".replace("-", "−")


def plus_minus(mean: float | None, spread: float | None, digits: int = 3) -> str:
    """Write a mean with its standard deviation: 0.918 ± 0.002."""
    return score(mean, digits) if spread is None else f"{score(mean, digits)} ± {score(spread, digits)}"


def signed(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign: +0.009, −0.004."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{'+' if value >= 0 else ''}{score(value, digits)}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Write an interval: [+0.005, +0.013]; an end beside 0 with more digits, so that it doesn't look like 0."""
    return "–" if low is None or high is None else f"[{_bound(low, digits)}, {_bound(high, digits)}]"


def _bound(value: float, digits: int) -> str:
    while digits < BOUND_DIGITS and value and not float(f"{value:.{digits}f}"):
        digits += 1
    return signed(value, digits)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share of one as percent: 99.1 %."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"


def show_error(error: Exception) -> None:
    """Show what happened and what to do next; an unforeseen error gets an id that is also in the log."""
    if isinstance(error, KDError):
        st.error(
            f"**{escape(error.message)}**\n\n{escape(error.hint)}" if error.hint else f"**{escape(error.message)}**"
        )
        return
    error_id = uuid.uuid4().hex[:8]
    _LOG.error("error %s", error_id, exc_info=error)
    st.error(t("common.unforeseen", error_id=error_id))


def show_problem(problem: Problem) -> None:
    """Show one finding as one line: its mark, its message, its hint and where it is."""
    mark = {"error": ":red[:material/cancel:]", "warning": ":orange[:material/warning:]"}
    rows = t("common.rows", rows=", ".join(exact(r) for r in problem.rows)) if problem.rows else ""
    st.markdown(
        f"{mark.get(problem.severity, ':gray[:material/info:]')} {escape(problem.message)} "
        f":gray[{escape(problem.hint)}] {rows}"
    )


def empty_state(text: str, button: str, page: str, *, icon: str = ":material/inbox:", key: str = "empty") -> None:
    """Say what will be here, and hold the one button that fills it. `page` is a file under pages/."""
    with st.container(border=True, horizontal_alignment="center", key=f"{key}-state"):
        st.space("small")
        st.markdown(f"### {icon}", width="content")
        st.markdown(text, width="content")
        if st.button(button, type="primary", key=f"{key}-button"):
            st.switch_page(page)
        st.space("small")
