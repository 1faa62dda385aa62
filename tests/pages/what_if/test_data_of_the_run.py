"""What-if with no data chosen offers that of the run looked at last."""

from __future__ import annotations

from tests.pages.screen import jobs, open_page  # noqa: F401
from tests.pages.sweeps import make_sweep


def test_the_data_of_the_run_looked_at_last_are_one_click_away(jobs):  # noqa: F811
    run_id = make_sweep("done", "multiclass", seeds=3)
    none = open_page("what_if")
    assert not none.exception and "whatif-of-run" not in [b.key for b in none.button]
    at = open_page("what_if", {"current.run": run_id})
    assert not at.exception
    (offer,) = [b for b in at.button if b.key == "whatif-of-run"]
    assert "visits" in offer.label
