"""What a person asks of a student, against the teacher or in absolute numbers, and who meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from kd_core import written
from kd_core.runs.choosing.rule import nearest
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

AS_LARGE = 1.05  # times the bytes of another: its names or numbers differ, not its kind
WRITTEN: dict[str, Callable[..., str]] = {
    "size": text.size,
    "latency": text.milliseconds,
    "flops": text.number,
    "parameters": text.number,
}


def written_score(value: float, more: int) -> str:
    """Write a score with so many more digits than usual."""
    return text.score(value, more=more)


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

    Units of `most`: bytes, milliseconds, operations, weights. `lost`: what may be lost against the teacher, where that was asked for;
    `own`: a person set them, they are not only what a form opened with.
    """

    metric: str
    worst: float | None = None
    most: Mapping[str, float] = field(default_factory=dict)
    lost: float | None = None
    own: bool = field(default=False, compare=False)

    def missed(self, c: Candidate) -> list[str]:
        """Name the goals a candidate does not meet: 'metric' or a cost."""
        found = []
        if self.worst is not None and c.value is not None:
            bad = c.value > self.worst if differences.lower_is_better(self.metric) else c.value < self.worst
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

    @property
    def within(self) -> bool:
        """Say whether costs alone were limited: then the best score within them is meant, a limit is not to be undercut."""
        return self.worst is None and bool(self.most)

    def over(self, c: Candidate) -> dict[str, float]:
        """Return how many times a candidate uses up each limit of cost; infinite where its cost is not known."""
        return {n: float("inf") if (own := c.costs.get(n)) is None else own / most for n, most in self.most.items()}

    def edge(self, by: str) -> tuple[float | None, float | None]:
        """Return the largest cost and the worst value, for the region in a chart over one cost."""
        return self.most.get(by), self.worst


def pick(found: Sequence[Candidate], goals: Goals) -> Candidate | None:
    """Name the candidate to ship: the smallest that meets all goals surely, else on the mean, else what comes nearest to them.

    The smallest rather than the best: among many, the best score on the rows shown would flatter itself. Of equally
    small ones the best on validation. With limits alone the best on validation, as a search chooses; on the rows shown where
    not all have been judged there. The nearest: as a run chooses its student where no candidate meets the goals.
    """
    known = [c for c in found if c.value is not None]
    able = [c for c in known if not goals.missed(c)]
    sign = 1.0 if differences.lower_is_better(goals.metric) else -1.0
    most = float("inf")

    def size(c: Candidate) -> float:
        return most if (own := c.costs.get("size")) is None else own

    unjudged = any(c.validation is None for c in able)

    def rank(c: Candidate) -> tuple[float, ...]:
        if goals.within:
            score = c.value if unjudged else c.validation
            return (len(goals.unknown(c)), sign * (score or 0.0), size(c))
        order = (size(c), None if c.validation is None else sign * c.validation, c.costs.get("latency"))
        return (len(goals.unknown(c)), not goals.sure(c), *(most if x is None else x for x in order))

    if not able:
        return nearest(known, goals.over, lambda c: -sign * (c.value or 0.0), size) if known else None
    return min(able, key=rank)


def answer(found: Sequence[Candidate], plain: Sequence[Candidate], goals: Goals) -> Candidate | None:
    """Name the model to ship: the student, or the plain one that is smaller, scores higher and meets the goals as surely; or that is as good and no larger.

    Where no student meets them, it is the one of all that does, or comes nearest, be it without a teacher.
    """
    alone = [replace(c, name=str(t("compare.goal.no_teacher", name=Safe(c.name)))) for c in plain]
    if not any(c.value is not None and not goals.missed(c) for c in found):
        return pick([*found, *alone], goals)
    student = pick(found, goals)
    able = [c for c in alone if not goals.missed(c)]
    better = rival(able, student, goals) or simpler(able, student, goals)
    if student is None or better is None or goals.sure(student) > goals.sure(better):
        return student
    return better


