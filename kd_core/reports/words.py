"""What a report explains beside the sentences of the result: the question, the rule, the measuring, the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kd_core.runs.outcome import Outcome
from kd_core.runs.settings.untaught import NO_TEACHER, UNTAUGHT

VERDICTS = {
    "beats": "DISTILLING HELPED",
    "ties": "DISTILLING MADE NO DIFFERENCE",
    "hurts": "DISTILLING HURT",
    "inconclusive": "NOT CLEAR YET IF DISTILLING HELPED",
    UNTAUGHT: "BEST WITHOUT A TEACHER",
    NO_TEACHER: "WITHOUT A TEACHER",
}
INTRODUCTION = (
    "The task: predict {target} from the other columns of {file}. A large model, the teacher ({teacher}), learned it first. Small models, the "
    "students ({students}), then learned it twice: once from the labels alone (the baseline), and once from the labels and the teacher's "
    "answers together. This is called knowledge distillation. The question of this report: is the taught one better, and by how much?"
)
RULE = (
    "How the words are chosen: the student is compared with its baseline seed by seed, on test rows that nothing was chosen by. Helped: the 95 % "
    "interval of the gain lies above 0. Hurt: below 0. No difference: it lies inside the margin ({margins}). Anything else is not clear yet. With "
    "several students the words follow the interval that holds for all of them together."
)
ROWS = "{file}: {rows} rows; the models read {features} numbers made of its columns. Hash of the rows: {digest}."
CONTINUED = "These students did not begin anew: they went on from those of an earlier run, with new rows. What they learned and forgot stands above."
RECIPE = (
    "Everything that is needed to repeat this run. The same file, versions and kind of machine give the same numbers; times differ. The data are not "
    "part of this report: the recipe names the file by its place and by the hash of its bytes, and refuses another."
)
RECIPE_FILE = "Save what stands below as recipe.json, then:"
GLOSSARY = (  # word, what it means, whether it belongs to every task
    (
        "Teacher",
        "A large model that learned the data first. Its answers say more than a label does: how likely it finds each possibility.",
        True,
    ),
    ("Student", "The small model that shall be used in the end.", True),
    (
        "Baseline",
        "The same small model with the same budget and seeds, but without a teacher. The gain is measured against it.",
        True,
    ),
    (
        "Placebo",
        "The same student taught with labels that are smoothed as much as the teacher smooths them, but alike for every row. What is gained over it comes from this teacher.",
        False,
    ),
    (
        "Plain model",
        "The best of a short list of ordinary models (a linear one, small boosted trees) whose file takes no more bytes than the student's.",
        True,
    ),
    ("Seed", "A random start. Several seeds show how much of a result is luck of training.", True),
    (
        "95 % interval",
        "If the run were repeated with other seeds and other test rows, such a range would hold the true difference in 95 of 100 cases. It speaks of this training set.",
        True,
    ),
    ("Points", "Hundredths of a metric that is a share: from 0.80 to 0.81 is one point.", False),
    ("Gap closed", "How much of the way from the baseline to the teacher the student gains.", True),
    (
        "Train, validation, test",
        "Rows to learn from, rows to choose by, and rows to judge by at the end, on which nothing is chosen.",
        True,
    ),
    ("p50, p95", "Of many measured times the middle one, and the one that 95 of 100 stay below.", True),
    (
        "T and alpha",
        "T (temperature) softens the teacher's answers before they are learned; alpha is the teacher's share of the lesson.",
        True,
    ),
)


def measured(result: Mapping[str, Any], found: Outcome, *, classes: bool) -> Iterator[str]:
    """Say how the numbers came about: parts, seeds, teacher, times, machine."""
    rows, teacher, budget = result["dataset"]["rows"], result["teacher"], result.get("budget") or {}
    chosen = "less" if found.metric.better == "lower" else "more"
    yield f"The metric of the verdict is {found.metric.title}: {chosen} is better. It is measured on {rows['test']:,} test rows that no training and no choice has seen."
    if found.test_reads:
        times = "once" if found.test_reads == 1 else f"by {found.test_reads} runs"
        yield f"So far the test rows of this dataset have been read {times} in this workspace."
    if (teacher.get("folds") or 0) > 1:
        yield f"Training rows were answered out of fold: the teacher was fitted {teacher['folds']} times, and each row is answered by one that never saw it."
    seeds = sorted({len(s.seeds) for s in found.students})
    yield f"Student, baseline and placebo are trained with the same seeds ({', '.join(map(str, seeds))} each), rows and budget; the epoch that is kept is the best on validation rows."
    if budget.get("most_epochs"):
        yield f"Budget: at most {budget['most_epochs']} passes over the training rows, {budget['batch_size']:,} rows a step, learning rate {budget['learning_rate']:g}, {budget['optimiser']}."
    yield "The interval covers chance between seeds and the draw of the test rows; both parts are told. It speaks of this training set."
    if classes and not any(s.placebo for s in found.students):
        yield "There is no placebo in this run, so that what smooth labels alone would have given is not known."
    yield "Times are those of one thread: p50 is the middle of many repetitions. 'From the raw row' is the whole way from cells of a file to the answer, by the file that is taken home."
    machine = result.get("environment") or {}
    device = machine.get("device_name") or machine.get("device") or "unknown"
    versions = ", ".join(f"{n} {machine[n]}" for n in ("torch", "python") if machine.get(n))
    yield f"Machine: {device}, {machine.get('cores', '–')} cores, {machine.get('system', '')}; {versions}."
    seconds = result.get("seconds") or {}
    told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items() if isinstance(value, int | float))
    if told:
        yield f"The run took: {told}."
