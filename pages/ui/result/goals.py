"""What a person asks of a student, against the teacher or in absolute numbers, and who meets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from kd_core.runs.store.rows import RunRow
from pages.ui.result import verdict
from pages.ui.shared import forms, text
from pages.ui.shared.text import Safe, escape, t

WAYS = ("teacher", "share", "absolute")
WRITTEN = {"size": text.size, "latency": text.milliseconds, "flops": text.number, "parameters": text.number}
UNIT = {"size": 1024.0, "latency": 1e-3}  # of the input: KB, µs
ASKED = "goals.asked"  # in the session, for each data: the goals asked for
OPENED = "goals.opened"  # in the session, for each data and what is asked about: the goals that the form opened with
HELD = "goals.held"  # in the session, for each data: what the fields held, as widgets forget it when their page is left


@dataclass(frozen=True)
class Candidate:
    """A model that could be shipped: its name, its value on the metric and what it costs (None: not known).

    `validation`: its score by which it may be chosen among equals; the value may be from test rows, which choose nothing.
    `against`: what it loses against its teacher, in words with the interval; empty where that is not known. `surely`: its value at the worse end of that interval;
    `unsure`: it should have one, but none is known, so a goal of the metric is met on the mean at best.
    """

    id: str
    name: str
    value: float | None
    costs: Mapping[str, float | None]
    validation: float | None = None
    against: str = ""
    surely: float | None = None
    unsure: bool = False


@dataclass(frozen=True)
class Goals:
    """The worst value of a metric and the largest costs that are still good enough; None and absent: no goal.

    Units of `most`: bytes, milliseconds, operations, weights.
    """

    metric: str
    worst: float | None = None
    most: Mapping[str, float] = field(default_factory=dict)

    def missed(self, c: Candidate) -> list[str]:
        """Name the goals a candidate does not meet: 'metric' or a cost."""
        found = []
        if self.worst is not None and c.value is not None:
            bad = c.value > self.worst if verdict.lower_is_better(self.metric) else c.value < self.worst
            found += ["metric"] if bad else []
        return found + [n for n, most in self.most.items() if (own := c.costs.get(n)) is not None and own > most]

    def unknown(self, c: Candidate) -> list[str]:
        """Name the goals that can't be looked at, because the candidate's number is not known."""
        metric = ["metric"] if self.worst is not None and c.value is None else []
        return metric + [n for n in self.most if c.costs.get(n) is None]

    def meets(self, c: Candidate) -> bool | None:
        """Say whether a candidate meets all goals; None when it misses none but a number is not known."""
        return False if self.missed(c) else None if self.unknown(c) else True

    def sure(self, c: Candidate) -> bool:
        """Say whether a candidate meets all goals with its whole interval."""
        if self.worst is not None and c.unsure:
            return False
        return self.meets(c) is True and "metric" not in self.missed(
            replace(c, value=c.value if c.surely is None else c.surely)
        )

    @property
    def empty(self) -> bool:
        """Say whether nothing was asked for."""
        return self.worst is None and not self.most

    def edge(self, by: str) -> tuple[float | None, float | None]:
        """Return the largest cost and the worst value, for the region in a chart over one cost."""
        return self.most.get(by), self.worst


def ask(
    key: str,
    metric: str,
    by: str,
    teacher_value: float | None,
    teacher_costs: Mapping[str, float | None],
    times: str,
    *,
    first: str = "teacher",
    data: str = "",
) -> Goals:
    """Let the person set goals. `times` is the catalogue's name for so many times less cost; a goal without a number is none.

    `first`: the way that is open at first, where the teacher is known; numbers are suggested only where they are asked for first. `data`: what the goals are kept for.
    """
    held = _held(key, data)

    def seeded(name: str, value: object) -> str:
        return forms.seed(name, held.get(name, value))

    st.markdown(f"**{t('compare.goal.title')}**")
    lower = verdict.lower_is_better(metric)
    shares = bool(data) and not lower and (teacher_value or 0.0) > 0  # of an error nobody asks for a share
    known = {"teacher": teacher_value is not None, "share": shares, "absolute": True}
    ways = [way for way in WAYS if known[way]]
    way = st.segmented_control(
        t("compare.goal.way"),
        ways,
        key=seeded(f"{key}-way", first if first in ways else ways[0]),
        required=True,
        wrap=True,
        label_visibility="collapsed",
        format_func=lambda w: t(f"compare.goal.way_{w}"),
        help=t("compare.goal.way_help"),
    )
    share = verdict.is_share(metric)
    title = verdict.metric_title(metric)
    usual = 0.01 if share else float(f"{abs(teacher_value or 0.0) * 0.05:.2g}") or 0.01
    cost = teacher_costs.get(by)
    if way != "absolute" and teacher_value is not None:
        if way == "share":
            percent = st.number_input(
                t("compare.goal.share"),
                0.0,
                None,
                None,
                1.0,
                key=seeded(f"{key}-share-{metric}", 95.0),
                help=t("compare.goal.share_help"),
            )
            worst = None if percent is None else teacher_value * percent / 100
        else:
            kind, scale = ("lost_points", 100.0) if share else ("lost_value", 1.0)
            lost = st.number_input(
                t(f"compare.goal.{kind}"),
                0.0,
                None,
                None,
                0.1 if share else usual / 5,
                key=seeded(f"{key}-lost-{metric}", usual * scale),
                help=t(f"compare.goal.{kind}_help"),
            )
            worst = None if lost is None else teacher_value + (lost if lower else -lost) / scale
        less = st.number_input(
            t(times), 1.0, None, None, 1.0, key=seeded(f"{key}-times-{by}", 5.0), help=t("compare.goal.times_help")
        )
        _hold(key, held)
        return Goals(metric, worst, {} if cost is None or less is None else {by: cost / less})
    suggested = first == "absolute"
    opening = None if teacher_value is None else float(f"{teacher_value + (usual if lower else -usual):.3g}")
    teacher_has = None if teacher_value is None else t("compare.goal.teacher_has", value=text.score(teacher_value))
    worst = st.number_input(
        t("compare.goal.value_most" if lower else "compare.goal.value_least", metric=title),
        None,
        None,
        None,
        0.01 if share else usual / 5,
        format="%.3f" if share else "%.4g",
        key=seeded(f"{key}-value-{metric}", opening if suggested else None),
        placeholder=teacher_has,
        help=t("compare.goal.value_help"),
    )
    most = {}
    for name, unit in UNIT.items():
        known = teacher_costs.get(name)
        start = None if known is None else float(f"{known / 5 / unit:.2g}")
        asked = st.number_input(
            t(f"compare.goal.most_{name}"),
            0.0,
            None,
            None,
            (start or 1.0) / 5,
            format="%.4g",
            key=seeded(f"{key}-most-{name}", start if suggested else None),
            placeholder=None if known is None else t("compare.goal.teacher_has", value=WRITTEN[name](known)),
            help=t("compare.goal.most_help"),
        )
        if asked is not None:
            most[name] = asked * unit
    _hold(key, held)
    return Goals(metric, worst, most)


def _held(key: str, data: str) -> dict[str, object]:
    """Return what the fields held for this data; those of other data are taken away."""
    if st.session_state.get(f"{key}.of", data) != data:
        forms.forget(f"{key}-")
    st.session_state[f"{key}.of"] = data
    held: dict[str, object] = st.session_state.setdefault(HELD, {}).setdefault(f"{key} {data}", {})
    return held


def _hold(key: str, held: dict[str, object]) -> None:
    held |= {str(k): v for k, v in st.session_state.items() if str(k).startswith(f"{key}-")}


def pick(found: Sequence[Candidate], goals: Goals) -> Candidate | None:
    """Name the candidate to ship: the smallest that meets all goals surely, else on the mean, else the smallest that misses fewest.

    The smallest rather than the best: among many, the best score on the rows shown would flatter itself. Of equally
    small ones the best on validation.
    """
    known = [c for c in found if c.value is not None]
    size = float("inf")

    def rank(c: Candidate) -> tuple[float, ...]:
        sign = 1.0 if verdict.lower_is_better(goals.metric) else -1.0
        order = (c.costs.get("size"), None if c.validation is None else sign * c.validation, c.costs.get("latency"))
        return (
            len(goals.missed(c)),
            len(goals.unknown(c)),
            not goals.sure(c),
            *(size if x is None else x for x in order),
        )

    return min(known, key=rank, default=None)


def words(c: Candidate, goals: Goals) -> Safe:
    """Say what the picked one costs and which goals it meets: 'small: 5.3 KB, 10 µs, meets all'."""
    told = [WRITTEN[n](v) for n in ("size", "latency") if (v := c.costs.get(n)) is not None]
    missed, unknown = goals.missed(c), goals.unknown(c)
    if missed:
        told.append(str(t("compare.goal.misses", what=", ".join(_miss(n, c, goals) for n in missed))))
    elif unknown:
        told.append(str(t("compare.goal.not_known", what=", ".join(_name(n, goals) for n in unknown))))
    elif not goals.sure(c):
        asked = {"own": text.score(c.surely), "asked": text.score(goals.worst)}
        key = "meets_unsure" if c.unsure else "meets_mean"
        told.append(str(t(f"compare.goal.{key}", what=_name("metric", goals), **asked)))
    else:
        told.append(str(t("compare.goal.meets_all")))
    return Safe(f"{escape(c.name)}: {', '.join(told)}")


def _name(goal: str, goals: Goals) -> str:
    return verdict.metric_title(goals.metric) if goal == "metric" else str(t(f"compare.cost.{goal}"))


def _miss(goal: str, c: Candidate, goals: Goals) -> str:
    if goal == "metric":
        return str(
            t("compare.goal.miss", what=_name(goal, goals), own=text.score(c.value), asked=text.score(goals.worst))
        )
    own, asked = WRITTEN[goal](c.costs[goal]), WRITTEN[goal](goals.most[goal])
    return str(t("compare.goal.miss", what=_name(goal, goals), own=own, asked=asked))


def show(found: Sequence[Candidate], goals: Goals, counted: str) -> None:
    """Say how many meet the goals, and the picked one by name. `counted` is the catalogue's sentence for the count."""
    if goals.empty:
        st.caption(t("compare.goal.none"))
        return
    met, sure = sum(goals.meets(c) is True for c in found), sum(map(goals.sure, found))
    on_mean = f" {t('compare.goal.surely', num=sure)}" if sure < met else ""
    st.markdown(f"{t(counted, num=met, of=len(found))}{on_mean}")
    chosen = pick(found, goals)
    if chosen is not None:
        st.markdown(
            f"{':material/check_circle:' if goals.sure(chosen) else ':material/info:'} **{words(chosen, goals)}**",
            help=t("compare.goal.pick_help"),
        )
        for line in price(found, goals):
            st.markdown(line)


