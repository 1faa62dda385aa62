import importlib
import subprocess
import sys

import pytest

from kd_core import listing
from kd_core.cli import PLURALS
from kd_core.evaluate import METRICS


@pytest.mark.parametrize("kind", list(PLURALS))
def test_the_list_is_the_registry(kind):
    package, registry = PLURALS[kind].rsplit(".", 1)
    entries = getattr(importlib.import_module(f"kd_core.{package}"), registry).entries()
    assert listing.parts(f"kd_core.{package}", registry) == [
        listing.Listed(e.name, e.title, e.source, tuple(e.tasks)) for e in entries
    ]


@pytest.mark.parametrize("kind", list(PLURALS))
def test_listing_loads_neither_torch_nor_scikit_learn(kind):
    package, registry = PLURALS[kind].rsplit(".", 1)
    code = (
        f"import sys; import kd_core.cli; from kd_core.listing import parts; print(len(parts('kd_core.{package}', '{registry}')));"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) > 1 and said[1:] == ["[]"]


KNOWN = '@METRICS.register("own", title="Own")\ndef own(answers): ...\n'


@pytest.mark.parametrize(
    "text",
    [
        'for name in ("a", "b"):\n    METRICS.register(name, title="In a loop")(print)\n',
        KNOWN + 'METRICS.register("b", title="Not above a function")(print)\n',
        KNOWN + KNOWN,
        '@METRICS.register("own", title="Own" + NAME)\ndef own(answers): ...\n',
        '@METRICS.register("own", **facts)\ndef own(answers): ...\n',
        '@METRICS.register("own", title="Own", tasks=ANYTHING)\ndef own(answers): ...\n',
        "nothing = 1\n",
    ],
    ids=["loop", "call", "twice", "computed", "facts", "name", "none"],
)
def test_what_can_not_be_read_word_for_word_is_asked_of_the_registry(text, tmp_path, monkeypatch):
    (tmp_path / "part.py").write_text(text)
    monkeypatch.setattr(listing, "_folder", lambda package: tmp_path)
    assert [part.name for part in listing.parts("kd_core.evaluate", "METRICS")] == METRICS.names()


def test_what_can_be_read_is_read(tmp_path, monkeypatch):
    tasks = KNOWN.replace('"Own")', '"Own", source="Me 2000", tasks=CLASSIFICATION)')
    (tmp_path / "part.py").write_text(tasks)
    monkeypatch.setattr(listing, "_folder", lambda package: tmp_path)
    assert listing.parts("kd_core.evaluate", "METRICS") == [
        listing.Listed("own", "Own", "Me 2000", ("binary", "multiclass"))
    ]
