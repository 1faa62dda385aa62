"""Every way to read rows, one file each."""

from kd_core.data.input_spec import InputSpec
from kd_core.data.table import Profile
from kd_core.data.view import VIEWS
from kd_core.registry import import_siblings

import_siblings(__name__)

__all__ = ["VIEWS", "foreseen"]


def foreseen(profile: Profile) -> dict[str, InputSpec]:
    """Describe, before anything is encoded, every view that the columns of a file allow."""
    found = {}
    for entry in VIEWS.entries():
        spec: InputSpec | None = entry.facts["foresee"](profile)
        if spec is not None:
            found[entry.name] = spec
    return found
