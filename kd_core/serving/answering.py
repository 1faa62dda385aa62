"""Answers made in a few threads, with a queue that is as short as people are patient."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kd_core import limits
from kd_core.data.plain.questions import Questions
from kd_core.data.types.raw_rows import Array
from kd_core.errors import DataError
from kd_core.serving.request import Refused, read
from kd_core.serving.served import Served


class Answering:
    """Reads requests and answers them, at most so many at a time; ONNX Runtime's sessions may be asked by several threads."""

    def __init__(self, served: Served, threads: int | None = None) -> None:
        self.served = served
        workers = threads or max(1, min(limits.SERVE_THREADS, os.cpu_count() or 1))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answer")
        self._most, self._under_way = workers + limits.SERVE_WAITING, 0

    async def answer(self, body: bytes) -> dict[str, Any]:
        """Answer a request. Errors: Refused, with `busy` (503) where too many wait and `too_slow` (503) where it took too long."""
        if self._under_way >= self._most:
            raise Refused(
                503,
                "{count:,} requests are waiting for an answer.",
                "Send it again in a second.",
                "busy",
                count=self._under_way,
            )
        self._under_way += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._made, body)
        work.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(work), limits.SERVE_SECONDS)
        except TimeoutError:
            raise Refused(
                503,
                "The answer took longer than {seconds:g} s.",
                "Send fewer rows at once.",
                "too_slow",
                seconds=limits.SERVE_SECONDS,
            ) from None

    def _ended(self, work: asyncio.Future[dict[str, Any]]) -> None:
        self._under_way -= 1
        if not work.cancelled():
            work.exception()  # one that nobody waits for any more is not to be reported

    def close(self) -> None:
        """Let what is under way end, and take nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _made(self, body: bytes) -> dict[str, Any]:
        asked = read(body, self.served)
        try:
            rows = asked.rows[0] if asked.alone and isinstance(asked.rows[0], dict) else asked.rows
            found, said = self.served.run(rows)
        except DataError as error:
            raise Refused(422, "{what}", "{advice}", error.code, what=error.message, advice=error.hint) from None
        answers = told(found, self.served)
        notes = list(said)
        return {**answers[0], "notes": notes} if asked.alone else {"answers": answers, "notes": notes}


def told(found: Array, served: Served) -> list[dict[str, Any]]:
    """Write answers as JSON has them: the likeliest class with each one's probability, or the number.

    Of labels those that the row has, of several targets each by its name; probabilities likewise.
    """
    questions = served.purpose.questions
    return [_told(questions, row) for row in found.tolist()]


def _told(questions: Questions, row: Sequence[float]) -> dict[str, Any]:
    shares = questions.shares(row)
    return {"answer": questions.answer(row), **({"probabilities": shares} if shares else {})}
