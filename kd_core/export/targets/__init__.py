"""Every way to take a student home, one file each."""

from kd_core.export.target import TARGETS
from kd_core.registry import import_siblings

import_siblings(__name__)

__all__ = ["TARGETS"]
