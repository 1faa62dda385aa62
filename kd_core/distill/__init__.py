"""Teaching: losses, the objective and the training loop."""

from kd_core.registry import import_siblings

from .base import LOSSES as LOSSES
from .meeting import MODES as MODES
from .meeting import hears_network as hears_network
from .terms import hears_features as hears_features
from .terms import hears_maps as hears_maps
from .terms import loss_of as loss_of
from .terms import parts_of as parts_of

import_siblings("kd_core.distill.losses")