def rival(plain: Sequence[Candidate], chosen: Candidate | None, goals: Goals) -> Candidate | None:
    """Return the plain model that is smaller than the picked one and scores higher, of several the smallest."""
    own = None if chosen is None else chosen.costs.get("size")
    if chosen is None or chosen.value is None or own is None:
        return None
    sign = -1.0 if verdict.lower_is_better(goals.metric) else 1.0
    better = [
        c
        for c in plain
        if c.value is not None and sign * c.value > sign * chosen.value and (c.costs.get("size") or own) < own
    ]
    return min(better, key=lambda c: c.costs["size"] or 0.0, default=None)


def warn(best: Candidate, goals: Goals) -> None:
    """Say first that a plain model without a teacher is smaller and scores higher than the picked one."""
    costs = ", ".join(WRITTEN[n](v) for n in ("size", "latency") if (v := best.costs.get(n)) is not None)
    about = {"name": best.name, "costs": costs, "value": text.score(best.value)}
    st.markdown(f":material/star: {t('compare.goal.rival', **about, metric=verdict.metric_title(goals.metric))}")


def beside(plain: Sequence[Candidate], goals: Goals) -> None:
    """Name the plain model without a teacher that misses no goal, too; of several the one that would be picked among them."""
    able = [c for c in plain if c.value is not None and not goals.missed(c)]
    best = pick(able, goals)
    if best is not None:
        title = verdict.metric_title(goals.metric)
        st.markdown(
            f":material/star: {t('compare.goal.plain', said=words(best, goals), value=text.score(best.value), metric=title)}"
        )


