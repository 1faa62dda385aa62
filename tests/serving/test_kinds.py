"""Every kind of student is served: what comes back over the threads of the service is what the run answers, whoever asks beside."""

from __future__ import annotations

import asyncio
import json

import pytest

from kd_core.serving.answering import Answering
from kd_core.serving.openapi import as_json
from kd_core.serving.served import open_served
from tests.runs.exporting.kinds import KINDS, carried_out

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
AT_ONCE = 24


@pytest.fixture(scope="module", params=list(KINDS))
def served(request, tmp_path_factory):
    folder, names = carried_out(request.param, tmp_path_factory.mktemp(request.param))
    return [open_served(str(folder.path), name) for name in names]


def test_rows_asked_side_by_side_get_their_own_answers(served):
    """Rows with gaps and unknown values among them; each is asked alone, all at once, and as one batch."""
    for one in served:
        rows = [*map(dict, one.examples)]
        rows += [{**rows[0], name: None} for name in one.types]
        rows += [{**rows[1], name: "never seen before"} for name, c in one.types.items() if c.kind != "picture"]
        wanted = one.run([dict(row) for row in rows])[0]
        sent = [{name: as_json(cell, one.types[name]) for name, cell in row.items()} for row in rows]

        async def asked(one=one, sent=sent):
            answering = Answering(one, 4)
            try:
                alone = [answering.answer(json.dumps({"row": row}).encode()) for row in sent[:AT_ONCE]]
                return await asyncio.gather(*alone, answering.answer(json.dumps({"rows": sent}).encode()))
            finally:
                answering.close()

        *alone, together = asyncio.run(asked())
        for at, told in enumerate(together["answers"]):
            assert values(told) == pytest.approx(wanted[at].tolist(), abs=1e-6)
        for at, told in enumerate(alone):
            assert values(told) == pytest.approx(wanted[at].tolist(), abs=1e-5)


def values(told):
    return list(told["probabilities"].values()) if "probabilities" in told else [told["answer"]]
