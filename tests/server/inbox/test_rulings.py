"""What a dispatcher decides comes down to the phone that sent it, as one plain sentence."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from world import ONT_B, World, settle, uid

from mobile.gateway import Gateway, QueueItem
from mobile.queue_words import ruled
from mobile.views.status import attention, in_groups
from server import office
from server.access.devices import bearer
from server.clock import utc_now
from server.db.feed_models import CommandRow
from server.field.exchange import exchange
from server.inbox import acts
from server.inbox.rulings import rulings
from shared.commands import Arrive, CancelWorkOrder, InstallAsset, StartTravel
from sync.client.records import Registration
from sync.client.store import ClientStore
from sync.client.transport import Answer, NoNetwork
from sync.protocol import Ruling, encode

DORA = "Dora of dispatch"
HELSINKI = ZoneInfo("Europe/Helsinki")


class StraightToTheServer:
    """The server's own exchange, without HTTP between."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        if path != "/sync":
            raise NoNetwork("only the conversation goes through here")
        known = {name.lower(): value for name, value in headers.items()}
        if known.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        token = bearer(known["authorization"])
        said = exchange(self._world.database, self._world.settings, token, body, utc_now())
        return Answer(status=200, headers={"content-type": "application/json"}, body=encode(said.response))


@pytest.fixture
def phone(today: World, tmp_path: Path) -> Iterator[Gateway]:
    """Ana's app: the real client and its store."""
    connection = sqlite3.connect(tmp_path / "ana.db")
    store = ClientStore(connection)
    ana = today.ana
    store.register(
        Registration(
            device_id=ana.device_id,
            token=ana.token,
            technician_id=ana.technician_id,
            technician_name=ana.name,
        )
    )
    yield Gateway(store, StraightToTheServer(today))
    connection.close()


def sync(world: World, phone: Gateway) -> None:
    settle(world.database)
    asyncio.run(phone.sync())


def newest(phone: Gateway) -> QueueItem:
    return phone.queue()[0]


class TestOnThePhone:
    def test_a_dismissal_is_read_with_its_reason_and_asks_for_nothing_more(
        self, today: World, phone: Gateway
    ):
        job = today.order()
        sync(today, phone)
        phone.send(StartTravel(work_order_id=job.id))
        office.run(
            today.database, today.settings, CancelWorkOrder(work_order_id=job.id, reason="moved"), DORA
        )
        sync(today, phone)
        assert (newest(phone).state, attention(phone.queue(), utc_now())) == ("held", 1)
        acts.dismiss(today.database, newest(phone).id, DORA, "the customer had moved away.")
        sync(today, phone)
        item = newest(phone)
        assert item.state == "dismissed"
        assert item.detail == "Dispatch looked at it: not booked, because the customer had moved away"
        assert attention(phone.queue(), utc_now()) == 0
        assert [name for name, _ in in_groups(phone.queue())] == ["Answered by the office"]

    def test_a_correction_says_what_was_corrected(self, today: World, phone: Gateway):
        job, bens = today.order(), today.order(phone=today.ben)
        today.ben.deliver(today.ben.envelopes(*today.visit(bens, fit="BEN0003")[:3]), now=utc_now())
        today.ana.deliver(
            today.ana.envelopes(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id)),
            now=utc_now(),
        )
        sync(today, phone)
        fit = InstallAsset(work_order_id=job.id, serial="BEN0003", source="typed", sku=ONT_B, confirmed=True)
        phone.send(fit)
        sync(today, phone)
        held = newest(phone)
        assert held.detail == "BEN0003 was fitted on another job: dispatch has to look at it"
        body = {"work_order_id": str(job.id), "serial": "ANA0003", "source": "typed"}
        acts.correct(today.database, today.settings, held.id, DORA, body | {"confirmed": True}, None)
        sync(today, phone)
        assert newest(phone).state == "corrected"
        assert newest(phone).detail.startswith("Dispatch corrected the serial to ANA0003")
        assert [device.serial for device in phone.order(job.id).fitted] == ["ANA0003"]

    def test_a_booking_is_read_with_its_time_and_the_job_is_as_if_nothing_had_been(
        self, today: World, phone: Gateway
    ):
        job = today.order()
        sync(today, phone)
        phone.send(StartTravel(work_order_id=job.id))
        office.run(
            today.database, today.settings, CancelWorkOrder(work_order_id=job.id, reason="moved"), DORA
        )
        sync(today, phone)
        acts.accept(today.database, today.settings, newest(phone).id, DORA, way="reopen")
        sync(today, phone)
        ruling = today.row(CommandRow, CommandRow.id == newest(phone).id)
        local = ruling.resolved_at.astimezone(today.settings.zone)
        assert newest(phone).detail == f"Dispatch booked this at {local:%H:%M}"
        assert phone.order(job.id).travel_started_at is not None

    def test_a_snapshot_brings_the_rulings_of_two_weeks(self, today: World):
        job = today.order(phone=today.ben)
        receipts = today.ana.send(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id))
        for receipt in receipts:
            acts.dismiss(today.database, receipt.command_id, DORA, "not hers")
        with today.database.write() as session:
            row = session.get_one(CommandRow, receipts[0].command_id)
            row.resolved_at = utc_now() - timedelta(days=14, minutes=1)
        with today.database.read() as session:
            found = rulings(session, today.ana.technician_id, utc_now())
            assert [one.command_id for one in found] == [receipts[1].command_id]
            assert rulings(session, today.ben.technician_id, utc_now()) == [], "not his business"


class TestTheSentence:
    NOON = datetime(2026, 11, 16, 10, 5, tzinfo=UTC)
    RULING = Ruling(command_id=uid("x"), outcome="accepted", ruled_at=NOON, by=DORA, detail="")

    @pytest.mark.parametrize(
        ("outcome", "detail", "sentence"),
        [
            ("accepted", "", "Dispatch booked this at 12:05"),
            (
                "accepted",
                "beside the work that stands",
                "Dispatch booked this at 12:05, beside the work that stands",
            ),
            (
                "corrected",
                "the serial to ANA0002",
                "Dispatch corrected the serial to ANA0002 and booked it at 12:05",
            ),
            ("dismissed", "done twice.", "Dispatch looked at it: not booked, because done twice"),
        ],
    )
    def test_is_one_and_plain(self, outcome: str, detail: str, sentence: str):
        ruling = replace(self.RULING, outcome=outcome, detail=detail)
        assert ruled(ruling, self.NOON, HELSINKI) == sentence

    def test_names_the_day_when_it_is_another(self):
        later = self.NOON + timedelta(days=2)
        assert ruled(self.RULING, later, HELSINKI) == "Dispatch booked this on 16 Nov at 12:05"
