"""What a card is gathered from, beside what an export shows of it."""

import kd_core
from kd_core.runs.exporting.card import card_of
from tests.runs.exporting.test_exporting import run  # noqa: F401


def test_a_card_of_rows_that_were_split_by_time_says_that_the_newest_judged_it(run):  # noqa: F811
    model = kd_core.load(run.path)
    assert "time" not in card_of(run, model.student, model.purpose)
    spec = run.spec()
    dated = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"time": "day"})})
    folder = type(run)(run.path)
    folder.spec = lambda: dated  # as of a run of such rows
    card = card_of(folder, model.student, model.purpose)
    assert (
        card["time"] == "day"
        and "the newest rows of the file, by 'day'; it learned from older ones" in card["limits"][0]
    )
