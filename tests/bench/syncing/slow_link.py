"""60 commands and 20 pictures over 64 kbit/s, 2 s there and back, a tenth of the packets and exchanges lost.

The app's own gateway and loop, through `bad_link`. All commands must be decided before the first byte of a
picture, and no picture's byte may be sent much more than once: counted is what the app had carried, cut
requests too. Headers, and what TCP itself repeats, are figures of their own.

What to expect: 20 pictures of 16 kB are 320 kB, 40 s of the bare line, and 80 s of round trips, one to open
each and one for its answer. Lost packets make 200 to 240 s of these 120: TCP waits a round trip or two for
each of them. An exchange in ten is cut, half of these in silence, which costs 25 to 45 s of patience each: 80
to 160 s more. So five to seven minutes; the draws are seeded, but fall as the clock has it, and no two runs
are alike. A photo as the app takes it has 200 to 400 kB; for those, reckon with the rate in the last figure.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.peers.pouch import PouchServer, documents
from bench.syncing import crew
from bench.syncing.bad_link import BadLink
from bench.syncing.device import Counting, Device, clock
from bench.syncing.figure import figure
from bench.syncing.site import Site
from PIL import Image
from world import Job, Phone, World

from mobile.sync_loop import SyncLoop
from shared.commands import AddNote, CloseWorkOrder
from sync.client.transport import Answer, HttpxTransport
from sync.protocol import encode

VISITS, VISITS_QUICK = 5, 1
PHOTOS_A_VISIT, PHOTOS_A_VISIT_QUICK = 3, 1  # and a signature
PICTURE_BYTES, PICTURE_BYTES_QUICK = 16_000, 5_000
SECONDS_MAX = 900
PEER_SECONDS_MAX, PEER_SECONDS_MAX_QUICK = 300, 30
DECIDED_SECONDS = 300
BITS_PER_SECOND = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the run showed, in seconds from its start; `pictures_from` is None when none was begun."""

    decided: float
    pictures_from: float | None
    done: float
    commands: int
    pictures: int
    picture_bytes: int
    sent_bytes: int
    header_bytes: int
    again_bytes: int
    exchanges: int
    cuts: int


def figures(site: Site) -> Iterator[dict[str, Any]]:
    visits = VISITS_QUICK if site.quick else VISITS
    site.say(f"{visits} visits with pictures over a bad link")
    with site.world() as world:
        phone = crew.hire(world, ["Remote Test"], onts=visits)[0]
        (jobs,) = crew.give_installations(world, [phone], visits)
        with site.server(world) as server, PouchServer(site.folder / "pouch-link") as peer:
            told, theirs = asyncio.run(_both(site, world, server, peer, phone, jobs))
    limit = PEER_SECONDS_MAX_QUICK if site.quick else PEER_SECONDS_MAX
    arrived = theirs["commands"]
    name = "PouchDB with live, retry and attachments" + ("" if arrived else f": not within {limit} s")
    yield figure(
        f"{site.engine}: {told.commands} commands decided over 64 kbit/s, 2 s, 10 % lost",
        told.decided, "s", peer=name, peer_value=arrived or limit, floor=f"<= {DECIDED_SECONDS}",
        aim=f"<= {DECIDED_SECONDS}",
    )  # fmt: skip
    early = told.pictures_from is not None and told.pictures_from < told.decided
    yield figure(
        f"{site.engine}: pictures begun before all commands were decided",
        int(early),
        "",
        floor="== 0",
        aim="== 0",
    )
    each = told.picture_bytes / told.pictures / 1000
    yield figure(
        f"{site.engine}: bytes sent for {told.pictures} pictures of {each:.0f} kB,"
        f" those of cut tries too ({told.cuts} of {told.exchanges} exchanges cut)", told.sent_bytes,
        "bytes", digits=0, peer="bytes of the pictures", peer_value=told.picture_bytes,
        floor="<= 1.1 of peer", aim="<= 1.1 of peer",
    )  # fmt: skip
    all_theirs = theirs["all"]
    yield figure(
        f"{site.engine}: until all {told.pictures} pictures are there too", told.done, "s",
        peer=name.partition(":")[0] + ("" if all_theirs else f": not within {limit} s"),
        peer_value=all_theirs or limit,
    )  # fmt: skip
    yield figure(
        f"{site.engine}: bytes of headers with the pictures", told.header_bytes, "bytes", digits=0,
        peer="bytes of the pictures", peer_value=told.picture_bytes,
    )  # fmt: skip
    yield figure(
        f"{site.engine}: bytes with the pictures that TCP itself sent again", told.again_bytes, "bytes",
        digits=0, peer="bytes of the pictures", peer_value=told.picture_bytes,
    )  # fmt: skip
    yield figure(
        f"{site.engine}: picture bytes a second once the commands were decided",
        told.picture_bytes / (told.done - told.decided), "bytes/s", digits=0,
        peer="the bare line", peer_value=BITS_PER_SECOND / 8,
    )  # fmt: skip


