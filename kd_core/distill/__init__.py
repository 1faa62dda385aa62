"""Teaching: losses, the objective and the training loop."""

from kd_core.registry import import_siblings

from .base import LOSSES as LOSSES
from .base import hears_features as hears_features
from .meeting import MODES as MODES

import_siblings("kd_core.distill.losses")
