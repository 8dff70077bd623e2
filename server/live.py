"""One task follows the change feed for every open page, and hands each what it asked for.

A page may go away and come back with the last position it saw: what it missed is read from the feed first,
then the live messages follow, each once. A page that is too far behind is told to load itself again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from server.db import feed
from server.db.engine import Database
from server.db.feed import Change, Position

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
READ_MAX = 500
QUEUE_MAX = 2_000


class Lost(Exception):
    """The page is too far behind, or comes from another history of this database."""


class Ended(Exception):
    """The server stops, so the stream does."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something changed up to `position`. `data` is what the renderer made of it."""

    position: Position
    kind: str
    key: str
    topics: tuple[str, ...]
    data: object


Renderer = Callable[[Session, Sequence[Change]], Sequence[Message]]
Wanted = Callable[[Message], bool]


class Stream:
    """What one open page listens to. It misses nothing from the moment it was made by `Live.listening`."""

    def __init__(self, live: Live, wanted: Wanted) -> None:
        self._live = live
        self._wanted = wanted
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(QUEUE_MAX)
        self._seen = Position()
        self._behind = False

    async def missed(self, after: Position) -> list[Message]:
        """What happened since `after`, before the live messages begin. Raises Lost when that is too much."""
        found = await run_in_threadpool(self._live.missed, after)
        self._seen = found[-1].position if found else after
        return [message for message in found if self._wanted(message)]

    async def next(self, idle_seconds: float) -> Message | None:
        """The next message, or None when `idle_seconds` passed quietly. Raises Lost or Ended."""
        while True:
            try:
                message = await asyncio.wait_for(self._queue.get(), idle_seconds)
            except TimeoutError:
                return None
            if self._behind:
                raise Lost
            if message is None:
                raise Ended
            if message.position > self._seen:  # else it was among the missed ones
                return message

    def put(self, message: Message | None) -> None:
        if message is not None and not self._wanted(message):
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._behind = True


class Live:
    """`render` turns changes into messages, inside the snapshot they were read in. Used on one event loop."""

    def __init__(
        self,
        database: Database,
        render: Renderer,
        scopes: Sequence[str] = (feed.BOARD,),
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database = database
        self._render = render
        self._scopes = tuple(scopes)
        self._poll_seconds = poll_seconds
        self._streams: set[Stream] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self.also: list[Callable[[Collection[str]], None]] = []
        """Others who want to be woken with us."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Live]:
        """For the application's lifespan. Leaving it ends every stream."""
        self._wake = asyncio.Event()  # it belongs to the loop it is first awaited on
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        position = await run_in_threadpool(self._head)
        task = asyncio.create_task(self._follow_feed(position), name="live feed")
        try:
            yield self
        finally:
            # Not cancelled: its thread would go on with a connection that nobody closes any more.
            self._stopping = True
            self._wake.set()
            await task
            for stream in self._streams:
                stream.put(None)
            self._loop = None

    def wake(self, scopes: Collection[str] = ()) -> None:
        """Look at the feed now: something was committed here. May be called from any thread.

        `scopes`: for whom, besides the pages, as far as that is known.
        """
        for wake in self.also:
            wake(scopes)
        if self._loop is not None and self._streams:
            with suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._wake.set)

    @contextmanager
    def listening(self, wanted: Wanted) -> Iterator[Stream]:
        """A stream of what `wanted` asks for. Listen first, read afterwards, and nothing falls in between."""
        stream = Stream(self, wanted)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def missed(self, after: Position) -> Sequence[Message]:
        """Everything after a position. Raises Lost."""
        with self._database.read() as session:
            if after > feed.head(session):
                raise Lost
            changes = feed.read(session, self._scopes, after, READ_MAX)
            if len(changes) == READ_MAX:
                raise Lost
            return self._render(session, changes)

    def _head(self) -> Position:
        with self._database.read() as session:
            return feed.head(session)

    async def _follow_feed(self, position: Position) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                position, messages, more = await run_in_threadpool(self._next, position)
            except SQLAlchemyError:
                # A database that is away for a while must not end the live pages for good.
                log.exception("the live feed could not be read; trying again")
                await asyncio.sleep(1)
                continue
            for message in messages:
                for stream in self._streams:
                    stream.put(message)
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._poll_seconds)

    def _next(self, after: Position) -> tuple[Position, Sequence[Message], bool]:
        with self._database.read() as session:
            if not self._streams:
                # Nobody to tell. Who comes while this is read listens from the place before it.
                head = feed.head(session)
                return (after if self._streams else head), (), False
            changes = feed.read(session, self._scopes, after, READ_MAX)
            if not changes:
                return feed.or_head(session, after), (), False
            return changes[-1].position, self._render(session, changes), len(changes) == READ_MAX


def newest_of_each(changes: Sequence[Change]) -> list[tuple[Change, tuple[str, ...]]]:
    """One entry for each thing that changed, in order of its newest change, with all its topics in order."""
    topics: dict[tuple[str, str], list[str]] = {}
    newest: dict[tuple[str, str], Change] = {}
    for change in changes:
        thing = (change.kind, change.key)
        topics.setdefault(thing, []).append(change.topic)
        newest.pop(thing, None)
        newest[thing] = change
    return [(change, tuple(topics[thing])) for thing, change in newest.items()]
