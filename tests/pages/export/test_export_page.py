"""The export screen: what is offered with its proof, what is not with its reason, and the code to copy."""

from __future__ import annotations

import copy
import time
import urllib.parse
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kd_core.export import parity
from kd_core.export.raw_session import RawStudent
from kd_core.export.web import runtime
from kd_core.runs.exporting import exporting
from kd_core.runs.outcome import read_outcome
from kd_core.safe_io import write_json
from pages.ui.export import bare, choosing, making, offers
from pages.ui.result import comparison, differences, verdict
from pages.ui.shared import engine, example, text
from pages.ui.shared.text import t
from pages.ui.words import decision, in_short
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def run_id(jobs):  # noqa: F811
    return example.adopt()[1]


def waited(at):
    for _ in range(600):
        if not any(one.busy for one in making._asked.values()):
            return at.run()
        time.sleep(0.1)
    raise AssertionError("still in the making")


def press(at, key):
    next(b for b in at.button if b.key == key).click().run()
    return waited(at)


def downloads(at):
    return [
        one
        for one in at.get("download_button")
        if "export-download" in one.proto.id and "export-download-file" not in one.proto.id
    ]


def test_a_bundle_is_made_proved_and_offered_with_its_code(run_id):
    at = open_page("export", run=run_id)
    assert not at.exception
    said = words(at)
    assert "How do I use it outside?" in said and "It needs:" in said
    result = engine.store().folder(run_id).result()
    assert in_short.beside(result, verdict.best_student(result)) in said  # a plain model as good is no secret
    assert not downloads(at)
    at = press(at, "export-make-bundle")
    assert not at.exception
    said = words(at)
    assert "checked just now" in said and "1e-5 is allowed" in said
    (made,) = exporting.kept(engine.store().folder(run_id))
    assert made.parity is not None and made.parity.largest <= made.parity.limit
    code = next(one.value for one in at.code if "predict.py" in one.value)
    assert code.splitlines()[0] == f"unzip {run_id}-{made.path.name} -d model && cd model" and "FILE" not in code
    assert len(downloads(at)) == 1


def test_the_bare_file_is_offered_as_it_is_and_packed_with_exact_sizes(run_id, tmp_path, monkeypatch):
    import onnxruntime

    from kd_core.export import compact

    at = open_page("export", run=run_id)
    assert not at.exception
    folder = engine.store().folder(run_id)
    name = choosing.first(folder.result(), engine.models_of_run(run_id))
    model = making.taking(folder.path, name).taken.model
    labels = [one.proto.label for one in at.get("download_button")]
    for data in (model, compact.packed(model)):
        assert sum(f"({text.size(len(data))})" in label for label in labels) == 1, labels
    code = next(one.value for one in at.code if "InferenceSession" in one.value)
    (tmp_path / "model.onnx").write_bytes(model)
    file = code.split('"')[1]
    scope = {"print": lambda told: scope.update(told=told)}
    exec(code.replace(file, str(tmp_path / "model.onnx")), scope)
    taken = making.taking(folder.path, name).taken
    np.testing.assert_allclose(scope["told"], taken.answers[:1], atol=1e-6)
    assert scope["row"].keys() == taken.sample[0].keys() and "shares of: no, yes" in code
    assert "the answer is yes where its share is above 0.5" in code and "47.0, not 47; np.nan where nothing" in code
    assert '"" where nothing is known' in code and "seconds since 1970" not in code
    empty = {k: "" if isinstance(v, str) else np.nan for k, v in scope["row"].items()}
    given, _ = RawStudent(model).reader.read([dict.fromkeys(taken.sample[0])])
    np.testing.assert_equal({k: v.ravel()[0] for k, v in given.items()}, empty)  # as the comment says
    facts = {**taken.facts, "threshold": 0.4, "columns": {**taken.facts["columns"], "hour": {"kind": "datetime"}}}
    told = bare.program(replace(taken, facts=facts), file)
    assert "at least 0.4: this threshold was chosen" in told
    assert f"counts as UTC: here {taken.sample[0]['hour']}" in next(one for one in told.splitlines() if "'hour'" in one)
    exec(told.replace(file, str(tmp_path / "model.onnx")), dict(scope))
    monkeypatch.setattr(bare, "MOST_COLUMNS", 3)
    exec(bare.program(taken, str(tmp_path / "model.onnx")), scope)
    assert scope["told"] == [(one.name, one.type) for one in onnxruntime.InferenceSession(model).get_inputs()]


def test_sizes_are_told_before_a_target_is_made_and_why_a_page_is_large(run_id):
    at = open_page("export", run=run_id)
    folder = engine.store().folder(run_id)
    name = choosing.first(folder.result(), engine.models_of_run(run_id))
    told = making.size(folder.path, name, "bundle")
    assert f"about {text.size(told)}" in words(at) and "the program that reads rows" in words(at)
    if runtime.is_here():
        assert "carries ONNX Runtime for browsers" in words(at)
    at = press(at, "export-make-bundle")
    (made,) = exporting.kept(folder)
    assert abs(made.size_bytes - told) < 0.05 * told  # the proof's own words are not known before
    assert f"about {text.size(told)}" not in words(at)


