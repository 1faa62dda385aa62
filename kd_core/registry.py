"""One class that names every exchangeable part: readers, architectures, losses, metrics, teachers."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kd_core.errors import SpecError, UnknownName
from kd_core.specs import Spec

if TYPE_CHECKING:
    from kd_core.task import Condition

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Situation:
    """What is known when a part is chosen: the task, the classes, what teacher and students can give, how rows can be read.

        `teacher_gives` and `students_give`: "logits", "features" (inner features), "one_basis" (those of all rows from one fit), "maps" (of
    what stages of a convolutional network find where), "relations" (what words ask of each other inside a transformer), "learning" (a
        teacher that is a network trained here, which can stand beside a student), "head" (one linear last layer that turns inner features
        into answers);
        `students_give` holds what every student gives. `grouped`: whether rows belong together by a column. `one_fold`: whether the
        teacher answers the rows that it is trained on. `by_rounds`: whether a student learns by a procedure of its own, not by gradient descent.
    """

    task: str
    num_classes: int = 0
    teacher_gives: frozenset[str] = frozenset({"logits"})
    views: frozenset[str] = frozenset({"table"})
    students_give: frozenset[str] = frozenset({"logits", "features", "head"})
    grouped: bool = False
    one_fold: bool = False
    by_rounds: bool = False


Need = tuple[Callable[[Situation], bool], str]

NEEDS: dict[str, Need] = {
    "three_classes": (
        lambda s: s.num_classes >= 3,
        "needs at least 3 classes: with two there is only one other class, so nothing is left to compare",
    ),
    "teacher_features": (
        lambda s: "features" in s.teacher_gives,
        "needs the teacher's inner features, which this teacher does not give",
    ),
    "student_features": (
        lambda s: "features" in s.students_give,
        "needs the student's inner features: every student must have a hidden layer",
    ),
    "teacher_maps": (
        lambda s: "maps" in s.teacher_gives,
        "needs the maps inside a convolutional network that reads pictures, and this teacher is none",
    ),
    "student_maps": (
        lambda s: "maps" in s.students_give,
        "needs the maps inside convolutional networks that read pictures: every student must be one",
    ),
    "live_maps": (
        lambda s: {"maps", "learning"} <= s.teacher_gives,
        "needs the teacher itself beside the student, as a convolutional network trained here, for the maps inside it: this teacher is none",
    ),
    "live_relations": (
        lambda s: {"relations", "learning"} <= s.teacher_gives,
        "needs the teacher itself beside the student, as a transformer trained here: both must read the same pieces of words, and this teacher is none, or reads pieces of its own",
    ),
    "student_relations": (
        lambda s: "relations" in s.students_give,
        "needs what words ask of each other inside a transformer: every student must be one",
    ),
    "one_basis": (
        lambda s: "one_basis" in s.teacher_gives,
        "needs the teacher's inner features from one fit: those of several folds can't be compared with each other (1 fold gives one)",
    ),
    "teacher_head": (
        lambda s: "head" in s.teacher_gives,
        "needs the linear last layer of one network, which the student takes over: networks of several folds have one each (1 fold gives one), and not every teacher has one",
    ),
    "student_head": (
        lambda s: "head" in s.students_give,
        "needs students whose last layer is linear, since the teacher's is put in its place, and a student here has another one",
    ),
    "several_folds": (
        lambda s: not s.one_fold,
        "needs 2 folds or more: with one it would answer the rows that it was trained on, which it may know by heart",
    ),
    "trainable_teacher": (
        lambda s: "learning" in s.teacher_gives,
        "needs a teacher that is a network trained here: it learns together with the student, step by step",
    ),
    "gradient_students": (
        lambda s: not s.by_rounds,
        "needs students that learn by gradient descent, and a student here learns by a procedure of its own",
    ),
    "groups": (
        lambda s: s.grouped,
        "needs rows that belong together: no group column is chosen, by --group COLUMN or as the group of the data",
    ),
}


@dataclass(frozen=True, eq=False)
class Entry(Generic[T]):
    """A registered part with its form (`spec`), its source and the conditions under which it can work.

    `suits`: which tasks it works for; None for all. The fact `because={need: reason}` says why just this part has a need,
    `because={"task": reason}` which tasks it is for, where a list of their names tells less.
    """

    name: str
    make: T
    title: str
    spec: type[Spec]
    source: str = ""
    suits: Condition | None = None
    needs: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks it works for; none named where it works for any, or where nobody registered one (`waits`)."""
        from kd_core.task import TASKS

        return tuple(e.name for e in TASKS.entries() if self.suits(e.make)) if self.suits else ()

    @property
    def waits(self) -> bool:
        """Whether it works for tasks of a kind that nobody registered."""
        return self.suits is not None and not self.tasks

    def works_for(self, task: str) -> bool:
        """Say whether it works for a task, as one dataset has it. Errors: UnknownName."""
        from kd_core.task import task_of

        return self.suits is None or self.suits(task_of(task))

    def why_not(self, situation: Situation) -> str | None:
        """Say why this part can't be offered in the situation, or None when it can."""
        if not self.works_for(situation.task):
            because = self.facts.get("because", {}).get("task")
            kind = situation.task.partition(":")[0]
            return str(because or f"works for {', '.join(self.tasks)}, not for {kind}")
        takes = self.facts.get("takes", ())
        if takes and not situation.views.intersection(takes):
            offered = ", ".join(sorted(map(view_title, situation.views)))
            return f"reads {' or '.join(map(view_title, takes))}; these rows can be read as {offered}"
        if lacking := self.facts.get("lacks", lambda: None)():
            return str(lacking)
        if situation.by_rounds and "module" in self.facts:
            return "has a part that learns beside the student by gradient descent, and a student here learns by a procedure of its own"
        if situation.by_rounds and "doubled" in self.facts and not self.facts.get("whole_groups"):
            return "compares the rows of a batch with each other, and a student here learns by a procedure of its own, row by row"
        for need in self.needs:
            holds, reason = NEEDS[need]
            if not holds(situation):
                return str(self.facts.get("because", {}).get(need, reason))
        return None


