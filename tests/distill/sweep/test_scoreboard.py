from kd_core.distill.sweep.scoreboard import Scoreboard


def board(better="higher"):
    told, now = [], [100.0]
    return Scoreboard(told.append, better, clock=lambda: now[0]), told, now


def test_it_tells_the_best_score_of_each_position_and_only_what_is_new():
    scores, told, now = board()
    scores.take(3, 0.7, 1, 9)
    now[0] += 1
    scores.take(3, 0.6, 2, 9)
    assert told == [{"kind": "scores", "epoch": 1, "epochs": 9, "best": {"3": 0.7}}]
    now[0] += 1
    scores.take(5, 0.1, 3, 9)
    scores.tell()
    assert told[1:] == [{"kind": "scores", "epoch": 3, "epochs": 9, "best": {"5": 0.1}}]


def test_it_tells_at_most_twice_a_second():
    scores, told, now = board()
    for step in range(100):
        now[0] += 0.05
        scores.take(0, float(step), step, 100)
    assert 8 <= len(told) <= 11


def test_where_lower_is_better_the_best_is_the_lowest():
    scores, told, now = board("lower")
    for value in (3.0, 1.0, 2.0):
        scores.take(0, value, 1, 1)
    now[0] += 1
    scores.tell()
    assert told[-1]["best"] == {"0": 1.0}
