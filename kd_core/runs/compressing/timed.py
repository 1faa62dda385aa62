"""How long every stage takes, all in the same rounds: whole from raw rows on, and the network alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.data.input_spec import InputSpec
from kd_core.data.onnx_file import open_session
from kd_core.data.pictures.column import as_files
from kd_core.machine import device as devices
from kd_core.machine.rounds import Turn, in_rounds
from kd_core.machine.timing import BATCHES
from kd_core.runs.deployment import WHOLE_BATCHES, Deployment, sample_rows

ROUNDS = 7  # with so many, six of which all say the same is more than chance
SECONDS_EACH = 0.03  # of a stage in a round
MOST_SECONDS = 20.0  # of all stages at one batch
DIFFERENT_ROWS = 64  # that take turns as the one row of a batch


def times(
    deployments: Mapping[int, Deployment], dataset: Dataset, inputs: InputSpec, should_stop: Callable[[], bool]
) -> dict[int, dict[str, Any]]:
    """Time the files of stages by number: {"whole": {batch: ...}, "onnxruntime": {batch: ...}}. Units: milliseconds, one thread."""
    found: dict[int, dict[str, Any]] = {number: {} for number in deployments}
    whole = {n: d.session for n, d in deployments.items() if d.session is not None}
    with devices.threads(1):
        if whole:
            first = next(iter(whole.values()))
            named = as_files(sample_rows(dataset)[list(first.reader.types)])
            rows: list[Any] = named.astype("object").where(named.notna(), None).to_dict("records")
            for batch in WHOLE_BATCHES:
                many = [rows[i % len(rows)] for i in range(batch)]
                given = rows[:DIFFERENT_ROWS] if batch == 1 else [many]
                _take(found, "whole", batch, {n: Turn(s.run, given) for n, s in whole.items()}, should_stop)
        networks = {n: open_session(d.network) for n, d in deployments.items() if d.network is not None}
        for batch in BATCHES:
            x = {"x": inputs.example(batch)}

            def answering(session: Any) -> Callable[[Any], Any]:
                return lambda given: session.run(None, given)

            turns = {n: Turn(answering(session), [x]) for n, session in networks.items()}
            _take(found, "onnxruntime", batch, turns, should_stop)
    return found


def _take(
    found: dict[int, dict[str, Any]], runtime: str, batch: int, turns: Mapping[Any, Turn], stop: Callable[[], bool]
) -> None:
    taken = in_rounds(turns, ROUNDS, SECONDS_EACH, until=MOST_SECONDS, should_stop=stop)
    for number, times in taken.items():
        if times.rounds:
            told = times.told(batch)
            found[int(str(number))].setdefault(runtime, {})[str(batch)] = {
                name: told[name] for name in ("p50", "low", "high", "p95", "p99", "per_second", "rounds")
            }
