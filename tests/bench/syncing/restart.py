"""kill -9 with 200 clients at work, a new start at once: until the first of them has its answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
from bench.peers.pouch import PouchServer
from bench.syncing import crew
from bench.syncing.device import clock
from bench.syncing.figure import figure
from bench.syncing.site import Site
from sqlalchemy import func, select
from world import World

from server.db.feed_models import CommandRow
from shared.commands import Arrive, StartTravel
from sync.protocol import PROTOCOL, SyncRequest, decode_response, encode

CLIENTS, CLIENTS_QUICK = 200, 40
RETRY_SECONDS = 0.5
Ask = Callable[[httpx.AsyncClient, int], Awaitable[bool]]


def figures(site: Site) -> Iterator[dict[str, Any]]:
    clients = CLIENTS_QUICK if site.quick else CLIENTS
    site.say(f"kill -9 with {clients} clients at work")
    with site.world() as world:
        phones = crew.hire(world, [f"Waiter{number:03d} Test" for number in range(clients)], onts=1)
        jobs = [job for (job,) in crew.give_installations(world, phones, 1)]
        queues = [
            phone.envelopes(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id), start=world.now)
            for phone, job in zip(phones, jobs, strict=True)
        ]

        async def ask(client: httpx.AsyncClient, number: int) -> bool:
            """Both commands again and again, as a phone does that never heard an answer."""
            request = SyncRequest(
                protocol=PROTOCOL, app_version="bench", device_now=datetime.now(UTC), queue_length=2,
                commands=tuple(queues[number]),
            )  # fmt: skip
            answer = await client.post("/sync", content=encode(request), headers=phones[number].headers)
            if answer.status_code != 200:
                return False
            return {item.outcome for item in decode_response(answer.content).receipts} == {"accepted"}

        with site.server(world) as server:
            first, last = asyncio.run(_crash(server.url, clients, ask, server.kill, server.start))
        _check(world, clients)
    peer = _peer(site, clients)
    yield figure(
        f"{site.engine}: from start after kill -9 to the first decided command, {clients} clients waiting",
        first, "s", digits=3, peer="express-pouchdb, to the first stored document", peer_value=peer,
        floor="< 3", aim="< 1.5",
    )  # fmt: skip
    yield figure(f"{site.engine}: the same, until all {clients} have their answer", last, "s", digits=3)


def _check(world: World, clients: int) -> None:
    with world.database.read() as session:
        booked = session.scalar(select(func.count()).where(CommandRow.outcome == "accepted"))
    assert booked == 2 * clients, f"{booked} commands are booked, not {2 * clients}"


def _peer(site: Site, clients: int) -> float:
    async def ask(client: httpx.AsyncClient, number: int) -> bool:
        answer = await client.put(f"/crash/doc-{number}", json={"text": "x" * 400})
        return answer.status_code in (201, 409)  # 409: it was stored before the crash

    with PouchServer(site.folder / "pouch-crash") as server:
        httpx.put(f"{server.url}crash", timeout=30).raise_for_status()
        first, _ = asyncio.run(_crash(server.url, clients, ask, server.kill, server.start))
    return first


async def _crash(
    url: str, clients: int, ask: Ask, kill: Callable[[], None], start: Callable[[], None]
) -> tuple[float, float]:
    """Seconds from the new start to the first and to the last answer."""
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    answered: list[float] = []
    dead = asyncio.Event()

    async def insist(client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(number)
        await dead.wait()
        while True:
            try:
                if await ask(client, number):
                    answered.append(clock())
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(RETRY_SECONDS * (0.5 + chance.random()))

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        # Some are being answered while it dies.
        at_work = [asyncio.create_task(ask(client, number)) for number in range(clients)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(kill)
        await asyncio.gather(*at_work, return_exceptions=True)
        waiting = [asyncio.create_task(insist(client, number)) for number in range(clients)]
        dead.set()
        await asyncio.sleep(2 * RETRY_SECONDS)
        begun = clock()
        await asyncio.gather(asyncio.to_thread(start), *waiting)
    return min(answered) - begun, max(answered) - begun
