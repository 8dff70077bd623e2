"""Wakes the phones that wait, for each scope where something happened.

What this process commits rings at once. One task follows the feed for what others commit, and for what
PostgreSQL still holds back at that moment; it reads nothing while nobody waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server.db import feed
from server.db.engine import Database
from server.db.feed import Position

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
HELD_BACK_SECONDS = 0.03
"""PostgreSQL holds a row back while an older transaction is still at work: look again soon."""
READ_MAX = 2_000


class Doorbell:
    """Used on one event loop; `wake` may be called from any thread."""

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._look = asyncio.Event()
        self._somebody = asyncio.Event()
        self.stopping = False
        self._rings = 0
        self._rung: dict[str, int] = {}
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Doorbell]:
        """For the application's lifespan. Leaving it ends every wait."""
        self._look, self._somebody = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.stopping = False
        position = await run_in_threadpool(self._head)
        task = asyncio.create_task(self._follow(position), name="doorbell")
        try:
            yield self
        finally:
            self.stopping = True
            self._look.set()
            self._somebody.set()
            await task
            for scope in list(self._bells):
                self._ring(scope)
            self._loop = None

    def wake(self, scopes: Collection[str] = ()) -> None:
        """Something was committed here: for `scopes`, as far as they are known, and perhaps for others."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._wake, tuple(scopes))

    def _wake(self, scopes: Collection[str]) -> None:
        for scope in scopes:
            self._ring(scope)
        if self._loop is not None:  # after those who were rung, who need the processor more
            self._loop.call_later(HELD_BACK_SECONDS if scopes else 0, self._look.set)

    @property
    def mark(self) -> int:
        """To be taken before one reads, and to wait from if there was nothing."""
        return self._rings

    async def wait(self, scope: str, mark: int, seconds: float) -> bool:
        """True as soon as something happened in `scope` since `mark`, False when `seconds` passed quietly."""
        if self._rung.get(scope, -1) >= mark or self.stopping:
            return True
        bell = asyncio.Event()
        self._bells[scope].add(bell)
        self._somebody.set()
        try:
            await asyncio.wait_for(bell.wait(), seconds)
            return True
        except TimeoutError:
            return False
        finally:
            self._bells[scope].discard(bell)
            if not self._bells[scope]:
                del self._bells[scope]

    def _ring(self, scope: str) -> None:
        self._rung[scope] = self._rings
        self._rings += 1
        for bell in self._bells.get(scope, ()):
            bell.set()

    def _head(self) -> Position:
        with self._database.read() as session:
            return feed.head(session)

    async def _follow(self, position: Position) -> None:
        while not self.stopping:
            if not self._bells:
                # It goes on from the same place, so whoever waits next hears of all that came in between.
                self._somebody.clear()
                await self._somebody.wait()
                continue
            self._look.clear()
            try:
                position, scopes, held_back = await run_in_threadpool(self._next, position)
            except SQLAlchemyError:
                log.exception("the feed could not be read; trying again")
                await asyncio.sleep(1)
                continue
            for scope in scopes:
                self._ring(scope)
            if not scopes:
                with suppress(TimeoutError):
                    seconds = HELD_BACK_SECONDS if held_back else self._poll_seconds
                    await asyncio.wait_for(self._look.wait(), seconds)

    def _next(self, after: Position) -> tuple[Position, set[str], bool]:
        with self._database.read() as session:
            found, position = feed.scopes_after(session, after, READ_MAX)
            if found:
                return position, found, False
            return feed.or_head(session, after), found, feed.held_back(session, after)
