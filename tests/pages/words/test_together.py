"""What is said of several students that are judged together."""

from kd_core.runs.view import report
from pages.ui.arms import table
from pages.ui.result import verdict
from pages.ui.shared.text import t
from tests.pages.fixtures import result
from tests.pages.result.test_verdict import plain


def test_several_students_are_told_their_common_interval():
    said = verdict.judge(result(students=("tiny", "small")), 1)
    assert "(95 % for both students together: +0.48 to +1.32; 3 seeds)" in plain(said.gain)
    assert plain(said.family) == (
        "Had this student been the only one, the interval would be narrower (95 %: +0.58 to +1.22; seeds ±0.25, "
        "rows ±0.20; 3 seeds). The verdict follows the wider one, which holds for both at once."
    )


def test_two_students_are_both_and_more_are_counted_in_every_sentence():
    for num, word in ((2, "both"), (3, "all 3")):
        found = result(students=("tiny", "small", "base")[:num])
        said = verdict.judge(found, 0)
        assert f"95 % for {word} students together" in plain(said.gain)
        assert f"holds for {word} at once" in plain(said.family)
        key = verdict.together(found)
        assert f"holds for {word} students of this run" in plain(t(f"runs.result.gain_note_{key}", n=num))
        assert f", for {word} students together" in "\n".join(report.verdict_lines(found))


def test_what_is_shown_beside_an_open_word_is_what_the_word_follows():
    """One student alone would be better for sure; with all of them together it is open, and nothing is coloured as a gain."""
    found = result(students=("tiny", "small"), verdict="inconclusive")
    name = found["metric"]["name"]
    gain = found["students"][0]["gain"][name]
    gain |= {"mean": 0.0101, "ci95": [0.0019, 0.0182], "ci_family": [-0.0005, 0.0207]}
    gain |= {"seeds_half": 0.0059, "rows_half": 0.0056}
    assert "(95 % for both students together: −0.1 to +2.1; 3 seeds)" in plain(verdict.judge(found, 0).gain)
    cells = " ".join(map(str, table.comparison_frame(found, 0).iloc[0]))
    assert ":green" not in cells and "+0.2" not in cells
    gain["ci_family"] = [0.0001, 0.0201]
    assert ":green[+1.0" in " ".join(map(str, table.comparison_frame(found, 0).iloc[0]))
