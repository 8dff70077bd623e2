"""The inbox over HTTP: what it shows, what it does, and whom it refuses."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from fastapi.testclient import TestClient
from world import CABLE, World, uid

from server import office
from server.access.roles import Role
from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow
from server.inbox.edits import FIELDS
from server.stock.models import VanTransferRow
from server.stock.transfers import new_values
from server.work_orders.repository import load
from shared.commands import (
    FIELD_COMMANDS,
    JOBLESS_COMMANDS,
    AddNote,
    CancelWorkOrder,
    CloseWorkOrder,
    UseParts,
)
from shared.stock_commands import CountVan
from shared.transfers import Handed, Offer, Transfer
from shared.work_orders import PartLine, WorkOrder, WorkOrderState

SignIn = Callable[[Role], dict[str, str]]


@pytest.fixture
def dora(sign_in: SignIn) -> dict[str, str]:
    return sign_in(Role.DISPATCHER)


def cancelled_visit(world: World) -> tuple[UUID, list[UUID]]:
    """Ana's whole visit to a job that the office had cancelled: the job, and the ids of what is held."""
    job = world.order()
    command = CancelWorkOrder(work_order_id=job.id, reason="moved away")
    office.run(world.database, world.settings, command, "Dora")
    receipts = world.ana.send(*world.visit(job))
    assert {receipt.slug for receipt in receipts} == {"work-order-cancelled"}
    return job.id, [receipt.command_id for receipt in receipts]