def words(c: Candidate, goals: Goals) -> Safe:
    """Say what the picked one costs and which goals it meets: 'small: 5.3 KB, 10 µs, meets all'."""
    told = [WRITTEN[n](v) for n in ("size", "latency") if (v := c.costs.get(n)) is not None]
    missed, unknown = goals.missed(c), goals.unknown(c)
    if missed:
        told.append(str(t("compare.goal.misses", what=", ".join(_miss(n, c, goals) for n in missed))))
    elif unknown:
        told.append(str(t("compare.goal.not_known", what=", ".join(_name(n, goals) for n in unknown))))
    elif not goals.sure(c):
        key, ends = "meets_unsure" if c.unsure else "meets_mean", ("", "")
        if c.surely is not None and goals.worst is not None:
            ends = written.apart(written_score, c.surely, goals.worst)
        told.append(str(t(f"compare.goal.{key}", what=_name("metric", goals), own=ends[0], asked=ends[1])))
    elif not goals.empty:
        told.append(str(t("compare.goal.keeps_limits" if goals.within else "compare.goal.meets_all")))
    return Safe(f"{escape(c.name)}: {', '.join(told)}")


def _name(goal: str, goals: Goals) -> str:
    return differences.metric_title(goals.metric) if goal == "metric" else str(t(f"compare.cost.{goal}"))


def _miss(goal: str, c: Candidate, goals: Goals) -> str:
    """Say by how much a goal is missed: 'PR-AUC by 0.9 points (0.411, asked 0.420)'."""
    what = _name(goal, goals)
    if goal == "metric":
        assert c.value is not None and goals.worst is not None
        by: object = differences.points(goals.metric, abs(c.value - goals.worst))
        own, asked = written.apart(written_score, c.value, goals.worst)
    else:
        cost, most = c.costs[goal] or 0.0, goals.most[goal]
        by, (own, asked) = WRITTEN[goal](cost - most), written.apart(WRITTEN[goal], cost, most)
    hair = not any(digit in "123456789" for digit in str(by))  # "by 0.00 points" says that it is not missed
    return str(t(f"compare.goal.miss{'_hair' if hair else ''}", what=what, by=by, own=own, asked=asked))


def show(
    found: Sequence[Candidate],
    goals: Goals,
    counted: str,
    chosen: Candidate | None = None,
    beside: Callable[[Candidate], None] = lambda chosen: None,
    plain: Sequence[Candidate] = (),
) -> None:
    """Say how many meet the goals, and the one to ship by name: `chosen`, else the picked one. `counted` is the catalogue's sentence for the count.

    `beside` draws what stands beside the name. `plain`: the models without a teacher that could have been named as well.
    """
    if goals.empty:
        st.caption(t("compare.goal.none"))
        return
    met, sure = sum(goals.meets(c) is True for c in found), sum(map(goals.sure, found))
    on_mean = f" {t('compare.goal.surely', num=sure)}" if sure < met else ""
    st.markdown(f"{t(counted, num=met, of=len(found))}{on_mean}")
    chosen = chosen or pick(found, goals)
    if chosen is not None:
        said = named(found, plain, chosen, goals)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f"{':material/check_circle:' if goals.sure(chosen) else ':material/info:'} **{said}**",
                help=t("compare.goal.pick_help"),
                width="content",
            )
            beside(chosen)
        st.markdown(" ".join(price(found, goals, chosen)))


def named(found: Sequence[Candidate], plain: Sequence[Candidate], chosen: Candidate, goals: Goals) -> Safe:
    """Say the one to ship with why it is named: it comes nearest, or of limits alone it is the best within them."""
    said = words(chosen, goals)
    if goals.missed(chosen):
        return t("compare.goal.nearest", said=said)
    if not goals.within:
        return said
    if chosen in found:
        rows = "" if any(c.validation is None for c in found if not goals.missed(c)) else "_validation"
        return t(f"compare.goal.best_student{rows}", said=said)
    sign = -1.0 if differences.lower_is_better(goals.metric) else 1.0
    able = [c for c in (*found, *plain) if not goals.missed(c)]
    return said if any(_beats(c.value, chosen.value, sign) for c in able) else t("compare.goal.best", said=said)


def rival(plain: Sequence[Candidate], chosen: Candidate | None, goals: Goals) -> Candidate | None:
    """Return the plain model that is smaller than the picked one and scores higher, of several the smallest."""
    return _instead(plain, chosen, goals, lambda gain, _, size: gain > 0 and size < 1)


