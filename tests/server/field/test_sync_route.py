"""POST /sync as a phone sees it: one round trip, and an answer in words to whatever is wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from world import CABLE, CONNECTOR, HOME_100, HOME_500, Phone, World, settle

from server import office
from server.access.models import DeviceRow
from server.billing.models import InvoiceRow
from server.db import feed
from server.db.feed_models import CommandRow, HistoryRow
from shared.assets import Asset, AssetState
from shared.commands import AddNote, AssignWorkOrder, StartTravel
from shared.work_orders import WorkOrder, WorkOrderKind, WorkOrderState
from sync.protocol import (
    PROTOCOL,
    PushedCommand,
    SyncRequest,
    SyncResponse,
    decode_image,
    decode_response,
    encode,
)
from sync.server.cursors import sealed


def a_request(commands: Sequence[PushedCommand] = (), **changes: Any) -> bytes:
    values: dict[str, Any] = {
        "protocol": PROTOCOL,
        "app_version": "1.0",
        "device_now": datetime.now(UTC),
        "queue_length": len(commands),
        "commands": tuple(commands),
    }
    return encode(SyncRequest(**values | changes))


def post(client: TestClient, phone: Phone, body: bytes, **headers: str) -> Any:
    return client.post("/sync", content=body, headers=phone.headers | headers)


def sync(
    client: TestClient, phone: Phone, commands: Sequence[PushedCommand] = (), **changes: Any
) -> SyncResponse:
    """One round trip, once nobody else on the database server holds the feed back."""
    settle(client.app.state.database)  # type: ignore[attr-defined]
    answer = post(client, phone, a_request(commands, **changes))
    assert answer.status_code == 200, answer.text
    return decode_response(answer.content)


def keys(answer: SyncResponse) -> set[tuple[str, str]]:
    return {(row.kind, row.key) for row in answer.rows}


def image(answer: SyncResponse, kind: str, key: object) -> Any:
    [row] = [row for row in answer.rows if (row.kind, row.key) == (kind, str(key))]
    return decode_image(kind, row.body)


class TestWhoHasParts:
    def test_is_told_by_itself_when_a_phone_asks_for_it_and_else_not(self, client: TestClient, today: World):
        cursor = sync(client, today.ana).cursor
        assert keys(sync(client, today.ana, cursor=cursor)) == set()
        answer = sync(client, today.ana, cursor=cursor, supply_wanted=True)
        assert keys(answer) == {("part_supply", "me")}
        assert answer.gone == ()
        supply = image(answer, "part_supply", "me")
        assert [place.name for place in supply.places] == ["Van ben"]
        assert supply.known_at == answer.server_now

    def test_comes_along_with_what_is_pushed(self, client: TestClient, today: World):
        job = today.order()
        cursor = sync(client, today.ana).cursor
        commands = today.ana.envelopes(StartTravel(work_order_id=job.id))
        answer = sync(client, today.ana, commands, cursor=cursor, supply_wanted=True)
        assert [receipt.outcome for receipt in answer.receipts] == ["accepted"]
        assert ("part_supply", "me") in keys(answer)


class TestTheFirstContact:
    def test_is_answered_with_a_snapshot_of_all_that_this_technician_needs(
        self, client: TestClient, today: World
    ):
        mine, bens = today.order(), today.order(phone=today.ben)
        answer = sync(client, today.ana)
        assert (answer.reset, answer.more, answer.receipts) == (True, False, ())
        assert keys(answer) == {
            ("profile", "me"),
            ("work_order", str(mine.id)),
            *(("asset", f"ANA{number:04d}") for number in (1, 2, 3)),
            *((kind, sku) for kind in ("product", "stock_line") for sku in ("ONT-A", "ONT-B", "ROUTER")),
            *((kind, sku) for kind in ("product", "stock_line") for sku in (CABLE, CONNECTOR)),
            *(("tariff", code) for code in (HOME_100, HOME_500)),
            ("place_brief", str(mine.location_id)),
            ("part_supply", "me"),
        }
        assert ("work_order", str(bens.id)) not in keys(answer)
        order: WorkOrder = image(answer, "work_order", mine.id)
        assert order == replace(today.work_order(mine), customer_link=order.customer_link)
        line = image(answer, "stock_line", CABLE)
        assert (line.on_hand, line.reserved, line.par) == (200, 20, 200)
        assert image(answer, "profile", "me").van_name == "Van ana"

    def test_shows_devices_at_the_address_and_no_older_or_later_days(self, client: TestClient, today: World):
        repair = today.order(WorkOrderKind.REPAIR)
        old = today.order(start=today.now - timedelta(days=9))
        late = today.order(start=today.now + timedelta(days=16))
        found = keys(sync(client, today.ana))
        assert ("asset", repair.on_site[0]) in found
        assert ("work_order", str(old.id)) not in found
        assert ("work_order", str(late.id)) not in found

    def test_shows_a_quarantined_device_of_the_own_van_as_what_it_is(self, client: TestClient, today: World):
        with today.database.write() as session:
            recalled = {"serial": "RECALL01", "state": AssetState.QUARANTINED, "batch": "L7"}
            today.receive(session, today.ana.van_id, "ONT-A", **recalled)
        device: Asset = image(sync(client, today.ana), "asset", "RECALL01")
        assert (device.state, device.batch) == (AssetState.QUARANTINED, "L7")

    def test_an_answer_of_some_size_is_packed_for_who_can_unpack_it(self, client: TestClient, today: World):
        packed = post(client, today.ana, a_request(), **{"accept-encoding": "gzip"})
        plain = post(client, today.ana, a_request(), **{"accept-encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert keys(decode_response(packed.content)) == keys(decode_response(plain.content))


class TestPushAndPullInOneRoundTrip:
    def test_brings_receipts_and_the_rows_they_changed(self, client: TestClient, today: World):
        job = today.order()
        first = sync(client, today.ana)
        answer = sync(client, today.ana, today.ana.envelopes(*today.visit(job)), cursor=first.cursor)
        assert [receipt.outcome for receipt in answer.receipts] == ["accepted"] * 9
        assert answer.reset is False
        assert keys(answer) == {
            ("work_order", str(job.id)),
            ("asset", "ANA0001"),
            *(("stock_line", sku) for sku in (CABLE, CONNECTOR, "ONT-A", "ONT-B")),
            ("place_brief", str(job.location_id)),
        }
        assert image(answer, "work_order", job.id).state is WorkOrderState.COMPLETED
        device: Asset = image(answer, "asset", "ANA0001")
        assert device.holder_id == job.location_id
        assert image(answer, "stock_line", CABLE).on_hand == 182
        assert answer.missing_evidence == ("a1" * 32, "b2" * 32), "whose bytes have not come"

    def test_sent_again_gives_the_same_receipts_and_bills_once(self, client: TestClient, today: World):
        envelopes = today.ana.envelopes(*today.visit(today.order()))
        first = sync(client, today.ana, envelopes)
        again = sync(client, today.ana, envelopes)
        assert again.receipts == first.receipts
        assert len(today.rows(InvoiceRow)) == 1

    def test_a_packed_request_is_unpacked(self, client: TestClient, today: World):
        body = gzip.compress(a_request(today.ana.envelopes(*today.visit(today.order()))))
        answer = post(client, today.ana, body, **{"content-encoding": "gzip"})
        assert {receipt.outcome for receipt in decode_response(answer.content).receipts} == {"accepted"}

    def test_nothing_new_is_nothing(self, client: TestClient, today: World):
        first = sync(client, today.ana)
        second = sync(client, today.ana, cursor=first.cursor)
        assert (second.rows, second.gone, second.reset, second.more) == ((), (), False, False)

    def test_a_job_given_to_a_colleague_is_gone_here_and_new_there(self, client: TestClient, today: World):
        job = today.order()
        mine, bens = sync(client, today.ana), sync(client, today.ben)
        move = AssignWorkOrder(
            work_order_id=job.id, technician_id=today.ben.technician_id, planned_start=today.now,
            planned_end=today.now + timedelta(hours=1),
        )  # fmt: skip
        office.run(today.database, today.settings, move, "Dora")
        after = sync(client, today.ana, cursor=mine.cursor)
        assert [(item.kind, item.key) for item in after.gone if item.kind == "work_order"] == [
            ("work_order", str(job.id))
        ]
        assert ("work_order", str(job.id)) in keys(sync(client, today.ben, cursor=bens.cursor))
        assert sync(client, today.ana, cursor=after.cursor).gone == ()

    def test_more_changes_than_a_page_come_in_pages_and_none_is_missed(
        self, client: TestClient, today: World
    ):
        first = sync(client, today.ana)
        scope = feed.technician_scope(today.ana.technician_id)
        with today.database.write() as session:
            for number in range(1_100):
                sku = CABLE if number < 1_099 else CONNECTOR
                feed.append(session, [scope], "stock_line", sku, "Counted", at=today.now, actor="x")
        pages = [sync(client, today.ana, cursor=first.cursor)]
        while pages[-1].more:
            pages.append(sync(client, today.ana, cursor=pages[-1].cursor))
        assert [len(page.rows) for page in pages] == [1, 1, 2], "a hundred changes of a row cost one image"
        assert keys(pages[-1]) == {("stock_line", CABLE), ("stock_line", CONNECTOR)}


class TestACursorOfAnotherTime:
    @pytest.mark.parametrize(
        "cursor",
        ["", "nonsense", "0.0", "deadbeef-20200101-00000000.0.0", "\x00", "9" * 400],
    )
    def test_starts_over_with_a_snapshot(self, client: TestClient, today: World, cursor: str):
        assert sync(client, today.ana, cursor=cursor).reset is True

    @pytest.mark.parametrize("tail", ["", "x.y", "1", "-1.-1", f"{10**30}.0", f"0.{10**30}"])
    def test_with_the_right_history_and_a_spoilt_position_starts_over(
        self, client: TestClient, today: World, tail: str
    ):
        history = sync(client, today.ana).cursor.split(".")[0]
        cursor = sealed(f"{history}.{tail}", today.row(HistoryRow).cursor_key)
        assert sync(client, today.ana, cursor=cursor).reset is True

    def test_that_an_older_server_gave_out_starts_over(self, client: TestClient, today: World):
        first = sync(client, today.ana)
        assert sync(client, today.ana, cursor=first.cursor).reset is False
        assert sync(client, today.ana, cursor=first.cursor.partition("!")[0]).reset is True

    def test_of_a_restored_database_starts_over(self, client: TestClient, today: World):
        first = sync(client, today.ana)
        with today.database.write() as session:
            session.execute(update(HistoryRow).values(epoch="restored"))
        assert sync(client, today.ana, cursor=first.cursor).reset is True

    def test_of_a_colleague_starts_over(self, client: TestClient, today: World):
        assert sync(client, today.ben, cursor=sync(client, today.ana).cursor).reset is True


def refused(answer: Any) -> tuple[int, str, str | None]:
    """(status, detail, field) of a problem+json."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["type"].startswith("https://truckroll.dev/problems/")
    assert body["status"] == answer.status_code
    return answer.status_code, body["detail"], body.get("field")


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        "body", [b"", b"garbage", b"\xff\xfe\x00", b"<html>", b"{", b'{"app_version": "\xff"}']
    )
    def test_is_no_json(self, client: TestClient, today: World, body: bytes):
        status, detail, _ = refused(post(client, today.ana, body))
        assert status == 422
        assert detail.startswith("The sync request is not valid JSON")

    def test_is_half_a_request(self, client: TestClient, today: World):
        body = a_request(today.ana.envelopes(*today.visit(today.order())))
        status, detail, _ = refused(post(client, today.ana, body[: len(body) // 2]))
        assert (status, detail[:25]) == (422, "The sync request is not v")
        assert today.rows(CommandRow) == [], "half a request books nothing"

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"protocol": "one"}, "protocol", "Expected `int`, got `str`"),
            ({"device_now": "yesterday"}, "device_now", "Invalid RFC3339 encoded datetime"),
            ({"commands": [{"id": "7"}]}, "commands[0].id", "Invalid UUID"),
            ({"commands": 7}, "commands", "Expected `array`, got `int`"),
            ({"queue_length": None}, "queue_length", "Expected `int`, got `null`"),
        ],
    )
    def test_names_the_field_and_what_is_wrong(
        self, client: TestClient, today: World, change: dict[str, Any], field: str, words: str
    ):
        body = json.dumps(json.loads(a_request()) | change).encode()
        assert refused(post(client, today.ana, body)) == (422, f"The sync request: {words}", field)

    def test_lacks_a_field(self, client: TestClient, today: World):
        body = json.dumps({"protocol": 1}).encode()
        assert refused(post(client, today.ana, body)) == (
            422,
            "The sync request: Object missing required field `app_version`",
            None,
        )

    def test_has_a_time_without_a_zone(self, client: TestClient, today: World):
        body = json.dumps(json.loads(a_request()) | {"device_now": "2026-11-23T08:00:00"}).encode()
        assert refused(post(client, today.ana, body)) == (
            422,
            "Send the device's time with its zone, as 2026-11-23T08:00:00Z",
            "device_now",
        )

    def test_is_of_a_newer_protocol(self, client: TestClient, today: World):
        assert refused(post(client, today.ana, a_request(protocol=PROTOCOL + 1))) == (
            422,
            f"The app speaks protocol {PROTOCOL + 1}, the server {PROTOCOL}: update the server",
            "protocol",
        )

    def test_has_too_many_commands(self, client: TestClient, today: World):
        job = today.order()
        many = today.ana.envelopes(*[StartTravel(work_order_id=job.id)] * 201)
        assert refused(post(client, today.ana, a_request(many))) == (
            422,
            "At most 200 commands a request",
            "commands",
        )
        assert today.rows(CommandRow) == []

    def test_is_larger_than_it_may_be(self, client: TestClient, today: World):
        status, detail, _ = refused(post(client, today.ana, b" " * (8 * 2**20 + 1)))
        assert (status, detail) == (422, "The request is larger than 8 MB: send fewer commands")

    def test_unpacks_to_more_than_it_may(self, client: TestClient, today: World):
        bomb = gzip.compress(b" " * (64 * 2**20))
        assert len(bomb) < 100_000
        answer = post(client, today.ana, bomb, **{"content-encoding": "gzip"})
        assert refused(answer) == (422, "The request unpacks to more than 8 MB", None)

    def test_is_not_packed_as_it_says(self, client: TestClient, today: World):
        status, detail, field = refused(post(client, today.ana, a_request(), **{"content-encoding": "gzip"}))
        assert (status, detail[:26], field) == (422, "The request is not gzip: E", "content-encoding")


