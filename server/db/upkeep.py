"""What the database needs while the server runs: notice that it is another one, and shorten the feed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server.clock import utc_now
from server.db import history
from server.db.engine import Database

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
COMPACT_EVERY = timedelta(days=1)


@asynccontextmanager
async def upkeep(database: Database) -> AsyncIterator[None]:
    """For the application's lifespan. A fail-over under a running server is noticed within seconds."""
    stopping = asyncio.Event()
    await run_in_threadpool(history.recognise, database, utc_now())

    async def look_after() -> None:
        compacted = utc_now() - COMPACT_EVERY
        while not stopping.is_set():
            try:
                await run_in_threadpool(history.recognise, database, utc_now())
                if utc_now() - compacted >= COMPACT_EVERY:
                    await run_in_threadpool(history.compact, database, utc_now())
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
