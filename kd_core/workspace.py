"""Where runs, data and the teacher cache live on disk, closed to other people of the machine."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import platformdirs

OPEN = 0o077  # what group and others may do
_OURS = (
    "data",
    "datasets",
    "drafts",
    "encoded",
    "models",
    "runs",
    "teachers",
    "uploads",
    "runs.sqlite",
    "server.lock",
    "worker.log",
)
SHIPPED = Path(__file__).resolve().parent.parent / "sample_data"
_closed: set[Path] = set()
_places: dict[str, Path] = {}  # workspaces by the name they were asked for, as long as they exist
log = logging.getLogger(__name__)


def workspace() -> Path:
    """Return the workspace folder: `KD_WORKSPACE`, or the platform's user data folder; created when missing.

    An existing one that others can enter is closed, once per process.
    """
    named = os.environ.get("KD_WORKSPACE") or platformdirs.user_data_dir("kd-workbench", appauthor=False)
    known = _places.get(named)
    if known is not None and known.is_dir():  # asked for hundreds of times by a page
        return known
    root = Path(named)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = root.resolve()
    if root not in _closed:
        _closed.add(root)
        if root.stat().st_mode & OPEN:
            close(root)
    _places[named] = root
    return root


def close(root: Path) -> int:
    """Take the rights of group and others from a workspace (folders 0700, files 0600); return how many entries changed.

    Where other files lie beside ours, the folder itself and those files are left as they are: it may be a home
    folder. Links are not followed. What belongs to somebody else can't be closed, which is logged with its count.
    """
    ours = [p for p in root.iterdir() if p.name.startswith(_OURS)]
    shared = len(ours) < len(list(root.iterdir()))
    places = [*ours] if shared else [root, *ours]
    for top in ours:
        for folder, folders, files in os.walk(top):
            places += [Path(folder, name) for name in (*folders, *files)]
    changed = refused = 0
    for place in places:
        try:
            mode = place.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & OPEN:
                place.chmod(mode & 0o700)
                changed += 1
        except FileNotFoundError:  # gone meanwhile
            continue
        except PermissionError:
            refused += 1
    if changed:
        log.info("closed %d files and folders of the workspace %s to other people", changed, root)
    if refused or shared:
        log.warning(
            "the workspace %s stays open to other people: %d entries belong to somebody else, other files beside it: %s",
            root,
            refused,
            shared,
        )
    return changed


def samples() -> Path:
    """Return the folder of the sample tables: `KD_SAMPLES`, or the shipped one."""
    named = os.environ.get("KD_SAMPLES")
    return Path(named) if named else SHIPPED  # asked for dozens of times by a page
