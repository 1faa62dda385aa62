"""The two ends of a child process that is driven by lines on its standard input."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from pathlib import Path
from typing import TextIO


def own_streams(expendable: int) -> tuple[TextIO, TextIO]:
    """Take over this process's streams and return (commands, answers).

    A library's stray print goes to standard error, so that it can't be mistaken for an answer. Ctrl-C, which reaches the whole
    terminal group, is left to the parent. `expendable` (0-1000) is how willingly the kernel takes this process when memory
    runs out.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(expendable))
    return commands, answers