def test_a_failed_proof_offers_no_download_and_says_why(run_id, monkeypatch):
    monkeypatch.setattr(parity, "LIMIT", -1.0)
    at = press(open_page("export", run=run_id), "export-make-bundle")
    assert not at.exception and not downloads(at)
    assert "Not offered: its proof failed." in words(at) and "answers otherwise than the app" in words(at)


def test_what_can_not_be_made_here_says_why(run_id, monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, "place", lambda: tmp_path)
    at = open_page("export", run=run_id)
    assert "Not for this model" in words(at) and "make web" in words(at)
    assert "export-make-browser" not in [b.key for b in at.button]


def test_the_address_names_the_model(run_id):
    names = engine.models_of_run(run_id)
    at = open_page("export", run=run_id, student=names[-1])
    box = next(one for one in at.selectbox if one.key == f"export-student-{run_id}")
    assert box.value == names[-1] and len(box.options) == len(names)
    assert not any("&#" in option for option in box.options)  # a list to choose from reads no markup


def test_a_plain_model_is_named_as_elsewhere_with_its_own_size_and_score(run_id):
    found = engine.store().folder(run_id).result()
    best, metric = found["students"][0]["reference"]["best"], found["metric"]["name"]
    name = f"plain {best['name']}"
    assert choosing.shown(found, name).startswith(differences.plain_label(best["name"]))
    said = str(choosing.standing(found, name))
    assert text.size(best["bytes"]) in said and text.score(best["metrics"][metric]["mean"]) in said


def test_a_plain_model_that_was_judged_on_validation_rows_alone_is_told_so(run_id):
    found = engine.store().folder(run_id).result()
    known = {**found["students"][0]["reference"]["best"], "name": "trees_30x15", "bytes": 11_000, "selected": 0.787}
    del known["metrics"], known["latency_ms"], known["gain"]
    found["students"][0]["reference"]["smallest"] = known
    said = str(choosing.standing(found, "plain trees_30x15"))
    assert said.startswith("**11 KB** · ") and "0.787 on validation rows; it was not asked about the test rows" in said
    assert choosing.shown(found, "plain trees_30x15") == text.plain(
        t("export.plain", name=differences.plain_label("trees_30x15"))
    )
    judged = found["students"][0]["reference"]["best"]["name"]
    assert "validation" not in str(choosing.standing(found, f"plain {judged}"))


def test_a_model_that_was_trained_alone_is_told_with_its_own_score(run_id):
    found = copy.deepcopy(engine.store().folder(run_id).result())
    one, metric = found["students"][0], found["metric"]["name"]
    taught, alone = (text.score(side["metrics"][metric]["mean"]) for side in (one, one["baseline"]))
    assert taught != alone and f"**{taught}**" in str(choosing.standing(found, one["name"]))
    one["deployed"] = {**(one.get("deployed") or {}), "arm": "baseline"}
    said = str(choosing.standing(found, one["name"]))
    assert f"**{alone}**" in said and str(t("export.alone")) in said
    assert (
        text.milliseconds(comparison.cost(one, "latency")) in said
    )  # the times are those of the file, whoever taught it


def test_a_result_leads_to_it(run_id):
    at = open_page("runs", run=run_id)
    found = engine.store().folder(run_id).result()
    kept, what = decision.kept(found, read_outcome(found).best)
    link = next(one.proto for one in at.get("page_link") if one.proto.label.endswith(" outside"))
    assert link.label == f"Use {what} outside" and str(what) in str(decision.of(found, read_outcome(found).best))
    assert dict(urllib.parse.parse_qsl(link.query_string))["student"] == kept


def test_a_run_that_is_gone_is_told(run_id):
    at = open_page("export", run="nothing-here")
    assert at.error and not at.exception


@pytest.mark.parametrize(("value", "written"), [(3e-7, "3e-7"), (1.19e-07, "1e-7"), (1e-05, "1e-5")])
def test_small_numbers_are_written_shortly(value, written):
    assert offers._power(value) == written


def test_a_student_that_hardly_ever_says_yes_is_told_so_before_it_is_taken(run_id):
    folder = engine.store().folder(run_id)
    assert "hardly ever" not in words(open_page("export", run=run_id))
    found = folder.result()
    for arm in found["students"][0]["threshold"]["arms"].values():
        arm["half"]["recall"]["mean"] = 0.002
    write_json(folder.path / "result.json", found)
    name = found["students"][0]["name"]
    assert "hardly ever **yes**: from 50 % on it finds 0.2 %" in words(open_page("export", run=run_id, student=name))


@pytest.mark.parametrize(
    ("kinds", "view", "reads"),
    [
        (("picture",), "pixels", ["pictures"]),
        (("text", "number"), "tokens", ["texts"]),
        (("text", "picture", "number"), "together", ["texts", "pictures"]),
        (("text",), "sequence", ["texts", "lists"]),
        (("category",), "sequence", ["lists"]),
    ],
)
def test_what_a_file_alone_does_not_read_is_named(kinds, view, reads):
    facts = {"columns": {str(n): {"kind": kind} for n, kind in enumerate(kinds)}, "view": {"kind": view}}
    assert bare.beyond_graph(SimpleNamespace(facts=facts)) == reads
