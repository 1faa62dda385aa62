"""The page of a service shows hostile names literally, and its programs run."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape

import pytest

from kd_core.data.types.base import ColumnType
from kd_core.serving.web_page import POLICY, page
from tests.serving.service import Service

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def test_names_of_columns_classes_and_targets_are_shown_literally(served):
    purpose = replace(served.purpose, classes=(HOSTILE, "b"), target=HOSTILE)
    hostile = replace(
        served, name=HOSTILE, types={HOSTILE: ColumnType("category")}, purpose=purpose, examples=({HOSTILE: HOSTILE},)
    )
    found = page(hostile, "http://127.0.0.1:1", secured=False)
    assert found.count("<script") == 1 and "<img" not in found and "&lt;img src=x" in found


def test_the_one_script_is_the_one_that_is_allowed(served):
    (script,) = re.findall("<script>(.*?)</script>", page(served, "http://x", secured=False), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in POLICY and "unsafe-inline'; script" not in POLICY.replace(
        "style-src 'unsafe-inline'; script", ""
    )


@pytest.mark.slow
def test_the_programs_on_the_page_work_as_they_stand(run_of):
    with Service(run_of("binary")[0]) as service:
        status, headers, text = service.ask("GET", "/")
        assert status == 200 and headers["content-security-policy"] == POLICY
        terminal, python = (unescape(one) for one in re.findall("<pre>(.*?)</pre>", text, re.DOTALL))
        for command in (["sh", "-c", terminal], [sys.executable, "-c", python]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            assert "answer" in done.stdout and "probabilities" in done.stdout, done
