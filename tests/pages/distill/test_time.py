"""The time told before Start, and what bounds it."""

from __future__ import annotations

import re
from dataclasses import replace

from kd_core.evaluate.intervals.advice import MOST_SEEDS
from kd_core.runs import estimate
from kd_core.runs.cost.places import Places
from kd_core.runs.estimate import Work
from kd_core.scenarios import default_spec
from kd_core.scenarios.cards import card as kept
from kd_core.specs import Choice, ChooseSpec
from kd_core.workspace import samples
from pages.ui.runs import launch
from pages.ui.shared import text
from pages.ui.shared.facts import Facts
from tests.pages.distill.test_distill import best  # noqa: F401
from tests.pages.screen import jobs  # noqa: F401


def facts_of(scenario):
    found = kept.read(scenario, samples())
    return Facts(found.rows, found.columns, found.inputs, found.outputs, (), found.task)


def test_what_bounds_a_network_teachers_epochs_is_said_where_it_takes_most_of_the_time():
    spec = default_spec("purchase")
    works = tuple(estimate.Work(kind, 0.0, seconds) for kind, seconds in (("teacher:mlp", 100.0), ("training:x", 90.0)))
    found = estimate.Estimate(6, works, 0)

    def said(teacher, works=works):
        asked = spec.model_copy(update={"teacher": teacher})
        return str(launch.cost(asked, replace(found, works=works)))

    words = "its epochs are its own: fewer, under its settings, take less"
    assert words in said(Choice(name="mlp")) and words not in said(Choice(name="gradient_boosting"))
    assert words not in said(Choice(name="mlp", settings={"epochs": 12}))
    assert words not in said(Choice(name="mlp"), (*works, estimate.Work("evaluate", 0.0, 20.0)))


def test_seeds_that_may_be_added_are_told_with_their_trainings_and_time():
    spec, facts = default_spec("purchase"), facts_of("purchase")
    begins = launch.foresee(spec, facts)
    longest = launch.most(spec, facts, begins)
    assert spec.training.seeds is None and longest[1] > begins.seconds
    assert longest[0] * spec.training.seeds_at_first == begins.trainings * MOST_SEEDS
    said = str(launch.cost(spec, begins, longest))
    limit = f"If seeds have to be added: **{longest[0]} trainings** in **{text.forecast(longest[1])}**."
    assert limit in said and "seeds have to be" not in str(launch.cost(spec, begins))
    fixed = spec.model_copy(update={"training": spec.training.model_copy(update={"seeds": 5})})
    assert launch.most(fixed, facts, begins) is None


def test_the_limit_of_the_choice_is_told_as_a_part_of_a_longer_time():
    found = launch.foresee(default_spec("purchase"), facts_of("purchase"))
    spec = default_spec("purchase").model_copy(update={"choose": ChooseSpec(minutes=5)})
    short, long = (str(launch.cost(spec, replace(found, works=(Work("training", s, s),)))) for s in (60.0, 1200.0))
    assert "Choosing ends after 5 min at the latest." in short and "about **20 min**" in long
    assert "Of that, choosing takes 5 min at most" in long and "ends after" not in long


def test_the_page_tells_one_time_and_limits_by_their_name(best):  # noqa: F811
    """What the drawing says is what stands beside Start; nothing else is a time that is foreseen."""
    said = [
        m.value
        for m in best.markdown
        if "about **" in m.value or ("about " in m.value and "What you set up" in m.value)
    ]
    times = [found for one in said for found in re.findall(r"about (?:\*\*)?([\d.]+ \w+(?: \d+ s)?)", one)]
    assert len(said) == 3 and len(times) == 3 and len(set(times)) == 1  # the drawing, the whole sentence, beside Start
    (line,) = [one for one in said if re.search("[Cc]hoosing (ends|takes)", one)]
    assert re.search(
        r"[Cc]hoosing (ends after|takes) 5 min at (the latest|most).*\. If seeds have to be added: \*\*", line
    )
    (drawn,) = [h.proto.body for h in best.get("html") if "role='img'" in h.proto.body]
    assert not re.search(r"\d (?:s|min)\b", drawn)


def test_what_a_gpu_would_take_more_is_said_where_it_is_not_used():
    found = launch.foresee(default_spec("purchase"), facts_of("purchase"))
    words = str(text.t("distill.places", seconds=text.seconds(44.0)))
    assert words not in str(launch.reasons(found))
    assert words in str(launch.reasons(replace(found, places=Places("cuda", "cpu", 44.0))))
