"""The server as a process that can die: the real exchange, attachments and registration on a SQLite file.

It stands where the web framework stands in production: it takes a method, a path and bytes, and gives a
status and bytes. Whatever it does takes no simulated time; the network does.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from simulation.trace import Trace
from simulation.violation import Violation, require
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tus_door import upload_request

from server.access import devices
from server.access.limits import Limits
from server.access.tokens import digest
from server.attachments.filing import Attachments
from server.clock import utc_now
from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from server.field import exchange
from server.settings import Settings
from shared.problems import Malformed, NotFound, Problem, ServerFault, TooMany
from sync.client.transport import Answer
from sync.protocol import PROTOCOL_MIN, SyncResponse, encode
from sync.server.ports import TryAgain

PAGE_OF_A_PROXY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class ServerDied(BaseException):
    """The process is gone; its transaction is rolled back, its memory is lost."""


class NobodyHome(Exception):
    """The server does not run."""


@dataclass(slots=True)
class Fate:
    """What happens to the server during the next request. Counts down statements and commits."""

    die_at_statement: int = 0
    busy_at_statement: int = 0
    die_before_commit: int = 0
    die_after_commit: int = 0

    def statement(self) -> None:
        if self.die_at_statement:
            self.die_at_statement -= 1
            if not self.die_at_statement:
                raise ServerDied
        if self.busy_at_statement:
            self.busy_at_statement -= 1
            if not self.busy_at_statement:
                raise sqlite3.OperationalError("database is locked")

    def before_commit(self) -> None:
        if self.die_before_commit:
            self.die_before_commit -= 1
            if not self.die_before_commit:
                raise ServerDied

    def after_commit(self) -> None:
        if self.die_after_commit:
            self.die_after_commit -= 1
            if not self.die_after_commit:
                raise ServerDied


class Host:
    """One server on one file. `observe` sees each answer of /sync the moment it is made."""

    def __init__(self, file: Path, settings: Settings, trace: Trace, time: Callable[[], float]) -> None:
        self.file = file
        self.settings = settings
        self._trace = trace
        self._time = time
        self._fate = Fate()
        self._running: Database | None = None
        self._limits = Limits(settings.device_requests_per_second)
        self.protocol_min = PROTOCOL_MIN
        """Raised when the office has had enough of old apps."""
        self.observe: list[Callable[[str | None, bytes, SyncResponse], None]] = []
        self.boots = 0
        self.statements = 0
        self.exchanges = 0
        self.exchanges_max = sys.maxsize
        """More than this many can't be needed: somebody goes round in circles."""
        self.start()

    # The process

    @property
    def up(self) -> bool:
        return self._running is not None

    @property
    def database(self) -> Database:
        if self._running is None:
            raise NobodyHome
        return self._running

    def start(self) -> None:
        database = Database(self.settings.database_url)
        event.listen(database.engine, "connect", _no_disk_to_wait_for)
        event.listen(database.engine, "do_execute", self._on_statement)
        event.listen(database.engine, "do_execute_no_params", self._on_plain_statement)
        event.listen(database.engine, "do_executemany", self._on_statement)
        event.listen(database.engine, "commit", lambda _connection: self._fate.before_commit())
        event.listen(database.writing, "after_commit", lambda _session: self._fate.after_commit())
        self._running = database
        self._limits = Limits(self.settings.device_requests_per_second)  # in memory: a restart forgives
        self.boots += 1

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None

    @contextmanager
    def fated(self, fate: Fate) -> Iterator[None]:
        """Within this block the server meets `fate`. Raises ServerDied, and then it does not run any more."""
        self._fate = fate
        try:
            yield
        except ServerDied:
            self._fate = Fate()
            self._trace.add(self._time(), "server", "died")
            self.stop()
            raise
        finally:
            self._fate = Fate()

    def _on_statement(self, _cursor: Any, _statement: str, _parameters: Any, _context: Any) -> None:
        self.statements += 1
        self._fate.statement()

    def _on_plain_statement(self, _cursor: Any, _statement: str, _context: Any) -> None:
        self.statements += 1
        self._fate.statement()

    # A backup, and what comes after it

    def backup(self) -> bytes:
        with sqlite3.connect(self.file) as connection:
            image = connection.serialize()
        connection.close()
        return image

    def restore(self, image: bytes) -> None:
        """Put a copy back, as operators do: stop, replace the file, start. The epoch is the backup's."""
        self.stop()
        for ending in ("-wal", "-shm"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)
        self.file.write_bytes(image)
        self.start()

    def exhaust(self, headers: Mapping[str, str]) -> None:
        """Something else on this phone, a copy of the app perhaps, asks until the server has had enough."""
        names = {name.lower(): value for name, value in headers.items()}
        for limit in (self._limits.syncs, self._limits.uploads):
            assert limit is not None
            with contextlib.suppress(TooMany):
                while True:
                    limit.take(_who(names), utc_now())

    # Its doors

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request. Raises NobodyHome, or ServerDied where a fate says so."""
        database = self.database
        names = {name.lower(): value for name, value in headers.items()}
        try:
            return self._route(database, method, path, names, body)
        except Violation:
            raise  # it is ours, not the server's
        except Problem as problem:
            return _refusal(problem)
        except (OperationalError, PoolTimeout, TryAgain):
            return _refusal(ServerFault("The database is busy: try again in a moment"), 503)
        except Exception as error:
            self._trace.add(self._time(), "server", "error", type(error).__name__, str(error)[:200])
            return _refusal(ServerFault("Something went wrong on our side"), 500)

    def _route(
        self, database: Database, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        token = devices.bearer(headers.get("authorization"))
        self._count(path, headers)
        if headers.get("content-encoding") == "gzip":
            body = _unpacked(body)
        if (method, path) == ("POST", "/sync"):
            self.exchanges += 1
            detail = f"{self.exchanges} requests, and still there is something to say"
            require(self.exchanges <= self.exchanges_max, "EVERY_INTENT_DECIDED", detail)
            found = exchange.exchange(
                database, self.settings, token, body, utc_now(), protocol_min=self.protocol_min
            )
            for look in self.observe:
                look(token, body, found.response)
            return _json(200, encode(found.response))
        if (method, path) == ("POST", "/api/devices/register"):
            return self._register(database, body)
        if (method, path) == ("POST", "/api/devices/wiped"):
            with database.write() as session:
                devices.confirm_wipe(session, token, utc_now())
            return Answer(status=204, headers={}, body=b"")
        if path.startswith(("/api/attachments/", "/api/uploads")):
            room = Attachments.of(database, self.settings)
            status, told, said = upload_request(room, method, path, headers, body, utc_now(), token=token)
            return Answer(status=status, headers=told, body=said)
        raise NotFound(f"There is no {path}")

    def _count(self, path: str, headers: Mapping[str, str]) -> None:
        """As the routes do, before anything is read. Raises TooMany."""
        if path == "/sync":
            limit = self._limits.syncs
        elif path.startswith("/api/uploads"):
            limit = self._limits.uploads
        else:
            return
        assert limit is not None
        limit.take(_who(headers), utc_now())

    def _register(self, database: Database, body: bytes) -> Answer:
        try:
            asked = json.loads(body)
            code, name, platform = asked["code"], asked["device_name"], asked["platform"]
            unsent_of = asked.get("unsent_of")
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed("This is no registration") from error
        with database.write() as session:
            device, token = devices.register(
                session,
                code,
                name,
                platform,
                utc_now(),
                life=timedelta(days=self.settings.device_token_days),
                unsent_of=UUID(unsent_of) if unsent_of else None,
            )
            technician = session.get_one(TechnicianRow, device.technician_id)
            answer = {
                "device_id": str(device.id),
                "token": token,
                "technician": {"id": str(technician.id), "name": technician.name},
            }
        return _json(201, json.dumps(answer).encode())


def _no_disk_to_wait_for(connection: Any, _record: object) -> None:
    """The machine does not lose power here, only the process dies: what is committed is in the file."""
    connection.execute("PRAGMA synchronous=OFF")


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompress(body, zlib.MAX_WBITS | 16)
    except zlib.error as error:
        raise Malformed("The request is not gzip") from error


def _who(headers: Mapping[str, str]) -> str:
    """Whose requests are counted together; `headers` in lower case."""
    return digest(headers.get("authorization", "nobody"))


def _json(status: int, body: bytes) -> Answer:
    return Answer(status=status, headers={"content-type": "application/json"}, body=body)


def _refusal(problem: Problem, status: int | None = None) -> Answer:
    body = problem.as_json() | {"status": status or problem.status}
    headers = {"content-type": "application/problem+json"}
    if isinstance(problem, TooMany) and problem.retry_seconds:
        headers["retry-after"] = str(problem.retry_seconds)
    return Answer(
        status=status or problem.status,
        headers=headers,
        body=json.dumps(body).encode(),
    )


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


__all__ = ["Fate", "Host", "NobodyHome", "ServerDied", "remove"]
