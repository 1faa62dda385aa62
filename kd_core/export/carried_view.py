"""A fitted view inside a student's file, where no operations of a graph can read texts or pictures.

It is kept as the files that `View.state` gives (JSON, npz, tokenizer.json), packed as one zip in base64: text, as metadata must be.
How columns are read stands beside it and is not kept twice.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from kd_core.data.types.raw_rows import RULES
from kd_core.data.view import View

MOST_BYTES = 64 * 2**20  # of the unpacked files: a vocabulary has a few hundred kilobytes
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows: the same view gives the same bytes


def carried(view: View) -> dict[str, str]:
    """Return a view's kind, and what it has learned as one zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in view.learned().items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED, 9)
    return {"kind": view.spec.kind, "zip": base64.b64encode(file.getvalue()).decode()}


def carried_view(told: Mapping[str, str], columns: Mapping[str, Any]) -> View:
    """Make the view again. Errors: ValueError for what `carried` did not write, or a kind of view that nobody registered here."""
    from kd_core.data.views import VIEWS  # brings scikit-learn along: two seconds

    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(told["zip"], validate=True))) as archive:
            members = archive.infolist()
            if (total := sum(info.file_size for info in members)) > MOST_BYTES:
                raise ValueError(f"{total:,} bytes unpacked, more than {MOST_BYTES:,}")
            files = {info.filename: archive.read(info) for info in members}
        return VIEWS.get(told["kind"]).make.from_state({**files, RULES: json.dumps(columns).encode()})
    except Exception as error:  # each library has its own; what was said is passed on
        raise ValueError(f"its view can't be read: {str(error)[:150] or type(error).__name__}") from error
