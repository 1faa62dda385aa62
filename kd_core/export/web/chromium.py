"""A page asked in a Chromium without a window and without a network, by its own pipe; imports nothing but the standard library.

`python chromium.py PAGE ROWS` prints {"answers": [...]}: what `window.kd.answer` of the page makes of a JSON list of rows.
Source: Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/ (messages end with a zero byte).
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu"),
    *("--disable-extensions", "--disable-sync", "--disable-background-networking", "--disable-component-update"),
    *(
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=127.0.0.1:9",
        "--proxy-bypass-list=<-loopback>",
    ),  # offline
)
_AT_ONCE = 32  # rows of a message: pictures are large
_BEYOND = 10  # descriptors that are none of the browser's
# The browser reads descriptor 3 and writes 4
_LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def found() -> str | None:
    """Return the path of a Chromium or Chrome of this machine; None where there is none, or no way to talk with it."""
    if sys.platform == "win32":  # it hands no descriptors on by number
        return None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page in a browser of its own. Errors: OSError where the browser ends, RuntimeError with what went wrong in the page."""

    def __init__(self, browser: str, folder: str) -> None:
        (ask, asked), (said, say) = os.pipe(), os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, _BEYOND) for end in (ask, say)]
        os.close(ask)
        os.close(say)
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to run as root otherwise
        launch = sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, ends)
        self.process = subprocess.Popen(
            [*launch, browser, *_FLAGS, *alone, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        self._out, self._in, self._number, self._session = os.fdopen(asked, "wb"), os.fdopen(said, "rb"), 0, ""
        try:
            made = self.call("Target.createTarget", url="about:blank")
            attached = self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        except BaseException:
            self.close()
            raise
        self._session = str(attached["sessionId"])

    def call(self, method: str, **settings: Any) -> Any:
        """Ask for one thing and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": settings}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            told = json.loads(self._message())
            if told.get("id") == self._number:
                if "error" in told:
                    raise RuntimeError(str(told["error"].get("message")))
                return told["result"]

    def _message(self) -> bytes:
        parts = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            if not byte:
                raise OSError("the browser ended by itself")
            parts += byte
        return bytes(parts)

    def value(self, expression: str) -> Any:
        """Return what an expression of the page comes to, waiting for what takes long."""
        told = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(
                str(told["exceptionDetails"].get("exception", {}).get("description", "an error in the page"))
            )
        return told["result"].get("value")

    def open(self, page: Path) -> None:
        """Open a file and wait until its student is ready."""
        self.call("Page.enable")
        failed = self.call("Page.navigate", url=page.resolve().as_uri()).get("errorText")
        if failed:
            raise RuntimeError(f"the page did not open: {failed}")
        ready = (
            "new Promise(done => { const look = () => window.kd ? done(kd.opened) : setTimeout(look, 20); look(); })"
        )
        self.value(ready)

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._in.close()
        with contextlib.suppress(BrokenPipeError):  # what the browser has not heard any more
            self._out.close()


def answers(page: Path, rows: list[dict[str, Any]]) -> list[list[float]]:
    """Ask a page about rows by column name. Errors: as `Tab`."""
    browser = found()
    if browser is None:
        raise OSError("no Chromium or Chrome was found on this machine")
    with tempfile.TemporaryDirectory(prefix="kd-browser-", ignore_cleanup_errors=True) as folder:
        tab = Tab(browser, folder)
        try:
            tab.open(page)
            told: list[list[float]] = []
            for at in range(0, len(rows), _AT_ONCE):
                told += tab.value(f"kd.answer({json.dumps(rows[at : at + _AT_ONCE])})")
            return told
        finally:
            tab.close()


def _rows(path: Path) -> list[dict[str, Any]]:
    """Read rows; a cell that names a picture beside the file becomes its bytes."""
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    pictures = {one.name for one in path.parent.iterdir()} - {path.name}
    for row in rows:
        for name, cell in row.items():
            if isinstance(cell, str) and cell in pictures:
                row[name] = {"base64": base64.b64encode((path.parent / cell).read_bytes()).decode()}
    return rows


if __name__ == "__main__":
    try:
        print(json.dumps({"answers": answers(Path(sys.argv[1]), _rows(Path(sys.argv[2])))}))
    except (OSError, RuntimeError) as error:
        sys.exit(str(error).splitlines()[0])
