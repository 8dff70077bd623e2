"""Uploads that are under way: files that grow, `folder/TECHNICIAN/DIGEST.LENGTH`.

The file is all the state there is. Its size is the offset and its name holds the rest, so that a server that
starts again, or another one on the same folder, goes on where the bytes ended. Nothing holds a lock for
longer than it takes to write one piece: a phone that comes back on a new connection never waits for its old
one, which the network may not have told us is dead.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from server.attachments.pictures import check_size
from server.attachments.store import StoreAway
from server.clock import utc_now
from shared.problems import BadEvidence, TooMany

LIFE = timedelta(days=7)
SWEEP_SECONDS = 24 * 60 * 60
OPEN_MAX = 200
OPEN_BYTES_MAX = 500 * 2**20
RETRY_SECONDS = 300
SYNC_BYTES = 256 * 1024
"""What a power cut may cost. A killed process costs less, for each piece is handed to the disk at once."""


class WrongOffset(Exception):
    """The file ends elsewhere."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Partial:
    """One upload under way. `length` is what was announced. Raises FileNotFoundError once it is gone."""

    path: Path
    length: int

    @property
    def offset(self) -> int:
        return self.path.stat().st_size

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC) + LIFE

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


class Growing:
    """Bytes that are added to `partial` from `offset` on. Use as a context; leaving it makes them safe.

    Raises WrongOffset when the file does not end there, also when somebody else moved the end meanwhile.
    """

    def __init__(self, partial: Partial, offset: int, now: datetime) -> None:
        self.partial = partial
        self.offset = offset
        self._now = now
        self._unsafe_bytes = 0
        self._handle = os.open(partial.path, os.O_WRONLY)
        try:
            self._check_end()
        except WrongOffset:
            os.close(self._handle)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.make_safe()
            os.utime(self._handle, (self._now.timestamp(), self._now.timestamp()))
        finally:
            os.close(self._handle)

    def add(self, piece: bytes) -> None:
        """Raises BadEvidence for more than was announced, StoreAway when the disk takes no more."""
        if self.offset + len(piece) > self.partial.length:
            self.partial.discard()
            raise BadEvidence("More bytes came than were announced: start again", field="body")
        try:
            with _locked(self._handle):
                self._check_end()
                os.lseek(self._handle, self.offset, os.SEEK_SET)
                rest = memoryview(piece)
                while rest:
                    written = os.write(self._handle, rest)
                    self.offset += written
                    self._unsafe_bytes += written
                    rest = rest[written:]
            if self._unsafe_bytes >= SYNC_BYTES:
                self.make_safe()
        except OSError as error:
            raise StoreAway(str(error)) from error

    def make_safe(self) -> None:
        """On disk for good, whatever happens to the power."""
        if self._unsafe_bytes:
            os.fsync(self._handle)
            self._unsafe_bytes = 0

    def _check_end(self) -> None:
        if (end := os.fstat(self._handle).st_size) != self.offset:
            raise WrongOffset(end)


class Partials:
    """All uploads under way in `folder`. A technician's own are apart from everybody else's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, technician_id: UUID, digest: str) -> Partial | None:
        return next((one for one in self._of(technician_id) if one.path.stem == digest), None)

    def begin(self, technician_id: UUID, digest: str, length: int, now: datetime) -> Partial:
        """A place for `length` bytes: the one that is there already, else a new one.

        Raises BadEvidence for a length that can't be kept, TooMany when this technician has too many open.
        """
        check_size(length)
        others = []
        for known in self._of(technician_id):
            if known.path.stem != digest:
                others.append(known)
            elif known.length == length:
                return known
            else:
                known.discard()  # the same bytes can't have two lengths: what was said last holds
        if len(others) >= OPEN_MAX or sum(one.length for one in others) + length > OPEN_BYTES_MAX:
            raise TooMany(
                f"{len(others)} photos of yours are half sent. Nothing is lost: finish sending some of them",
                retry_seconds=RETRY_SECONDS,
            )
        fresh = Partial(self._folder / str(technician_id) / f"{digest}.{length}", length)
        try:
            fresh.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.path.touch(mode=0o600)
            os.utime(fresh.path, (now.timestamp(), now.timestamp()))
        except OSError as error:
            raise StoreAway(str(error)) from error
        return fresh

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """For the application's lifespan: sweep now and once a day."""
        stopping = asyncio.Event()

        async def daily() -> None:
            while not stopping.is_set():
                await run_in_threadpool(self.sweep, utc_now())
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), SWEEP_SECONDS)

        task = asyncio.create_task(daily(), name="sweep of uploads")
        try:
            yield
        finally:
            stopping.set()
            await task

    @contextmanager
    def whole(self, length_max: int, now: datetime) -> Iterator[Growing]:
        """A nameless place for bytes that come in one request, gone afterwards."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix="whole-")
        except OSError as error:
            raise StoreAway(str(error)) from error
        os.close(handle)
        partial = Partial(Path(name), length_max)
        try:
            with Growing(partial, 0, now) as growing:
                yield growing
        finally:
            partial.discard()

    def sweep(self, now: datetime) -> int:
        """Throw away what nobody went on with for a week. Returns how many."""
        swept = 0
        for path in self._folder.rglob("*") if self._folder.is_dir() else ():
            try:
                if path.is_file() and datetime.fromtimestamp(path.stat().st_mtime, UTC) + LIFE <= now:
                    path.unlink()
                    swept += 1
            except FileNotFoundError:
                continue  # it was completed at this very moment
        return swept

    def _of(self, technician_id: UUID) -> Iterator[Partial]:
        try:
            paths = list((self._folder / str(technician_id)).iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            yield Partial(path, int(path.suffix[1:]))


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