class TestTheList:
    def test_has_the_oldest_first_with_who_meant_what_and_why_it_is_held(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job, held = cancelled_visit(today)
        body = client.get("/api/inbox").json()
        assert (body["counts"]["open"], body["counts"]["overdue"]) == (len(held), 0)
        assert [item["id"] for item in body["items"]] == [str(one) for one in held]
        first = body["items"][0]
        assert (first["technician"], first["number"], first["wanted"]) == (
            "Ana Virtanen",
            "WO-0001",
            "set out",
        )
        assert (first["slug"], first["reason"]) == ("work-order-cancelled", "The office cancelled the job.")
        assert first["work_order_id"] == str(job)

    def test_can_be_narrowed(self, today: World, client: TestClient, dora: dict[str, str]):
        _, held = cancelled_visit(today)
        bens = today.order(phone=today.ben)
        [note] = today.ana.send(CloseWorkOrder(work_order_id=bens.id))

        def shown(query: str) -> int:
            answer = client.get(f"/api/inbox?{query}")
            assert answer.status_code == 200, answer.text
            return len(answer.json()["items"])

        assert shown("") == len(held) + 1
        assert shown("reason=not-your-job") == 1
        assert shown(f"technician={today.ana.technician_id}") == len(held) + 1
        assert shown(f"technician={today.ben.technician_id}") == 0
        assert shown(f"work_order={bens.id}") == 1
        assert shown("overdue=true") == 0
        assert shown("limit=2") == 2
        assert shown("state=decided") == 0
        client.post(f"/api/inbox/{note.command_id}/dismiss", json={"reason": "wrong job"}, headers=dora)
        assert shown("state=decided") == 1

    def test_marks_what_waits_for_more_than_four_hours(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        _, held = cancelled_visit(today)
        with today.database.write() as session:
            row = session.get_one(CommandRow, held[0])
            row.decided_at = datetime.now(UTC) - timedelta(hours=4, minutes=1)
        counts = client.get("/api/inbox/counts").json()
        assert (counts["open"], counts["overdue"]) == (len(held), 1)
        items = client.get("/api/inbox").json()["items"]
        assert [item["overdue"] for item in items] == [True, *[False] * (len(held) - 1)]
        page = client.get("/inbox").text
        assert "1 for more than 4 hours" in page and "overdue</span>" in page


class TestOneOfThem:
    def test_shows_both_values_and_what_may_be_done(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        _, held = cancelled_visit(today)
        answer = client.get(f"/api/inbox/{held[2]}").json()
        item = answer["item"]
        assert item["line"]["wanted"] == "install device ANA0001"
        assert [facing["what"] for facing in item["both"]] == [
            "WO-0001",
            "Device ANA0001",
            "Fitted on this job",
        ]
        assert re.fullmatch(r"cancelled at .* by Dora: moved away", item["both"][0]["ours"])
        assert item["both"][1] == {
            "what": "Device ANA0001",
            "theirs": "fitted on this job",
            "ours": "booked on Van ana",
        }
        assert [offer["proposal"] for offer in item["offers"]] == [
            "bill",
            "call_out_fee",
            "accept_as_report",
            "dismiss",
        ]
        assert all(offer["sure"] for offer in item["offers"][:3]), "money or stock moves: ask first"
        assert answer["order"]["state"] == "cancelled"
        assert [said["outcome"] for said in answer["said"]] == ["held"] * len(held)

    def test_that_cannot_be_read_is_shown_as_it_came_and_with_its_job(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job = today.order()
        note = today.ana.envelope(AddNote(work_order_id=job.id, text="x"))
        raw = b'{"work_order_id": "%s", "words": "<b>hello</b>"}' % str(job.id).encode()
        today.ana.deliver([replace(note, body=msgspec.Raw(raw))])
        answer = client.get(f"/api/inbox/{note.id}").json()
        line = answer["item"]["line"]
        assert (line["slug"], line["readable"], line["number"]) == ("malformed", False, "WO-0001")
        assert answer["raw"].encode() == raw
        assert [offer["proposal"] for offer in answer["item"]["offers"]] == ["correct", "dismiss"]
        page = client.get(f"/inbox/{note.id}").text
        assert "&lt;b&gt;hello&lt;/b&gt;" in page and "<b>hello" not in page

    def test_that_holds_half_a_character_is_shown_as_it_is_spelt_and_can_be_corrected(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job = today.order()
        note = today.ana.envelope(AddNote(work_order_id=job.id, text="x"))
        raw = rb'{"type": "add_note", "work_order_id": "%s", "text": "smiles \ud83d"}' % str(job.id).encode()
        today.ana.deliver([replace(note, body=msgspec.Raw(raw))])
        answer = client.get(f"/api/inbox/{note.id}")
        assert (answer.status_code, answer.json()["raw"].encode()) == (200, raw)
        assert r"smiles \ud83d" in answer.json()["item"]["line"]["wanted"]
        for path in ("/api/inbox", "/inbox", f"/inbox/{note.id}"):
            assert client.get(path).status_code == 200, path
        assert r"smiles \ud83d" in client.get(f"/inbox/{note.id}").text
        body = {"work_order_id": str(job.id), "text": "smiles"}
        done = client.post(f"/api/inbox/{note.id}/correct", json={"body": body}, headers=dora)
        assert done.status_code == 200, done.text
        assert [said.text for said in today.work_order(job).notes] == ["smiles"]

    def test_that_is_not_there_is_not_found(self, client: TestClient, dora: dict[str, str]):
        for path in (f"/api/inbox/{uid('x')}", f"/api/inbox/{uid('x')}/accept"):
            method = client.post if path.endswith("accept") else client.get
            answer = method(path, **({"json": {}, "headers": dora} if path.endswith("accept") else {}))
            assert (answer.status_code, answer.json()["type"][-9:]) == (404, "not-found")


class TestTheTableOfConflictsAsActs:
    def test_a_cancelled_job_is_reopened_and_billed_once(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job, held = cancelled_visit(today)
        answer = client.post(f"/api/inbox/{held[0]}/accept-visit", json={"way": "reopen"}, headers=dora)
        assert (answer.status_code, answer.json()["left"]) == (200, 0), answer.text
        assert len(answer.json()["booked"]) == len(held)
        assert order_of(today, job).state is WorkOrderState.COMPLETED
        assert len(invoices(today)) == 1
        assert today.balance(today.ana.van_id, CABLE) == 182
        assert set(today.stock_by_sku().values()) == {0} and today.journal_total() == 0

    def test_or_kept_as_a_report_which_moves_stock_and_no_money(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job, held = cancelled_visit(today)
        answer = client.post(f"/api/inbox/{held[0]}/accept-visit", json={"way": "report"}, headers=dora)
        assert (answer.status_code, answer.json()["left"]) == (200, 0), answer.text
        assert order_of(today, job).state is WorkOrderState.CANCELLED
        assert invoices(today) == []
        assert today.balance(today.ana.van_id, CABLE) == 182
        assert today.asset("ANA0001").holder_id == order_of(today, job).place.id
        assert set(today.stock_by_sku().values()) == {0}
        origins = {row.origin for row in today.rows(CommandRow, CommandRow.outcome == "accepted")}
        assert origins == {"office", "report"}, "a replay must know by which rule it was decided"

    def test_or_only_the_call_out_is_billed(self, today: World, client: TestClient, dora: dict[str, str]):
        _, held = cancelled_visit(today)
        answer = client.post(f"/api/inbox/{held[0]}/call-out", headers=dora)
        assert answer.status_code == 200, answer.text
        assert {one["resolution"] for one in answer.json()} == {"dismissed"}
        assert len(answer.json()) == len(held)
        assert len(invoices(today)) == 1
        assert today.balance(today.ana.van_id, CABLE) == 200
        again = client.post(f"/api/inbox/{held[0]}/call-out", headers=dora)
        assert (again.status_code, len(invoices(today))) == (409, 1)


def order_of(world: World, job: UUID) -> WorkOrder:
    with world.database.read() as session:
        return load(session, [job])[0]


def invoices(world: World) -> list[object]:
    return world.rows(InvoiceRow)


class TestRefusals:
    def test_say_what_still_forbids_it(self, today: World, client: TestClient, dora: dict[str, str]):
        _, held = cancelled_visit(today)
        answer = client.post(f"/api/inbox/{held[0]}/accept", json={}, headers=dora)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["title"]) == (409, "The office cancelled the job.")

    def test_tell_the_second_of_two_who_was_quicker(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        _, held = cancelled_visit(today)
        client.post(f"/api/inbox/{held[0]}/dismiss", json={"reason": "x"}, headers=dora)
        for path in ("accept", "dismiss"):
            answer = client.post(f"/api/inbox/{held[0]}/{path}", json=ACTS[path], headers=dora)
            assert answer.status_code == 409
            assert answer.json()["detail"] == "Dora dispatcher has set it aside already"

    @pytest.mark.parametrize("body", [{"body": {"a": "\ud800"}}, {"body": {"a": 1e400}}, {"body": 7}, {}])
    def test_of_odd_corrections_are_sentences(
        self, today: World, client: TestClient, dora: dict[str, str], body: dict[str, object]
    ):
        _, held = cancelled_visit(today)
        sent = json.dumps(body)
        headers = dora | {"content-type": "application/json"}
        answer = client.post(f"/api/inbox/{held[0]}/correct", content=sent, headers=headers)
        assert answer.status_code == 422, answer.text

    @pytest.mark.parametrize("role", [role for role in Role if role not in (Role.DISPATCHER, Role.ADMIN)])
    def test_of_everybody_but_dispatchers(
        self, today: World, client: TestClient, sign_in: SignIn, role: Role
    ):
        _, held = cancelled_visit(today)
        headers = sign_in(role)
        for path in ("/api/inbox", "/api/inbox/counts", f"/api/inbox/{held[0]}"):
            assert client.get(path).json()["type"].endswith("/wrong-role")
        assert [client.get(path).status_code for path in ("/inbox", f"/inbox/{held[0]}")] == [403, 403]
        before = today.contents()
        for act, body in ACTS.items():
            answer = client.post(f"/api/inbox/{held[0]}/{act}", json=body, headers=headers)
            assert (answer.status_code, answer.json()["type"][-10:]) == (403, "wrong-role")
        assert today.contents() == before

    def test_of_technicians_devices_strangers_and_stale_forms(
        self, today: World, client: TestClient, sign_in: SignIn
    ):
        _, held = cancelled_visit(today)
        before = today.contents()
        for headers in ({}, today.ana.headers):
            assert client.get("/api/inbox", headers=headers).status_code == 401
            for act, body in ACTS.items():
                answer = client.post(f"/api/inbox/{held[0]}/{act}", json=body, headers=headers)
                assert answer.status_code == 401
        assert today.contents() == before
        sign_in(Role.DISPATCHER)
        for act, body in ACTS.items():
            answer = client.post(f"/api/inbox/{held[0]}/{act}", json=body)
            assert answer.json()["type"].endswith("/bad-csrf")
            assert client.post(f"/inbox/{held[0]}/{act}", data={"reason": "x"}).status_code == 403


ACTS: dict[str, dict[str, object]] = {
    "accept": {},
    "accept-visit": {},
    "correct": {"body": {}},
    "call-out": {},
    "dismiss": {"reason": "x"},
    "dismiss-visit": {"reason": "x"},
}


class TestThePage:
    def test_corrects_by_form_and_says_so(self, today: World, client: TestClient, dora: dict[str, str]):
        job = today.order()
        receipts = today.ana.send(*today.visit(job, fit="AMA0001"))
        wrong = next(receipt.command_id for receipt in receipts if receipt.outcome == "held")
        page = client.get("/inbox").text
        assert "AMA0001 is not on your van&#39;s list" in page
        assert 'value="AMA0001"' in page
        form = {
            "csrf_token": dora["X-CSRF-Token"],
            "serial": "ana0001",
            "mac": "",
            "gpon_serial": "",
            "sku": "",
            "back": "item",
        }
        answer = client.post(f"/inbox/{wrong}/correct", data=form)
        assert answer.status_code == 200
        assert "Corrected the serial to ANA0001, and booked." in answer.text
        assert re.search(r"<strong>Dora dispatcher</strong> corrected and booked it at", answer.text)
        assert [device.serial for device in today.work_order(job).fitted] == ["ANA0001"]
        again = client.post(f"/inbox/{wrong}/correct", data=form)
        assert again.status_code == 409
        assert "Dora dispatcher has corrected and booked it already" in again.text

    def test_shows_what_was_decided_and_by_whom(self, today: World, client: TestClient, dora: dict[str, str]):
        _, held = cancelled_visit(today)
        form = {"csrf_token": dora["X-CSRF-Token"], "reason": "done twice"}
        answer = client.post(f"/inbox/{held[0]}/dismiss-visit", data=form)
        assert f"{len(held)} set aside." in answer.text and "All decided" in answer.text
        decided = client.get("/inbox?state=decided").text
        assert decided.count("set it aside: done twice") == len(held)

    @pytest.mark.parametrize(("role", "there"), [(Role.DISPATCHER, True), (Role.VIEWER, False)])
    def test_is_named_in_the_bar_for_whom_it_is(
        self, client: TestClient, sign_in: SignIn, role: Role, there: bool
    ):
        sign_in(role)
        board = client.get("/board").text
        assert ('id="inbox-count"' in board, 'href="/inbox"' in board) == (there, there)

    def test_offers_fields_for_every_command_that_can_be_wrong(self):
        for kind, names in FIELDS.items():
            assert set(names) <= set(FIELD_COMMANDS[kind].__dataclass_fields__)
        silent = {"start_travel", "arrive", "resume_work", "close_work_order"}
        about_no_job = JOBLESS_COMMANDS  # edited as JSON
        assert set(FIELDS) | silent | about_no_job == set(FIELD_COMMANDS), "a new command needs a line"

    def test_shows_what_one_phone_only_has_told(self, today: World, client: TestClient, dora: dict[str, str]):
        ana, ben = today.ana, today.ben
        lines = (PartLine(sku=CABLE, quantity=5),)
        offer = Offer(
            id=uid("t"),
            giver_id=ana.technician_id,
            giver_van_id=ana.van_id,
            offered_at=today.now,
            lines=lines,
        )
        transfer = Transfer(offer=offer, taker_id=ben.technician_id, taker_van_id=ben.van_id, lines=lines)
        half = Handed(transfer=transfer, given=False, taken=True)
        booked = today.now - timedelta(days=4)
        with today.database.write() as session:
            session.add(VanTransferRow(**new_values(half, uid("command"), booked)))
        page = client.get("/inbox").text
        assert "<strong>Ana Virtanen</strong> handed <strong>Ben Korhonen</strong> 5 × CABLE-M" in page
        assert "Ana Virtanen's phone has not told of it yet" in html.unescape(page)
        assert "handed <strong>" not in client.get("/inbox?state=decided").text

    def test_shows_a_question_about_a_van(self, today: World, client: TestClient, dora: dict[str, str]):
        today.ana.send(CountVan(listed_serials=(today.ana.ont,)))
        page = client.get("/inbox").text
        assert "about their van" in page
        assert "Van ana: ANA0001 not found when it was counted" in page
        [ask] = client.get("/api/inbox").json()["asks"]
        assert (ask["work_order_id"], ask["number"]) == (None, "")

    def test_takes_the_parts_of_a_form_apart(self, today: World, client: TestClient, dora: dict[str, str]):
        job = today.order()
        steps = today.visit(job)[:2]
        wrong = UseParts(work_order_id=job.id, lines=(PartLine(sku="NO-SUCH", quantity=3),))
        receipt = today.ana.send(*steps, wrong)[-1]
        assert receipt.outcome == "held"
        page = client.get(f"/inbox/{receipt.command_id}").text
        assert '<option value="NO-SUCH" selected>' in page
        form = {"csrf_token": dora["X-CSRF-Token"], "sku_0": CABLE, "quantity_0": "3", "sku_1": ""}
        odd = client.post(f"/inbox/{receipt.command_id}/correct", data=form | {"quantity_0": "three"})
        assert (odd.status_code, "“three” is no whole number" in odd.text) == (422, True)
        done = client.post(f"/inbox/{receipt.command_id}/correct", data=form)
        assert "Corrected the parts to 3 × CABLE-M, and booked." in done.text
        assert today.work_order(job).used(CABLE) == 3

    def test_sends_who_is_not_signed_in_to_the_sign_in(self, client: TestClient):
        answer = client.get("/inbox?state=decided")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/login?next=/inbox%3Fstate%3Ddecided",
        )
