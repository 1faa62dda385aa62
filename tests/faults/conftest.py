"""Job services for the fault tests."""

from __future__ import annotations

from tests.runs.conftest import services as services
