"""The registry: nearest names, no silent overwrite, reasons in words."""

from __future__ import annotations

import pytest

from kd_core.errors import SpecError, UnknownName
from kd_core.registry import NEEDS, Registry, Situation, view_title
from kd_core.specs import SweepSpec
from kd_core.task import CLASSIFICATION


@pytest.fixture
def losses() -> Registry[object]:
    found: Registry[object] = Registry("loss")
    found.register("hinton", title="Soft labels", tasks=CLASSIFICATION)(len)
    found.register("dkd", title="Decoupled", tasks=CLASSIFICATION, needs=("three_classes",))(len)
    found.register("fitnets", title="Features", needs=("teacher_features",))(len)
    found.register("hints", title="Hints", needs=("student_features", "teacher_features", "one_basis"))(len)
    found.register("listwise", title="Lists", needs=("groups",))(len)
    return found


def test_an_unknown_name_suggests_the_nearest(losses):
    with pytest.raises(UnknownName) as raised:
        losses.get("dkkd")
    assert str(raised.value) == "no loss 'dkkd'. Did you mean 'dkd'? Known: dkd, fitnets, hinton, hints, listwise."


def test_a_far_name_lists_what_is_known(losses):
    with pytest.raises(UnknownName) as raised:
        losses.get("zzz")
    assert str(raised.value) == "no loss 'zzz'. Known: dkd, fitnets, hinton, hints, listwise."


def test_registering_twice_is_an_error(losses):
    with pytest.raises(SpecError, match="The loss 'hinton' is registered twice"):
        losses.register("hinton", title="Again")


def test_an_unknown_need_is_an_error(losses):
    with pytest.raises(SpecError, match="needs 'luck', which nobody defined"):
        losses.register("x", title="X", needs=("luck",))


@pytest.mark.parametrize(
    ("situation", "name", "reason"),
    [
        (Situation("binary", 2), "hinton", None),
        (Situation("regression"), "hinton", "works for binary, multiclass, not for regression"),
        (Situation("binary", 2), "dkd", NEEDS["three_classes"][1]),
        (Situation("multiclass", 3), "dkd", None),
        (Situation("multiclass", 3), "fitnets", NEEDS["teacher_features"][1]),
        (Situation("multiclass", 3, frozenset({"logits", "features"})), "fitnets", None),
        (Situation("multiclass", 3, students_give=frozenset({"logits"})), "hints", NEEDS["student_features"][1]),
        (Situation("multiclass", 3, frozenset({"logits", "features"})), "hints", NEEDS["one_basis"][1]),
        (Situation("multiclass", 3, frozenset({"logits", "features", "one_basis"})), "hints", None),
        (Situation("multiclass", 3), "listwise", NEEDS["groups"][1]),
        (Situation("multiclass", 3, grouped=True), "listwise", None),
    ],
)
def test_offers_say_why_not(losses, situation, name, reason):
    assert {e.name: why for e, why in losses.offer(situation)}[name] == reason


def test_a_part_may_say_in_its_own_words_why_it_has_a_need(losses):
    why = "needs at least 3 classes: two shares are one number"
    losses.register("dist", title="D", needs=("three_classes", "groups"), because={"three_classes": why})(len)
    entry = losses.get("dist")
    assert entry.why_not(Situation("binary", 2)) == why
    assert entry.why_not(Situation("multiclass", 3)) == NEEDS["groups"][1]


def test_parts_are_made_of_those_of_another_registry_that_have_the_role():
    archs, teachers = Registry("architecture"), Registry("teacher")
    archs.register("b", title="B", source="Me 2000", tasks=CLASSIFICATION, roles=("teacher",))(len)
    archs.register("no", title="No", roles=("student",))(len)
    teachers.register("z", title="Z")(print)
    teachers.register_each(archs, role="teacher")(lambda arch: (max, SweepSpec, {"arch": arch.name}))
    teachers.register("a", title="A")(print)
    made = teachers.get("b")
    assert teachers.names() == ["a", "b", "z"] and [e.name for e in teachers.entries()] == ["a", "b", "z"]
    assert (made.make, made.title, made.spec, made.source, dict(made.facts)) == (
        max,
        "B",
        SweepSpec,
        "Me 2000",
        {"arch": "b"},
    )
    assert made.tasks == ("binary", "multiclass")


def test_a_made_part_that_is_there_already_is_an_error(losses):
    archs = Registry("architecture")
    archs.register("hinton", title="Again", roles=("teacher",))(len)
    with pytest.raises(SpecError, match="The loss 'hinton' is registered twice"):
        losses.register_each(archs, role="teacher")(lambda arch: (len, SweepSpec, {}))


def test_ways_to_read_rows_are_named_in_words_of_people():
    """Every registered view is called by its title inside a sentence; one that nobody registered keeps its name."""
    from kd_core.data.view import VIEWS

    for entry in VIEWS.entries():
        assert view_title(entry.name).casefold() == entry.title.casefold() and view_title(entry.name)[0].islower()
    assert view_title("tokens") == "word pieces" and view_title("nobody's") == "nobody's"
    parts: Registry[object] = Registry("part")
    parts.register("one", title="One", takes=("tokens", "ngrams"))(len)
    said = parts.get("one").why_not(Situation("binary", 2, views=frozenset({"pixels", "tfidf"})))
    assert said == "reads word pieces or weighted pieces of words; these rows can be read as pixels, weighted terms"
