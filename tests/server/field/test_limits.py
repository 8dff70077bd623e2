"""Too much at once is turned away at the door and nothing is lost: the real client on the real server."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient
from world import World

from mobile.gateway import Gateway
from server.access import devices
from server.access.limits import Limits
from server.db.feed_models import CommandRow
from shared.commands import AddNote
from sync.client.store import ClientStore
from sync.client.transport import Answer
from sync.protocol import PROTOCOL, SyncRequest, encode


class Line:
    """A Transport to the application in this process. Keeps each status."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.statuses: list[int] = []

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = await asyncio.to_thread(
            self._client.request, method, path, headers=dict(headers), content=body
        )
        self.statuses.append(answer.status_code)
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


def limit(client: TestClient, limits: Limits) -> None:
    client.app.state.limits = limits  # type: ignore[attr-defined]


def a_request(**changes: Any) -> bytes:
    known: dict[str, Any] = {"protocol": PROTOCOL, "app_version": "2", "queue_length": 0}
    return encode(SyncRequest(device_now=datetime.now(UTC), **known | changes))


def bearer(store: ClientStore) -> dict[str, str]:
    assert store.registration is not None
    return {"authorization": f"Bearer {store.registration.token}"}


class TestADeviceThatAsksTooOften:
    def test_is_told_when_to_come_back(self, client: TestClient, today: World):
        limit(client, Limits(1))
        answers = [client.post("/sync", content=a_request(), headers=today.ana.headers) for _ in range(8)]
        assert {answer.status_code for answer in answers[:6]} == {200}
        refused = answers[-1]
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["type"].endswith("/too-many")
        assert client.post("/sync", content=a_request(), headers=today.ben.headers).status_code == 200

    def test_has_no_limit_where_none_is_set(self, client: TestClient, today: World):
        limit(client, Limits(0))
        answers = [client.post("/sync", content=a_request(), headers=today.ana.headers) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}

    def test_keeps_its_work_and_brings_it_later(self, client: TestClient, today: World):
        job = today.order()
        with today.database.write() as session:
            code = devices.new_code(session, today.ana.technician_id, datetime.now(UTC))
        line = Line(client)
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as file:
            store = ClientStore(file)
            phone = Gateway(store, line, now=lambda: datetime.now(UTC), entropy=os.urandom)
            asyncio.run(phone.register(code, "Phone", "test"))
            asyncio.run(phone.sync())
            limit(client, Limits(1))
            while client.post("/sync", content=b"", headers=bearer(store)).status_code != 429:
                pass
            phone.send(AddNote(work_order_id=job.id, text="The dog bites"))
            report = asyncio.run(phone.sync())
            assert line.statuses[-1] == 429
            assert (report.accepted, report.held, report.drained) == (0, 0, False)
            assert report.retry_in_seconds is not None
            assert [item.state for item in phone.queue()] == ["saved"]
            assert today.rows(CommandRow) == []
            limit(client, Limits(10))
            time.sleep(report.retry_in_seconds)  # the app keeps still for that long, by its own clock
            report = asyncio.run(phone.sync())
            assert (report.accepted, report.drained) == (1, True)
        assert len(today.rows(CommandRow)) == 1


class TestACrowd:
    def test_is_asked_to_come_back_before_anything_is_decided(self, client: TestClient, today: World):
        limit(client, Limits(10, pushes_waiting_max=0))
        envelopes = tuple(today.ana.envelopes(AddNote(work_order_id=today.order().id, text="x")))
        answer = client.post("/sync", content=a_request(commands=envelopes), headers=today.ana.headers)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/busy")
        assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert today.rows(CommandRow) == []

    def test_leaves_its_places_when_it_was_answered_or_refused(self, client: TestClient, today: World):
        limits = Limits(0, pushes_waiting_max=1)
        limit(client, limits)
        for headers, status in ((today.ana.headers, 200), ({}, 401), (today.ana.headers, 200)):
            assert client.post("/sync", content=a_request(), headers=headers).status_code == status
        assert limits.pushes.inside == 0
