"""E-commerce scenarios: a data generator, a default spec and the words for it."""

from kd_core.registry import import_siblings

from .base import AREAS as AREAS
from .base import SCENARIOS as SCENARIOS
from .base import default_spec as default_spec

import_siblings("kd_core.scenarios")
