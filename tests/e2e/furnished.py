"""A workspace with one of everything a page can show, and the addresses that show it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kd_core.scenarios import default_spec
from pages.ui.shared import engine, example
from tests.e2e.server import Server
from tests.pages.fixtures import done_run
from tests.pages.soft_runs import soft_run
from tests.pages.sweeps import make_sweep

RUN = "example-run"


@dataclass(frozen=True)
class Furnished:
    """A running server, a what-if with a finished grid, a dataset, a run with soft labels of ten classes and a second run."""

    server: Server
    sweep: str
    data: str
    soft: str
    second: str

    def addresses(self) -> dict[str, str]:
        """Every page, by name."""
        return {
            "start": "/",
            "data": f"/data?data={self.data}",
            "distill": f"/distill?data={self.data}",
            "what-if": f"/what-if?data={self.data}",
            "map": f"/runs?run={self.sweep}&cell=4",
            "runs": "/runs",
            "result": f"/runs?run={RUN}",
            "compare": f"/compare?runs={RUN},{self.second}",
            "soft labels": f"/soft-labels?run={self.soft}",
            "compress": f"/compress?run={RUN}",
            "export": f"/export?run={RUN}",
            "status": "/status",
        }


@contextmanager
def filling(root: Path) -> Iterator[None]:
    """Let what is made inside go into the workspace at `root`, which nobody has opened before or keeps open after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root))
        engine._store.cache_clear()
        yield
    engine._store.cache_clear()


def furnish(root: Path) -> Iterator[Furnished]:
    """Fill a workspace, start its server and stop it in the end."""
    with filling(root):
        shutil.copytree(example.FOLDER, root / "runs" / RUN)
        engine.store().refresh(RUN)
        data = engine.library().save_spec(default_spec("purchase").dataset)
        sweep, soft, second = make_sweep(), soft_run(10, 300)[0], done_run("binary")
    app = Server(root)
    app.start()
    yield Furnished(app, sweep, data, soft, second)
    app.stop()
