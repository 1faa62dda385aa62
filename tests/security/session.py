"""Talk to a running app as a browser does, without one: requests with headers of choice, and a live session."""

from __future__ import annotations

import contextlib
import http.client
import re
import time
from collections.abc import Callable

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

WAIT_SECONDS = 60


def ask(
    port: int, path: str, method: str = "GET", body: bytes | None = None, **given: str
) -> tuple[int, dict[str, str], bytes]:
    """Send one request: (status, headers, body). Header names are written with underscores."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, headers={k.replace("_", "-"): v for k, v in given.items()})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


@contextlib.contextmanager
def live(port: int, host: str | None = None, **given: str):
    """Open a live connection. Errors: `websockets.exceptions.InvalidStatus` when it is refused."""
    place = host or f"127.0.0.1:{port}"
    headers = {k.replace("_", "-"): v for k, v in given.items()}
    with connect(
        f"ws://{place}/_stcore/stream",
        address=("127.0.0.1", port),
        origin=f"http://{place}",
        subprotocols=["streamlit"],
        additional_headers=headers,
        max_size=None,
        proxy=None,
    ) as connection:
        yield connection


def page_text(connection: ClientConnection, page: str = "") -> str:
    """Run the page and return all that the server sent for it, as text."""
    request = BackMsg()
    request.rerun_script.page_name = page
    connection.send(request.SerializeToString())
    return until(connection, lambda message: message.WhichOneof("type") == "script_finished")


def until(connection: ClientConnection, enough: Callable[[ForwardMsg], bool]) -> str:
    """Gather messages until one is the last."""
    said, end = [], time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        message = ForwardMsg.FromString(connection.recv(timeout=WAIT_SECONDS))
        said.append(str(message))
        if enough(message):
            return "\n".join(said)
    raise TimeoutError("the page never ended")


def session_id(text: str) -> str:
    """Find the id of the session in what the server said first."""
    found = re.search(r'session_id: "([^"]+)"', text)
    assert found is not None
    return found[1]
