"""One file, one way in which teacher and student meet."""

from kd_core.registry import import_siblings

import_siblings("kd_core.distill.modes")
