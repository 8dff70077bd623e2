"""The courier at work: as a task beside the requests, or as a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server.db.engine import Database
from server.outbox.courier import BATCH, Attempt, Courier
from server.outbox.senders import senders_of
from server.settings import Settings

log = structlog.get_logger("truckroll.outbox")

TIDY_SECONDS = 3600
AFTER_FAULT_SECONDS = 5


class Sending:
    """A courier that sends several messages at a time, in threads. Raises ValueError at wrong settings."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._pool = ThreadPoolExecutor(BATCH, thread_name_prefix="outbox")
        self._courier = Courier(database, senders_of(settings), run=self._pool.map)
        self._tidied = 0.0

    def step(self) -> Sequence[Attempt]:
        """One round, logged without any content. Now and then what was sent long ago is forgotten."""
        attempts = self._courier.step()
        for attempt in attempts:
            said = log.info if attempt.outcome.error is None else log.warning
            said(
                "outbox",
                message=str(attempt.message.id),
                channel=attempt.message.channel,
                topic=attempt.message.topic,
                tries=attempt.message.tries,
                arrived=attempt.outcome.error is None,
            )
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._courier.forget_sent()
            self._tidied = time.monotonic()
        return attempts

    def close(self) -> None:
        """Waits for what is being sent."""
        self._pool.shutdown()


@asynccontextmanager
async def sending(database: Database, settings: Settings) -> AsyncIterator[None]:
    """For the application's lifespan: send while it runs. Leaving waits for what is under way."""
    if not settings.send_seconds:
        yield
        return
    work, stop = Sending(database, settings), asyncio.Event()
    task = asyncio.create_task(_send_until(stop, work, settings.send_seconds), name="outbox")
    try:
        yield
    finally:
        # Not cancelled: its thread would go on with a connection that nobody closes any more.
        stop.set()
        await task
        work.close()


async def _send_until(stop: asyncio.Event, work: Sending, seconds: float) -> None:
    while not stop.is_set():
        pause = seconds
        try:
            if await run_in_threadpool(work.step):
                pause = 0
        except SQLAlchemyError:
            log.exception("the outbox could not be read; trying again")
            pause = AFTER_FAULT_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


def send_for_ever(
    database: Database, settings: Settings, *, once: bool, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Send what is due, then wait for more; with `once` return when nothing is due, with the number sent."""
    work, sent = Sending(database, settings), 0
    try:
        while True:
            attempts = work.step()
            sent += sum(attempt.outcome.error is None for attempt in attempts)
            if not attempts:
                if once:
                    return sent
                sleep(max(1, settings.send_seconds))
    except KeyboardInterrupt:
        return sent
    finally:
        work.close()
