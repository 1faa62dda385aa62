"""A question posted to one of the addresses that are allowed here, within bounds of size and time; nothing else is contacted."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import os
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kd_core.errors import DataError, KDError, SpecError

ALLOWED = "KD_ENDPOINTS"  # environment: addresses that may be asked, with commas between them; none when empty
TOKENS = r"^KD_TOKEN(_[A-Z0-9_]{1,40})?$"  # environment: variables whose token may be sent along
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers that may be another one a little later
_PORTS = {"http": 80, "https": 443}
_NEARBY = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN = 200  # characters of a refusal that are repeated


@dataclass(frozen=True)
class Address:
    """Where a question goes. `origin`: scheme, host and port, by which it is allowed or not."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def place(self) -> str:
        """The host, with its port where that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.place}"

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.scheme == "https" or self.host in _NEARBY


class Refusal(Exception):
    """No usable answer this time, but perhaps later. `wait`: seconds that the other side asked for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.why, self.wait = why, wait


def address(url: str) -> Address:
    """Take an address apart. Errors: SpecError `bad_endpoint`."""
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    odd = not url.isascii() or not url.isprintable() or set(" \\") & set(url)
    if odd or found.scheme not in _PORTS or not found.hostname or found.username or found.password:
        raise _bad(url)
    if (
        found.query or found.fragment or "?" in url or "#" in url
    ):  # a place where keys are written, and kept with a recipe
        raise _bad(url)
    return Address(found.scheme, found.hostname, port or _PORTS[found.scheme], found.path or "/")


def _bad(url: str) -> SpecError:
    return SpecError(
        "The address {url!r} is not understood.",
        "Write https://host/path, with :port where needed; no name, password, ? or # in it. A key goes into an environment variable (token_env).",
        "bad_endpoint",
        url=url[:200],
    )


def origins() -> dict[tuple[str, str, int], str]:
    """Name the addresses that are allowed here. Errors: SpecError `bad_endpoint` for one that is none."""
    asked = [one.strip() for one in os.environ.get(ALLOWED, "").split(",") if one.strip()]
    return {address(one).origin: one for one in asked}


def why_off() -> str | None:
    """Say why nothing may be asked here, or None."""
    try:
        known = origins()
    except SpecError as error:
        return f"is switched off: {ALLOWED} is not understood. {error.message}"
    if known:
        return None
    return f"is switched off: whoever runs this workbench allows addresses by {ALLOWED}=https://host"


def allowed(url: str) -> Address:
    """Take an address apart that is allowed here. Errors: SpecError `bad_endpoint`, `endpoint_not_allowed`."""
    found, known = address(url), origins()
    if found.origin not in known:
        raise SpecError(
            "{host} is not among the addresses that may be asked here: {known}.",
            "Whoever runs this workbench adds it to {variable}, for example {variable}={scheme}://{host}.",
            "endpoint_not_allowed",
            host=found.place,
            known=", ".join(known.values()) or "none",
            variable=ALLOWED,
            scheme=found.scheme,
        )
    return found


def tokens() -> list[str]:
    """Name the environment variables that hold tokens."""
    return sorted(name for name in os.environ if re.fullmatch(TOKENS, name))


def token(variable: str, to: Address) -> str:
    """Read a token from the environment; it is sent, and kept nowhere. Errors: SpecError `no_token`, `open_token`."""
    value = os.environ.get(variable, "").strip()
    if not value or not value.isascii() or not value.isprintable():
        raise SpecError(
            "The environment variable {variable} holds no token.",
            "Set it where the workbench is started.",
            "no_token",
            variable=variable,
        )
    if not to.is_private:
        raise SpecError(
            "A token is not sent to {host} over http, where others can read it.",
            "Use an https address.",
            "open_token",
            host=to.host,
        )
    return value


@dataclass(frozen=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    reason: str
    data: bytes
    retry_after: str | None = None


def post(to: Address, question: Any, *, token: str | None, seconds: float, most_bytes: int) -> Any:
    """Post a question as JSON and return the JSON of the answer. No redirect is followed, no proxy asked.

    Units: seconds for the whole of it, bytes of the answer.
    Errors: Refusal for what may pass; KDError `endpoint_refused`, `endpoint_moved`, `endpoint_certificate`; DataError
    `endpoint_large`, `endpoint_no_json`.
    """
    return read(to, exchange(to, "POST", question, token=token, seconds=seconds, most_bytes=most_bytes), most_bytes)


def exchange(
    to: Address, method: str, question: Any = None, *, token: str | None, seconds: float, most_bytes: int
) -> Reply:
    """Send a request, with a question as JSON unless it is None, and return what came back: at most one byte more than asked for.

    Units: seconds for the whole of it, bytes of the answer. Errors: Refusal for what may pass; KDError `endpoint_certificate`.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body = None
    if question is not None:
        body = json.dumps(question, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers |= {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    connection, over = kind(to.host, to.port, timeout=seconds), threading.Event()

    def end() -> None:  # one that sends a byte now and then keeps every single wait short
        over.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()
    try:
        connection.request(method, to.path, body, headers)
        with connection.getresponse() as answer:
            data = answer.read(most_bytes + 1)
    except ssl.SSLCertVerificationError as error:
        raise KDError(
            "{host} does not prove who it is: {why}.",
            "Check the address and its certificate.",
            "endpoint_certificate",
            host=to.host,
            why=error.verify_message or str(error),
        ) from None
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        late = over.is_set() or isinstance(error, TimeoutError)
        raise Refusal(f"no whole answer within {seconds:g} s" if late else f"no answer ({_plain(error)})") from None
    finally:
        clock.cancel()
        connection.close()
    if over.is_set():
        raise Refusal(f"no whole answer within {seconds:g} s")
    return Reply(answer.status, answer.reason, data, answer.getheader("Retry-After"))


def read(to: Address, reply: Reply, most_bytes: int) -> Any:
    """Return the JSON that came back. Errors: as `post`."""
    _check_status(to, reply)
    if len(reply.data) > most_bytes:
        raise DataError(
            "The answer of {host} is larger than {most:,} bytes.",
            "Ask for fewer rows at once (batch_rows).",
            "endpoint_large",
            host=to.host,
            most=most_bytes,
        )
    try:
        return json.loads(reply.data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(
            "The answer of {host} is no JSON ({why}).",
            "It has to be one object with answers for the rows.",
            "endpoint_no_json",
            host=to.host,
            why=str(error)[:_SHOWN],
        ) from None


def _check_status(to: Address, answer: Reply) -> None:
    if answer.status in AGAIN:
        raise Refusal(f"{answer.status} {answer.reason}"[:80], _asked_wait(answer.retry_after))
    if 300 <= answer.status < 400:
        raise KDError(
            "{host} points to another address ({status}), which is not followed.",
            "Name that address itself; it has to be allowed as well.",
            "endpoint_moved",
            host=to.host,
            status=answer.status,
        )
    if answer.status != 200:
        said = answer.data[:_SHOWN].decode("utf-8", "replace")
        raise KDError(
            "{host} refused the question: {status} {said}",
            "Check path, token and columns.",
            "endpoint_refused",
            host=to.host,
            status=answer.status,
            said="".join(c if c.isprintable() else " " for c in said),
        )


def _asked_wait(text: str | None) -> float | None:
    """Read how long the other side asks to wait: seconds, or a date. Units: seconds."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return None


def _plain(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:_SHOWN]


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