class TestCommandsThatCannotBeDecided:
    def test_are_held_one_by_one_and_the_rest_goes_through(self, client: TestClient, today: World):
        job = today.order()
        odd, newer, good = today.ana.envelopes(*[StartTravel(work_order_id=job.id)] * 3)
        odd, newer = replace(odd, type="teleport"), replace(newer, schema=99)
        answer = sync(client, today.ana, [odd, newer, good])
        assert [(item.outcome, item.slug) for item in answer.receipts] == [
            ("held", "unknown-command"),
            ("held", "newer-schema"),
            ("accepted", None),
        ]
        assert [item.detail for item in answer.receipts][:2] == [
            "The server does not know 'teleport': update the server or the app",
            "The app sends version 99, the server reads up to 1: update the server",
        ]
        kept = {row.id: row for row in today.rows(CommandRow, CommandRow.outcome == "held")}
        assert set(kept) == {odd.id, newer.id}
        assert json.loads(kept[odd.id].body)["work_order_id"] == str(job.id)

    def test_hold_half_a_character_and_come_to_the_inbox_as_they_are(self, client: TestClient, today: World):
        """A text that was cut in the middle of an emoji: JSON can spell that, and no text can hold it."""
        job = today.order()
        good, cut, last = today.ana.envelopes(
            StartTravel(work_order_id=job.id),
            AddNote(work_order_id=job.id, text="CUT"),
            AddNote(work_order_id=job.id, text="whole"),
        )
        body = a_request([good, cut, last]).replace(b"CUT", rb"smiles \ud83d")
        for again in (body, a_request([cut]).replace(b"CUT", rb"smiles \ud83d"), a_request([good, last])):
            answer = decode_response(post(client, today.ana, again).content)
            assert {item.command_id: (item.outcome, item.slug) for item in answer.receipts}.items() <= {
                good.id: ("accepted", None),
                cut.id: ("held", "malformed"),
                last.id: ("accepted", None),
            }.items(), "its id and its content are bound: a retry is known again"
        assert [note.text for note in today.work_order(job).notes] == ["whole"]
        kept = today.row(CommandRow, CommandRow.id == cut.id)
        assert (kept.work_order_id, kept.body) == (
            job.id,
            bytes(cut.body).decode().replace("CUT", r"smiles \ud83d"),
        )


