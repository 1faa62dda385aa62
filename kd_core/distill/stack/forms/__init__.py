"""Architecture families as stacks: many networks of one family trained as one."""

from kd_core.registry import import_siblings

from .base import STACKS as STACKS

import_siblings("kd_core.distill.stack.forms")
