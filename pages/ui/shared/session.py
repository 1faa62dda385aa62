"""Where a screen keeps what the person chose: the URL and the session, under typed names.

The URL wins over the session, so that a link, a refresh and a second tab show the same thing.
Disk is the truth for data and runs; only their ids are kept here.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

DATA, RUN, CLONE = "data", "run", "clone"
OFFERED = "offered.run"  # in the session: the run in the URL that a page chose by itself
COMPARED = "compared"  # in the session: runs and model that Compare showed last, its answer first
CHOSEN_LATER = "data.chosen_later"  # in the session: the current data was chosen after the current run was looked at
BEGUN = "data_choices"  # in the session: what is being set up on Data; None: Data waits for a file
PUT = "widgets.put"  # in the session, by widget: when its value was set, and to what
LATE = 20.0  # seconds within which the code of a widget has come


def _kept(key: str) -> str | None:
    value = st.query_params.get(key) or st.session_state.get(f"current.{key}")
    if value:
        st.session_state[f"current.{key}"] = value
    return value or None


def _keep(key: str, value: str | None) -> None:
    if value is None:
        st.session_state.pop(f"current.{key}", None)
        st.query_params.pop(key, None)
        return
    st.session_state[f"current.{key}"] = value
    st.query_params[key] = value


def dataset_id() -> str | None:
    """Id of the current dataset: `?data=` or what was chosen before."""
    return _kept(DATA)


def set_dataset(value: str | None) -> None:
    """Make a dataset the current one, in the session and the URL."""
    if value != dataset_id():
        st.session_state[CHOSEN_LATER] = True
    _keep(DATA, value)


def chosen_later() -> bool:
    """Say whether the current data was chosen after the current run was looked at."""
    return bool(st.session_state.get(CHOSEN_LATER))


def begun() -> tuple[str, str] | None:
    """Source and name of the data that is open on Data, whether it is in use or not yet; None where none is."""
    held = st.session_state.get(BEGUN) or {}
    return (held["source"], held.get("name") or held["source"]) if held.get("source") else None


def run_id() -> str | None:
    """Id of the current run: `?run=` or what was chosen before; not a run that a page chose by itself."""
    if is_offered(st.query_params.get(RUN)):
        return st.session_state.get(f"current.{RUN}")
    return _kept(RUN)


def set_run(value: str | None) -> None:
    """Make a run the current one, in the session and the URL."""
    for name in (OFFERED, COMPARED, CHOSEN_LATER):
        st.session_state.pop(name, None)
    _keep(RUN, value)


def is_offered(run: str | None) -> bool:
    """Say whether a run stands in the URL because a page chose it by itself."""
    return run is not None and run == st.session_state.get(OFFERED)


def show_run(shown: str, asked: str | None) -> None:
    """Write the run that a page shows into the URL; it becomes the current one only where a person asked for it or chose it.

    `asked`: the run of the URL as the page was opened, where the page has that one.
    """
    if shown == run_id():
        _keep(RUN, shown)
    elif asked and not (asked == shown and is_offered(asked)):
        set_run(shown)
    else:
        st.session_state[OFFERED] = st.query_params[RUN] = shown


def compare(runs: Sequence[str], model: str | None) -> None:
    """Note which runs Compare shows, the one of its answer first, and the model of that answer."""
    st.session_state[COMPARED] = (tuple(dict.fromkeys(runs)), model)


def compared() -> tuple[tuple[str, ...], str | None]:
    """Return the runs that Compare showed, its answer's first, and the model it named; none where another run was looked at since."""
    found: tuple[tuple[str, ...], str | None] = st.session_state.get(COMPARED, ((), None))
    return found


def link(**more: str | None) -> dict[str, str]:
    """Query parameters for a link to another page: the current dataset, plus `more`."""
    current = dataset_id()
    values = {**({DATA: current} if current else {}), **more}
    return {k: v for k, v in values.items() if v}


def go(page: str, **params: str | None) -> None:
    """Open another page (a file under pages/) with its query parameters; does not return."""
    st.switch_page(page, query_params=link(**params))


def once(key: str, make: Callable[[], Any]) -> Any:
    """Return a value of this session, made the first time it is asked for."""
    if key not in st.session_state:
        st.session_state[key] = make()
    return st.session_state[key]


def click_token(name: str) -> str:
    """Name of the next press of a button: pressing twice on one page shows up as one press."""
    token: str = once(f"click.{name}", lambda: uuid.uuid4().hex)
    return token


def spend_click(name: str) -> None:
    """Make the next press of the button a new one."""
    st.session_state.pop(f"click.{name}", None)


def seed(key: str, value: Any) -> str:
    """Give a widget its first value; later the widget's own value counts. Returns the key."""
    if key not in st.session_state:
        put(key, value)
    else:
        _again(key)
    return key


def put(key: str, value: Any) -> None:
    """Set a widget's value before it is drawn."""
    st.session_state[key] = value
    st.session_state.setdefault(PUT, {})[key] = (time.monotonic(), value)


def _again(key: str) -> None:
    """Tell the browser a value that was set a moment ago once more, unless a person has changed it.

    A set value is told at one drawing only. A phone draws twice at first (see `aids.is_narrow`), and where the code of a widget
    is still on its way the first drawing is gone by then: the field would be empty beside results that know its value. A wide
    screen is spared it: each value told again is a message, and a widget drawn anew.
    """
    from pages.ui.access import aids

    if not aids.is_narrow():
        return
    then, value = st.session_state.get(PUT, {}).get(key, (-math.inf, None))
    if time.monotonic() - then < LATE and st.session_state[key] == value:
        st.session_state[key] = value


def forget(prefix: str) -> None:
    """Let every widget under a key prefix take its first value again."""
    for key in [k for k in st.session_state if str(k).startswith(prefix)]:
        del st.session_state[key]
