"""A finished run as one HTML file that needs nothing else: no network, no script, no app; it prints on A4.

It is written for somebody who never saw the app. Its sentences are those that the terminal prints (`runs/view/report.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kd_core import __version__
from kd_core.errors import DataError
from kd_core.listing import parts
from kd_core.reports import charts, recipe, tables, words, written
from kd_core.reports.markup import Markup, element, escape, table
from kd_core.reports.style import STYLE
from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.student_names import titled
from kd_core.runs.view import report
from kd_core.runs.view.heat_map import answered, heat_map
from kd_core.specs import RunSpec
from kd_core.task import task_of
from kd_core.written import number

# Nothing may be fetched and nothing run, whatever a name in the data holds
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(folder: RunFolder) -> str:
    """Write the report of a finished run. Errors: DataError `no_result`; KDError `run_damaged`, and as `read_outcome`."""
    result = folder.result()
    if result is None or not result["students"]:
        raise DataError(
            "Run {run} has no result to report: it has not ended.",
            "Resume it, or choose another run.",
            "no_result",
            run=folder.id,
        )
    folder.manifest()  # one that can't be read is damage, too
    name = folder.annotation()["name"]
    return of_result(result, folder.spec(), name)


def of_result(result: dict[str, Any], spec: RunSpec, name: str = "") -> str:
    """Write the report of a result and the recipe that gave it."""
    found = read_outcome(result)
    title = name or spec.title()
    with_sections = [_head(result, spec, title), *_sections(result, found, spec)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"Report: {title}"),
        element("style", Markup(STYLE)),
    )
    whole = element("html", head, element("body", element("main", *with_sections)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _sections(result: dict[str, Any], found: Outcome, spec: RunSpec) -> Iterator[Markup]:
    yield from _verdicts(result, found)
    if found.has_map:
        yield _section("The settings that were tried", *_tried(result, found))
    size = charts.against_size(found)
    if len(found.students) == 1:
        drawn = [element("div", size, *charts.charts_of(found, found.students[0]), class_="charts")]
    else:
        drawn = [size]
        for s in found.students:
            drawn += [element("h3", s.name), element("div", *charts.charts_of(found, s), class_="charts")]
    yield _section("In pictures", *drawn)
    each = [part for s in found.students for part in (tables.metrics(found, s), tables.costs(found, s))]
    yield _section("In numbers", *each)
    yield _section("The data", *_data(result, found))
    yield _section("How it was measured", *_measured(result, found, spec))
    yield _section("What the words mean", _glossary(found))
    yield _section("The recipe", *_recipe(spec))


def _head(result: Mapping[str, Any], spec: RunSpec, title: str) -> Markup:
    data = result["dataset"]
    teacher = _title_of("kd_core.teachers", "SOURCES", result["teacher"]["name"])
    students = ", ".join(titled(s) for s in result["students"])
    file = data.get("name") or spec.dataset.source
    made = f"Run {result.get('run_id', '')}, {str(result.get('created_utc', ''))[:16].replace('T', ' ')} UTC, KD Workbench {__version__}."
    return element(
        "header",
        element("h1", f"Predicting {data['target']}: a report"),
        element("p", title, class_="first"),
        element("p", made, class_="soft"),
        element("p", words.INTRODUCTION.format(target=data["target"], file=file, teacher=teacher, students=students)),
    )


def _verdicts(result: dict[str, Any], found: Outcome) -> Iterator[Markup]:
    before = [*report.before_students(result), *report.chosen_lines(result, found)]
    yield element("h2", "The verdict")
    yield from (element("p", written.sentence(line)) for line in before)
    for position, student in enumerate(found.students):
        first, *rest = report.of_student(result, found, student)
        said = written.sentence(first.partition(": ")[2])
        shown = (
            " (shown first by the app: best on validation rows)"
            if len(found.students) > 1 and position == found.best
            else ""
        )
        small = element("span", "SMALL", class_="badge") if student.small else ""
        badge = element("span", words.VERDICTS[student.word], class_="badge")
        yield element(
            "section",
            element("h3", badge, small, f"{titled(student.raw)}{shown}"),
            element("p", f"{said[:1].upper()}{said[1:]}", class_="first"),
            *(element("p", written.sentence(line)) for line in rest),
            class_=f"verdict {student.word}",
        )
    yield from (element("p", written.sentence(line)) for line in report.after_students(result, found))
    yield element("p", words.RULE.format(margins=_margins(found)), class_="soft")


def _margins(found: Outcome) -> str:
    factor, unit = (100.0, " points") if found.metric.unit == "share" else (1.0, "")
    each = dict.fromkeys(f"{number(factor * s.margin, 3)}{unit}" for s in found.students)
    return ", ".join(each)


def _tried(result: dict[str, Any], found: Outcome) -> list[Markup]:
    return [
        *(element("p", written.sentence(line)) for line in answered(result)),
        element(
            "pre", "\n".join(written.sentence(line) if not line.startswith(" ") else line for line in heat_map(result))
        ),
        tables.cells(found),
    ]


def _data(result: Mapping[str, Any], found: Outcome) -> Iterator[Markup]:
    data = result["dataset"]
    rows = ", ".join(f"{count:,} {part}" for part, count in data["rows"].items())
    yield element(
        "p",
        words.ROWS.format(
            file=data.get("name", ""), rows=rows, features=data.get("features", "–"), digest=data["hash"]
        ),
    )
    counted = found.raw["teacher"].get("confusion") or found.students[0].raw.get("confusion")
    if data.get("classes") and counted:
        counts = [sum(line) for line in counted]
        shares = [
            [name, written.count(n), f"{100 * n / (sum(counts) or 1):.1f} %"]
            for name, n in zip(data["classes"], counts, strict=False)
        ]
        if len(shares) <= tables.MOST_CELLS:
            yield table([data["target"], "test rows", "share"], shares, "Classes", "numbers")
        else:
            yield element("p", f"{len(shares):,} classes.")
    problems = list(result.get("problems") or ())
    yield element("h3", "What was found in the data")
    if not problems:
        yield element("p", "Nothing that a person should look at.")
    else:
        yield element("ul", *(element("li", f"{p['message']} {p.get('hint', '')}".strip()) for p in problems))


def _measured(result: Mapping[str, Any], found: Outcome, spec: RunSpec) -> Iterator[Markup]:
    classes = task_of(found.task).has_classes
    yield element("ul", *(element("li", line) for line in words.measured(result, found, classes=classes)))
    lines = [[s.name, *_student(s)] for s in found.students]
    yield table(["Student", "Network", "Lesson", "Seeds"], lines, "Who learned what", "numbers")
    if result.get("continued"):
        yield element("p", words.CONTINUED)


def _student(student: StudentOutcome) -> list[str]:
    raw = student.raw
    arch = raw.get("arch") or {}
    network = " ".join([str(arch.get("name", "–")), *(f"{k} {v}" for k, v in (arch.get("settings") or {}).items())])
    lesson = [str(raw.get("objective", "–"))]
    lesson += [f"{sign} {raw[n]:g}" for n, sign in (("temperature", "T"), ("alpha", "alpha")) if raw.get(n) is not None]
    return [network, ", ".join(lesson), ", ".join(map(str, student.seeds))]


def _recipe(spec: RunSpec) -> Iterator[Markup]:
    yield element("p", words.RECIPE)
    if line := recipe.command(spec):
        yield from (element("h3", "As a command"), element("pre", line))
    yield from (element("h3", "As a Python program"), element("pre", recipe.script(spec)))
    file = recipe.run_line("recipe.json")
    yield from (element("h3", "As a file"), element("p", words.RECIPE_FILE), element("pre", file))
    yield element("pre", spec.to_json())


def _glossary(found: Outcome) -> Markup:
    classes = task_of(found.task).has_classes
    entries = [(word, said) for word, said, always in words.GLOSSARY if always or classes]
    return element("dl", *(part for word, said in entries for part in (element("dt", word), element("dd", said))))


def _section(title: str, *inside: object) -> Markup:
    return element("section", element("h2", title), *inside)


def _title_of(package: str, registry: str, name: str) -> str:
    found = {part.name: part.title for part in parts(package, registry)}
    return found.get(name, escape(name.replace("_", " ")))