class TestWhoMayNot:
    @pytest.mark.parametrize("header", [{}, {"authorization": "Bearer nobody"}, {"authorization": "Basic x"}])
    def test_a_stranger(self, client: TestClient, today: World, header: dict[str, str]):
        answer = client.post("/sync", content=a_request(), headers=header)
        assert refused(answer) == (
            401,
            "This device is not signed in. Enter a code from dispatch; your work stays on it",
            None,
        )

    def test_a_revoked_device_once_its_work_was_taken_into_the_inbox(self, client: TestClient, today: World):
        envelopes = today.ana.envelopes(*today.visit(today.order()))
        with today.database.write() as session:
            session.get(DeviceRow, today.ana.device_id).revoked_at = today.now
        answer = sync(client, today.ana, envelopes)
        assert {(item.outcome, item.slug) for item in answer.receipts} == {("held", "revoked-device")}
        assert keys(answer) == set()
        assert refused(post(client, today.ana, a_request())) == (
            403,
            "The office signed this device out. Your work stays on it; call dispatch",
            None,
        )

    def test_a_token_that_has_run_out_and_works_again_when_renewed(self, client: TestClient, today: World):
        envelopes = today.ana.envelopes(*today.visit(today.order()))

        def expire(at: datetime) -> None:
            with today.database.write() as session:
                session.get(DeviceRow, today.ana.device_id).token_expires_at = at

        expire(today.now - timedelta(seconds=1))
        assert refused(post(client, today.ana, a_request(envelopes))) == (
            401,
            "This device's sign-in has run out. Enter a new code; your work stays on it",
            None,
        )
        expire(today.now + timedelta(days=1))
        assert {item.outcome for item in sync(client, today.ana, envelopes).receipts} == {"accepted"}


