"""The page of a service: how to call it, with a form to try one row. Its one script is allowed by its hash."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from kd_core.data.plain import questions as plain
from kd_core.data.plain.questions import Question
from kd_core.data.types.base import ColumnType
from kd_core.reports.markup import Markup, element
from kd_core.reports.style import STYLE
from kd_core.serving.openapi import example_row
from kd_core.serving.served import Served

LABELS = 200  # different values that a field suggests
_MORE = """
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.75rem 1.25rem;margin:1rem 0}
label{display:block;font-weight:600;font-size:.9rem}.kind{color:var(--soft);font-weight:400}
input,textarea{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--soft);border-radius:6px;padding:.35rem .5rem}
button{font:inherit;font-weight:600;color:var(--paper);background:var(--link);border:0;border-radius:6px;padding:.5rem 1.25rem;cursor:pointer}
.wide{grid-column:1/-1}
"""
_SCRIPT = """
const form=document.getElementById("row"),out=document.getElementById("out");
const content=file=>new Promise((done,failed)=>{const r=new FileReader();r.onload=()=>done(r.result);r.onerror=()=>failed(r.error);r.readAsDataURL(file)});
form.addEventListener("submit",async event=>{event.preventDefault();out.textContent="Asking ...";
try{const row={};for(const field of form.querySelectorAll("[data-column]"))
row[field.dataset.column]=field.type==="file"?(field.files.length?await content(field.files[0]):null):(field.value===""?null:field.value);
const began=performance.now();
const reply=await fetch("predict",{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify({row})});
const told=await reply.json(),took=(performance.now()-began).toFixed(1);
out.textContent=(reply.ok?"":told.error.message+" "+told.error.hint+"\\n\\n")+JSON.stringify(told,null,1)+"\\n\\n"+took+" ms, with the way there and back";}
catch(error){out.textContent="The service did not answer: "+error}});
"""
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(served: Served, address: str, *, secured: bool) -> str:
    """Write the page. `address`: how this service is called, such as http://127.0.0.1:8900."""
    example = example_row(served)
    short = {name: "<base64>" if name in served.pictures else value for name, value in example.items()}
    body = json.dumps({"row": short}, ensure_ascii=False)
    fields = [_field(name, column, example.get(name), served) for name, column in served.types.items()]
    questions = served.purpose.questions
    told = [_what(one) for one in questions.every]
    what = (
        told[0] if len(told) == 1 else "; ".join(f"{q.name}: {w}" for q, w in zip(questions.every, told, strict=True))
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{served.name}: predicts {questions.target}"),
        element("style", Markup(STYLE + _MORE)),
    )
    inside = [
        element("h1", f"{served.name} predicts {questions.target}"),
        element(
            "p", f"It answers rows of {len(served.types)} column{'s' if len(served.types) != 1 else ''} with {what}."
        ),
        element("h2", "Try one row"),
        element("form", *fields, element("div", element("button", "Ask", type="submit"), class_="wide"), id="row"),
        element("pre", "The answer comes here.", id="out", role="status", aria_live="polite"),
        element("h2", "Call it from a terminal"),
        element("pre", _curl(address, body, secured=secured)),
        element("h2", "Call it from Python"),
        element("pre", _python(address, short, secured=secured)),
        element(
            "p",
            'Several rows at once: {"rows": [{...}, {...}]}; the answers keep their order. A missing value is null. ',
            element("a", "openapi.json", href="openapi.json"),
            " describes everything; ",
            element("a", "health", href="health"),
            " says whether the service is up.",
        ),
        element("script", Markup(_SCRIPT)),
    ]
    whole = element("html", head, element("body", element("main", *inside)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _what(one: Question) -> str:
    """Say in words what is answered."""
    names = f"{', '.join(one.names[:12])}{' …' if len(one.names) > 12 else ''}"
    kinds = {
        plain.CLASSES: "one of {} classes: {}",
        plain.LABELS: "any of {} labels: {}",
        plain.FIRST: "the likeliest of {} items: {}",
    }
    return kinds[one.kind].format(len(one.names), names) if one.kind in kinds else "a number"


def _field(name: str, column: ColumnType, value: Any, served: Served) -> Markup:
    number = list(served.types).index(name)
    kind = element("span", f" {column.kind}", class_="kind")
    known = {"id": f"c{number}", "data_column": name, "autocomplete": "off"}
    label = element("label", name, kind, for_=f"c{number}")
    if column.kind == "picture":
        return element(
            "div", label, element("input", type="file", accept="image/png,image/jpeg,image/webp,image/bmp", **known)
        )
    if column.kind == "text":
        return element(
            "div", label, element("textarea", "" if value is None else str(value), rows=4, **known), class_="wide"
        )
    field = element("input", type="text", value="" if value is None else str(value), list=f"l{number}", **known)
    return element("div", label, field, _suggested(f"l{number}", [row.get(name) for row in served.examples]))


def _suggested(name: str, values: Sequence[Any]) -> Markup:
    different = list(dict.fromkeys(str(v) for v in values if v is not None))[:LABELS]
    return element("datalist", *(element("option", value=one) for one in different), id=name)


def _curl(address: str, body: str, *, secured: bool) -> str:
    quoted = body.replace("'", "'\\''")
    token = " -H 'Authorization: Bearer TOKEN'" if secured else ""
    return f"curl {address}/predict -H 'Content-Type: application/json'{token} -d '{quoted}'"


def _python(address: str, row: dict[str, Any], *, secured: bool) -> str:
    token = ', "Authorization": "Bearer TOKEN"' if secured else ""
    return (
        "import json\nfrom urllib.request import Request, urlopen\n\n"
        f"row = {row!r}\n"
        f'body = json.dumps({{"row": row}}).encode()\n'
        f'asked = Request("{address}/predict", body, {{"Content-Type": "application/json"{token}}})\n'
        "print(json.load(urlopen(asked)))\n"
    )
