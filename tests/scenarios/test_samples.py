"""Every scenario: a table that can be made again, and a default run that fits it."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import profile_source
from kd_core.data.views import foreseen
from kd_core.runs import plan
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.specs import ReadSpec
from kd_core.workspace import samples

NAMES = SCENARIOS.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_table(name):
    make = SCENARIOS.get(name).make
    one, two = (make(np.random.default_rng(1), 300) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert one.columns[-1] == SCENARIOS.get(name).facts["target"]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_file_is_what_the_generator_makes(name):
    facts = SCENARIOS.get(name).facts
    data = gzip.decompress((samples() / f"{facts['sample']}.csv.gz").read_bytes())
    frame = pd.read_csv(io.BytesIO(data))
    assert len(frame) == facts["rows"]
    assert list(frame.columns) == list(SCENARIOS.get(name).make(np.random.default_rng(0), 50).columns)


@pytest.mark.parametrize("name", NAMES)
def test_the_default_run_has_no_problem_and_the_data_no_warning(name):
    spec, facts = default_spec(name), SCENARIOS.get(name).facts
    found = profile_source(spec.dataset.source, ReadSpec(), target=spec.dataset.target)
    assert found.task == facts["task"]
    assert not plan.check(spec, found.task, len(found.classes), foreseen(found))
    assert not [p.message for p in found.problems if p.severity == "error"]
    assert not [p.message for p in found.problems if p.severity == "warning" and "leak" in p.code]
