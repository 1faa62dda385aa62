"""The document of a service is valid, and its own rows and answers keep to it."""

from __future__ import annotations

import asyncio
import json

import pytest
from jsonschema import Draft202012Validator

from kd_core.serving.answering import Answering
from kd_core.serving.openapi import document
from kd_core.serving.served import open_served


def part(told, name):
    """One schema with everything that it points to."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": told["components"]})


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_rows_and_answers_keep_to_the_document(run_of, task):
    found = open_served(str(run_of(task)[0]))
    told = document(found)
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    operation = told["paths"]["/predict"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert type(example["row"]["a"]) is float and type(example["row"]["kind"]) is str
    part(told, "OneRow").validate(example)
    answering = Answering(found, 1)
    part(told, "OneAnswer").validate(asyncio.run(answering.answer(json.dumps(example).encode())))
    rows = {"rows": [example["row"]] * 3}
    part(told, "Rows").validate(rows)
    part(told, "Answers").validate(asyncio.run(answering.answer(json.dumps(rows).encode())))
    answering.close()
    for wrong in ({"row": {}}, {"row": {**example["row"], "a": [1]}}, {"rows": example["row"]}, {}):
        assert not part(told, "OneRow").is_valid(wrong)
    assert json.loads(json.dumps(told)) == told and "security" not in operation


def test_every_pointer_leads_somewhere_and_a_token_is_told(served):
    told = document(served, secured=True)
    pointers = set(json.dumps(told).replace('"', " ").split()) & {
        f"#/components/schemas/{n}" for n in told["components"]["schemas"]
    }
    assert len(pointers) == len(told["components"]["schemas"])
    operation = told["paths"]["/predict"]["post"]
    assert operation["security"] == [{"token": []}] and "401" in operation["responses"]
    assert told["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
