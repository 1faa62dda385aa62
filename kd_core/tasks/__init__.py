"""Tasks: one file is one kind of prediction; what it has to know and do is `kd_core.task.Task`."""

from kd_core.registry import import_siblings

import_siblings("kd_core.tasks")
