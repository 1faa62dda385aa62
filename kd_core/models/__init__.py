"""Networks: architectures, size presets, sizes known before training."""

from kd_core.registry import import_siblings

from .base import ARCHS as ARCHS
from .base import Outputs as Outputs
from .base import by_rounds as by_rounds

import_siblings("kd_core.models.archs")
