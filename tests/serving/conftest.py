"""A small run whose student is served."""

from __future__ import annotations

import pandas as pd
import pytest

from kd_core.runs import experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.serving.served import open_served
from tests.runs.tables import small_spec, write_table


@pytest.fixture(scope="session")
def run_of(tmp_path_factory):
    """Make the finished run of a task, once."""
    made = {}

    def of(task):
        if task not in made:
            place = tmp_path_factory.mktemp(task)
            spec = small_spec(write_table(place / "table.csv", task), task)
            folder = RunFolder.create(place / "run", spec)
            result = experiment.run(spec, folder, lambda event: None, lambda: False)
            folder.finish("done", result)
            made[task] = folder.path, pd.read_csv(place / "table.csv").drop(columns="target")
        return made[task]

    return of


@pytest.fixture(scope="session")
def served(run_of):
    return open_served(str(run_of("binary")[0]))
