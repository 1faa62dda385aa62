"""A viewer without a browser: speaks the app's WebSocket as the browser's program does, and times its updates.

It opens a page, keeps the timers that the page asks for (fragments drawn again every few seconds), remembers large messages
by their hash so that they are not sent twice, and keeps nothing else of what it is sent.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FRAGMENT_DONE = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
MOST_BYTES = 32 * 2**20
HASHES = 256  # remembered messages: as many as fit a page


@dataclass
class Update:
    """One answer of the server: milliseconds from the question to the end of the script, bytes and messages."""

    fragment: bool
    ms: float
    size: int
    messages: int
    at: float


@dataclass
class Viewer:
    """One open page. `query` is the part of the address behind the question mark."""

    port: int
    page: str
    query: str
    updates: list[Update] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)  # hash by name in the address
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _hashes: dict[str, None] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _hash: str = ""
    _socket: ClientConnection | None = None
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Connect and start to listen; returns at once."""
        self._socket = await connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            origin=f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=MOST_BYTES,
            open_timeout=30,
        )
        self._reading = asyncio.create_task(self._read())

    async def show(self, page: str | None = None, query: str | None = None, timeout: float = 60.0) -> Update:
        """Open a page in this session, as a click in the list of pages does, and wait until its script has ended."""
        self.page = self.page if page is None else page
        self.query = self.query if query is None else query
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._done.clear()
        self._hash = self.pages.get(self.page, "")
        await self._ask("")
        await asyncio.wait_for(self._done.wait(), timeout)
        return self.updates[-1]

    async def close(self) -> None:
        """Leave."""
        for timer in self._timers.values():
            timer.cancel()
        if self._socket is not None:
            await self._socket.close()
            await self._reading

    async def _ask(self, fragment: str) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self._hash, fragment
        if not self._hash:
            state.page_name = self.page
        state.is_auto_rerun = bool(fragment)
        state.cached_message_hashes.extend(self._hashes)
        state.context_info.url = f"http://127.0.0.1:{self.port}/{self.page}"
        state.context_info.timezone, state.context_info.locale = "UTC", "en"
        self._asked[fragment] = time.perf_counter()
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            if fragment not in self._asked:  # a browser's timer, too, does not ask again before it was answered
                await self._ask(fragment)

    async def _read(self) -> None:
        size = messages = 0
        assert self._socket is not None
        async for data in self._socket:
            assert isinstance(data, bytes)
            size, messages = size + len(data), messages + 1
            message: Any = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable and message.hash:
                self._hashes[message.hash] = None
                while len(self._hashes) > HASHES:
                    del self._hashes[next(iter(self._hashes))]
            if kind == "new_session":
                self._hash = message.new_session.page_script_hash or self._hash
            elif kind == "navigation":
                self.pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
                self._hash = message.navigation.page_script_hash or self._hash
            elif kind == "auto_rerun":
                found = message.auto_rerun
                if old := self._timers.pop(found.fragment_id, None):
                    old.cancel()
                self._timers[found.fragment_id] = asyncio.create_task(self._tick(found.fragment_id, found.interval))
            elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                self.errors.append(message.delta.new_element.exception.message)
            elif kind == "script_finished":
                now = time.perf_counter()
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                part = message.script_finished == FRAGMENT_DONE
                asked = [k for k in self._asked if bool(k) == part]
                for key in asked:
                    self.updates.append(Update(part, 1000 * (now - self._asked.pop(key)), size, messages, now))
                size = messages = 0
                if not part:
                    self._asked.clear()
                    self._done.set()
