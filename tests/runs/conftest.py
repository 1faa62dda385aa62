"""Specs, services and waiting for the tests of runs."""

from __future__ import annotations

import pytest

from tests.runs.services import Services


@pytest.fixture
def services(own_workspace):
    """Start job services on this test's workspace and close them all at the end."""
    found = Services(own_workspace)
    yield found
    found.close()
