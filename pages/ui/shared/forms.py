"""From a spec's fields to widgets: the only place. A part registered anywhere in the engine gets its form from here."""

from __future__ import annotations

import math
import types
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from kd_core import limits
from kd_core.errors import KDError
from kd_core.registry import Registry, Situation
from kd_core.specs import Spec
from pages.ui.models import picker, unable
from pages.ui.shared import engine, text, uploader
from pages.ui.shared.session import forget as forget
from pages.ui.shared.session import put as put
from pages.ui.shared.session import seed as seed
from pages.ui.shared.text import Safe, catalogue, escape, t

AUTO = "auto"
LOG_STEPS_PER_DECADE = 20
HAIR = 1e-6  # widgets know closed ends only


def form(
    spec: type[Spec],
    values: Mapping[str, Any],
    key: str,
    *,
    only: Collection[str] | None = None,
    skip: Collection[str] = (),
    fold: bool = True,
    columns: int = 1,
    lists: Mapping[str, Collection[str]] | None = None,
    names_of_data: Collection[str] = (),
) -> dict[str, Any]:
    """Draw one widget per field and return what they hold; advanced fields are one fold away.

    `lists`: values of text fields, where known; `names_of_data`: of those that name columns. `values` fill widgets the first time.
    """
    held_now = {n: st.session_state.get(f"{key}.{n}", values.get(n)) for n in spec.model_fields}
    lists = {**engine.known_values(spec, held_now, names_of_data), **(lists or {})}
    own = spec.__annotations__  # a part's own settings come before those it inherits
    ordered = sorted(spec.model_fields, key=lambda n: n not in own)
    names = [n for n in ordered if n not in skip and (only is None or n in only)]
    advanced = [n for n in names if extra(spec.model_fields[n]).get("advanced")] if fold else []
    basic = [n for n in names if n not in advanced]
    held = _grid(spec, basic, values, key, columns, lists)
    if advanced:
        with st.expander(t("common.advanced"), icon=":material/tune:", key=f"{key}.advanced"):
            held.update(_grid(spec, advanced, values, key, columns, lists))
    return held


def changed(spec: type[Spec], held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what differs from the defaults or was given before, so that the same work keeps the same hash."""
    defaults = {n: f.get_default(call_default_factory=True) for n, f in spec.model_fields.items()}
    return {n: v for n, v in held.items() if n in given or v != defaults[n]}


def _grid(
    spec: type[Spec],
    names: list[str],
    values: Mapping[str, Any],
    key: str,
    columns: int,
    lists: Mapping[str, Collection[str]],
) -> dict[str, Any]:
    held: dict[str, Any] = {}
    width = columns if len(names) > 1 else 1
    for start in range(0, len(names), width):
        places = st.columns(width) if width > 1 else [st.container()]
        for place, name in zip(places, names[start : start + width], strict=False):
            with place:
                info = spec.model_fields[name]
                held[name] = (
                    _listed(name, info, values, key, lists[name]) if name in lists else field(name, info, values, key)
                )
    return held


def _listed(name: str, info: FieldInfo, values: Mapping[str, Any], key: str, known: Collection[str]) -> Any:
    """Choose one of the known values, or leave it to the app; several where the field holds several, others may be written."""
    options = [None, *known]
    value = values.get(name, None if info.is_required() else info.get_default(call_default_factory=True))
    if get_origin(kind(info)[0]) is tuple:
        several = seed(f"{key}.{name}.list", list(value or ()))
        offered = list(dict.fromkeys([*known, *st.session_state[several]]))
        shown = {"help": help_text(info), "placeholder": t("common.auto")}
        return tuple(st.multiselect(label(name), offered, key=several, accept_new_options=True, **shown))
    place = seed(f"{key}.{name}.list", value if value in options else None)
    return st.selectbox(
        label(name),
        options,
        key=place,
        help=help_text(info),
        placeholder=t("common.auto"),
        format_func=lambda v: t("common.auto") if v is None else v,
    )


def extra(info: FieldInfo) -> dict[str, Any]:
    """Return a field's unit and form hints."""
    return dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}


def label(name: str, info: FieldInfo | None = None) -> Safe:
    """Name a field as people read it, by its unit where that changes what it is; unknown fields are named after themselves."""
    keys = (f"common.fields_in.{name}, {extra(info).get('unit') if info else None}", f"common.fields.{name}")
    return next((t(k) for k in keys if k in catalogue()), escape(name.replace("_", " ").capitalize()))


