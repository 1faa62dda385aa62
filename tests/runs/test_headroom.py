"""What is said where the teacher has nothing to teach."""

from __future__ import annotations

from kd_core.runs.headroom import warnings


def test_to_stop_is_suggested_only_where_the_taught_model_is_wanted():
    rows = [{"student": "tiny", "state": "none"}, {"student": "small", "state": "unclear"}]
    (taught,), (alone,) = warnings(rows, "roc_auc"), warnings(rows, "roc_auc", "baseline")
    assert taught["message"] == alone["message"] and "worse than that of tiny trained alone" in taught["message"]
    assert taught["hint"].startswith("A gain is unlikely. You can stop now")
    assert alone["hint"].startswith("The model that was chosen was trained alone, so nothing is lost")
    assert warnings(rows[1:], "roc_auc") == []
