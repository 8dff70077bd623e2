"""A phone that waits is answered in one hop, with the changed rows themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from world import Job, World, settle

from server import office
from server.app import build_app
from shared.commands import AddNote, AssignWorkOrder
from shared.work_orders import EvidenceKind
from sync.protocol import PROTOCOL, SyncRequest, SyncResponse, decode_response, encode


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(world.settings, pwa_folder=world.settings.data_folder / "no pwa")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://office.test") as client,
    ):
        yield client


async def ask(
    client: httpx.AsyncClient,
    world: World,
    cursor: str | None,
    wait_seconds: int,
    *,
    photos_wait: bool = False,
) -> SyncResponse:
    request = SyncRequest(
        protocol=PROTOCOL, app_version="t", device_now=world.now, queue_length=0, cursor=cursor,
        wait_seconds=wait_seconds, photos_wait=photos_wait,
    )  # fmt: skip
    answer = await client.post("/sync", content=encode(request), headers=world.ben.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return decode_response(answer.content)


def give_to_ben(world: World, job: Job) -> None:
    command = AssignWorkOrder(
        work_order_id=job.id, technician_id=world.ben.technician_id, planned_start=world.now,
        planned_end=world.now + timedelta(hours=1),
    )  # fmt: skip
    office.run(world.database, world.settings, command, "Dora")


async def quiet_cursor(client: httpx.AsyncClient, world: World) -> str:
    """Where Ben's phone stands once there is nothing left to say."""
    settle(world.database)
    answer = await ask(client, world, None, 0)
    while answer.more or answer.rows:
        answer = await ask(client, world, answer.cursor, 0)
    return answer.cursor


def run(world: World, story: Callable[[httpx.AsyncClient], Any]) -> None:
    async def tell() -> None:
        async with serving(world) as client:
            await story(client)

    asyncio.run(tell())


class TestAPhoneThatWaits:
    def test_is_answered_with_the_rows_as_soon_as_another_process_has_committed_them(self, today: World):
        job = today.order()

        async def story(client: httpx.AsyncClient) -> None:
            cursor = await quiet_cursor(client, today)
            started = time.monotonic()
            waiting = asyncio.create_task(ask(client, today, cursor, 50))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            # This Database is not the server's, so nobody wakes it: it looks by itself.
            await asyncio.to_thread(give_to_ben, today, job)
            answer = await waiting
            assert ("work_order", str(job.id)) in [(row.kind, row.key) for row in answer.rows]
            assert time.monotonic() - started < 25, "long before it would have given up"

        run(today, story)

    def test_is_answered_with_nothing_when_its_time_is_up(self, today: World):
        async def story(client: httpx.AsyncClient) -> None:
            cursor = await quiet_cursor(client, today)
            started = time.monotonic()
            answer = await ask(client, today, cursor, 1)
            assert (answer.rows, answer.gone, answer.cursor) == ((), (), cursor)
            assert time.monotonic() - started >= 1

        run(today, story)

    def test_does_not_wait_while_there_is_something_to_say(self, today: World):
        async def story(client: httpx.AsyncClient) -> None:
            started = time.monotonic()
            assert (await ask(client, today, None, 50)).reset
            assert time.monotonic() - started < 25

        run(today, story)

    def test_is_told_at_once_of_photos_that_are_missing_unless_it_keeps_them_back(self, today: World):
        give_to_ben(today, job := today.order())
        named = today.evidence(job, EvidenceKind.PHOTO)

        async def story(client: httpx.AsyncClient) -> None:
            await asyncio.to_thread(today.ben.deliver, [today.ben.envelope(named)])
            cursor = await quiet_cursor(client, today)
            began = time.monotonic()
            assert (await ask(client, today, cursor, 50)).missing_evidence == (named.digest,)
            assert time.monotonic() - began < 25
            began = time.monotonic()
            answer = await ask(client, today, cursor, 1, photos_wait=True)
            assert (answer.missing_evidence, time.monotonic() - began >= 1) == ((named.digest,), True)

        run(today, story)

    def test_is_not_woken_by_what_concerns_others(self, today: World):
        job = today.order()

        async def story(client: httpx.AsyncClient) -> None:
            cursor = await quiet_cursor(client, today)
            waiting = asyncio.create_task(ask(client, today, cursor, 2))
            await asyncio.sleep(0.3)
            note = today.ana.envelope(AddNote(work_order_id=job.id, text="x"))
            await asyncio.to_thread(today.ana.deliver, [note])
            answer = await waiting
            assert (answer.rows, answer.gone) == ((), ())

        run(today, story)

    def test_is_let_go_when_the_server_stops(self, today: World):
        async def tell() -> float:
            async with serving(today) as client:
                cursor = await quiet_cursor(client, today)
                waiting = asyncio.create_task(ask(client, today, cursor, 50))
                await asyncio.sleep(0.3)
                stopping = time.monotonic()
            await waiting
            return time.monotonic() - stopping

        assert asyncio.run(tell()) < 25
