"""The layout is a contract: layers import downwards, files stay small, names say what is inside."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from kd_core.task import TASKS
from kd_core.teachers.answer_cache.cache import CODE

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    "foundation",
    "data",
    "tasks",
    "models",
    "evaluate",
    "training",
    "teachers",
    "distill",
    "compress",
    "export",
    "runs",
    "reports",
    "serving",
    "scenarios",
    "cli",
]
FOUNDATION = {
    "__init__",
    "errors",
    "hard_loss",
    "registry",
    "plain_values",
    "written",
    "spec",
    "specs",
    "requests",
    "task",
    "limits",
    "safe_io",
    "workspace",
    "seeding",
    "listing",
    "machine",
}
MOST_STATEMENTS, MOST_LINES = 270, 350  # of a file
MOST_FILES = 15  # of a room
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
SOURCES = sorted(
    p for folder in ("kd_core", "pages", "tests", "benchmarks", "sample_data") for p in (ROOT / folder).rglob("*.py")
)
ENGINE = [p for p in SOURCES if p.is_relative_to(ROOT / "kd_core")]
PAGES = [ROOT / "app.py", *(p for p in SOURCES if p.is_relative_to(ROOT / "pages"))]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def nodes_of(path: Path) -> list[ast.AST]:
    """Not kept: the nodes of all files are millions of objects, through which every later collection of rubbish would go."""
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and any(
        "TYPE_CHECKING" in (getattr(part, "id", ""), getattr(part, "attr", "")) for part in ast.walk(node.test)
    )


@functools.cache
def imports(path: Path) -> set[str]:
    """Every module a file imports, written absolutely; imports for type checking only are left out."""
    nodes = nodes_of(path)
    skipped = {id(inner) for node in nodes if for_types_only(node) for inner in ast.walk(node)}
    found = set()
    for node in nodes:
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parent.parts
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            found |= {module} | {f"{module}.{a.name}" for a in node.names}
    return found


def layer(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "kd_core":
        return None
    if len(parts) == 1 or parts[1] in FOUNDATION:
        return "foundation"
    return "cli" if parts[1] in ("cli", "__main__") else parts[1] if parts[1] in LAYERS else None


def test_engine_imports_only_downwards():
    for path in ENGINE:
        own = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
        assert own is not None, f"{relative(path)} belongs to no layer"
        if path == ROOT / "kd_core" / "__init__.py":
            own = "cli"  # the door of the engine: what it offers is imported when it is called
        for module in imports(path):
            assert module.split(".")[0] not in {"streamlit", "plotly", "pages"}, f"{relative(path)} imports {module}"
            other = layer(module)
            if other is not None:
                assert LAYERS.index(other) <= LAYERS.index(own), f"{relative(path)} ({own}) imports {module} ({other})"


def test_pages_never_import_torch():
    assert not [relative(p) for p in PAGES if any(m.split(".")[0] == "torch" for m in imports(p))]


def test_plotly_is_imported_by_charts_and_theme_only():
    for path in PAGES:
        uses = {m for m in imports(path) if m.split(".")[0] == "plotly"}
        assert not uses or "charts" in path.parts or path.name == "theme.py", relative(path)


def test_files_are_small_and_well_named():
    for path in (*SOURCES, ROOT / "app.py"):
        lines = len(path.read_text("utf-8").splitlines())
        statements = min(lines, MOST_STATEMENTS)  # ruff lets no line hold two, so a shorter file need not be parsed
        if lines > MOST_STATEMENTS:
            statements = sum(isinstance(node, ast.stmt) for node in nodes_of(path))
        assert statements <= MOST_STATEMENTS, f"{relative(path)} has {statements} statements"
        assert lines <= MOST_LINES, f"{relative(path)} has {lines} lines"
        assert not FORBIDDEN_NAMES & {path.stem, path.parent.name}, relative(path)


@pytest.mark.parametrize("top", ["kd_core", "pages", "tests"])
def test_rooms_hold_at_most_15_files(top):
    """Rooms whose files are registered parts, or tests of them, grow with every part."""
    registered = {
        "readers",
        "views",
        "archs",
        "metrics",
        "sources",
        "losses",
        "modes",
        "tasks",
        "hard",
        "forms",
        "scenarios",
        "targets",
    }
    for folder in {p.parent for p in SOURCES if p.is_relative_to(ROOT / top)}:
        files = [p for p in folder.glob("*.py") if p.name not in ("__init__.py", "conftest.py")]
        assert len(files) <= MOST_FILES or folder.name in registered, f"{relative(folder)}: {len(files)} files"


def test_a_page_is_at_most_250_lines():
    for path in (ROOT / "pages").glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 250, relative(path)


def test_nothing_can_run_uploaded_code():
    banned = (
        "pickle" + ".load",
        "joblib" + ".load",
        "weights_only" + "=False",
        "allow_pickle" + "=True",
        "unsafe_allow" + "_html=True",
    )
    for path in [*ENGINE, *PAGES]:
        text = path.read_text("utf-8")
        if path.name == "foreign_files.py":  # tells people what to run elsewhere: in texts, never in code
            tree = ast.parse(text)
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    node.value = ""
            text = ast.unparse(tree)
        assert not [b for b in banned if b in text], relative(path)


def test_a_task_is_named_by_its_own_file_alone():
    """Whoever needs to know something of a task asks the task; scenarios are data with a task."""
    names = set(TASKS.names())
    for path in (*ENGINE, *PAGES):
        if path.relative_to(ROOT).parts[:2] in {("kd_core", "tasks"), ("kd_core", "scenarios")}:
            continue
        if path.relative_to(ROOT).parts[:3] == ("kd_core", "data", "model_files"):  # words that other programs write
            continue
        constants = (n for n in nodes_of(path) if isinstance(n, ast.Constant))
        named = [f"line {n.lineno}: {n.value}" for n in constants if n.value in names]
        assert not named, f"{relative(path)} compares with a task's name, see kd_core/task.py: {', '.join(named)}"


def test_kept_answers_know_every_layer_that_decides_them():
    assert sorted(CODE) == sorted(LAYERS[1 : LAYERS.index("teachers") + 1])


def test_tasks_load_neither_torch_nor_pandas():
    """Pages ask tasks, and pages know no torch; the command line is to answer quickly."""
    script = (
        "import sys, kd_core.tasks; print([m for m in ('torch', 'pandas', 'sklearn', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
def test_answering_raw_rows_loads_nothing_that_trains():
    """A deployed student answers a second after its program starts, as long as nothing brings what only training needs."""
    script = "import sys, kd_core.runs.predictor; print([m for m in ('torch', 'sklearn', 'scipy', 'lightgbm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_registry_part_is_one_file():
    """Every file of a registry package registers something, and nothing outside names it."""
    for package in (
        "data/readers",
        "models/archs",
        "evaluate/metrics",
        "teachers/sources",
        "distill/losses",
        "export/targets",
    ):
        files = [p for p in (ROOT / "kd_core" / package).glob("*.py") if p.name != "__init__.py"]
        assert files, package
        for path in files:
            assert ".register(" in path.read_text("utf-8"), f"{relative(path)} registers nothing"


@pytest.mark.slow
def test_engine_runs_without_streamlit_and_plotly():
    """Import every engine module in a fresh interpreter where both packages can't be found."""
    script = """
import importlib, pkgutil, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("streamlit", "plotly"):
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Refuse())
import kd_core
for info in pkgutil.walk_packages(kd_core.__path__, "kd_core."):
    if info.name != "kd_core.__main__":
        importlib.import_module(info.name)
print("imported")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.strip() == "imported", done.stderr
