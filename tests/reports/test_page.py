"""A report says what the terminal says, of every task and every kind of run, and shows hostile names literally."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.errors import DataError, KDError
from kd_core.reports import written
from kd_core.reports.page import of_result, page
from kd_core.runs import experiment
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view import report
from kd_core.specs import SweepSpec
from tests.pages.fixtures import spec
from tests.pages.results import HOSTILE, result
from tests.runs.tables import small_spec, write_table

EMPTY = {"meta", "br", "line", "circle", "rect", "path", "polyline", "polygon"}
OWN = {
    "html",
    "head",
    "body",
    "main",
    "title",
    "style",
    "header",
    "section",
    "h1",
    "h2",
    "h3",
    "p",
    "div",
    "span",
    "svg",
    "g",
}
OWN |= {
    "text",
    "figure",
    "figcaption",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "ul",
    "li",
    "dl",
    "dt",
    "dd",
    "pre",
}


class Checked(HTMLParser):
    """Reads a page, and finds what is not closed, what is fetched and what is run."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def said(text):
    return " ".join(unescape(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)).split())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("verdict", ["beats", "ties", "hurts", "inconclusive"])
def test_every_sentence_of_the_terminal_stands_in_the_report(task, verdict):
    made = result("r", task, ("tiny", "small"), verdict)
    found, text = read_outcome(made), of_result(made, spec())
    shown = said(re.sub(r"<[^>]+>", " ", text))
    for student in found.students:
        first, *rest = report.of_student(made, found, student)
        for line in (first.partition(": ")[2][1:], *rest):
            assert " ".join(written.sentence(line).split()) in shown
    assert (
        shown.count(
            {
                "beats": "DISTILLING HELPED",
                "ties": "DISTILLING MADE NO DIFFERENCE",
                "hurts": "DISTILLING HURT",
                "inconclusive": "NOT CLEAR YET IF DISTILLING HELPED",
            }[verdict]
        )
        == 2
    )


@pytest.mark.parametrize("name", [*HOSTILE, """x" onload="alert(1)' onclick='alert(2)"""])
def test_hostile_names_are_shown_literally_and_nothing_is_fetched_or_run(name):
    made = result("r", "multiclass", (name,), classes=[name, f"{name}2", "c"])
    made["dataset"] |= {"name": name, "target": name}
    made["teacher"]["name"] = name
    made["problems"] = [{"severity": "warning", "code": "x", "message": name, "hint": name}]
    made["environment"]["device_name"] = name
    found = Checked(of_result(made, spec(name, (name[:40],), dataset=name, target=name), name))
    assert found.tags <= EMPTY | OWN
    assert not [
        a for a, _ in found.attributes if a.startswith("on") or a in ("src", "href", "srcset", "style", "action")
    ]
    assert any(name in word for word in found.words)
    policy = [v for a, v in found.attributes if a == "content"]
    assert any("default-src 'none'" in one and "script" not in one for one in policy)


def test_letters_that_turn_or_hide_a_name_are_named():
    made = result("r", "binary", ("a\u202eb\x00c\ud800",))
    text = of_result(made, spec())
    assert "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩" in text
    text.encode()


def test_results_of_earlier_versions_have_a_report_too():
    made = result("r", "binary")
    made["schema"] = 1
    for student in made["students"]:
        student.pop("versus_teacher")
        student["placebo"] = None
        student["gain"] = {n: {"mean": g["mean"], "ci95": g["ci95"], "n": g["n"]} for n, g in student["gain"].items()}
    assert "its interval covers seeds only" in said(of_result(made, spec()))


def test_one_seed_has_no_interval_and_the_report_says_so():
    shown = said(of_result(result("r", "binary", seeds=1), spec(seeds=1)))
    assert "one seed, no interval" in shown


def test_a_run_without_a_result_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path / "run", spec())
    with pytest.raises(DataError, match="Run run has no result to report"):
        page(folder)
    done = CliRunner().invoke(app, ["report", str(folder.path), "--out", str(tmp_path / "x.html")])
    assert done.exit_code == 2 and "has no result" in done.stderr and not (tmp_path / "x.html").exists()


def test_a_damaged_result_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path / "run", spec())
    (folder.path / "result.json").write_text('{"metric": {}, "students": [{}]}')
    with pytest.raises(KDError, match="is damaged"):
        page(folder)


@pytest.mark.slow
def test_a_what_if_tells_every_setting_and_a_run_that_goes_on_what_it_forgot(tmp_path):
    """Both are real runs: one of six cells, and one that goes on from a first run with new rows."""
    table = write_table(tmp_path / "table.csv")
    asked = small_spec(table).model_copy(update={"sweep": SweepSpec(temperature=(1, 4), alpha=(0, 0.5, 1))})
    shown = said(re.sub(r"<[^>]+>", " ", page(carried_out(asked, tmp_path / "sweep"))))
    for temperature in (1, 4):
        for alpha in ("0", "0.5", "1"):
            assert f"tiny: T {temperature}, alpha {alpha} " in shown
    assert "best on validation" in shown and "Best of 6 cells on validation" in shown

    from kd_core.runs.continuing.asked import spec_of

    first = carried_out(small_spec(table), tmp_path / "first")
    more = write_table(tmp_path / "more.csv", rows=200, seed=5)
    on = carried_out(spec_of(str(first.path), str(more)), tmp_path / "on")
    shown = said(page(on))
    assert "Continued from first" in shown and "They went on from those of an earlier run" in shown.replace(
        "they", "They"
    )


def carried_out(asked, path):
    folder = RunFolder.create(path, asked)
    folder.finish("done", experiment.run(asked, folder, lambda event: None, lambda: False))
    return folder


@pytest.mark.slow
def test_the_command_writes_one_file_that_a_browser_reads_without_a_network(tmp_path):
    folder = carried_out(small_spec(write_table(tmp_path / "table.csv")), tmp_path / "run")
    done = CliRunner().invoke(app, ["report", str(folder.path), "--out", str(tmp_path / "report.html")])
    assert done.exit_code == 0 and "report.html" in done.stdout, done.output
    text = (tmp_path / "report.html").read_text("utf-8")
    Checked(text)
    assert "http" not in re.sub(r"http-equiv", "", text) and len(text) < 100_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.82571, "0.8257"),
        (9.582, "9.5820"),
        (11.504, "11.504"),
        (-1204.33, "−1,204.3"),
        (3e6, "3,000,000"),
        (None, "–"),
    ],
)
def test_scores_have_fewer_decimals_the_larger_they_are(value, shown):
    assert written.score(value) == shown
