"""A new device takes 5,000 rows of about 570 bytes into its durable store; and how many bytes that is."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Iterator
from typing import Any

import msgspec
from bench.peers.pouch import DEFAULTS, PouchServer, documents
from bench.syncing import crew
from bench.syncing.device import Counting, Device, clock
from bench.syncing.figure import figure
from bench.syncing.site import Site
from world import Phone, World

from sync.protocol import Row, encode

ROWS, ROWS_QUICK = 5_000, 1_500
ON_SITE = 4
TRIES, TRIES_QUICK = 3, 1


def figures(site: Site) -> Iterator[dict[str, Any]]:
    rows = ROWS_QUICK if site.quick else ROWS
    site.say(f"first pull of {rows} rows")
    with site.world() as world, site.server(world) as server:
        phone = _phone(world, rows)
        spent, bodies, packed = asyncio.run(_pull(site, phone, server.url, rows))
    plain = len(encode([Row(kind=k, key=key, body=msgspec.Raw(body)) for k, key, body in bodies]))
    tuned, shipped = _peer(site, bodies)
    each = plain // rows
    yield figure(
        f"{site.engine}: first pull of {rows} rows of {each} bytes into durable SQLite",
        statistics.median(spent), "s", digits=3, peer=DEFAULTS, peer_value=shipped,
        floor="<= 0.5 of peer", aim="<= 0.1 of peer",
    )  # fmt: skip
    yield figure(
        f"{site.engine}: the same against PouchDB with batches of 1,000", statistics.median(spent), "s",
        digits=3, peer="PouchDB with batch_size 1000 (100 is its default)", peer_value=tuned,
    )  # fmt: skip
    yield figure(
        f"{site.engine}: bytes of a first pull", packed, "bytes", digits=0,
        peer="plain JSON of the same rows", peer_value=plain,
        floor="<= 0.2 of peer", aim="<= 0.12 of peer",
    )  # fmt: skip


def _phone(world: World, rows: int) -> Phone:
    """A technician whose scope is exactly `rows`: about a fifth work orders, the rest devices."""
    orders = round((rows - crew.PROFILE_AND_STOCK) * 0.19)
    left = rows - crew.PROFILE_AND_STOCK - orders - orders * ON_SITE
    phone = crew.hire(world, ["Puller Test"], onts=left - 1)[0]
    crew.give_installations(world, [phone], orders, on_site=ON_SITE)
    return phone


async def _pull(
    site: Site, phone: Phone, url: str, rows: int
) -> tuple[list[float], list[tuple[str, str, bytes]], int]:
    spent = []
    for number in range(1 + (TRIES_QUICK if site.quick else TRIES)):  # the first one warms the server up
        device = Device(phone, Counting(url), site.folder / f"pull-{number}.db")
        gc.collect()
        start = clock()
        await device.sync()
        if number:
            spent.append(clock() - start)
        assert device.rows() == rows, f"{device.rows()} rows came, not {rows}"
        bodies, packed = device.row_bytes(), device.transport.body_bytes_down
        await device.transport.close()
        device.close()
    return spent, bodies, packed


def _peer(site: Site, bodies: list[tuple[str, str, bytes]]) -> tuple[float, float]:
    """Seconds of PouchDB on the same rows: with batches of 1,000, and as it ships."""
    docs = documents(site.folder / "rows.ndjson", [(f"{kind}:{key}", body) for kind, key, body in bodies])
    found = []
    with PouchServer(site.folder / "pouch-pull") as server:
        for batch in (1_000, None):
            times = [
                server.run("pull", database=f"pull-{batch}-{number}", docs=str(docs), batch=batch)["ms"]
                for number in range(TRIES_QUICK if site.quick else TRIES)
            ]
            found.append(statistics.median(times) / 1000)
    return found[0], found[1]
