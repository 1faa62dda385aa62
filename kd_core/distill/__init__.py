"""Teaching: losses, the objective and the training loop."""

from kd_core.registry import import_siblings

from .base import LOSSES as LOSSES
from .base import hears_features as hears_features
from .base import hears_maps as hears_maps

import_siblings("kd_core.distill.losses")
