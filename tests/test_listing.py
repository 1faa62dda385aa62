import importlib
import subprocess
import sys

import pytest

from kd_core import listing
from kd_core.cli.looking import PLURALS
from kd_core.evaluate import METRICS
from kd_core.models import ARCHS


@pytest.mark.parametrize("kind", list(PLURALS))
def test_the_list_is_the_registry(kind):
    package, registry = PLURALS[kind].rsplit(".", 1)
    entries = getattr(importlib.import_module(f"kd_core.{package}"), registry).entries()
    listed = [
        listing.Listed(e.name, e.title, e.source, tuple(e.tasks), listing.of_facts(e.facts), e.waits) for e in entries
    ]
    found = listing.parts(f"kd_core.{package}", registry)
    assert sorted(found, key=lambda e: e.name) == sorted(listed, key=lambda e: e.name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(PLURALS))
def test_listing_loads_neither_torch_nor_scikit_learn(kind):
    package, registry = PLURALS[kind].rsplit(".", 1)
    code = (
        f"import sys; import kd_core.cli.app; from kd_core.listing import parts; print(len(parts('kd_core.{package}', '{registry}')));"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) >= 1 and said[1:] == ["[]"]


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
        '@METRICS.register_each(ELSEWHERE, role="teacher")\ndef own(arch): ...\n',
        "from kd_core.models import ARCHS\n@METRICS.register_each(ARCHS, role=ROLE)\ndef own(arch): ...\n",
        'from kd_core.models import ARCHS\n@METRICS.register_each(ARCHS, "teacher")\ndef own(arch): ...\n',
    ],
    ids=["loop", "call", "twice", "computed", "facts", "name", "none", "not imported", "role", "unnamed"],
)
def test_what_can_not_be_read_word_for_word_is_asked_of_the_registry(text, tmp_path, monkeypatch):
    (tmp_path / "part.py").write_text(text)
    monkeypatch.setattr(listing, "_folder", lambda package: tmp_path)
    assert [part.name for part in listing.parts("kd_core.evaluate", "METRICS")] == METRICS.names()


MADE = "from kd_core.models import ARCHS\n\n@METRICS.register_each(ARCHS, role='teacher')\ndef made(arch): ...\n"


def test_what_is_made_of_another_registry_is_read_there_and_listed_by_name(tmp_path, monkeypatch):
    here, own = listing._folder, [tmp_path / "teachers", tmp_path / "students"]
    for folder, text in zip(
        own, (MADE + KNOWN.replace("own", "mlp_large"), MADE.replace("teacher", "student")), strict=True
    ):
        folder.mkdir()
        (folder / "part.py").write_text(text)
    monkeypatch.setattr(listing, "_folder", lambda package: here(package) if "models" in package else own[0])
    found = listing.parts("kd_core.evaluate", "METRICS")
    teachers, students = (
        [e.name for e in ARCHS.entries() if role in e.facts["roles"]] for role in ("teacher", "student")
    )
    assert [part.name for part in found] == sorted([*teachers, "mlp_large"])
    assert found[-1] == listing.Listed("textcnn", "TextCNN", "arXiv:1408.5882")
    own.pop(0)
    assert [p.name for p in listing.parts("kd_core.evaluate", "METRICS")] == sorted(students)


def test_what_can_be_read_is_read(tmp_path, monkeypatch):
    tasks = KNOWN.replace('"Own")', '"Own", source="Me 2000", tasks=CLASSIFICATION)')
    (tmp_path / "part.py").write_text(tasks)
    monkeypatch.setattr(listing, "_folder", lambda package: tmp_path)
    assert listing.parts("kd_core.evaluate", "METRICS") == [
        listing.Listed("own", "Own", "Me 2000", ("binary", "multiclass"))
    ]
    (tmp_path / "part.py").unlink()  # read once: nobody edits what runs
    assert [part.name for part in listing.parts("kd_core.evaluate", "METRICS")] == ["own"]
