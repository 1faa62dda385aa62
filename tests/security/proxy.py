"""A small real reverse proxy on 127.0.0.1: passes requests and live connections on, with headers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Proxy:
    """Forwards every connection to a port, its Host kept; `headers` are added, as a proxy adds who has signed in."""

    def __init__(self, target: int, headers: dict[str, str] | None = None) -> None:
        self.target, self.headers = target, headers or {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        upstream = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip("\r\n").split("\r\n")
            own = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http", **self.headers}
            kept = [line for line in lines if line.split(":")[0].lower() not in {k.lower() for k in own}]
            if not any(line.lower() == "upgrade: websocket" for line in lines):  # one request a connection
                kept = [line for line in kept if not line.lower().startswith("connection:")] + ["Connection: close"]
            sent = "\r\n".join([first, *kept, *(f"{k}: {v}" for k, v in own.items())])
            back, upstream = await asyncio.open_connection("127.0.0.1", self.target)
            upstream.write(f"{sent}\r\n\r\n".encode("latin-1"))
            await asyncio.gather(_pump(reader, upstream), _pump(back, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, upstream):
                if end is not None:
                    end.close()
                    with contextlib.suppress(OSError):
                        await end.wait_closed()
            self._open.discard(task)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65536):
        target.write(chunk)
        await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        target.write_eof()
