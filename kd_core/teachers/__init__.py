"""Where soft labels come from: trained teachers, cross-fitting and the cache of their answers."""

from kd_core.registry import import_siblings

from .base import SOURCES as SOURCES

import_siblings("kd_core.teachers.sources")