class TestTheHeartbeat:
    def test_notes_version_queue_and_clock(self, client: TestClient, today: World):
        sync(client, today.ana, device_now=datetime.now(UTC) - timedelta(days=1), queue_length=7)
        device = today.row(DeviceRow, DeviceRow.id == today.ana.device_id)
        assert (device.app_version, device.queue_length) == ("1.0", 7)
        assert abs(device.clock_offset_seconds - 86_400) <= 2
        assert device.last_seen_at is not None

    def test_of_a_phone_that_talks_nonsense_about_itself_never_stops_its_work(
        self, client: TestClient, today: World
    ):
        job = today.order()
        answer = sync(
            client,
            today.ana,
            today.ana.envelopes(StartTravel(work_order_id=job.id)),
            device_now=datetime(1901, 1, 1, tzinfo=UTC),
            queue_length=2**40,
            app_version="1\x00" * 500,
        )
        assert answer.receipts[0].outcome == "accepted"
        device = today.row(DeviceRow, DeviceRow.id == today.ana.device_id)
        assert (device.queue_length, device.clock_offset_seconds) == (2**31 - 1, 2**31 - 1)

    def test_a_clock_a_day_off_is_corrected_and_remarked(self, client: TestClient, today: World):
        job = today.order()
        yesterday = today.now - timedelta(days=1)
        envelopes = today.ana.envelopes(StartTravel(work_order_id=job.id), start=yesterday)
        now = datetime.now(UTC)
        answer = sync(client, today.ana, envelopes, device_now=now - timedelta(days=1))
        assert [remark.detail for remark in answer.receipts[0].remarks] == [
            "The phone's clock was 1440 minutes behind; times were corrected"
        ]
        started = today.work_order(job).travel_started_at
        assert started is not None and abs(started - today.now) < timedelta(seconds=2)
