"""Device to device: a note on a technician's phone A, until their tablet B, on a poll, has it on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.peers.pouch import PouchServer
from bench.syncing import crew
from bench.syncing.device import Counting, Device, clock
from bench.syncing.figure import figure, percentile
from bench.syncing.site import Site
from world import Job, Phone

from shared.commands import AddNote
from sync.protocol import PROTOCOL, SyncRequest, decode_response, encode

ROUNDS, ROUNDS_QUICK = 100, 12
WAIT_SECONDS = 50
PAUSE_SECONDS = 0.2  # a device may ask ten times a second
POLL_SECONDS = 0.15
JOBS = 40  # the notes go round, so that no card grows long
NOTE = "The key is at the neighbour's " * 15  # 450 letters, as the peer's document


def figures(site: Site) -> Iterator[dict[str, Any]]:
    rounds = ROUNDS_QUICK if site.quick else ROUNDS
    site.say(f"device to device, {rounds} rounds")
    with site.world() as world:
        (a,) = crew.hire(world, ["Writer Test"], onts=3)
        b = crew.second_device(world, a)
        (jobs,) = crew.give_installations(world, [a], JOBS)
        with site.server(world) as server:
            spent = asyncio.run(_rounds(site, server.url, a, b, jobs, rounds))
    with PouchServer(site.folder / "pouch-live") as peer:
        theirs = peer.run("live", database="live", rounds=rounds, pause=PAUSE_SECONDS * 1000)["spent"]
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        yield figure(
            f"{site.engine}: device to device, {name}, from the tap to the other's disk",
            percentile(spent, share) * 1000, "ms", peer="PouchDB live replication through express-pouchdb",
            peer_value=percentile(theirs, share), floor="<= 1.5 of peer", aim="<= 0.8 of peer",
        )  # fmt: skip


async def _rounds(site: Site, url: str, a: Phone, b: Phone, jobs: list[Job], rounds: int) -> list[float]:
    writer = Device(a, Counting(url), site.folder / "live-a.db")
    reader = Device(b, Counting(url), site.folder / "live-b.db")
    await writer.sync()
    await reader.sync()
    arrivals: asyncio.Queue[float] = asyncio.Queue()
    waiting = asyncio.create_task(_wait_for_rows(reader, arrivals))
    await asyncio.sleep(0.5)
    spent = []
    for number in range(rounds):
        start = clock()
        writer.gateway.send(AddNote(work_order_id=jobs[number % JOBS].id, text=NOTE))
        sending = asyncio.create_task(writer.sync())
        arrived = asyncio.create_task(arrivals.get())
        await asyncio.wait([arrived, waiting], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        if not arrived.done():
            waiting.cancel()
            await waiting  # it knows why
        spent.append(arrived.result() - start)
        await sending
        await asyncio.sleep(PAUSE_SECONDS)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for device in (writer, reader):
        await device.transport.close()
        device.close()
    return spent


async def _wait_for_rows(device: Device, arrivals: asyncio.Queue[float]) -> None:
    """Ask with `wait_seconds`, store what comes, say when it was on disk, and ask again."""
    headers = {**device.phone.headers, "content-type": "application/json"}
    while True:
        now = datetime.now(UTC)
        request = SyncRequest(
            protocol=PROTOCOL, app_version="bench", device_now=now, queue_length=0,
            cursor=device.store.cursor, wait_seconds=WAIT_SECONDS,
        )  # fmt: skip
        answer = await device.transport.request("POST", "/sync", headers=headers, body=encode(request))
        if answer.status == 429:
            await asyncio.sleep(float(answer.headers["retry-after"]))
            continue
        assert answer.status == 200, answer
        response = decode_response(answer.body)
        device.store.apply(response, received_at=datetime.now(UTC), clock_offset=timedelta(0))
        if response.rows:
            arrivals.put_nowait(clock())
        elif datetime.now(UTC) - now < timedelta(seconds=1):  # it does not wait, so it is asked again
            await asyncio.sleep(POLL_SECONDS)
