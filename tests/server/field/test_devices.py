"""What a device may do at a contact: new tokens, signed-out devices, wipes, old apps, heartbeats."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from databases import migrated_database
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from world import PHOTO, SIGNATURE, Job, Phone, World, a_world, settle

from server.access import devices
from server.access.callers import HELD_BACK, SIGNED_OUT, UNDER_WAY
from server.access.heartbeat import Left, read_left
from server.access.models import DeviceRow, RetiredTokenRow
from server.access.tokens import digest
from server.billing.models import InvoiceRow
from server.db.engine import Database
from server.db.feed_models import CommandRow, FeedRow
from server.dispatch.models import TechnicianRow
from server.field.exchange import exchange
from server.inbox import acts
from server.replay import compare, replay
from server.work_orders.models import AttachmentRow
from shared.commands import Arrive, StartTravel
from shared.problems import (
    AppTooOld,
    Conflict,
    ExpiredToken,
    ReplacedToken,
    RevokedDevice,
    SignInNeeded,
    WipeDevice,
)
from shared.work_orders import WorkOrderState
from sync.protocol import PROTOCOL, PROTOCOL_MIN, PushedCommand, SyncRequest, SyncResponse, UnsentItem, encode

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SOON = timedelta(seconds=10)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, data_folder=tmp_path / "data") as made:
        yield made


def contact(
    world: World,
    commands: Sequence[PushedCommand] = (),
    *,
    phone: Phone | None = None,
    token: str | None = None,
    now: datetime | None = None,
    protocol_min: int = PROTOCOL_MIN,
    **changes: Any,
) -> SyncResponse:
    """One contact of Ana's phone at `now` (default: a minute after the world's), its clock being right."""
    at = now or world.now + MINUTE
    values: dict[str, Any] = {
        "protocol": PROTOCOL,
        "app_version": "2.0",
        "device_now": at,
        "queue_length": len(commands),
        "commands": tuple(commands),
    }
    body = encode(SyncRequest(**values | changes))
    key = token or (phone or world.ana).token
    done = exchange(world.database, world.settings, key, body, at, protocol_min=protocol_min)
    return done.response


def device(world: World, phone: Phone | None = None) -> DeviceRow:
    found: DeviceRow = world.row(DeviceRow, DeviceRow.id == (phone or world.ana).device_id)
    return found


def change(world: World, **values: Any) -> None:
    with world.database.write() as session:
        row = session.get_one(DeviceRow, world.ana.device_id)
        for name, value in values.items():
            setattr(row, name, value)


def topics(world: World, key: object) -> list[str]:
    return [row.topic for row in world.rows(FeedRow, FeedRow.key == str(key))]


def outcomes(answer: SyncResponse) -> set[tuple[str, str | None]]:
    return {(receipt.outcome, receipt.slug) for receipt in answer.receipts}


class TestATokenOfADay:
    def test_is_replaced_by_the_one_that_an_answer_brings(self, world: World):
        assert contact(world, now=world.now + DAY - SOON).token is None
        fresh = contact(world, now=world.now + DAY).token
        assert fresh is not None and fresh != world.ana.token
        assert contact(world, token=fresh, now=world.now + DAY + SOON).token is None
        row = device(world)
        assert (row.token_hash, row.next_token_hash, row.next_token_salt) == (digest(fresh), None, None)
        assert row.token_rotated_at == world.now + DAY + SOON
        assert contact(world, token=fresh, now=world.now + 2 * DAY).token is None, "not a day old"
        third = contact(world, token=fresh, now=world.now + 2 * DAY + SOON).token
        assert third not in (None, fresh, world.ana.token)

    def test_stays_good_while_answers_are_lost_and_is_told_the_same_again(self, world: World):
        told = {contact(world, now=world.now + DAY + number * HOUR).token for number in range(3)}
        assert len(told) == 1, "a duplicate on the way must not spoil the one that arrived"
        [fresh] = told
        assert contact(world, token=fresh, now=world.now + DAY + 4 * HOUR).server_now

    def test_is_still_good_for_requests_that_were_under_way(self, world: World):
        fresh = contact(world, now=world.now + DAY).token
        used = world.now + DAY + SOON
        contact(world, token=fresh, now=used)
        late = contact(world, world.ana.envelopes(StartTravel(work_order_id=world.order().id)),
                       now=used + UNDER_WAY)  # fmt: skip
        assert (outcomes(late), late.token) == ({("accepted", None)}, None)

    def test_that_comes_back_later_is_a_copy_and_is_refused_and_told_to_the_office_once_an_hour(
        self, world: World
    ):
        fresh = contact(world, now=world.now + DAY).token
        contact(world, token=fresh, now=world.now + DAY + SOON)
        envelopes = world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        copied = world.now + DAY + HOUR
        for minutes in (0, 30):
            with pytest.raises(ReplacedToken, match="newer sign-in") as refused:
                contact(world, envelopes, now=copied + minutes * MINUTE)
            assert refused.value.subject == str(world.ana.device_id)
        assert world.rows(CommandRow) == []
        assert world.row(RetiredTokenRow).used_at == copied
        assert topics(world, world.ana.device_id) == ["ReplacedTokenUsed"]
        assert outcomes(contact(world, envelopes, token=fresh, now=copied)) == {("accepted", None)}

    def test_is_never_replaced_for_an_app_that_does_not_look(self, world: World):
        assert contact(world, protocol=1, now=world.now + 9 * DAY).token is None
        assert device(world).next_token_hash is None

    def test_keeps_only_digests(self, world: World):
        fresh = contact(world, now=world.now + DAY).token
        contact(world, token=fresh, now=world.now + DAY + SOON)
        assert fresh is not None
        everything = str(world.contents())
        assert fresh not in everything and world.ana.token not in everything


class TestADeviceThatWasSignedOut:
    @pytest.fixture
    def signed_out(self, world: World) -> World:
        world.visit_of_ana = world.order()  # type: ignore[attr-defined]
        change(world, revoked_at=world.now)
        return world

    def test_has_its_queue_held_whole_and_reads_nothing(self, signed_out: World):
        world, job = signed_out, signed_out.visit_of_ana  # type: ignore[attr-defined]
        cursor = "as it was"
        answer = contact(world, world.ana.envelopes(*world.visit(job)), cursor=cursor)
        assert outcomes(answer) == {("held", "revoked-device")}
        assert {receipt.detail for receipt in answer.receipts} == {HELD_BACK}
        assert (answer.rows, answer.gone, answer.reset, answer.more) == ((), (), False, False)
        assert (answer.cursor, answer.token) == (cursor, None)
        kept = world.rows(CommandRow)
        assert [row.type for row in sorted(kept, key=lambda row: row.seq)] == [
            command.type for command in world.visit(job)
        ]
        assert {row.work_order_id for row in kept} == {job.id}
        assert world.work_order(job).state is WorkOrderState.ASSIGNED, "nothing is decided"
        assert world.rows(InvoiceRow) == []

    def test_is_refused_once_it_has_nothing_left(self, signed_out: World):
        with pytest.raises(RevokedDevice, match=SIGNED_OUT):
            contact(signed_out)

    def test_is_heard_while_it_says_that_something_is_left(self, signed_out: World):
        answer = contact(signed_out, queue_length=3)
        assert (answer.receipts, answer.rows) == ((), ())

    def test_is_asked_for_the_photos_that_it_named_until_they_are_here(self, signed_out: World):
        world, job = signed_out, signed_out.visit_of_ana  # type: ignore[attr-defined]
        answer = contact(world, world.ana.envelopes(*world.visit(job)), unsent_photos=2)
        assert answer.missing_evidence == (PHOTO, SIGNATURE)
        assert contact(world, unsent_photos=2).missing_evidence == (PHOTO, SIGNATURE)
        with world.database.write() as session:
            for name in (PHOTO, SIGNATURE):
                session.add(
                    AttachmentRow(digest=name, size_bytes=1, media_type="image/png", stored_at=world.now,
                                  device_id=world.ana.device_id)
                )  # fmt: skip
        with pytest.raises(RevokedDevice):
            contact(world, unsent_photos=0)

    def test_gets_the_receipt_of_what_was_decided_before(self, world: World):
        envelopes = world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        contact(world, envelopes)
        change(world, revoked_at=world.now)
        assert outcomes(contact(world, envelopes)) == {("accepted", None)}

    def test_is_heard_even_when_its_sign_in_has_run_out(self, signed_out: World):
        change(signed_out, token_expires_at=signed_out.now - DAY)
        job = signed_out.visit_of_ana  # type: ignore[attr-defined]
        answer = contact(signed_out, signed_out.ana.envelopes(StartTravel(work_order_id=job.id)))
        assert outcomes(answer) == {("held", "revoked-device")}

    def test_has_even_what_nobody_can_read_held_under_that_reason(self, signed_out: World):
        [odd] = signed_out.ana.envelopes(StartTravel(work_order_id=signed_out.order().id))
        assert outcomes(contact(signed_out, [replace(odd, type="teleport")])) == {("held", "revoked-device")}

    def test_has_its_visit_booked_when_a_dispatcher_accepts_it(self, signed_out: World):
        world, job = signed_out, signed_out.visit_of_ana  # type: ignore[attr-defined]
        contact(world, world.ana.envelopes(*world.visit(job)))
        first = min(world.rows(CommandRow), key=lambda row: row.seq)
        ruled = acts.accept_visit(world.database, world.settings, first.id, "Dora")
        assert (len(ruled.booked), ruled.why) == (9, None)
        assert world.work_order(job).state is WorkOrderState.COMPLETED
        assert len(world.rows(InvoiceRow)) == 1

    def test_may_be_that_of_somebody_who_left(self, world: World):
        job = world.order()
        with world.database.write() as session:
            session.get_one(TechnicianRow, world.ana.technician_id).active = False
        answer = contact(world, world.ana.envelopes(StartTravel(work_order_id=job.id)))
        assert outcomes(answer) == {("held", "revoked-device")}
        with pytest.raises(RevokedDevice, match="not on the list"):
            contact(world)

    def test_only_stayed_away_and_may_come_back_with_a_new_code(self, world: World):
        envelopes = world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        change(world, token_expires_at=world.now)
        with pytest.raises(ExpiredToken):
            contact(world, envelopes)
        with world.database.write() as session:
            code = devices.new_code(session, world.ana.technician_id, world.now)
            _, token = devices.register(session, code, "The same phone", "test", world.now)
        assert outcomes(contact(world, envelopes, token=token)) == {("accepted", None)}


def revoke(session: Session, world: World) -> None:
    devices.revoke(session, world.ana.device_id, world.now, by="Dora")


def order_wipe(session: Session, world: World) -> None:
    devices.order_wipe(session, world.ana.device_id, world.now, by="Dora")


def dismiss(session: Session, world: World) -> None:
    session.get_one(TechnicianRow, world.ana.technician_id).active = False


@contextmanager
def when_about_to_decide(world: World, act: Callable[[], object]) -> Iterator[None]:
    """`act` once, when a contact was admitted and is about to lock its device (SQLite: the database)."""
    done: list[object] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not done and (statement == "BEGIN IMMEDIATE" or "FOR NO KEY UPDATE OF device" in statement):
            done.append("before it acts, for that may come by here")
            act()

    event.listen(world.database.engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(world.database.engine, "before_cursor_execute", look)
    assert done


class TestADeviceThatIsSignedOutWhileItsWorkIsUnderWay:
    """On another connection, between the look at its token and the lock on its row."""

    @pytest.fixture
    def elsewhere(self, world: World) -> Iterator[Database]:
        database = Database(world.database.url)
        yield database
        database.close()

    def is_held(self, world: World, job: Job, answer: SyncResponse) -> None:
        assert outcomes(answer) == {("held", "revoked-device")}
        assert {receipt.detail for receipt in answer.receipts} == {HELD_BACK}
        assert (len(answer.receipts), answer.rows) == (9, ())
        assert world.work_order(job).state is WorkOrderState.ASSIGNED
        assert world.rows(InvoiceRow) == []

    @pytest.mark.parametrize("shut_out", [revoke, order_wipe, dismiss])
    def test_has_it_held(self, world: World, elsewhere: Database, shut_out: Callable[[Session, World], None]):
        job = world.order()

        def act() -> None:
            with elsewhere.write() as session:
                shut_out(session, world)

        with when_about_to_decide(world, act):
            answer = contact(world, world.ana.envelopes(*world.visit(job)), queue_length=10)
        self.is_held(world, job, answer)

    def test_has_it_held_when_it_waited_for_that(self, world: World, elsewhere: Database):
        job, waits = world.order(), Event()
        with when_about_to_decide(world, waits.set), ThreadPoolExecutor(1) as phone:
            with elsewhere.write() as session:
                revoke(session, world)
                session.flush()  # its row is locked from here
                envelopes = world.ana.envelopes(*world.visit(job))
                pushing = phone.submit(contact, world, envelopes, queue_length=10)
                assert waits.wait(20)
                if world.database.is_postgresql:
                    until_somebody_waits(elsewhere)
            answer = pushing.result(20)
        self.is_held(world, job, answer)

    def test_leaves_a_log_that_can_be_replayed(self, world: World, elsewhere: Database, tmp_path: Path):
        def act() -> None:
            with elsewhere.write() as session:
                revoke(session, world)

        envelopes = world.ana.envelopes(*world.visit(world.order()))
        with when_about_to_decide(world, act):
            answer = contact(world, envelopes, queue_length=10)
        assert outcomes(answer) == {("held", "revoked-device")}
        with migrated_database("sqlite", tmp_path) as url:
            fresh = Database(url)
            replay(world.database, fresh, world.settings)
            reports = compare(world.database, fresh)
            fresh.close()
        assert {report.name for report in reports if not report.equal} == set()
        [commands] = [report.rows for report in reports if report.name == "command"]
        assert commands == 9


def until_somebody_waits(database: Database) -> None:
    """For a lock, on PostgreSQL."""
    give_up = time.monotonic() + 20
    with database.engine.connect() as connection:
        query = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while not connection.scalar(query):
            assert time.monotonic() < give_up, "nobody waits"
            connection.rollback()
            time.sleep(0.01)


class TestADeviceThatIsToBeErased:
    @pytest.fixture
    def ordered(self, world: World) -> World:
        with world.database.write() as session:
            devices.order_wipe(session, world.ana.device_id, world.now, by="Dora")
        return world

    def test_is_told_so_at_its_first_contact_after_its_queue_was_taken(self, ordered: World):
        envelopes = ordered.ana.envelopes(StartTravel(work_order_id=ordered.order().id))
        with pytest.raises(WipeDevice):
            contact(ordered, envelopes)
        assert [(row.id, row.slug) for row in ordered.rows(CommandRow)] == [
            (envelopes[0].id, "revoked-device")
        ]
        with pytest.raises(WipeDevice):
            contact(ordered, queue_length=7, unsent_photos=2)

    def test_brings_a_queue_longer_than_one_push_first(self, ordered: World):
        job = ordered.order()
        first, second = ordered.ana.envelopes(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id))
        answer = contact(ordered, [first], queue_length=2)
        assert (outcomes(answer), answer.rows) == ({("held", "revoked-device")}, ())
        with pytest.raises(WipeDevice):
            contact(ordered, [second], queue_length=1)
        assert len(ordered.rows(CommandRow)) == 2

    def test_cannot_put_it_off_by_sending_the_same_again(self, ordered: World):
        envelopes = ordered.ana.envelopes(StartTravel(work_order_id=ordered.order().id))
        contact(ordered, envelopes, queue_length=9)
        with pytest.raises(WipeDevice):
            contact(ordered, envelopes, queue_length=9, now=ordered.now + 2 * MINUTE)

    def test_confirms_it_and_is_dead_from_there(self, ordered: World):
        done = ordered.now + HOUR
        with ordered.database.write() as session:
            devices.confirm_wipe(session, ordered.ana.token, done)
        with ordered.database.write() as session:
            devices.confirm_wipe(session, ordered.ana.token, done + HOUR)
        assert device(ordered).wiped_at == done, "the first time stays"
        envelopes = ordered.ana.envelopes(StartTravel(work_order_id=ordered.order().id))
        with pytest.raises(WipeDevice):
            contact(ordered, envelopes)
        assert ordered.rows(CommandRow) == []
        assert topics(ordered, ordered.ana.device_id) == [
            "DeviceRevoked", "DeviceWipeOrdered", "DeviceWiped",
        ]  # fmt: skip

    def test_is_told_so_also_by_an_older_token(self, world: World):
        fresh = contact(world, now=world.now + DAY).token
        contact(world, token=fresh, now=world.now + DAY + SOON)
        with world.database.write() as session:
            devices.order_wipe(session, world.ana.device_id, world.now + DAY + HOUR, by="Dora")
        with pytest.raises(WipeDevice):
            contact(world, now=world.now + 2 * DAY)

    def test_is_none_that_nobody_spoke_of(self, world: World):
        with world.database.write() as session, pytest.raises(Conflict, match="Nobody ordered"):
            devices.confirm_wipe(session, world.ana.token, world.now)
        with world.database.write() as session, pytest.raises(SignInNeeded):
            devices.confirm_wipe(session, "nobody's", world.now)
        assert device(world).wiped_at is None


class TestAPhoneThatWasHandedOn:
    def test_has_the_first_ones_work_held_under_their_name(self, world: World):
        job = world.order()
        [made_by_ana] = world.ana.envelopes(StartTravel(work_order_id=job.id))
        [own] = world.ben.envelopes(StartTravel(work_order_id=world.order(phone=world.ben).id))
        made_by_ana = replace(made_by_ana, technician_id=world.ana.technician_id)
        own = replace(own, technician_id=world.ben.technician_id)
        answer = contact(world, [made_by_ana, own], phone=world.ben)
        assert {receipt.command_id: receipt.slug for receipt in answer.receipts} == {
            made_by_ana.id: "others-work",
            own.id: None,
        }
        kept = world.row(CommandRow, CommandRow.id == made_by_ana.id)
        assert (kept.device_id, kept.actor) == (world.ana.device_id, world.ana.name)
        assert kept.detail == (
            "Made while this phone was registered for Ana Virtanen, and sent by Ben Korhonen. "
            "Nothing is booked until somebody accepts it"
        )
        acts.accept(world.database, world.settings, made_by_ana.id, "Dora")
        assert world.work_order(job).technician_id == world.ana.technician_id
        assert world.work_order(job).state is WorkOrderState.TRAVELLING

    def test_gets_the_receipt_that_the_first_one_never_heard(self, world: World):
        envelopes = [
            replace(one, technician_id=world.ana.technician_id)
            for one in world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        ]
        contact(world, envelopes)
        assert outcomes(contact(world, envelopes, phone=world.ben)) == {("accepted", None)}
        assert len(world.rows(CommandRow)) == 1

    def test_names_somebody_unknown_and_is_held_all_the_same(self, world: World):
        [odd] = world.ben.envelopes(StartTravel(work_order_id=world.order().id))
        answer = contact(world, [replace(odd, technician_id=odd.id)], phone=world.ben)
        assert outcomes(answer) == {("held", "others-work")}
        assert "somebody this server does not know" in str(answer.receipts[0].detail)


class TestAnAppBelowTheFloor:
    def test_has_what_it_brings_decided_and_reads_nothing(self, world: World):
        envelopes = world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        answer = contact(world, envelopes, protocol=1, protocol_min=2)
        assert (outcomes(answer), answer.rows, answer.cursor) == ({("accepted", None)}, (), "")

    def test_is_told_to_be_updated_once_it_brings_nothing(self, world: World):
        with pytest.raises(AppTooOld) as refused:
            contact(world, protocol=1, protocol_min=2)
        assert refused.value.field == "protocol"
        assert refused.value.detail == (
            "This app speaks protocol 1, the server from 2 on. Update the app; what it had to send was taken"
        )

    def test_is_one_of_protocol_0_today(self, world: World):
        with pytest.raises(AppTooOld):
            contact(world, protocol=0)
        assert contact(world, protocol=1).rows
        assert contact(world, protocol=1).protocol_min == 1


def said(world: World) -> tuple[Any, ...]:
    row = device(world)
    return (row.protocol, row.app_version, row.queue_length, row.unsent_photos, row.oldest_unsent_at,
            row.storage_left_bytes, row.clock_offset_seconds)  # fmt: skip


def left(world: World) -> list[Left]:
    return read_left(device(world).unsent)


def a_photo(world: World) -> UnsentItem:
    return UnsentItem(type="photo", order_number="WO-7", made_at=world.now)


class TestTheHeartbeat:
    def test_keeps_what_the_device_says_of_itself(self, world: World):
        oldest = world.now - 5 * HOUR
        contact(world, queue_length=3, unsent_photos=2, oldest_unsent_at=oldest, storage_left_bytes=2**33)
        assert said(world) == (PROTOCOL, "2.0", 3, 2, oldest, 2**33, 0)
        assert device(world).last_seen_at == world.now + MINUTE

    def test_counts_what_is_left_after_this_push(self, world: World):
        envelopes = world.ana.envelopes(StartTravel(work_order_id=world.order().id))
        contact(world, envelopes, queue_length=1, oldest_unsent_at=world.now)
        assert said(world) == (PROTOCOL, "2.0", 0, 0, None, None, 0)

    def test_tells_the_oldest_entry_by_the_servers_clock(self, world: World):
        at = world.now + MINUTE
        contact(world, now=at, device_now=at - 3 * HOUR, queue_length=1, oldest_unsent_at=at - 4 * HOUR)
        row = device(world)
        assert (row.oldest_unsent_at, row.clock_offset_seconds) == (at - HOUR, 3 * 3600)

    def test_takes_a_wait_at_the_door_for_no_fault_of_the_devices_clock(self, world: World):
        sent, waited = world.now + MINUTE, timedelta(seconds=50)
        asked = SyncRequest(protocol=PROTOCOL, app_version="2.0", device_now=sent, queue_length=0)
        token, answered = world.ana.token, sent + waited
        exchange(world.database, world.settings, token, encode(asked), answered, waited=waited)
        assert device(world).clock_offset_seconds == 0

    @pytest.mark.parametrize("odd", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
    def test_stands_nonsense(self, world: World, odd: datetime):
        contact(world, queue_length=-4, unsent_photos=2**40, oldest_unsent_at=odd, storage_left_bytes=2**70,
                protocol=-(2**40), protocol_min=-(2**50))  # fmt: skip
        assert said(world)[2:6] == (0, 2**31 - 1, None, 2**63 - 1)

    def test_lists_what_only_the_device_has_by_the_servers_clock(self, world: World):
        at = world.now + MINUTE
        photo = UnsentItem(type="photo", order_number="WO-7", made_at=at - 4 * HOUR)
        contact(world, now=at, device_now=at - 3 * HOUR, unsent_photos=1, unsent=(photo,))
        assert left(world) == [Left(type="photo", order_number="WO-7", made_at=at - HOUR)]
        contact(world, now=at + SOON, device_now=at - 3 * HOUR, unsent_photos=1)
        assert len(left(world)) == 1, "nothing said: it is as it was"

    @pytest.mark.parametrize("says", [{"unsent": ()}, {}])
    def test_lists_nothing_once_all_has_arrived(self, world: World, says: dict[str, Any]):
        contact(world, unsent_photos=1, unsent=(a_photo(world),))
        contact(world, **says)
        assert (left(world), device(world).unsent_photos) == ([], 0)

    def test_forgets_the_list_of_an_app_that_makes_none(self, world: World):
        contact(world, unsent_photos=1, unsent=(a_photo(world),))
        contact(world, unsent_photos=2, protocol=3)
        assert (left(world), device(world).unsent_photos) == ([], 2)

    def test_keeps_a_list_in_bounds(self, world: World):
        odd = UnsentItem(type="x" * 99, order_number="\x00" * 2, made_at=datetime(1, 1, 1, tzinfo=UTC))
        contact(world, queue_length=60, unsent=(odd,) * 60)
        at = world.now + MINUTE
        assert left(world) == [Left(type="x" * 40, order_number="\\u0000" * 2, made_at=at)] * 50

    def test_keeps_what_went_with_a_device_that_was_erased(self, world: World):
        contact(world, unsent_photos=1, unsent=(a_photo(world),))
        with world.database.write() as session:
            devices.order_wipe(session, world.ana.device_id, world.now + MINUTE, by="Mia")
        with pytest.raises(WipeDevice):
            contact(world, unsent_photos=1)
        with world.database.write() as session:
            devices.confirm_wipe(session, world.ana.token, world.now + HOUR)
        assert [one.type for one in left(world)] == ["photo"]

    def test_costs_no_write_and_two_statements_while_there_is_nothing_new(self, world: World):
        first = contact(world)
        settle(world.database)
        first = contact(world, cursor=first.cursor, now=world.now + MINUTE + SOON)
        settle(world.database)
        said_to_database: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            said_to_database.append(statement.split()[0])

        event.listen(world.database.engine, "before_cursor_execute", note)
        try:
            contact(world, cursor=first.cursor, now=world.now + MINUTE + 2 * SOON)
        finally:
            event.remove(world.database.engine, "before_cursor_execute", note)
        assert "UPDATE" not in said_to_database and "INSERT" not in said_to_database
        assert device(world).last_seen_at == world.now + MINUTE
        contact(world, now=world.now + 2 * MINUTE)
        assert device(world).last_seen_at == world.now + 2 * MINUTE

    def test_is_written_at_once_when_the_queue_tells_something_new(self, world: World):
        contact(world)
        contact(world, now=world.now + MINUTE + SOON, unsent_photos=1)
        assert (device(world).unsent_photos, device(world).last_seen_at) == (1, world.now + MINUTE + SOON)

    def test_survives_a_request_of_the_first_protocol(self, world: World):
        body = json.dumps({"protocol": 1, "app_version": "0.1", "device_now": "2026-11-16T07:01:00Z",
                           "queue_length": 0}).encode()  # fmt: skip
        exchange(world.database, world.settings, world.ana.token, body, world.now + MINUTE)
        assert said(world) == (1, "0.1", 0, 0, None, None, 0)
