"""A device comes back with 1,000 queued commands: whole visits, with all that they cause."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from typing import Any

from bench.peers.pouch import DEFAULTS, PouchServer, documents
from bench.syncing import crew
from bench.syncing.device import Counting, Device, clock
from bench.syncing.figure import figure
from bench.syncing.site import Site
from sqlalchemy import func, select
from world import Phone, World

from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow
from shared.commands import FieldCommand
from sync.protocol import encode

COMMANDS, COMMANDS_QUICK = 1_000, 300
A_VISIT = 9
CABLE_A_VISIT = 20
TRIES = 3


def figures(site: Site) -> Iterator[dict[str, Any]]:
    count = COMMANDS_QUICK if site.quick else COMMANDS
    site.say(f"push of {count} commands")
    visits = -(-count // A_VISIT)
    with site.world() as world:
        phones = crew.hire(
            world,
            [f"Pusher{number} Test" for number in range(TRIES)],
            onts=visits,
            cable=visits * CABLE_A_VISIT,
        )
        given = crew.give_installations(world, phones, visits)
        with site.server(world) as server:
            spent, envelopes = [], []
            for number, (phone, jobs) in enumerate(zip(phones, given, strict=True)):
                commands = [
                    command
                    for index, job in enumerate(jobs, 1)
                    for command in world.visit(job, fit=crew.ont(phone, index), cable=18, connectors=1)
                ][:count]
                path = site.folder / f"push-{number}.db"
                seconds, envelopes = asyncio.run(_push(phone, server.url, path, commands))
                spent.append(seconds)
        booked = _check(world, sent=count * TRIES, closes=TRIES * (count // A_VISIT))
    shipped = _peer(site, envelopes)
    seconds = statistics.median(spent)
    yield figure(
        f"{site.engine}: push of {count} commands with all consequences, to receipts on the device",
        seconds, "s", digits=3, peer=f"{DEFAULTS}, plain documents", peer_value=shipped,
        floor="<= 1 of peer", aim="<= 0.3 of peer",
    )  # fmt: skip
    yield figure(f"{site.engine}: commands decided a second, one device", count / seconds, "1/s", digits=0)
    yield figure(
        f"{site.engine}: commands booked once, from the database", booked, "commands", digits=0,
        peer="commands sent", peer_value=count * TRIES, met=booked == count * TRIES,
    )  # fmt: skip


async def _push(
    phone: Phone, url: str, path: Any, commands: list[FieldCommand]
) -> tuple[float, list[tuple[str, bytes]]]:
    device = Device(phone, Counting(url), path)
    await device.sync()
    device.queue(commands)
    envelopes = [(str(command.id), encode(command)) for command in device.store.due()]
    start = clock()
    report = await device.sync()
    seconds = clock() - start
    held = [(entry.type, entry.slug, entry.detail) for entry in device.store.entries() if entry.slug]
    assert (report.accepted, held[:3]) == (len(commands), []), report
    await device.transport.close()
    device.close()
    return seconds, envelopes


def _check(world: World, *, sent: int, closes: int) -> int:
    """Commands with a receipt that booked; each close has its invoice, and nothing else has."""
    with world.database.read() as session:
        invoices = session.scalar(select(func.count()).select_from(InvoiceRow))
        assert invoices == closes, f"{invoices} invoices for {closes} closes"
        return session.scalar(select(func.count()).where(CommandRow.outcome == "accepted")) or 0


def _peer(site: Site, envelopes: list[tuple[str, bytes]]) -> float:
    docs = documents(site.folder / "commands.ndjson", envelopes)
    with PouchServer(site.folder / "pouch-push") as server:
        times = [
            server.run("push", database=f"push-{number}", docs=str(docs))["ms"] for number in range(TRIES)
        ]
    return statistics.median(times) / 1000