def simpler(plain: Sequence[Candidate], chosen: Candidate | None, goals: Goals) -> Candidate | None:
    """Return the plain model that is as good as the picked one, as scores are written, and about as large: it needs no teacher."""
    return _instead(plain, chosen, goals, lambda gain, alike, size: (gain >= 0 or alike) and size <= AS_LARGE)


def _instead(
    plain: Sequence[Candidate], chosen: Candidate | None, goals: Goals, takes: Callable[[float, bool, float], bool]
) -> Candidate | None:
    """Return the smallest plain model that `takes` the place of the picked one: by how much better it scores, whether both scores are written alike, and how many times its bytes it has."""
    own = None if chosen is None else chosen.costs.get("size")
    if chosen is None or chosen.value is None or not own:
        return None
    sign = -1.0 if differences.lower_is_better(goals.metric) else 1.0
    written_as = text.score(chosen.value)
    found = [
        (size, c)
        for c in plain
        if c.value is not None
        and (size := c.costs.get("size"))
        and takes(sign * (c.value - chosen.value), text.score(c.value) == written_as, size / own)
    ]
    return min(found, key=lambda one: one[0])[1] if found else None


def warn(best: Candidate, goals: Goals) -> None:
    """Say first that a plain model without a teacher is smaller and scores higher than the picked one."""
    costs = ", ".join(WRITTEN[n](v) for n in ("size", "latency") if (v := best.costs.get(n)) is not None)
    about = {"name": best.name, "costs": costs, "value": text.score(best.value)}
    st.markdown(f":material/star: {t('compare.goal.rival', **about, metric=differences.metric_title(goals.metric))}")


def second(plain: Sequence[Candidate], chosen: Candidate, goals: Goals) -> Candidate | None:
    """Return the plain model that misses no goal: of several the one that would be picked, first among those cheaper in all that is limited."""
    able = [c for c in plain if c.value is not None and not goals.missed(c)]
    mine = {n: own for n in goals.most if (own := chosen.costs.get(n)) is not None}
    cheaper = [c for c in able if all((c.costs.get(n) or float("inf")) <= own for n, own in mine.items())]
    return pick(cheaper or able, goals)


def also(plain: Sequence[Candidate], chosen: Candidate, goals: Goals) -> None:
    """Name the plain model without a teacher that misses no goal, too."""
    best = second(plain, chosen, goals)
    if best is not None:
        title = differences.metric_title(goals.metric)
        st.markdown(
            f":material/star: {t('compare.goal.plain', said=words(best, goals), value=text.score(best.value), metric=title)}"
        )


def _beats(one: float | None, other: float | None, sign: float) -> bool:
    """Say whether a score is better than another, also as both are written; what is not known beats nothing."""
    if one is None or other is None:
        return False
    return sign * one > sign * other and text.score(one) != text.score(other)


def price(found: Sequence[Candidate], goals: Goals, chosen: Candidate | None = None) -> list[Safe]:
    """Say what the picked one reaches and gives away, and who of those that meet all goals scores higher."""
    chosen = chosen or pick(found, goals)
    if chosen is None:
        return []
    title = differences.metric_title(goals.metric)
    reached = f"{text.score(chosen.value)} {escape(title)}"
    said = [Safe(f"{reached}, {escape(chosen.against)}." if chosen.against else f"{reached}.")]
    sign = -1.0 if differences.lower_is_better(goals.metric) else 1.0
    able = [c for c in found if c.value is not None and goals.meets(c)]
    best = max(able, key=lambda c: sign * (c.value or 0.0), default=None)
    own = chosen.costs.get("size")
    if goals.meets(chosen) and best is not None and _beats(best.value, chosen.value, sign):
        told = {"name": best.name, "size": text.size(best.costs.get("size")), "value": text.score(best.value)}
        if not goals.within and (own or 0.0) < (best.costs.get("size") or float("inf")):
            said.append(t("compare.goal.higher", **told))
        elif goals.within and _beats(chosen.validation, best.validation, sign):
            first, other = text.score(chosen.validation), text.score(best.validation)
            said.append(t("compare.goal.higher_within", **told, first=first, second=other))
    smaller = [c for c in able if own is not None and (c.costs.get("size") or own) < own]
    if goals.sure(chosen) and (one := pick(smaller, goals)) is not None and not goals.sure(one):
        said.append(t("compare.goal.mean_one", name=one.name, size=text.size(one.costs.get("size"))))
    return said
