"""The law of the one look: no page, chart or style sets a colour, font, line, mark, legend or number format of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pages.ui import look, look_css

PAGES = Path(look.__file__).resolve().parents[1]
FILES = [p for p in sorted(PAGES.rglob("*.py")) if p != Path(look.__file__)]
STYLES = sorted((PAGES / "ui" / "browser").rglob("*.css"))
SCRIPTS = sorted((PAGES / "ui" / "browser").rglob("*.js"))
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b|\b(?:rgb|rgba|hsl|hsla)\(")
FORMAT = re.compile(r"%\{[\w.\[\]]+:[^}]")  # Plotly's number format with its digits written out
OWN = {  # settings of a chart that only the look knows as numbers or words
    "arrayminus",
    "dash",
    "family",
    "gridcolor",
    "gridwidth",
    "hoverlabel",
    "outlinewidth",
    "paper_bgcolor",
    "plot_bgcolor",
    "solidity",
    "thickness",
    "tickformat",
}
INKS = {"#000000", "#ffffff"}  # of a script that finds out which is read better


def name(path: Path) -> str:
    return str(path.relative_to(PAGES))


def breaches(source: str) -> list[str]:
    """What a module sets by itself, with its line."""
    tree = ast.parse(source)
    texts = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }  # docstrings
    drawn = re.search(r"^(?:from|import) pages\.ui(?:\.charts| import look|\.look)", source, re.M) is not None
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            found += [f"{node.lineno}: the colour {c}" for c in COLOUR.findall(node.value)]
            found += [f"{node.lineno}: the format {c}" for c in FORMAT.findall(node.value)]
            if "<extra>" in node.value:
                found.append(f"{node.lineno}: a hover template, see look.hover")
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Dict):
            keys = zip(node.keys, node.values, strict=True)
            pairs = [(k.value, v) for k, v in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        elif isinstance(node, ast.Call):
            pairs = [(k.arg, k.value) for k in node.keywords if k.arg]
        for key, value in pairs if drawn else ():
            fixed = isinstance(value, ast.Constant) and value.value not in (0, None, False, True, "")
            measured = key in {"size", "width"} and isinstance(node, ast.Dict) and isinstance(value, ast.Constant)
            if fixed and (key in OWN or (measured and isinstance(value.value, int | float))):
                found.append(f"{value.lineno}: {key} = {ast.unparse(value)}")
            if (
                key == "margin"
                and isinstance(value, ast.Dict)
                and any(isinstance(v, ast.Constant) for v in value.values)
            ):
                found.append(f"{value.lineno}: a margin")
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = ast.unparse(node.format_spec)[2:-1]
            if spec.startswith("+") and path_free(source):
                found.append(f"{node.lineno}: a change written as {spec}, see look.change")
    return found


def path_free(source: str) -> bool:
    return "def signed(" not in source  # the file of number formats


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_page_and_no_chart_sets_its_own_look(path):
    assert breaches(path.read_text("utf-8")) == []


def test_the_law_sees_what_it_forbids():
    head = "from pages.ui import look\n"
    for line in (
        'a = "#0072B2"',
        'a = "rgba(1,2,3,0.5)"',
        'a = f"x<extra></extra>"',
        'a = f"%{{y:.4f}}"',
        'fig.add_scatter(line={"dash": "dot"})',
        'fig.add_scatter(marker={"size": 9})',
        'fig.update_layout(margin={"t": 9})',
        'fig.update_xaxes(tickformat=".0%")',
        'a = f"{v:+.3g}"',
    ):
        assert breaches(head + line), line
    for line in (
        'a = f"%{{y:{look.SCORE}}}"',
        'a = {"dash": dash, "width": look.LINE}',
        'a = look.hover("x")',
        'a = "#### a"',
        'def f():\n    """Make a #0072B2 colour."""',
    ):
        assert not breaches(head + line), line


@pytest.mark.parametrize("path", STYLES, ids=name)
def test_styles_take_colours_and_sizes_from_the_look(path):
    css = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S).replace(look_css.variables(), "")
    assert not COLOUR.findall(css)
    sizes = re.findall(r"(?:font-size:\s*|font:\s*)([\d.]+(?:rem|px|em))", css)
    # px: of words inside a drawing that is scaled as a whole; em: of the words around
    assert not [s for s in sizes if s.endswith("rem")], sizes
    # px: of what Streamlit or a drawing measures in pixels
    spaces = re.findall(r"(?<![\w-])(?:(?:row-|column-)?gap|(?:padding|margin)(?:-\w+)?):([^;}]*)", css)
    assert not [s for s in spaces if re.search(r"\drem", s)], spaces
    named = set(re.findall(r"var\(--kd-([\w-]+)", css))
    assert named <= set(re.findall(r"--kd-([\w-]+):", look_css.variables()))


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_scripts_take_colours_from_the_look(path):
    assert set(re.findall(r"\"(#[0-9a-fA-F]{3,8})\"", path.read_text("utf-8"))) <= INKS


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_heading_is_a_stop_of_the_tab_key(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
    headings = [
        n for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr in ("title", "header", "subheader")
    ]
    drawn = [n for n in headings if n.args and not isinstance(n.func.value, ast.Constant)]
    assert not [n.lineno for n in drawn if "anchor" not in {k.arg for k in n.keywords}]
