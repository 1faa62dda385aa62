"""What docstrings show is what happens: every example in the engine is run."""

import doctest
import importlib
from pathlib import Path

import pytest

import kd_core

ENGINE = Path(kd_core.__file__).parent
SHOWN = [
    ".".join(path.relative_to(ENGINE.parent).with_suffix("").parts)
    for path in sorted(ENGINE.rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]


@pytest.mark.parametrize("name", SHOWN)
def test_examples_hold(name):
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried
    assert not failed
