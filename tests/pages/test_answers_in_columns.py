"""A recipe without a target, opened in the browser: its data is understood as the run understood it."""

import pandas as pd

from kd_core.specs import DatasetSpec
from pages.ui.data import understanding


def test_the_data_of_such_a_recipe_is_understood(tmp_path):
    p = [0.1, 0.8, 0.3, 0.9] * 30
    pd.DataFrame({"a": [0.5, 1.5, 2.5] * 40, "p_no": [1 - x for x in p], "p_yes": p}).to_csv(tmp_path / "t.csv", index=False)
    spec = DatasetSpec(source=str(tmp_path / "t.csv"), target="teacher's answer", answer_columns=("p_no", "p_yes"))
    found = understanding.profile(spec.model_dump(mode="json"), spec.read, "t")
    assert (found.target, found.classes) == ("teacher's answer", ("no", "yes"))
    assert [c.name for c in found.columns if c.used] == ["a", "teacher's answer"]
    assert "no_true_labels" in {problem.code for problem in found.problems}
