"""What a service takes and gives as an OpenAPI 3.1 document, written from the columns of its model."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from kd_core import __version__, limits
from kd_core.data.plain.questions import CLASSES, FIRST, NUMBER, Question, Questions
from kd_core.data.types.base import ColumnType
from kd_core.data.types.numbers import NumberFormat
from kd_core.export.purpose import Purpose
from kd_core.serving.served import Served

KINDS: dict[str, tuple[list[str], str]] = {
    "number": (["number", "string", "null"], "A number, or a text that holds one as the training file wrote it."),
    "datetime": (["string", "null"], "A time, written as in the training file."),
    "text": (["string", "null"], "Free text."),
    "category": (
        ["string", "number", "boolean", "null"],
        "One of the column's values; an unknown one is read as such.",
    ),
    "boolean": (["boolean", "string", "number", "null"], "Yes or no, also as the training file wrote it."),
    "items": (["string", "null"], "Items, oldest first, written as in the training file."),
    "picture": (["string", "null"], "The content of a PNG, JPEG, WebP or BMP file as base64."),
}
PREDICTS = "x-predicts"  # by which a caller knows whether the answers are those that it looks for
_ERRORS = {
    "400": "The body is no JSON, or the host is not this service's.",
    "413": "Too many bytes, rows or pixels for one request.",
    "415": "The body is not application/json.",
    "422": "Rows that can't be read: which, where and why.",
    "503": "Too many requests at once, or an answer that took too long.",
}


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def predicts(purpose: Purpose) -> dict[str, Any]:
    """Write what is predicted, by which a caller knows the service; `answers` where it is more than one class or one number."""
    found: dict[str, Any] = {"target": purpose.target, "classes": list(purpose.classes)}
    return found if purpose.questions.one else {**found, "answers": [one.told() for one in purpose.questions.every]}


def document(served: Served, *, secured: bool = False) -> dict[str, Any]:
    """Write the document. `secured`: whether a token is asked for."""
    title = f"{served.name}: predicts {served.purpose.questions.target}"
    guarded: dict[str, Any] = {"security": [{"token": []}]} if secured else {}
    schemes = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if secured else {}
    errors = {**_ERRORS, **({"401": "The token is missing or wrong."} if secured else {})}
    answers = {
        status: {"description": said, "content": _json({"$ref": "#/components/schemas/Error"})}
        for status, said in errors.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": "A student model that answers raw rows.",
            PREDICTS: predicts(served.purpose),
        },
        "paths": {
            "/predict": {
                "post": {
                    "operationId": "predict",
                    "summary": f"Answer one row, or up to {limits.SERVE_ROWS:,} rows in their order.",
                    "requestBody": {
                        "required": True,
                        "content": _json({"oneOf": [_ref("OneRow"), _ref("Rows")]}, _example(served)),
                    },
                    "responses": {
                        "200": {
                            "description": "The answers.",
                            "content": _json({"oneOf": [_ref("OneAnswer"), _ref("Answers")]}),
                        },
                        **answers,
                    },
                    **guarded,
                }
            },
            "/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Say that the service is up.",
                    "responses": {"200": {"description": "It is.", "content": _json({"type": "object"})}},
                }
            },
        },
        "components": {"schemas": _schemas(served), **schemes},
    }


def example_row(served: Served) -> dict[str, Any]:
    """Give a row as JSON holds it: one that the model was tested on, where it is known."""
    held = served.examples[0] if served.examples else {}
    return {name: as_json(held.get(name), column) for name, column in served.types.items()}


def as_json(value: Any, column: ColumnType) -> Any:
    """Write a cell as JSON holds it: pictures as base64, plain numbers as numbers, all else as the training file wrote it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if column.kind == "number" and column.number == NumberFormat() and isinstance(value, str):
        try:
            number = json.loads(value)
        except ValueError:
            return value
        return number if type(number) in (int, float) else value
    return value


def _schemas(served: Served) -> dict[str, Any]:
    one = _answers(served.purpose.questions)
    notes = {"type": "array", "items": {"type": "string"}, "description": "What could not be read or was not used."}
    columns = {name: _column(name, column, served) for name, column in served.types.items()}
    return {
        "Row": {"type": "object", "properties": columns, "required": list(columns)},
        "OneRow": _object({"row": _ref("Row")}),
        "Rows": _object({"rows": {"type": "array", "items": _ref("Row"), "maxItems": limits.SERVE_ROWS}}),
        "Answer": {"type": "object", "properties": one, "required": list(one)},
        "OneAnswer": {"type": "object", "properties": {**one, "notes": notes}, "required": [*one, "notes"]},
        "Answers": _object({"answers": {"type": "array", "items": _ref("Answer")}, "notes": notes}),
        "Error": _object({"error": _object({name: {"type": "string"} for name in ("code", "message", "hint")})}),
    }


def _answers(questions: Questions) -> dict[str, Any]:
    """Describe an answer and its shares: of one target plainly, of several each by its name."""
    answer = {one.name: _answer(one) for one in questions.every}
    shares = {one.name: _shares(one) for one in questions.every if one.kind != NUMBER}
    if len(answer) == 1:
        return {
            "answer": next(iter(answer.values())),
            **({"probabilities": s} if (s := next(iter(shares.values()), None)) else {}),
        }
    return {"answer": _object(answer), **({"probabilities": _object(shares)} if shares else {})}


def _answer(one: Question) -> dict[str, Any]:
    if one.kind == NUMBER:
        return {"type": "number"}
    if one.kind == FIRST:
        return {"type": "string", "description": f"The likeliest of {len(one.names):,}."}
    name = {"type": "string", "enum": list(dict.fromkeys(one.names))}
    return name if one.kind == CLASSES else {"type": "array", "items": name}


def _shares(one: Question) -> dict[str, Any]:
    if one.kind == FIRST:
        said = "The likeliest ones with their shares, the first first."
        return {"type": "object", "additionalProperties": _SHARE, "description": said}
    shares = dict.fromkeys(one.names, _SHARE)
    return {"type": "object", "properties": shares, "required": list(shares)}


def _column(name: str, column: ColumnType, served: Served) -> dict[str, Any]:
    types, said = KINDS.get(column.kind, (["string", "number", "boolean", "null"], "A value."))
    found: dict[str, Any] = {"type": types, "description": said}
    if column.kind == "picture":
        return {**found, "contentEncoding": "base64"}
    values = dict.fromkeys(as_json(row[name], column) for row in served.examples if row.get(name) is not None)
    return {**found, "examples": list(values)[:3]} if values else found


def _example(served: Served) -> Any:
    return None if served.pictures else {"row": example_row(served)}


def _json(schema: Mapping[str, Any], example: Any = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **({} if example is None else {"example": example})}}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
