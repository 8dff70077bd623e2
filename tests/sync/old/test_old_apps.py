"""Apps of the versions before work against today's server, and today's app reads what theirs said.

The files are what app and server of a version really said to each other on a made-up Monday; the world in
the database is the same today. `phone.sql` is that app's database at the end of it.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import old_protocol_1
import old_protocol_2
import old_protocol_3
import old_protocol_4
import pytest
from fake_server import Clock, FakeServer, Network, counted_entropy
from world import World, a_world, settle

from mobile.gateway import Gateway
from server import office
from server.field.exchange import exchange
from shared import commands as cmd
from shared.assets import AssetState, HolderKind
from shared.checklists import checklist_for
from shared.commands import CancelWorkOrder
from shared.work_orders import (
    EvidenceKind,
    ItemKind,
    PauseReason,
    RemovalCause,
    ServiceState,
    SkipReason,
    TimePoint,
    UnfinishedReason,
    WorkOrderKind,
    WorkOrderState,
)
from sync.client.records import NotSaved
from sync.client.store import ClientStore
from sync.protocol import PROTOCOL, PROTOCOL_MIN, decode_image, decode_request, decode_response, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class OldApp:
    """`reader`: how it read answers. `queue`: the outcomes of its commands on `phone.sql`."""

    protocol: int
    reader: Any
    queue: tuple[str | None, ...]
    cancelled_at: datetime

    @property
    def said(self) -> Path:
        return Path(__file__).parent / f"protocol_{self.protocol}"

    @property
    def talks(self) -> list[str]:
        return sorted(path.name.removesuffix(".request.json") for path in self.said.glob("*.request.json"))

    def request(self, talk: str) -> bytes:
        return (self.said / f"{talk}.request.json").read_bytes()

    def answer(self, talk: str) -> bytes:
        return (self.said / f"{talk}.answer.json").read_bytes()

    def file(self, path: Path) -> sqlite3.Connection:
        """A database as this app left it."""
        connection = sqlite3.connect(path)
        connection.executescript((self.said / "phone.sql").read_text())
        return connection


APPS = (
    OldApp(
        protocol=1,
        reader=old_protocol_1,
        queue=(*["accepted"] * 14, "held", "held", None),
        cancelled_at=datetime(2026, 11, 16, 7, 54, tzinfo=UTC),
    ),
    OldApp(
        protocol=2,
        reader=old_protocol_2,
        queue=(*["accepted"] * 15, "held", "held", None),
        cancelled_at=datetime(2026, 11, 16, 7, 57, tzinfo=UTC),
    ),
    OldApp(
        protocol=3,
        reader=old_protocol_3,
        queue=(*["accepted"] * 19, "held", "held", None),
        cancelled_at=datetime(2026, 11, 16, 8, 9, tzinfo=UTC),
    ),
    OldApp(
        protocol=4,
        reader=old_protocol_4,
        queue=(*["accepted"] * 25, "held", "held", None),
        cancelled_at=datetime(2026, 11, 16, 8, 27, tzinfo=UTC),
    ),
)
of_each_app = pytest.mark.parametrize("app", APPS, ids=lambda app: f"protocol {app.protocol}")


def test_there_is_one_for_each_version_above_the_floor():
    assert [app.protocol for app in APPS] == list(range(PROTOCOL_MIN, PROTOCOL))


SINCE = {kind: 4 for kind in (RemovalCause, ItemKind, SkipReason, PauseReason, TimePoint)}
"""Words that came later, with the protocol that brought them."""


class TestTodaysServer:
    @of_each_app
    def test_answers_every_request_of_the_old_app_as_it_was_answered_then(
        self, database_url: str, app: OldApp
    ):
        world = World(database_url)
        try:
            kinds = (WorkOrderKind.INSTALL, WorkOrderKind.REPAIR, WorkOrderKind.SWAP, WorkOrderKind.REPAIR)
            jobs = [world.order(kind) for kind in kinds]
            for talk in app.talks:
                if talk.endswith("cancelled-meanwhile"):
                    command = CancelWorkOrder(work_order_id=jobs[3].id, reason="Called off")
                    with world.database.write() as session:
                        office.apply(session, world.settings, [command], "Maria", app.cancelled_at)
                settle(world.database)
                now = decode_request(app.request(talk)).device_now
                found = exchange(world.database, world.settings, world.ana.token, app.request(talk), now)
                response, rows = app.reader.read(encode(found.response))
                then, rows_then = app.reader.read(app.answer(talk))
                assert receipts(response) == receipts(then)
                assert found.response.token is None
                assert rows_then.keys() <= rows.keys(), talk
                for key in rows_then:
                    assert comparable(rows[key]) == comparable(rows_then[key]), key
        finally:
            world.close()

    @of_each_app
    def test_sends_an_order_that_the_old_app_reads_whatever_a_newer_one_recorded(
        self, database_url: str, app: OldApp
    ):
        with a_world(database_url) as world:
            kind = WorkOrderKind.REPAIR
            job = world.order(kind, checklist=checklist_for(kind, 100))
            id, began = job.id, world.now
            photo = replace(world.evidence(job, EvidenceKind.PHOTO), check="fault_photo")
            steps = (
                cmd.StartTravel(work_order_id=id),
                cmd.PauseWork(work_order_id=id, reason=PauseReason.BREAK),
                cmd.Arrive(work_order_id=id),
                cmd.AnswerCheck(work_order_id=id, code="fault", value="cable"),
                cmd.SkipCheck(work_order_id=id, code="ont_lights", reason=SkipReason.UNSAFE),
                photo,
                cmd.CorrectTime(
                    work_order_id=id, point=TimePoint.ARRIVED, base=began, value=began, reason="Tapped late"
                ),
                cmd.AskForVisit(
                    work_order_id=id, new_order_id=NEW_ORDER, kind=kind, summary="Loose", expected_minutes=30
                ),
            )
            receipts = world.ana.deliver(world.ana.envelopes(*steps), now=began + timedelta(hours=1))
            assert {receipt.outcome for receipt in receipts} == {"accepted"}
            settle(world.database)
            request = app.request(app.talks[0])
            now = decode_request(request).device_now
            found = exchange(world.database, world.settings, world.ana.token, request, now)
            _, rows = app.reader.read(encode(found.response))
            read = json.loads(encode(rows["work_order", str(id)]))
            assert (read["state"], [one["digest"] for one in read["evidence"]]) == ("on_site", [photo.digest])

    @of_each_app
    @pytest.mark.parametrize(
        "today",
        [
            WorkOrderKind,
            WorkOrderState,
            ServiceState,
            UnfinishedReason,
            AssetState,
            HolderKind,
            *SINCE,
        ],
    )
    def test_says_no_word_that_the_old_app_cannot_read(self, today: Any, app: OldApp):
        then = getattr(app.reader, today.__name__, None)
        if then is None:
            assert app.protocol < SINCE[today]  # it knew of no such thing and ignores it
            return
        assert {member.value for member in today} <= set(then.__args__)


NEW_ORDER = UUID(int=0xA5)


def receipts(response: old_protocol_1.SyncResponse) -> list[tuple[UUID, str, str | None]]:
    return [(receipt.command_id, receipt.outcome, receipt.slug) for receipt in response.receipts]


def comparable(row: Any) -> dict[str, Any]:
    """Without what counts how often and when a row was written, and what each database draws anew."""
    fields: dict[str, Any] = json.loads(encode(row))
    return {
        name: value for name, value in fields.items() if name not in ("version", "sla_due_at", "sealing_key")
    }


class TestTodaysApp:
    @of_each_app
    def test_reads_every_answer_of_the_old_server(self, app: OldApp):
        for talk in app.talks:
            response = decode_response(app.answer(talk))
            assert (response.protocol, response.token) == (app.protocol, None)
            assert {row.kind for row in response.rows} <= set(app.reader.KINDS)
            for row in response.rows:
                decode_image(row.kind, row.body)

    @of_each_app
    def test_takes_the_old_apps_queue_along(self, tmp_path: Path, app: OldApp):
        with closing(app.file(tmp_path / "phone.db")) as connection:
            waiting = connection.execute("SELECT id, seq, body FROM command WHERE outcome IS NULL").fetchall()
            photos = dict(connection.execute("SELECT digest, body FROM evidence"))
            assert (len(waiting), len(photos)) == (1, 2)
            store = ClientStore(connection)
            ana = store.registration
            assert ana is not None
            assert [(str(entry.id), entry.seq, entry.body) for entry in store.unsent()] == waiting
            assert {entry.technician_id for entry in store.entries()} == {ana.technician_id}
            assert {digest: store.evidence(digest).body for digest in photos} == photos  # type: ignore[union-attr]
            assert len(store.images().orders) == 4
            assert tuple(entry.outcome for entry in store.entries()) == app.queue

    @of_each_app
    def test_sends_what_the_old_app_queued(self, tmp_path: Path, app: OldApp):
        with closing(app.file(tmp_path / "phone.db")) as connection:
            store = ClientStore(connection)
            ana = store.registration
            assert ana is not None
            server = FakeServer(Clock())
            server.history = decode_response(app.answer(app.talks[-1])).epoch
            server.devices[ana.token] = _device(ana.technician_id, ana.device_id)
            server.town.profiles[ana.technician_id] = store.images().profile  # type: ignore[assignment]
            gateway = Gateway(store, Network(server), now=server.now, entropy=counted_entropy())
            asyncio.run(gateway.sync())
            assert [str(id) for id in server.receipts] == [str(store.entries()[-1].id)]
            assert gateway.status().unsent_commands == 0


def _device(technician_id: UUID, device_id: UUID) -> Any:
    from fake_server import Device

    return Device(technician_id=technician_id, id=device_id)


@pytest.mark.parametrize("statement", range(1, 25))
def test_an_upgrade_that_fails_anywhere_leaves_the_old_file_as_it_was(tmp_path: Path, statement: int):
    """And the next start does it whole."""

    class Failing(sqlite3.Connection):
        left = statement

        def execute(self, *args: Any) -> sqlite3.Cursor:  # type: ignore[override]
            self.left -= 1
            if self.left == 0:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(*args)

    path, whole = tmp_path / "phone.db", tmp_path / "whole.db"
    before = dump(path)
    with closing(APPS[0].file(whole)) as connection:
        ClientStore(connection)
    after = dump(whole)
    with closing(sqlite3.connect(path, factory=Failing)) as connection:
        try:
            ClientStore(connection)
        except (NotSaved, sqlite3.OperationalError) as error:
            assert "disk I/O error" in str(error)
    assert dump(path) in (before, after)
    with closing(sqlite3.connect(path)) as connection:
        assert len(ClientStore(connection).unsent()) == 1
    assert dump(path) == after


def dump(path: Path) -> list[str]:
    if not path.exists():
        APPS[0].file(path).close()
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
