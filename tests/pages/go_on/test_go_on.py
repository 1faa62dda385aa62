"""Going on from a run in the browser: the offer in its head, and what the result says."""

from kd_core.runs.view import continue_words
from pages.ui.go_on import offer, told
from pages.ui.shared.text import t
from tests.pages.fixtures import make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def place(word, rows):
    gain = {"mean": 0.02, "ci95": [0.01, 0.03], "seeds_half": 0.005, "rows_half": 0.008, "n": 3}
    values = {"before": {"mean": 0.8}, "student": {"mean": 0.82}, "baseline": {"mean": 0.81}}
    gains = {"before": gain, "baseline": gain}
    return {"against": "labels", "metric": "roc_auc", "rows": rows, "values": values, "gain": gains, "word": word}


def gone_on():
    found = result()
    rows = {"learned": 270, "bare": 0, "old": 500, "old_of": 630}
    one = {"name": found["students"][0]["name"], "new": place("learned", 100), "old": place("forgot", 135)}
    found["continued"] = {"run": "first", "name": "by *hand*", "old_share": 0.8, "rows": rows, "students": [one]}
    return found


def opened(found):
    at = open_page("runs", run=make_run("done", ("tiny",), found))
    assert not at.exception
    return at


def test_a_done_run_offers_to_go_on_and_an_unfinished_one_does_not(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny",), result())
    spec = store().folder(run_id).spec()
    assert offer.offered("done", spec) and not offer.offered("running", spec)
    at = open_page("runs", run=run_id)
    assert not at.exception
    (start,) = [b for b in at.button if b.key == "go-on-start"]
    assert start.disabled and {s.label for s in at.slider} >= {
        str(t("runs.go_on.old_share")),
        str(t("runs.go_on.held_out")),
    }
    assert str(t("runs.go_on.title")) not in words(at)


def test_a_result_says_what_was_learned_and_forgotten(jobs):  # noqa: F811
    said = words(opened(gone_on()))
    assert str(t("runs.go_on.title")) in said and "LEARNED" in said and "FORGOT" in said
    assert "270 new rows" in said and "135 test rows" in said and "&#42;hand&#42;" in said


def test_a_file_that_does_not_fit_is_refused_with_its_reason(jobs, monkeypatch):  # noqa: F811
    shown = []
    monkeypatch.setattr(offer.text, "show_error", shown.append)
    monkeypatch.setattr(offer.launch, "start", lambda *_: shown.append("started"))
    run_id = make_run("done", ("tiny",), result())
    offer.start(run_id, b"a,b\n1,2\n", 1.0, 0.25)  # a made-up run has no weights
    assert len(shown) == 1 and shown[0].code in ("continue_weights", "continue_unfinished") and shown[0].hint


def test_every_word_has_its_sentence():
    for word in continue_words.NEW:
        for old in continue_words.OLD:
            one = {"name": "tiny", "new": place(word, 100), "old": place(old, 135)}
            learned, kept, beside = told.sentences(one)
            assert "0.8000 → 0.8200, +2.00 points" in learned and "100 new rows" in learned
            assert "135 test rows" in kept and "seeds ±0.50, rows ±0.80" in kept and "+2.00 points of" in beside
    one["new"]["against"] = "teacher"
    assert str(t("runs.go_on.agreement")) in told.sentences(one)
