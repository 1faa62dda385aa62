"""One page that answers in any browser, without a network and without anything to install."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import sys
from functools import partial
from pathlib import Path

from kd_core.data.plain.questions import Questions
from kd_core.export.target import TARGETS, Taken
from kd_core.export.web import chromium, runtime
from kd_core.export.web.plan import READ, kind_of, plan

PAGE = "student.html"
_PARTS = Path(runtime.__file__).parent
_SCRIPTS = ("cells.js", "texts.js", "pictures.js", "student.js", "screen.js")


def suits(taken: Taken) -> str | None:
    """Say why no page can be made of a student, or that it can't be proved here."""
    kind = kind_of(taken)
    if kind != "columns" and kind not in READ:
        return f"rows are read as {kind}, which no script of a page does"
    if not runtime.is_here():
        return runtime.LACKING
    if chromium.found() is None:
        return "no Chromium or Chrome was found on this machine, and a page that was not asked is not offered"
    return None


def asked(folder: Path, rows: Path) -> list[str]:
    """Return the command that opens the page in a browser without a network and asks it."""
    return [sys.executable, "-I", "-B", str(Path(chromium.__file__)), str(folder / PAGE), str(rows)]


@TARGETS.register(
    "browser",
    title="A page that runs in the browser",
    runs_with=lambda taken: "any browser of today: nothing to install, no network",
    suits=suits,
    asked=asked,
    single=PAGE,
    carries="ONNX Runtime for browsers, which is nearly all of it, so that nothing has to be fetched",
    usage=(
        "<!-- a double click opens it; in a page of yours: -->",
        '<iframe src="FILE" title="A small model" width="100%" height="900"></iframe>',
    ),
)
def write(taken: Taken, folder: Path) -> None:
    """Write the page: the student's file, ONNX Runtime and the scripts that read rows inside one HTML file."""
    told, front = plan(taken)
    held = runtime.kept()
    blocks = {
        "plan": _packed(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()),
        "model": _packed(taken.model),
        "licences": _packed(held.licence.encode()),
        "runtime": held.module,
        "wasm": held.wasm,
        **({} if front is None else {"front": _packed(front)}),
    }
    style = (_PARTS / "page.css").read_text("utf-8")
    script = "".join((_PARTS / name).read_text("utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    policy = (
        f"default-src 'none'; script-src {_hash(script)} 'wasm-unsafe-eval' blob:; style-src {_hash(style)}; "
        "img-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    text = (_PARTS / "page.html").read_text("utf-8")
    parts = {
        "POLICY": policy,
        "TITLE": html.escape(f"{Questions.of(taken.facts).target} by {taken.name}"),
        "STYLE": style,
        "BLOCKS": "\n".join(
            f'<script type="text/plain" id="{name}">{base64.b64encode(data).decode()}</script>'
            for name, data in blocks.items()
        ),
        "SCRIPT": script,
    }
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    (folder / PAGE).write_text(text, "utf-8")


_packed = partial(gzip.compress, compresslevel=9, mtime=0)


def _hash(text: str) -> str:
    """Name a script or style for the page's policy: what is not exactly this does not run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
