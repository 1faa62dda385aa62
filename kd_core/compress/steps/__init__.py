"""One file, one step of compression."""

from kd_core.registry import import_siblings

import_siblings("kd_core.compress.steps")