def help_text(info: FieldInfo) -> Safe:
    """A field's description with its unit."""
    unit = extra(info).get("unit")
    text = escape(info.description or "")
    return Safe(f"{text} {t('common.unit', unit=unit)}") if unit and unit not in ("name", "yes/no") else text


def bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    """Lowest and highest value a widget may hold: an open end of the spec is moved in, whole numbers by one."""
    low = high = None
    hair = 1 if kind(info)[0] is int else HAIR
    for rule in info.metadata:
        if getattr(rule, "ge", None) is not None:
            low = rule.ge
        if getattr(rule, "gt", None) is not None:
            low = rule.gt + hair
        if getattr(rule, "le", None) is not None:
            high = rule.le
        if getattr(rule, "lt", None) is not None:
            high = rule.lt - hair
    return low, high


def kind(info: FieldInfo) -> tuple[Any, bool]:
    """(type of a value, whether it may be empty)."""
    annotation = info.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [a for a in get_args(annotation) if a is not type(None)]
        return (parts[0] if len(parts) == 1 else str), True
    return annotation, False


def field(name: str, info: FieldInfo, values: Mapping[str, Any], key: str) -> Any:
    """Draw the widget of one field and return its value."""
    value = values.get(name, info.get_default(call_default_factory=True))
    what, optional = kind(info)
    place = f"{key}.{name}"
    shown = {"label": label(name, info), "help": help_text(info)}
    clearable: dict[str, Any] = {"value": None} if optional else {}  # else an emptied field becomes its lowest value
    low, high = bounds(info)
    if "file" in extra(info):
        return _file(name, info, value, key)
    if of := extra(info).get("model"):  # one at hand: no path is written, so nothing outside the workspace is opened
        return picker.model(place, value, str(of), info.get_default(), option, shown)
    if "run" in extra(info):
        runs = engine.finished_runs(value)
        said = {"format_func": lambda run: runs[run], "placeholder": t("common.choose_run")}
        return st.selectbox(options=list(runs), key=seed(place, value or None), index=None, **said, **shown) or ""
    if get_origin(what) is tuple:
        return numbers(name, info, value, key)
    if get_origin(what) is Literal:
        options = [*([None] if optional else []), *get_args(what)]
        seed(place, value if value in options else options[0])
        return st.selectbox(options=options, format_func=option, key=place, placeholder=option(None), **shown)
    if what is bool:
        return st.toggle(key=seed(place, bool(value)), **shown)
    if what is int:
        seed(place, value)
        return st.number_input(
            min_value=None if low is None else math.ceil(low),
            max_value=None if high is None else math.floor(high),
            step=1,
            key=place,
            placeholder=t("common.auto") if optional else None,
            **clearable,
            **shown,
        )
    if what is float and not optional and low is not None and high is not None:
        return _float(place, value, low, high, bool(extra(info).get("log")), shown)
    if what is float:
        seed(place, None if value is None else float(value))
        return st.number_input(
            min_value=None if low is None else float(low),
            max_value=None if high is None else float(high),
            step=None,
            format="%.4g",
            key=place,
            placeholder=t("common.auto") if optional else None,
            **clearable,
            **shown,
        )
    held = st.text_input(key=seed(place, value or ""), placeholder=t("common.auto") if optional else None, **shown)
    return held or (None if optional else "")


def _file(name: str, info: FieldInfo, value: str | None, key: str) -> str | None:
    """Take a file into the workspace; the field holds its content's hash, never a path."""
    place = seed(f"{key}.{name}", value)

    def take() -> None:  # called when a person adds a file or takes it away, not when the page is left
        found, st.session_state[place] = st.session_state[f"{place}.upload"], None
        if found is not None:
            try:
                st.session_state[place] = engine.uploads().add(found, found.name).source
            except KDError as error:
                st.session_state[f"{place}.error"] = error

    most, endings = limits.FILE_BYTES // 2**20, extra(info)["file"]
    uploader.drop(label(name), endings, f"{place}.upload", most, help_text(info), take)
    if error := st.session_state.pop(f"{place}.error", None):
        text.show_error(error)
    if held := st.session_state[place]:
        try:
            kept = engine.uploads().get(str(held).partition(":")[2])
            st.caption(t("common.file_kept", name=kept.name, size=text.size(kept.size_bytes)))
        except KDError as error:
            text.show_error(error)
    return held or (None if kind(info)[1] else "")


