"""Results of what-ifs for tests, with only the fields that are read."""

from __future__ import annotations


def cell(index, temperature, alpha, gain, student="tiny", rate=0.002, **more):
    return {
        "cell": index,
        "student": student,
        "temperature": temperature,
        "alpha": alpha,
        "learning_rate": rate,
        "weight_decay": 0.0,
        "dropout": None,
        "gain": {"mean": gain, "ci95": [None, None], "n": 3 if gain is not None else 0},
        "stopped": False,
        "scores": [0.8, 0.9, 0.8],
        "like_best": False,
        "diverged": 0,
        **more,
    }


def student(name, index, mean=0.009, low=0.002, high=0.016):
    both = {"accuracy": {"mean": 0.8, "std": 0.1, "values": [0.8]}}
    return {
        "name": name,
        "cell": index,
        "gain": {"accuracy": {"mean": mean, "ci95": [low, high], "n": 3}},
        "metrics": both,
        "baseline": {"metrics": both},
        "gap_closed": {},
        "verdict": "beats",
        "parameters": 66,
        "size_bytes": 512,
        "seeds": [0, 1, 2],
        "margin": 0.005,
    }


def result(cells, students, best, unit="share", **axes):
    several = {
        "temperature": [1.0, 4.0],
        "alpha": [0.0, 0.75],
        "learning_rate": [0.002],
        "weight_decay": [0.0],
        "dropout": [],
    }
    return {
        "schema": 3,
        "task": "binary",
        "metric": {
            "name": "accuracy",
            "title": "accuracy",
            "unit": unit,
            "better": "higher" if unit == "share" else "lower",
        },
        "teacher": {"metrics": {"accuracy": 0.9}, "size_bytes": 10_240},
        "students": students,
        "cells": cells,
        "sweep": {
            "axes": {**several, **axes},
            "best": best,
            "cells_asked": len(cells),
            "cells_compared": sum(c["gain"]["mean"] is not None for c in cells),
        },
    }


SQUARE = [
    cell(0, 1.0, 0.0, 0.0, like_best=True),
    cell(1, 1.0, 0.75, 0.0123, like_best=True),
    cell(2, 4.0, 0.0, 0.0, like_best=True),
    cell(3, 4.0, 0.75, 0.0311, like_best=True),
]
