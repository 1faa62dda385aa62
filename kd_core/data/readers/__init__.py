"""One file, one format. Content decides which reader opens a file; the name only helps the person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kd_core.data.files.signatures import head_of, refuse_foreign
from kd_core.data.table import Table
from kd_core.registry import Entry, Registry, import_siblings
from kd_core.specs import ReadSpec

Reader = Callable[[Path, ReadSpec, str], Table]

# facts: extensions=(".csv", ...); recognises(path, head) -> bool, or None for the reader of all other text;
# answers=function(path) -> columns with a teacher's answers, of a file without a target; target=the column that is predicted, part=function(path) -> column of the official split or None, group=function(path) -> column of groups or None, where the format says so;
# noun="a Parquet file", starts="PAR1": how a file under a wrong name is described
READERS: Registry[Reader] = Registry("reader")


def pick(path: Path, name: str) -> Entry[Reader]:
    """Choose the reader by the file's content.

    Errors: DataError when the content is a format that is never opened.
    """
    head = head_of(path)
    for entry in READERS.entries():
        recognises = entry.facts["recognises"]
        if recognises is not None and recognises(path, head):
            return entry
    refuse_foreign(head, name)
    return next(e for e in READERS.entries() if e.facts["recognises"] is None)


import_siblings(__name__)
