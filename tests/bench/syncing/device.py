"""A device for benchmarks: the app's real gateway, engine and store, without its screens."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx
from world import Phone

from mobile.gateway import Gateway, SyncReport
from shared.commands import FieldCommand
from sync.client.records import Registration
from sync.client.store import ClientStore
from sync.client.transport import Answer, NoNetwork, Transport

TIMEOUT_SECONDS = 300


class Counting:
    """The httpx transport, which also counts what came down: packed body bytes, and requests."""

    def __init__(self, url: str, *, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS)
        self.body_bytes_down = 0
        self.requests = 0

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.requests += 1
        try:
            request = self._client.build_request(method, path, headers=dict(headers), content=body or None)
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            raise NoNetwork(str(error)) from error
        self.body_bytes_down += response.num_bytes_downloaded
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=lower, body=response.content)

    async def close(self) -> None:
        await self._client.aclose()


class Device:
    """`phone`'s gateway on a store of its own. `file`: durable, as the app keeps it; None: in memory."""

    def __init__(self, phone: Phone, transport: Transport, file: Path | None = None) -> None:
        self._connection = sqlite3.connect(file or ":memory:")
        if file:  # as mobile/device/storage.py opens it
            self._connection.execute("PRAGMA journal_mode=TRUNCATE")
        self.phone = phone
        self.store = ClientStore(self._connection)
        self.transport = transport
        self.gateway = Gateway(self.store, transport)
        self.store.register(
            Registration(
                device_id=phone.device_id, token=phone.token, technician_id=phone.technician_id,
                technician_name=phone.name,
            )
        )  # fmt: skip

    async def sync(self) -> SyncReport:
        """Until all is said. Raises RuntimeError when the server could not be talked to."""
        report = await self.gateway.sync()
        if report.problem or not report.online:
            raise RuntimeError(f"{self.phone.name} could not sync: {report}")
        return report

    def queue(self, commands: Iterable[FieldCommand]) -> None:
        """Tap after tap, through the app's rules. The taps are not what is measured, so they don't wait."""
        self._connection.execute("PRAGMA synchronous=OFF")
        for command in commands:
            self.gateway.send(command)
        self._connection.execute("PRAGMA synchronous=FULL")

    def rows(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM image").fetchone()[0]
        return count

    def row_bytes(self) -> list[tuple[str, str, bytes]]:
        """(kind, key, JSON) of every row that came down."""
        query = "SELECT kind, key, body FROM image ORDER BY kind, key"
        return [(kind, key, bytes(body)) for kind, key, body in self._connection.execute(query)]

    def evidence_bytes(self) -> int:
        """Of all pictures that are kept here."""
        size: int = self._connection.execute(
            "SELECT coalesce(sum(length(body)), 0) FROM evidence"
        ).fetchone()[0]
        return size

    def close(self) -> None:
        self._connection.close()


def clock() -> float:
    return time.perf_counter()
