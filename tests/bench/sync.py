"""How fast the server books what phones send: 50 devices at once over HTTP, on SQLite and on PostgreSQL.

The peer is the least that a durable server could do on the same database in the same run: one row inserted
and committed for each command, by one writer, without HTTP, rules or consequences. Client, server and
database share this machine's cores.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import databases
import httpx
from real_server import RealServer, free_port
from sqlalchemy import func, select, text
from world import World

from server.db.engine import Database
from server.db.feed_models import CommandRow
from sync.protocol import PROTOCOL, SyncRequest, decode_response, encode
from sync.server.push import answer

DEVICES = 50
JOBS = 3  # each van of the test world carries three ONTs
BARE_COMMITS = 600


def figures(quick: bool) -> list[dict[str, Any]]:
    devices = 20 if quick else DEVICES
    return [figure for engine in databases.ENGINES for figure in _on(engine, devices)]


def _on(engine: databases.Engine, devices: int) -> Iterator[dict[str, Any]]:
    print(f"{engine}: {devices} devices, {JOBS} jobs each", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="truckroll-bench-") as folder:
        path = Path(folder)
        with databases.migrated_database(engine, path) as url:
            yield from _figures(engine, url, path, devices)


def _figures(engine: str, url: str, folder: Path, devices: int) -> Iterator[dict[str, Any]]:
    # One technician more than phones at work: their closes are measured alone, inside this process.
    world = World(
        url, crew=[f"Tech{number:03d} Test" for number in range(devices + 1)], now=datetime.now(UTC),
        data_folder=folder,
    )  # fmt: skip
    *crew, alone = world.phones
    pushes = {phone.name: _pushes(world, phone) for phone in crew}
    closes = _cost_of_closes(world, alone)
    bare = _bare_commits_a_second(world.database)
    with _running(replace(world.settings, log_level="WARNING"), folder) as server:
        latencies, seconds, first = asyncio.run(_drive(server.url, crew, pushes))
    with world.database.read() as session:
        accepted = int(session.scalar(select(func.count()).where(CommandRow.outcome == "accepted")) or 0)
        held = int(session.scalar(select(func.count()).where(CommandRow.outcome == "held")) or 0)
    world.close()
    sent = sum(len(commands) for jobs in pushes.values() for commands in jobs)
    assert held == 0, f"{held} commands were held"
    rate = sent / seconds
    latencies.sort()
    yield {
        "name": f"{engine}: commands accepted a second, {devices} devices",
        "value": round(rate, 1),
        "unit": "1/s",
        "peer": "bare one-row commits, one writer, no HTTP",
        "peer_value": round(bare, 1),
    }
    yield _ms(f"{engine}: one push of a whole visit and its pull, p50", latencies[len(latencies) // 2])
    yield _ms(f"{engine}: one push of a whole visit and its pull, p99", latencies[int(len(latencies) * 0.99)])
    yield _ms(f"{engine}: first pull of a device, p50", statistics.median(first))
    close = statistics.median(closes)
    yield _ms(f"{engine}: a close with all its consequences, median, alone", close) | {
        "peer": "one bare one-row commit",
        "peer_value": round(1000 / bare, 2),
    }
    yield {"name": f"{engine}: commands sent", "value": sent, "unit": "commands"}
    in_database = accepted - len(closes) * 9
    yield {
        "name": f"{engine}: commands booked, from the database",
        "value": in_database,
        "unit": "commands",
        "peer": "commands sent",
        "peer_value": sent,
        "met": in_database == sent,
    }


def _ms(name: str, seconds: float) -> dict[str, Any]:
    return {"name": name, "value": round(seconds * 1000, 2), "unit": "ms"}


def _pushes(world: World, phone: Any) -> list[list[Any]]:
    """One list of envelopes for each visit."""
    pushes = []
    for number in range(1, JOBS + 1):
        job = world.order(phone=phone)
        serial = f"{phone.ont[:-4]}{number:04d}"
        pushes.append(phone.envelopes(*world.visit(job, fit=serial), start=world.now, step_minutes=0))
    return pushes


def _cost_of_closes(world: World, phone: Any) -> list[float]:
    """Seconds of one whole transaction of CloseWorkOrder, nobody else at work."""
    costs = []
    for commands in _pushes(world, phone):
        now = datetime.now(UTC)
        for pushed in commands:
            start = time.perf_counter()
            receipt = answer(pushed, phone.units(), offset=now - now, now=now)
            spent = time.perf_counter() - start
            assert receipt.outcome == "accepted", receipt
        costs.append(spent)
    return costs


def _bare_commits_a_second(database: Database) -> float:
    with database.write() as session:
        session.execute(text("CREATE TABLE bench_bare (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"))
    start = time.perf_counter()
    for number in range(BARE_COMMITS):
        with database.write() as session:
            session.execute(
                text("INSERT INTO bench_bare VALUES (:id, :body)"), {"id": number, "body": "x" * 300}
            )
    seconds = time.perf_counter() - start
    with database.write() as session:
        session.execute(text("DROP TABLE bench_bare"))
    return BARE_COMMITS / seconds


@contextmanager
def _running(settings: Any, folder: Path) -> Iterator[RealServer]:
    server = RealServer(settings, free_port(), folder / "server.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def _drive(
    url: str, crew: list[Any], pushes: dict[str, list[list[Any]]]
) -> tuple[list[float], float, list[float]]:
    """Latencies of pushes, seconds for all of them, latencies of the first pulls."""
    limits = httpx.Limits(max_connections=len(crew), max_keepalive_connections=len(crew))
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
        firsts = await asyncio.gather(*(_first_pull(client, phone) for phone in crew))
        start = time.perf_counter()
        done = await asyncio.gather(
            *(
                _work(client, phone, cursor, pushes[phone.name])
                for phone, (cursor, _) in zip(crew, firsts, strict=True)
            )
        )
        seconds = time.perf_counter() - start
    return [spent for one in done for spent in one], seconds, [spent for _, spent in firsts]


async def _first_pull(client: httpx.AsyncClient, phone: Any) -> tuple[str, float]:
    return await _sync(client, phone, None, [])


async def _work(client: httpx.AsyncClient, phone: Any, cursor: str, jobs: list[list[Any]]) -> list[float]:
    latencies = []
    for commands in jobs:
        cursor, spent = await _sync(client, phone, cursor, commands)
        latencies.append(spent)
    return latencies


async def _sync(
    client: httpx.AsyncClient, phone: Any, cursor: str | None, commands: list[Any]
) -> tuple[str, float]:
    request = SyncRequest(
        protocol=PROTOCOL,
        app_version="bench",
        device_now=datetime.now(UTC),
        queue_length=len(commands),
        cursor=cursor,
        commands=tuple(commands),
    )
    start = time.perf_counter()
    reply = await client.post("/sync", content=encode(request), headers=phone.headers)
    spent = time.perf_counter() - start
    reply.raise_for_status()
    response = decode_response(reply.content)
    assert all(receipt.outcome == "accepted" for receipt in response.receipts), response.receipts
    return response.cursor, spent
