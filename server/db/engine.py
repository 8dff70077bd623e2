"""One engine for either database, with the settings that make its promises true."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

from server.db import entries

READ_ONLY = "truckroll_read_only"

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a receipt says "booked": it must survive the power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=15000",
    "PRAGMA cache_size=-32000",
)


def make_engine(url: str) -> Engine:
    """An engine on `url` (`sqlite:///file.db` or `postgresql+psycopg://…`)."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    # A writer that idles in a transaction holds the feed back for everybody.
    options = "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=15000 -c timezone=UTC"
    return _engine(url, {"options": options})


def _engine(url: str, connecting: dict[str, Any]) -> Engine:
    return create_engine(
        url,
        # An error's text goes to the log, and the values of a row are people's names and notes.
        hide_parameters=True,
        pool_size=20,
        max_overflow=20,
        connect_args=connecting,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )


def _sqlite(url: str) -> Engine:
    if file := make_url(url).database:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = _engine(url, {"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that starts as a reader can fail half-way; IMMEDIATE makes it wait at the start instead,
        # and makes commit order the order of feed numbers.
        reading = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


class Database:
    """Sessions to write with and snapshots to read from."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self.is_postgresql = self.engine.dialect.name == "postgresql"
        reading: dict[str, Any] = {READ_ONLY: True}
        if self.is_postgresql:
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._turn: AbstractContextManager[object] = nullcontext() if self.is_postgresql else threading.Lock()
        self.writing = sessionmaker(self.engine, expire_on_commit=False)
        entries.attach(self.writing)
        self.reading = sessionmaker(
            self.engine.execution_options(**reading), autoflush=False, expire_on_commit=False
        )

    @contextmanager
    def write(self) -> Iterator[Session]:
        """`with database.write() as session:` commits on a clean exit, rolls back on any exception.

        SQLite has one writer, and those that wait for it poll with growing pauses, so that some wait for
        seconds while others overtake; within this process they queue for a lock instead.
        """
        with self._turn, self.writing.begin() as session:
            yield session

    def read(self) -> Any:
        """One consistent snapshot."""
        return self.reading.begin()

    def close(self) -> None:
        self.engine.dispose()


__all__ = ["Database", "Session", "make_engine"]
