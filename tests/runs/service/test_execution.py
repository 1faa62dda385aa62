"""What a run's process does around the run itself."""

from kd_core.runs.service.execution import Execution, StopSignal
from kd_core.runs.store.folder import RunFolder
from tests.runs.services import run_spec


def test_a_warning_that_every_training_gives_is_told_once(tmp_path):
    folder, heard = RunFolder.create(tmp_path / "run", run_spec()), []
    given = [
        ("rows_streamed", "too large"),
        ("rows_streamed", "too large"),
        ("rows_streamed", "much too large"),
        ("few", "too large"),
    ]

    def run(spec, folder, on_event, should_stop):
        for code, message in given:
            on_event({"kind": "warning", "code": code, "message": message, "hint": ""})
            on_event({"kind": "resources", "rss_mb": 1.0, "gpu_mb": None})
        return {}

    Execution(folder, run, StopSignal(), heard.append).carry_out()
    for events in (heard, folder.events()):
        assert [(e["code"], e["message"]) for e in events if e["kind"] == "warning"] == [given[0], given[2], given[3]]
        assert sum(e["kind"] == "resources" and e["rss_mb"] == 1.0 for e in events) == 4