async def _both(
    site: Site, world: World, server: Any, peer: PouchServer, phone: Phone, jobs: list[Job]
) -> tuple[Told, dict[str, Any]]:
    """Ours and PouchDB side by side, each on a link of its own."""
    size = PICTURE_BYTES_QUICK if site.quick else PICTURE_BYTES
    photos = PHOTOS_A_VISIT_QUICK if site.quick else PHOTOS_A_VISIT
    peer_limit = PEER_SECONDS_MAX_QUICK if site.quick else PEER_SECONDS_MAX
    async with bad_link(server.port) as link, bad_link(peer.port) as their_link:
        file = site.folder / "remote.db"
        near = Device(phone, Counting(server.url), file)
        await near.sync()
        _work(near, world, jobs, photos, size)
        docs = documents(
            site.folder / "remote.ndjson",
            [(str(command.id), encode(command)) for command in near.store.due()],
        )
        await near.transport.close()
        near.close()
        theirs = asyncio.create_task(
            asyncio.to_thread(
                peer.run, "link", url=f"{their_link.url}/link", direct=f"{peer.url}link", docs=str(docs),
                photos=len(jobs) * (photos + 1), photo_bytes=size, seconds_max=peer_limit,
                seconds=peer_limit + 120,
            )
        )  # fmt: skip
        transport = Labelled(link)
        told = await _drain(Device(phone, transport, file), link, transport)
        return told, await theirs


def bad_link(port: int, *, seed: int = 7) -> BadLink:
    return BadLink(port, bits_per_second=BITS_PER_SECOND, delay_seconds=2.0, loss=0.1, cut=0.1, seed=seed)


class Labelled:
    """The app's transport, that tells the link what it carries."""

    def __init__(self, link: BadLink) -> None:
        self._inner = HttpxTransport(link.url)
        self._link = link
        self.pictures_from: float | None = None

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        picture = not path.startswith("/sync")
        if picture and self.pictures_from is None:
            self.pictures_from = clock()
        self._link.label = "picture" if picture else "sync"
        return await self._inner.request(method, path, headers=headers, body=body)

    async def close(self) -> None:
        await self._inner.close()


def _work(device: Device, world: World, jobs: list[Job], photos: int, size: int) -> None:
    """Whole visits with real pictures, offline: 12 commands each with three photos."""
    gateway, chance = device.gateway, random.Random(11)
    for number, job in enumerate(jobs, 1):
        visit = world.visit(job, fit=crew.ont(device.phone, number), until_close=False)
        device.queue([command for command in visit if command.type != "add_evidence"])
        for _ in range(photos):
            gateway.add_photo(job.id, picture(size, chance), "image/jpeg")
        gateway.add_signature(job.id, picture(size, chance, form="PNG"), "The customer")
        rest = [
            AddNote(work_order_id=job.id, text="Cable along the fence"),
            CloseWorkOrder(work_order_id=job.id),
        ]
        device.queue(rest)


def picture(size: int, chance: random.Random, *, form: str = "JPEG") -> bytes:
    """A real picture of noise with about `size` bytes, never the same twice."""
    side = int((size / (3 if form == "PNG" else 0.74)) ** 0.5)
    image = Image.frombytes("RGB", (side, side), chance.randbytes(3 * side * side))
    file = io.BytesIO()
    image.save(file, form, **({"quality": 80} if form == "JPEG" else {}))
    return file.getvalue()


async def _drain(device: Device, link: BadLink, transport: Labelled) -> Told:
    counts = device.store.counts()
    commands, pictures = counts.unsent_commands, counts.unsent_photos
    size = device.evidence_bytes()
    start, decided, all_sent = clock(), None, asyncio.Event()

    def look() -> None:
        nonlocal decided
        left = device.store.counts()
        if decided is None and not left.unsent_commands:
            decided = clock() - start
        if not left.unsent_commands and not left.unsent_photos:
            all_sent.set()

    stop = device.gateway.subscribe(look)
    running = asyncio.create_task(SyncLoop(device.gateway, spread=random.Random(13).random).run())
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await all_sent.wait()
    except TimeoutError:
        raise TimeoutError(f"not done in {SECONDS_MAX} s: {device.store.counts()}") from None
    finally:
        done = clock() - start
        stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert device.store.counts().held == 0, "a command was held"
    await transport.close()
    device.close()
    assert decided is not None
    begun = transport.pictures_from
    return Told(
        decided=decided, pictures_from=None if begun is None else begun - start, done=done, commands=commands,
        pictures=pictures, picture_bytes=size, sent_bytes=link.bodies["picture"],
        header_bytes=link.sent["picture"] - link.bodies["picture"],
        again_bytes=link.again["picture"], exchanges=link.exchanges, cuts=link.cuts,
    )  # fmt: skip
