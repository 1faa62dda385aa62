"""Start the app: check the versions, find a free port, say the address. `python -m pages.serve`."""

from __future__ import annotations

import importlib.metadata
import os
import re
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 8501, 50

# Lowest versions without a known hole that concerns this app; the reason is shown when one is older.
FLOORS = {
    "torch": ("2.10.0", "CVE-2026-24747: a prepared weight file can corrupt memory"),
    "onnx": ("1.21.0", "CVE-2026-34446: a prepared model can read files outside its folder"),
    "pyarrow": ("23.0.1", "CVE-2026-25087: use after free while reading"),
    "streamlit": ("1.67.0", "older versions lack what the app uses"),
    "starlette": ("1.3.1", "CVE-2026-54283: form limits are not kept"),
    "python-multipart": ("0.0.27", "CVE-2026-42561: headers of uploads"),
    "defusedxml": ("0.7.1", "needed to read workbooks safely"),
}


def _number(version: str) -> tuple[int, ...]:
    """(2, 13, 0) of '2.13.0+cpu'; what follows the numbers is left out."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[+a-z]", version, maxsplit=1)[0]))


def old_versions() -> list[str]:
    """Name each installed package that is below its floor, with the reason."""
    found = []
    for name, (floor, reason) in FLOORS.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} is not installed, {floor} or newer is needed ({reason})")
            continue
        if _number(installed) < _number(floor):
            found.append(f"{name} {installed} is installed, {floor} or newer is needed ({reason})")
    return found


def require_versions() -> None:
    """Refuse to start on packages with known holes. Errors: SystemExit with the list and the remedy."""
    found = old_versions()
    if found:
        lines = "\n".join(f"  - {line}" for line in found)
        raise SystemExit(
            f"KD Workbench can't start on these versions:\n{lines}\n"
            "Install the pinned ones: python -m pip install -r requirements.txt -c constraints.txt"
        )


def free_port(first: int = FIRST_PORT, host: str = HOST) -> int:
    """Find the first free port from `first` on. Errors: SystemExit when none of 50 is free."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SystemExit(
        f"No free port between {first} and {first + PORTS_TRIED - 1}. Close another program and try again."
    )


def main() -> None:
    """Check, choose a port, announce the address and serve until stopped."""
    require_versions()
    port = free_port(int(os.environ.get("KD_PORT", FIRST_PORT)))
    os.environ["KD_ANNOUNCE"] = f"http://{HOST}:{port}"
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv[:] = [str(ROOT / "app.py")]  # Streamlit finds its config and the pages beside this file
    from app import app
    from kd_core.errors import KDError
    from pages.ui.shared import engine

    try:
        engine.jobs()
    except KDError as error:
        raise SystemExit(f"KD Workbench can't start. {error}") from None
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and "CI" not in os.environ
    has_screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    app.run(config={"server.port": port, "server.address": HOST, "server.headless": not (interactive and has_screen)})


if __name__ == "__main__":
    main()
