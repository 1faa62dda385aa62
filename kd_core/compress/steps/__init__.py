"""One file, one step of compression."""

from kd_core.compress.base import STEPS
from kd_core.registry import import_siblings

import_siblings(__name__)

__all__ = ["STEPS"]
