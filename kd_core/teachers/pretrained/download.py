"""One file downloaded from a hub, within bounds of size and time, checked against what the hub says that it is."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from kd_core.errors import DataError, KDError, SpecError
from kd_core.safe_io import sha256_file

WAIT_SECONDS = 30.0  # for any one answer
FILE_SECONDS = 3600.0  # for a whole file
REDIRECTS = 5  # a large file lies elsewhere: usually one
STORES = ("huggingface.co", "hf.co")  # where the usual hub keeps large files, on hosts below these
_NEARBY = frozenset({"localhost", "127.0.0.1", "::1"})
_MOVED = frozenset({301, 302, 303, 307, 308})
_PIECE = 2**18


class Missing(Exception):
    """There is no such file, or not for everyone."""


@dataclass(frozen=True)
class Base:
    """Where a hub is: https, or this machine."""

    scheme: str
    host: str
    port: int | None
    path: str = ""

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{self.host}{f':{self.port}' if self.port else ''}{self.path}"


def base_of(text: str, variable: str) -> Base:
    """Take the address of a hub apart. Errors: SpecError `hub_address`."""
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    private = found.scheme == "https" or (found.scheme == "http" and found.hostname in _NEARBY)
    odd = not text.isascii() or not text.isprintable() or " " in text
    if odd or not private or not found.hostname or found.username or found.password or found.query or found.fragment:
        raise SpecError(
            "The address of the hub {text!r} can't be used.",
            "{variable} holds https://host, or nothing for the usual one.",
            "hub_address",
            text=text[:200],
            variable=variable,
        )
    return Base(found.scheme, found.hostname, port, found.path.rstrip("/"))


def download(base: Base, path: str, to: Path, most: int, tell: Callable[[int, int], None], revision: str) -> None:
    """Write a file of a hub to a path. `tell` hears bytes so far and of the whole; no token is sent and no proxy asked.

    Units: `most` in bytes.
    Errors: Missing; KDError `hub_offline`, `hub_refused`; DataError `hub_large`, `hub_damaged`.
    """
    name, until = to.name, time.monotonic() + FILE_SECONDS
    place, claimed = Base(base.scheme, base.host, base.port, base.path + path), ""
    try:
        for _ in range(REDIRECTS + 1):
            connection = _open(place)
            try:
                connection.request("GET", place.path, headers={"Accept-Encoding": "identity", "User-Agent": "kd"})
                with connection.getresponse() as answer:
                    if (told := answer.getheader("X-Repo-Commit")) not in (None, revision):
                        raise _damaged(name, base, f"it is of the revision {str(told)[:40]}")
                    claimed = claimed or _claim(answer)
                    if answer.status in _MOVED:
                        place = _next(place, answer.getheader("Location") or "", base, name)
                        continue
                    _check_status(answer.status, answer.reason, base, name)
                    _receive(answer, to, most, tell, base, until)
                break
            finally:
                connection.close()
        else:
            raise _refused(base, name, f"it points from one address to the next more than {REDIRECTS} times")
    except ssl.SSLCertVerificationError as error:
        raise _refused(base, name, f"{place.host} does not prove who it is: {error.verify_message or error}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _offline(
            place.host, name, getattr(error, "strerror", None) or str(error) or type(error).__name__
        ) from None
    if claimed and claimed != _name_of(to, claimed):
        raise _damaged(name, base, "its content has another hash than the hub says")


def _open(place: Base) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    return kind(place.host, place.port, timeout=WAIT_SECONDS)


def _claim(answer: http.client.HTTPResponse) -> str:
    """Return the hash that a hub says of the file: sha256 of a large one, git's name of a small one; nothing where it says none."""
    for header in ("X-Linked-ETag", "ETag"):
        told = (answer.getheader(header) or "").removeprefix("W/").strip('"')
        if re.fullmatch("[0-9a-f]{64}|[0-9a-f]{40}", told) and (answer.getheader("X-Repo-Commit") or header != "ETag"):
            return told
    return ""


def _name_of(path: Path, claimed: str) -> str:
    if len(claimed) == 64:
        return sha256_file(path)
    found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)  # git's name of a content
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def _next(place: Base, location: str, base: Base, name: str) -> Base:
    """Follow to the same host, or to where the usual hub keeps its files. Errors: KDError `hub_refused`."""
    try:
        found = urlsplit(urljoin(place.shown, location))
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    host = found.hostname or ""
    own = (found.scheme, host, port) == (base.scheme, base.host, base.port)
    stored = found.scheme == "https" and port in (None, 443) and any(f".{host}".endswith(f".{s}") for s in STORES)
    if not location or not (own or stored):
        raise _refused(base, name, f"it points to {host or 'nowhere'}, which is not followed")
    return Base(found.scheme, host, port, found.path + (f"?{found.query}" if found.query else ""))


def _check_status(status: int, reason: str, base: Base, name: str) -> None:
    if status in (401, 403, 404):
        raise Missing
    if status in (408, 425, 429, 500, 502, 503, 504):
        raise _offline(base.host, name, f"{status} {reason}"[:80])
    if status != 200:
        raise _refused(base, name, f"{status} {reason}"[:80])


def _receive(
    answer: http.client.HTTPResponse, to: Path, most: int, tell: Callable[[int, int], None], base: Base, until: float
) -> None:
    """Write what comes, and no more than is allowed."""
    told = answer.getheader("Content-Length")
    whole = int(told) if told is not None and told.isdecimal() else 0
    if whole > most:
        raise _large(to.name, base, whole, most)
    done = 0
    with to.open("wb") as file:
        while piece := answer.read1(_PIECE):
            done += len(piece)
            if done > most:
                raise _large(to.name, base, done, most)
            if time.monotonic() > until:
                raise _offline(base.host, to.name, f"not whole after {FILE_SECONDS:g} s")
            file.write(piece)
            tell(done, whole)
    if whole and done != whole:
        raise _offline(base.host, to.name, f"it broke off after {done:,} of {whole:,} bytes")


def _offline(host: str, name: str, why: str) -> KDError:
    return KDError(
        "{name} could not be fetched from {host}: {why}.",
        "Try again when this machine has a connection; or fetch the model elsewhere with save_pretrained(), bring the folder here, and name "
        "its path on the command line or put it into the workspace's folder 'models'.",
        "hub_offline",
        name=name,
        host=host,
        why=why[:200],
    )


def _refused(base: Base, name: str, why: str) -> KDError:
    return KDError(
        "{name} was not fetched from {host}: {why}.",
        "Check the name and the address, or name the folder of the model by its path instead.",
        "hub_refused",
        name=name,
        host=base.host,
        why=why[:200],
    )


def _damaged(name: str, base: Base, why: str) -> DataError:
    return DataError(
        "{name} from {host} is not what was asked for: {why}.",
        "Ask again; if it stays so, take the folder of the model from another place.",
        "hub_damaged",
        name=name,
        host=base.host,
        why=why,
    )


def _large(name: str, base: Base, size: int, most: int) -> DataError:
    return DataError(
        "{name} on {host} has {size:,} bytes or more, at most {most:,} are taken.",
        "Take a smaller model.",
        "hub_large",
        name=name,
        host=base.host,
        size=size,
        most=most,
    )
