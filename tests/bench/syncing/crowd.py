"""200 devices come back at once, then 1,000: 150 rows each, 20 changed meanwhile, 5 commands queued."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from bench.peers.pouch import PouchServer, documents
from bench.syncing import crew
from bench.syncing.device import TIMEOUT_SECONDS, Counting, Device, clock
from bench.syncing.figure import figure
from bench.syncing.site import Site
from sqlalchemy import func, select, update
from world import Job, Phone, World, settle

from server.db import feed
from server.db.feed_models import CommandRow
from server.work_orders.models import WorkOrderRow
from sync.protocol import encode

FEW, MANY = 200, 1_000
FEW_QUICK, MANY_QUICK = 20, 60
SCOPE, BEHIND, COMMANDS = 150, 20, 5
ORDERS, ON_SITE = 24, 2
TRIES_MAX = 20
MIB = 2**20
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For a thousand clients that speak no TLS: to load the list of authorities takes 20 ms each."""
PEER = "PouchDB clients in memory, one database each on express-pouchdb"


def figures(site: Site) -> Iterator[dict[str, Any]]:
    few, many = (FEW_QUICK, MANY_QUICK) if site.quick else (FEW, MANY)
    site.say(f"{few} and {many} devices back at once")
    with site.world() as world:
        onts = SCOPE - crew.PROFILE_AND_STOCK - ORDERS - ORDERS * ON_SITE - 1
        phones = crew.hire(world, [f"Crew{number:04d} Test" for number in range(many)], onts=onts)
        given = crew.give_installations(world, phones, ORDERS, on_site=ON_SITE)
        with site.server(world) as server:
            first, then, sample, failed, peak = asyncio.run(
                _days(site, world, server.url, server.pid, phones, given, few)
            )
        with world.database.read() as session:
            accepted = session.scalar(select(func.count()).where(CommandRow.outcome == "accepted"))
        sent = COMMANDS * (few + many)
        assert accepted == sent, f"{accepted} of {sent} commands were accepted"
    peer = _peer(site, sample, few)
    yield figure(
        f"{site.engine}: {few} devices back at once, to fully synced", first, "s", digits=3, peer=PEER,
        peer_value=peer, floor="<= 0.3 of peer", aim="<= 0.1 of peer",
    )  # fmt: skip
    yield figure(
        f"{site.engine}: {many} devices back at once", then, "s", digits=3,
        peer=f"{few} devices, ours, this run", peer_value=first,
        **_scaled(few, many),
    )  # fmt: skip
    yield figure(f"{site.engine}: devices that failed of {many}", failed, "devices", floor="== 0", aim="== 0")
    yield figure(
        f"{site.engine}: most memory of the server with {many} devices", peak / MIB, "MiB", digits=0,
        floor="< 600", aim="< 600",
    )  # fmt: skip


def _scaled(few: int, many: int) -> dict[str, str]:
    """The floor of 6 and the aim of 5 are for five times the devices."""
    return {"floor": f"<= {6 / 5 * many / few:g} of peer", "aim": f"<= {many / few:g} of peer"}


async def _days(
    site: Site,
    world: World,
    url: str,
    pid: int,
    phones: list[Phone],
    given: list[list[Job]],
    few: int,
) -> tuple[float, float, tuple[list[Any], list[Any]], int, int]:
    async with AsyncExitStack() as opened:
        devices = []
        for phone in phones:
            # Each its own, as phones have: one pool for all looks through all of them at each request.
            client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, verify=PLAIN)
            await opened.enter_async_context(client)
            devices.append(Device(phone, Counting(url, client=client)))
        for start in range(0, len(devices), 8):
            await asyncio.gather(*(device.sync() for device in devices[start : start + 8]))
        assert {device.rows() for device in devices} == {SCOPE}
        first_rows = devices[0].row_bytes()
        site.say("all have their first rows")
        _tap(world, devices[:few], given, job=0)
        commands = [encode(command) for command in devices[0].store.due()]
        first, failed = await _all_at_once(world, devices[:few], given)
        assert failed == 0, f"{failed} of {few} devices failed"
        _tap(world, devices, given, job=1)
        then, failed = await _all_at_once(world, devices, given)
        peak = int(_status(pid)["VmHWM"].split()[0]) * 1024
        for device in devices:
            device.close()
    return first, then, (first_rows, commands), failed, peak


def _tap(world: World, devices: list[Device], given: list[list[Job]], *, job: int) -> None:
    """Each starts one visit offline: travel, arrival, a device fitted, two measurements."""
    for device, jobs in zip(devices, given, strict=False):
        visit = world.visit(jobs[job], fit=crew.ont(device.phone, job + 1))
        device.queue(visit[:COMMANDS])


async def _all_at_once(world: World, devices: list[Device], given: list[list[Job]]) -> tuple[float, int]:
    """Seconds until the last device has sent all and holds every change; and how many could not."""
    for device, jobs in zip(devices, given, strict=False):
        _office_touches(world, device.phone, jobs[-BEHIND:])
    settle(world.database)
    start = clock()
    results = await asyncio.gather(*(_back(device) for device in devices))
    seconds = clock() - start
    for trouble in [result for result in results if result][:5]:
        print(f"failed: {trouble}", file=sys.stderr)
    return seconds, sum(1 for result in results if result)


async def _back(device: Device) -> str | None:
    """Until all is said; a server that asks to come later is obeyed. What went wrong, or None."""
    accepted = held = rows = 0
    for _ in range(TRIES_MAX):
        report = await device.gateway.sync()
        accepted, held, rows = accepted + report.accepted, held + report.held, rows + report.rows
        if report.drained:
            break
        if report.retry_in_seconds is None:
            break
        await asyncio.sleep(report.retry_in_seconds)
    fine = report.drained and (accepted, held) == (COMMANDS, 0) and rows >= BEHIND
    return None if fine else f"{accepted} accepted, {held} held, {rows} rows; {report}"


def _office_touches(world: World, phone: Phone, jobs: list[Job]) -> None:
    """Twenty orders of this technician change, as when the office moves the afternoon."""
    scope = feed.technician_scope(phone.technician_id)
    with world.database.write() as session:
        session.execute(
            update(WorkOrderRow)
            .where(WorkOrderRow.id.in_([job.id for job in jobs]))
            .values(version=WorkOrderRow.version + 1, travel_minutes=WorkOrderRow.travel_minutes + 1)
        )
        for job in jobs:
            feed.append(
                session, [scope], "work_order", job.id, "Touched", at=world.now, actor="The office", facts={}
            )


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _peer(site: Site, sample: tuple[list[Any], list[Any]], devices: int) -> float:
    rows, commands = sample
    scope = documents(site.folder / "scope.ndjson", [(f"{kind}:{key}", body) for kind, key, body in rows])
    queue = documents(
        site.folder / "queue.ndjson", [(json.loads(command)["id"], command) for command in commands]
    )
    with PouchServer(site.folder / "pouch-crowd") as server:
        answer = server.run(
            "crowd", devices=devices, scope=str(scope), behind=BEHIND, commands=str(queue), seconds=900
        )
    return float(answer["ms"]) / 1000