def item_bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    """Lowest and highest value of each number in a list field."""
    item = get_args(info.annotation)[0]
    rules = get_args(item)[1:] if get_origin(item) is Annotated else ()
    found = [bounds(rule) for rule in rules if isinstance(rule, FieldInfo)]
    return found[0] if found else (None, None)


def numbers(
    name: str, info: FieldInfo, value: Collection[float], key: str, offered: Collection[float] = ()
) -> tuple[float, ...]:
    """Choose several numbers from a list, or write others; what is no number within the bounds is named and left out."""
    place = seed(f"{key}.{name}", [f"{v:g}" for v in sorted(value)])
    known = sorted({*offered, *value, *info.get_default(call_default_factory=True)})
    options = list(dict.fromkeys([*(f"{v:g}" for v in known), *st.session_state[place]]))
    most = next((m.max_length for m in info.metadata if getattr(m, "max_length", None)), None)
    chosen = st.multiselect(
        label(name),
        options,
        key=place,
        accept_new_options=True,
        max_selections=most,
        help=help_text(info),
        placeholder=t("common.numbers_hint"),
    )
    low, high = item_bounds(info)
    item = TypeAdapter(get_args(info.annotation)[0])
    good: set[float] = set()
    bad: list[str] = []
    for said in chosen:
        try:
            number = float(str(said).replace(",", "."))
        except ValueError:
            number = math.nan
        good.add(number) if math.isfinite(number) and _fits(item, number) else bad.append(str(said))
    if bad:
        edges = {"low": "−∞" if low is None else f"{low:g}", "high": "∞" if high is None else f"{high:g}"}
        st.caption(f":orange[:material/warning: {t('common.not_numbers', values=', '.join(bad), **edges)}]")
    return tuple(sorted(good))


def _fits(item: TypeAdapter[Any], number: float) -> bool:
    """Ask the spec itself, whose open ends no pair of bounds can tell."""
    try:
        item.validate_python(number)
    except ValidationError:
        return False
    return True


def _float(place: str, value: float, low: float, high: float, log: bool, shown: dict[str, Any]) -> float:
    """A slider where the range is readable on one, else a number."""
    if log and low > 0 and high / low <= 1e4:
        options = log_steps(low, high, value)
        seed(place, value)
        if st.session_state[place] not in options:
            options = log_steps(low, high, st.session_state[place])
        return float(st.select_slider(options=options, key=place, format_func=lambda v: f"{v:g}", **shown))
    step = next((v for v in (0.05, 0.01) if math.isclose(value / v, round(value / v), abs_tol=1e-9)), None)
    if high - low <= 1.001 and step:
        seed(place, float(value))
        return float(st.slider(min_value=float(low), max_value=float(high), step=step, key=place, **shown))
    seed(place, float(value))
    return float(st.number_input(min_value=float(low), max_value=float(high), format="%.4g", key=place, **shown))


def log_steps(low: float, high: float, *also: float) -> list[float]:
    """Steps of equal ratio from low to high, rounded to two digits, with the bounds and given values among them."""
    num = max(2, round(math.log10(high / low) * LOG_STEPS_PER_DECADE))
    steps = {float(f"{low * (high / low) ** (i / num):.2g}") for i in range(num + 1)}
    return sorted({s for s in steps | {float(v) for v in also} if low <= s <= high} | {float(low), float(high)})


def option(value: Any) -> str:
    """Name a choice in a list; an empty one means that the app decides. Lists show text literally."""
    if value is None or value == AUTO:
        return str(t("common.auto"))
    return str(catalogue().get(f"common.options.{value}", value))


def part(
    registry: Registry[Any],
    situation: Situation,
    chosen: str,
    key: str,
    title: str,
    help_: str,
    names: Collection[str] | None = None,
) -> str:
    """Choose a registered part, one of `names` where given. What can't work here is listed below with its reason, and can't be chosen."""
    offered = [pair for pair in registry.offer(situation) if names is None or pair[0].name in names]
    possible = {entry.name: entry for entry, why_not in offered if why_not is None}
    if not possible:
        st.warning(t("common.nothing_fits", kind=registry.kind))
        return chosen
    seed(key, chosen)
    if st.session_state[key] not in possible:
        st.session_state[key] = next(iter(possible))
    name = st.selectbox(title, list(possible), format_func=lambda n: possible[n].title, key=key, help=help_)
    unable.show(offered, situation)
    return str(name)