# of(part of another registry) -> what is registered, its form and its facts
Making = Callable[[Entry[U]], tuple[T, type[Spec], dict[str, Any]]]


_REGISTRIES: dict[
    str, Registry[Any]
] = {}  # by what they hold: a lower layer can name a part that a higher one registers


def view_title(name: str) -> str:
    """Return what people call a way to read rows, as it stands inside a sentence; a name that nobody registered stays.

    Example: `view_title("tokens")` is "word pieces".
    """
    views = _REGISTRIES.get("view")
    found = views._filled().get(name) if views else None
    return found.title[:1].lower() + found.title[1:] if found else name


class Registry(Generic[T]):
    """Named parts of one kind; a package fills it by importing its sibling files.

    `package`: imported by whoever asks first, for parts that lower layers ask for and must not import.
    Errors: UnknownName with the nearest name; SpecError when a name is registered twice.
    """

    def __init__(self, kind: str, package: str | None = None) -> None:
        self.kind, self.package, self.by_name = kind, package, False
        _REGISTRIES.setdefault(kind, self)
        self._entries: dict[str, Entry[T]] = {}

    def _filled(self) -> dict[str, Entry[T]]:
        if self.package:
            importlib.import_module(self.package)  # also waits for a thread that is importing it
        return self._entries

    def register(
        self,
        name: str,
        *,
        title: str,
        spec: type[Spec] = Spec,
        source: str = "",
        tasks: Condition | None = None,
        needs: tuple[str, ...] = (),
        **facts: Any,
    ) -> Callable[[T], T]:
        """Return a decorator that registers a part under `name`."""
        if name in self._filled():
            raise SpecError(
                "The {kind} '{name}' is registered twice.",
                "Rename one of the two.",
                "duplicate_name",
                kind=self.kind,
                name=name,
            )
        unknown = [n for n in needs if n not in NEEDS]
        if unknown:
            raise SpecError(
                "The {kind} '{name}' needs '{need}', which nobody defined.",
                "Known needs: {known}.",
                "unknown_need",
                kind=self.kind,
                name=name,
                need=unknown[0],
                known=", ".join(sorted(NEEDS)),
            )

        def keep(make: T) -> T:
            self._entries[name] = Entry(name, make, title, spec, source, tasks, needs, MappingProxyType(facts))
            return make

        return keep

    def register_each(self, other: Registry[U], role: str) -> Callable[[Making[U, T]], Making[U, T]]:
        """Return a decorator that registers what its function makes of each part of another registry that has the role.

        Name, title, source and tasks are those of the part; the function returns the new part, its form and its facts.
        Since they come from two places, all parts are then listed by name.
        """
        self.by_name = True

        def keep(of: Making[U, T]) -> Making[U, T]:
            for entry in other.entries():
                if role in entry.facts.get("roles", ()):
                    make, spec, facts = of(entry)
                    self.register(
                        entry.name, title=entry.title, spec=spec, source=entry.source, tasks=entry.suits, **facts
                    )(make)
            return of

        return keep

    def get(self, name: str) -> Entry[T]:
        """Find a part by name."""
        entries = self._filled()
        if name in entries:
            return entries[name]
        near = difflib.get_close_matches(str(name), entries, n=1)
        guess = f"Did you mean '{near[0]}'? " if near else ""
        raise UnknownName(
            "no {kind} '{name}'.",
            "{guess}Known: {known}.",
            "unknown_name",
            kind=self.kind,
            name=name,
            guess=guess,
            known=", ".join(sorted(entries)),
        )

    def names(self) -> list[str]:
        """List the names in the order of registration, or sorted (`register_each`)."""
        return [entry.name for entry in self.entries()]

    def entries(self) -> list[Entry[T]]:
        """List the parts in the order of registration, or by name (`register_each`)."""
        entries = list(self._filled().values())
        return sorted(entries, key=lambda entry: entry.name) if self.by_name else entries

    def offer(self, situation: Situation) -> list[tuple[Entry[T], str | None]]:
        """Pair every part with the reason why it can't be offered here (None: it can)."""
        return [(entry, entry.why_not(situation)) for entry in self.entries()]


def import_siblings(package: str) -> None:
    """Import every module of a package, so that a new file registers itself."""
    found = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(found.__path__), key=lambda i: i.name):
        importlib.import_module(f"{package}.{info.name}")