def data_of(row: RunRow) -> str:
    """Name the rows and the target of a run, which goals belong to."""
    return f"{row.dataset_name} → {row.target}"


def keep(data: str, goals: Goals) -> None:
    """Remember the goals that a person asked for, in numbers, for the pages that ask for them, too; those that the form opened with are nobody's."""
    asked = st.session_state.setdefault(ASKED, {})
    opened = st.session_state.setdefault(OPENED, {}).setdefault((data, goals.metric, *goals.most), goals)
    if data in asked or goals != opened or st.session_state.get("goal-way") == "absolute":
        asked[data] = goals


def kept(data: str) -> Goals:
    """Return the goals that were asked for of models of this data; empty ones where none were."""
    return st.session_state.get(ASKED, {}).get(data) or Goals("")


def price(found: Sequence[Candidate], goals: Goals) -> list[Safe]:
    """Say what the picked one reaches and gives away, and who of those that meet all goals scores higher."""
    chosen = pick(found, goals)
    if chosen is None:
        return []
    title = verdict.metric_title(goals.metric)
    reached = f"{text.score(chosen.value)} {escape(title)}"
    said = [Safe(f"{reached}, {escape(chosen.against)}." if chosen.against else f"{reached}.")]
    sign = -1.0 if verdict.lower_is_better(goals.metric) else 1.0
    able = [c for c in found if c.value is not None and goals.meets(c)]
    best = max(able, key=lambda c: sign * (c.value or 0.0), default=None)
    if goals.meets(chosen) and best is not None and text.score(best.value) != text.score(chosen.value):
        size = text.size(best.costs.get("size"))
        said.append(t("compare.goal.higher", name=best.name, size=size, value=text.score(best.value)))
    own = chosen.costs.get("size")
    smaller = [c for c in able if own is not None and (c.costs.get("size") or own) < own]
    if goals.sure(chosen) and (one := pick(smaller, goals)) is not None:
        said.append(t("compare.goal.mean_one", name=one.name, size=text.size(one.costs.get("size"))))
    return said
