"""What the database needs while the server runs: notice that it is another one, and shorten the feed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server.clock import utc_now
from server.db import history
from server.db.engine import Database

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
COMPACT_EVERY = timedelta(days=1)


@asynccontextmanager
async def upkeep(database: Database, *daily: Callable[[Database, datetime], object]) -> AsyncIterator[None]:
    """For the application's lifespan. A fail-over under a running server is noticed within seconds.

    `daily` is done once a day besides.
    """
    stopping = asyncio.Event()
    await run_in_threadpool(history.recognise, database, utc_now())

    async def look_after() -> None:
        compacted = utc_now() - COMPACT_EVERY
        while not stopping.is_set():
            try:
                await run_in_threadpool(history.recognise, database, utc_now())
                if utc_now() - compacted >= COMPACT_EVERY:
                    for work in (history.compact, *daily):
                        await run_in_threadpool(work, database, utc_now())
                    compacted = utc_now()
            except SQLAlchemyError:
                log.exception("the database could not be looked after; trying again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)

    task = asyncio.create_task(look_after(), name="upkeep of the database")
    try:
        yield
    finally:
        stopping.set()
        await task
