"""Kernel locks: exclusive, gone with their holder, and honest about who has them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from kd_core.errors import KDError
from kd_core.runs.service.locks import LockFile, holder, is_locked


def test_a_lock_is_exclusive_until_released(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    first, second = LockFile(path), LockFile(path)
    assert first.acquire() and first.acquire() and is_locked(path)
    assert not second.acquire()
    assert holder(path) == {"pid": os.getpid(), "host": socket.gethostname()}
    with pytest.raises(KDError, match=f"held by {os.getpid()} on {socket.gethostname()}, not 7"):
        second.require("held by {pid} on {host}, not {more}", "wait", "held", more=7)
    first.release()
    first.release()
    assert not is_locked(path)
    with second.require("held", "wait", "held"):
        assert is_locked(path)
    assert not is_locked(path)


def test_a_killed_holder_leaves_no_lock_but_its_name(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib; from kd_core.runs.service.locks import LockFile\n"
        "lock = LockFile(pathlib.Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert held.stdout.readline() == "True\n" and is_locked(path)
    held.kill()
    held.wait()
    held.stdin.close()
    held.stdout.close()
    assert not is_locked(path) and holder(path)["pid"] == held.pid


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_an_unreadable_lock_file_has_an_unknown_holder(tmp_path, text):
    path = tmp_path / "lock"
    path.write_text(text)
    assert holder(path) == {"pid": "unknown", "host": "unknown"} == holder(tmp_path / "missing")
