"""A place to drop a file, which says in words why a file was not taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

# The browser refuses a file over the limit before the server hears of it, and tells only screen readers (role=alert,
# out of sight) and the pointer; here everybody reads it. Scoped to a key of ours and to the role.
_STYLE = """<style>
.st-key-{key} [role="alert"] {{
    position: static !important; width: auto !important; height: auto !important; margin: 0 0.5rem !important;
    clip: auto !important; clip-path: none !important; overflow: visible !important; white-space: normal !important;
}}
.st-key-{key} [aria-invalid="true"] {{ width: auto !important; max-width: 100% !important; height: auto !important; }}
.st-key-{key} [data-testid="stFileUploaderDropzoneInstructions"] span {{ white-space: normal; overflow: visible; }}
</style>"""


def drop(
    label: str,
    endings: Collection[str],
    key: str,
    most_mb: int,
    help_: str | None = None,
    changed: Callable[[], None] | None = None,
) -> Any:
    """Draw the place and return the file, or None."""
    st.html(_STYLE.format(key=re.sub(r"[^\w-]", "-", key)))  # as Streamlit makes a class of a key
    return st.file_uploader(label, type=list(endings), key=key, max_upload_size=most_mb, help=help_, on_change=changed)
