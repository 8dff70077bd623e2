"""Booked work that asks somebody for something: listed beside what is held, answered once, by name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from databases import migrated_database
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from world import CABLE, CONNECTOR, Job, World, uid

from server import office
from server.access.models import DeviceRow
from server.access.roles import Role
from server.clock import mint
from server.customers.models import CustomerRow
from server.db.engine import Database
from server.db.feed_models import CommandRow, FeedRow
from server.field.unit import DeviceUnits
from server.inbox.acts import accept_visit, same_visit
from server.inbox.models import FollowUpRow
from server.inbox.proposals import ASKED, Proposal
from server.inbox.settling import IN_WORDS, Settled, settle
from server.replay import replay
from server.work_orders.models import WorkOrderRow
from shared.clocks import Contact
from shared.commands import (
    AddNote,
    AssignWorkOrder,
    CancelWorkOrder,
    CorrectContact,
    EditContact,
    InstallAsset,
    OfficeCheck,
    OfficeCommand,
    OfficeNote,
    RecordCheck,
    SplitWorkOrder,
    UseParts,
)
from shared.conflicts import CONFLICTS
from shared.problems import AlreadyClosed, BadValue, ChangedMeanwhile, NotFound
from shared.work_orders import ContactField, PartLine, WorkOrderState
from sync.server.push import push

SignIn = Callable[[Role], dict[str, str]]
DORA, DAVE = "Dora of dispatch", "Dave of dispatch"
THEIRS, OURS = "+358401111", "+358402222"
PHONE = ContactField.PHONE


@pytest.fixture
def dora(sign_in: SignIn) -> dict[str, str]:
    return sign_in(Role.DISPATCHER)


def run(world: World, command: OfficeCommand, by: str = DORA) -> None:
    office.run(world.database, world.settings, command, by)


def asked(world: World) -> list[FollowUpRow]:
    return sorted(world.rows(FollowUpRow, FollowUpRow.done_at.is_(None)), key=lambda row: row.raised_at)


def answer(world: World, row: FollowUpRow, outcome: Proposal, by: str = DORA, **more: str) -> Settled:
    return settle(world.database, world.settings, row.id, by, outcome, **more)


def suggestion(world: World, *values: str) -> Job:
    """The office and Ana both changed the phone of a customer; what Ana wrote waits for the office."""
    job = world.order()
    base = world.work_order(job).contact.phone
    run(world, EditContact(work_order_id=job.id, field=PHONE, value=OURS))
    world.ana.send(
        *(
            CorrectContact(work_order_id=job.id, field=PHONE, base=base, value=value)
            for value in values or (THEIRS,)
        )
    )
    return job


def split(world: World) -> tuple[Job, UUID]:
    """Ana did a whole installation whose measuring the office had moved to a second order."""
    job, second = world.order(), uid("second")
    run(
        world,
        SplitWorkOrder(
            work_order_id=job.id,
            new_order_id=second,
            summary="Measure the line",
            expected_minutes=20,
            checks=("optical_power", "download_speed"),
            parts=(PartLine(sku=CONNECTOR, quantity=2),),
        ),
    )
    world.ana.send(*world.visit(job))
    return job, second


def second_report(world: World) -> Job:
    """Ben closed the job that had been Ana's; Ana did it too, offline, with less cable."""
    job = world.order(phone=world.ana)
    start = world.now
    run(
        world,
        AssignWorkOrder(
            work_order_id=job.id,
            technician_id=world.ben.technician_id,
            planned_start=start,
            planned_end=start + timedelta(hours=2),
        ),
    )
    world.ben.send(*world.visit(job, fit=world.ben.ont))
    world.ana.send(*world.visit(job, cable=3))
    return job


class TestWhatIsKept:
    def test_is_each_remark_that_asks_for_something_with_its_command(self, world: World):
        job = suggestion(world)
        [row] = asked(world)
        command = world.row(CommandRow, CommandRow.type == "correct_contact")
        assert (row.command_id, row.work_order_id, row.actor) == (command.id, job.id, "Ana Virtanen")
        assert (row.slug, row.detail) == (
            "contact-changed-twice",
            "The office had changed the phone of WO-0001 too: yours is kept as a suggestion",
        )
        assert (row.raised_at, row.done_by, row.outcome) == (command.decided_at, None, None)

    def test_is_nothing_where_nobody_has_to_do_anything(self, world: World):
        job = world.order()
        receipts = world.ana.deliver(
            world.ana.envelopes(*world.visit(job), *world.visit(job)[:1]),
            device_now=world.now + timedelta(days=1, hours=2),
        )
        assert "clock-skew" in {remark.slug for receipt in receipts for remark in receipt.remarks}
        assert {row.slug for row in asked(world)} == {"second-report"}

    def test_comes_once_however_often_the_command_is_sent(self, world: World):
        job = world.order()
        too_much = UseParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=300),))
        envelopes = world.ana.envelopes(*world.visit(job)[:2], too_much)
        for _ in range(3):
            world.ana.deliver(envelopes)
        [row] = asked(world)
        assert (row.slug, row.command_id) == ("stock-below-zero", envelopes[-1].id)

    def test_is_rebuilt_by_a_replay_answered_or_not(self, world: World, tmp_path: Path):
        suggestion(world)
        answer(world, asked(world)[0], Proposal.TAKE_VALUE)
        second_report(world)
        with migrated_database("sqlite", tmp_path) as url:
            fresh = Database(url)
            try:
                replay(world.database, fresh, world.settings)
                with world.database.read() as live, fresh.read() as rebuilt:
                    query = select(
                        FollowUpRow.id, FollowUpRow.command_id, FollowUpRow.detail, FollowUpRow.raised_at
                    ).order_by(FollowUpRow.id)
                    kept = live.execute(query).all()
                    assert len(kept) > 4 and rebuilt.execute(query).all() == kept
            finally:
                fresh.close()

    def test_has_the_office_s_own_remarks_too(self, world: World):
        job, note = world.order(), uid("note")
        world.ana.send(AddNote(work_order_id=job.id, text="first", note_id=note))
        world.ana.send(AddNote(work_order_id=job.id, text="hers", note_id=uid("hers"), replaces=note))
        run(world, OfficeNote(work_order_id=job.id, text="ours", note_id=uid("ours"), replaces=note))
        [row] = asked(world)
        assert (row.slug, row.actor) == ("note-edited-twice", DORA)
        command = world.row(CommandRow, CommandRow.id == row.command_id)
        assert [remark["slug"] for remark in command.remarks] == ["note-edited-twice"]

    def test_does_not_ask_about_a_report_that_a_dispatcher_has_just_ruled(self, world: World):
        job = world.order()
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        first, *_ = world.ana.send(*world.visit(job))
        done = accept_visit(world.database, world.settings, first.command_id, DORA, way="report")
        assert (done.left, asked(world)) == (0, [])

    def test_every_remark_of_the_table_that_offers_something_can_be_answered(self):
        offered = {proposal for row in CONFLICTS.values() if row.remark for proposal in row.proposals}
        assert offered == set(ASKED) and offered <= set(IN_WORDS)


class TestAContactThatBothSidesChanged:
    def test_takes_the_technician_s_value_with_one_click(self, world: World):
        job = suggestion(world)
        done = answer(world, asked(world)[0], Proposal.TAKE_VALUE, base=OURS)
        assert (done.outcome, done.by, done.did) == ("take_value", DORA, "edit_contact")
        order = world.work_order(job)
        assert (order.contact.phone, order.suggested, asked(world)) == (THEIRS, (), [])
        edits = world.rows(CommandRow, CommandRow.type == "edit_contact")
        assert [(row.actor, row.origin) for row in edits] == [(DORA, "office")] * 2

    def test_or_keeps_what_stands_and_settles_the_suggestion_on_the_job(self, world: World):
        job = suggestion(world)
        answer(world, asked(world)[0], Proposal.DISMISS)
        order = world.work_order(job)
        assert (order.contact.phone, order.suggested, asked(world)) == (OURS, (), [])
        assert [item.value for item in order.suggestions] == [THEIRS], "kept all the same"

    def test_is_not_taken_over_a_value_that_came_meanwhile_and_nothing_moves(self, world: World):
        suggestion(world)
        row, before = asked(world)[0], world.contents()
        with pytest.raises(ChangedMeanwhile):
            answer(world, row, Proposal.TAKE_VALUE, base="+358000")
        assert world.contents() == before

    def test_is_answered_by_writing_it_on_the_job(self, world: World):
        job = suggestion(world)
        row = asked(world)[0]
        run(world, EditContact(work_order_id=job.id, field=ContactField.NAME, value="Another"), DAVE)
        assert [one.id for one in asked(world)] == [row.id], "another field answers nothing"
        run(world, EditContact(work_order_id=job.id, field=PHONE, value="+358409"), DAVE)
        kept = world.row(FollowUpRow)
        assert (kept.done_by, kept.outcome, kept.note) == (DAVE, "edited", None)
        with pytest.raises(AlreadyClosed, match="Dave of dispatch wrote the contact on the job"):
            answer(world, row, Proposal.TAKE_VALUE)

    def test_settles_every_value_that_was_suggested_for_the_field(self, world: World):
        job = suggestion(world, THEIRS, "+358403333")
        rows = asked(world)
        second = next(row for row in rows if row.id == rows[-1].id)
        value = world.row(CommandRow, CommandRow.id == second.command_id)
        done = answer(world, second, Proposal.TAKE_VALUE)
        assert (len(done.ids), asked(world)) == (2, [])
        assert world.work_order(job).contact.phone in value.body

    def test_can_be_kept_where_nothing_stands_that_could_be_written(self, world: World):
        job = suggestion(world)
        with world.database.write() as session:
            session.execute(update(CustomerRow).where(CustomerRow.id == job.customer_id).values(phone=""))
        done = answer(world, asked(world)[0], Proposal.DISMISS)
        assert (done.did, asked(world)) == (None, [])


class TestASplitThatWasDoneAsAWhole:
    def test_cancels_the_other_order_with_one_click(self, world: World):
        job, second = split(world)
        rows = asked(world)
        assert {row.slug for row in rows} == {"split-done-whole"}
        done = answer(world, rows[0], Proposal.CANCEL_OTHER)
        assert (set(done.ids), done.did) == ({row.id for row in rows}, "cancel_work_order")
        other = world.row(WorkOrderRow, WorkOrderRow.id == second)
        assert (other.state, world.work_order(job).state) == (
            WorkOrderState.CANCELLED,
            WorkOrderState.COMPLETED,
        )
        cancelled = world.row(CommandRow, CommandRow.type == "cancel_work_order")
        assert "Done with WO-0001 already" in cancelled.body and cancelled.actor == DORA

    def test_stays_open_where_the_rules_forbid_that(self, world: World):
        _, second = split(world)
        run(world, CancelWorkOrder(work_order_id=second, reason="not needed"))
        rows, before = asked(world), world.contents()
        with pytest.raises(AlreadyClosed):
            answer(world, rows[0], Proposal.CANCEL_OTHER)
        assert world.contents() == before
        answer(world, rows[0], Proposal.DISMISS)
        assert asked(world) == []


class TestWhatIsDoneOutside:
    def test_is_noted_by_name_and_told_in_the_feed(self, world: World):
        job = world.order()
        too_much = UseParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=300),))
        world.ana.send(*world.visit(job)[:2], too_much)
        [row] = asked(world)
        done = answer(world, row, Proposal.COUNT_STOCK, note="  110 m\nwere left ")
        assert (done.ids, done.note, done.did) == ((row.id,), "110 m were left", None)
        kept = world.row(FollowUpRow)
        assert (kept.done_at, kept.done_by, kept.outcome, kept.note) == (
            done.at,
            DORA,
            "count_stock",
            "110 m were left",
        )
        told = world.row(FeedRow, FeedRow.topic == "FollowUpDone")
        assert (told.scope, told.kind, told.key, told.actor) == ("board", "follow_up", str(row.id), DORA)
        assert told.facts == {
            "outcome": "count_stock",
            "note": "110 m were left",
            "slug": "stock-below-zero",
            "detail": "Prysmian FD1: used 300, the van's list had 200: count it",
            "work_order_id": str(job.id),
            "command_id": str(row.command_id),
        }

    def test_is_one_answer_for_a_whole_second_visit(self, world: World):
        second_report(world)
        rows = [row for row in asked(world) if row.slug == "second-report"]
        assert len(rows) > 3
        done = answer(world, rows[2], Proposal.COUNT_STOCK)
        assert set(done.ids) == {row.id for row in rows}

    @pytest.mark.parametrize("outcome", [Proposal.TAKE_VALUE, Proposal.CANCEL_OTHER, Proposal.BILL])
    def test_takes_only_what_the_table_offers(self, world: World, outcome: Proposal):
        second_report(world)
        row, before = asked(world)[0], world.contents()
        with pytest.raises(BadValue):
            answer(world, row, outcome)
        with pytest.raises(BadValue):
            answer(world, row, Proposal.COUNT_STOCK, note="x" * 501)
        assert world.contents() == before

    def test_of_a_number_that_asks_nothing_is_not_found(self, world: World):
        with pytest.raises(NotFound):
            settle(world.database, world.settings, uid("nothing"), DORA, Proposal.DISMISS)

    def test_is_done_once_however_many_click_at_the_same_moment(self, world: World):
        suggestion(world)
        [row] = asked(world)

        def click(number: int) -> str:
            try:
                return answer(world, row, Proposal.TAKE_VALUE, f"Dispatcher {number}").by
            except AlreadyClosed as problem:
                return problem.detail

        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(click, range(4)))
        kept = world.row(FollowUpRow)
        other = f"{kept.done_by} has settled this already: {kept.done_by} took the technician's value"
        assert sorted(said) == sorted([kept.done_by, other, other, other])
        assert len(world.rows(FeedRow, FeedRow.topic == "FollowUpDone")) == 1
        assert len(world.rows(CommandRow, CommandRow.type == "edit_contact")) == 2


class TestTheList:
    def test_shows_both_values_and_a_button_for_each(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job = suggestion(today)
        body = client.get("/api/inbox").json()
        assert (body["counts"]["open"], body["counts"]["held"], body["counts"]["asks"]) == (1, 0, 1)
        [ask] = body["asks"]
        assert (ask["technician"], ask["number"], ask["customer"]) == (
            "Ana Virtanen",
            "WO-0001",
            "Customer 1",
        )
        seen = f"{THEIRS} (saw: +3585000001)"
        assert ask["both"] == [{"what": "Phone", "theirs": seen, "ours": OURS}]
        assert [(choice["proposal"], choice["words"]) for choice in ask["choices"]] == [
            ("take_value", f"Take “{THEIRS}”"),
            ("dismiss", "Keep what stands"),
        ]
        sent = {"outcome": "take_value", "base": ask["choices"][0]["base"]}
        done = client.post(f"/api/inbox/asks/{ask['ids'][0]}", json=sent, headers=dora)
        assert (done.status_code, done.json()["outcome"]) == (200, "take_value")
        assert today.work_order(job).contact.phone == THEIRS
        again = client.post(f"/api/inbox/asks/{ask['ids'][0]}", json=sent, headers=dora)
        assert (again.status_code, again.json()["detail"]) == (
            409,
            "Dora dispatcher has settled this already: Dora dispatcher took the technician's value",
        )
        assert client.get("/api/inbox/counts").json()["open"] == 0
        [decided] = client.get("/api/inbox?state=decided").json()["asks"]
        assert (decided["done_by"], decided["outcome"], decided["choices"]) == (
            "Dora dispatcher",
            "take_value",
            [],
        )

    def test_counts_a_question_once_and_shows_what_the_others_did(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        second_report(today)
        asks = {ask["slug"]: ask for ask in client.get("/api/inbox").json()["asks"]}
        assert client.get("/api/inbox/counts").json()["asks"] == len(asks)
        report = asks["second-report"]
        assert len(report["ids"]) > 3
        [both] = report["both"]
        assert both["what"] == "WO-0001" and both["ours"].startswith("completed by Ben Korhonen")
        assert "use 3 CABLE-M" in both["theirs"] or "set out" in both["theirs"]

    def test_shows_a_split_a_note_a_test_and_a_clock_with_both_sides(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        split(today)
        job, note = today.order(), uid("note")
        steps = today.visit(job)[:2]
        today.ana.send(*steps, AddNote(work_order_id=job.id, text="gate 1", note_id=note))
        run(today, OfficeNote(work_order_id=job.id, text="gate 2", note_id=uid("o"), replaces=note))
        run(today, OfficeCheck(work_order_id=job.id, code="optical_power", value=Decimal("-20.0")))
        mended = AddNote(work_order_id=job.id, text="gate 3", note_id=uid("a"), replaces=note)
        check = RecordCheck(work_order_id=job.id, code="optical_power", value=Decimal("-19.0"))
        first, second = today.ana.envelopes(mended, check)
        now = today.now + timedelta(days=1)
        clocked = [
            replace(one, made_mono_ms=1_000_000 * number, boot="one")
            for number, one in enumerate((first, second), 1)
        ]
        contact = Contact(device_now=now, server_now=now, mono_ms=3_000_000, boot="one")
        push(clocked, today.ana.units(now), contact)
        asks = {ask["slug"]: ask for ask in client.get("/api/inbox?show=asks").json()["asks"]}
        assert set(asks) == {
            "split-done-whole",
            "note-edited-twice",
            "check-recorded-twice",
            "clock-changed",
        }
        [other] = asks["split-done-whole"]["both"]
        assert (other["what"], other["ours"]) == ("WO-0001-2", "with nobody")
        assert other["theirs"].startswith("done on WO-0001: record")
        assert [choice["words"] for choice in asks["split-done-whole"]["choices"]] == [
            "Cancel WO-0001-2",
            "Seen",
        ]
        assert asks["note-edited-twice"]["both"] == [
            {"what": "Note (before: gate 1)", "theirs": "gate 3", "ours": "gate 2"}
        ]
        [measured] = asks["check-recorded-twice"]["both"]
        assert measured["what"] == "Optical receive power"
        assert measured["theirs"].startswith("-19.0 dBm at ")
        assert measured["ours"].startswith("-20.0 dBm at ") and "by the office" in measured["ours"]
        assert (measured["theirs"] + measured["ours"]).count("(counts)") == 1
        assert asks["clock-changed"]["both"][0]["theirs"].endswith("by the phone's clock")

    def test_can_be_narrowed(self, today: World, client: TestClient, dora: dict[str, str]):
        job = suggestion(today)
        bens = today.order(phone=today.ben)
        today.ana.send(AddNote(work_order_id=bens.id, text="not hers"))

        def shown(query: str) -> tuple[int, int]:
            body = client.get(f"/api/inbox?{query}").json()
            return len(body["items"]), len(body["asks"])

        assert shown("") == (1, 1)
        assert shown("show=held") == (1, 0)
        assert shown("show=asks") == (0, 1)
        assert shown("reason=contact-changed-twice") == (0, 1)
        assert shown("reason=not-your-job") == (1, 0)
        assert shown(f"work_order={job.id}") == (0, 1)
        assert shown(f"technician={today.ben.technician_id}") == (0, 0)
        assert shown(f"technician={today.ana.technician_id}") == (1, 1)
        assert shown("overdue=true") == (0, 0)
        assert shown("limit=1&offset=1") == (0, 0)
        assert shown("state=decided") == (0, 0)
        assert client.get("/api/inbox?show=other").status_code == 422

    def test_marks_what_waits_for_more_than_four_hours(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        suggestion(today)
        with today.database.write() as session:
            late = datetime.now(UTC) - timedelta(hours=4, minutes=1)
            session.execute(update(FollowUpRow).values(raised_at=late))
        assert client.get("/api/inbox/counts").json()["overdue"] == 1
        assert client.get("/api/inbox?overdue=true").json()["asks"][0]["overdue"] is True
        page = client.get("/inbox").text
        assert "1 for more than 4 hours" in page and "overdue</span>" in page

    @pytest.mark.parametrize("role", [role for role in Role if role not in (Role.DISPATCHER, Role.ADMIN)])
    def test_is_for_dispatchers_only(self, today: World, client: TestClient, sign_in: SignIn, role: Role):
        suggestion(today)
        path, headers = f"asks/{asked(today)[0].id}", sign_in(role)
        before = today.contents()
        answer = client.post(f"/api/inbox/{path}", json={"outcome": "dismiss"}, headers=headers)
        assert (answer.status_code, answer.json()["type"][-10:]) == (403, "wrong-role")
        form = {"outcome": "dismiss", "csrf_token": headers["X-CSRF-Token"]}
        assert client.post(f"/inbox/{path}", data=form).status_code == 403
        assert today.contents() == before


class TestThePage:
    def test_answers_by_form_and_says_so(self, today: World, client: TestClient, dora: dict[str, str]):
        second_report(today)
        page = client.get("/inbox").text
        assert "booked, and ask" in page and "this is kept as a second report on it" in page
        row = next(row for row in asked(today) if row.slug == "second-report")
        form = {"csrf_token": dora["X-CSRF-Token"], "outcome": "count_stock", "note": "all there"}
        answer = client.post(f"/inbox/asks/{row.id}?show=asks", data=form)
        assert (answer.status_code, "On record: you had the stock counted." in answer.text) == (200, True)
        again = client.post(f"/inbox/asks/{row.id}", data=form)
        assert again.status_code == 409
        assert "Dora dispatcher has settled this already" in again.text
        decided = client.get("/inbox?state=decided&show=asks").text
        assert "Dora dispatcher had the stock counted: all there" in decided

    def test_shows_only_what_was_asked_for(self, today: World, client: TestClient, dora: dict[str, str]):
        suggestion(today)
        bens = today.order(phone=today.ben)
        today.ana.send(InstallAsset(work_order_id=bens.id, serial="ANA0001", source="camera"))

        def cards(query: str) -> tuple[int, int]:
            page = client.get(f"/inbox?{query}").text
            return page.count("data-visit="), page.count("data-asks=")

        assert cards("") == (1, 1)
        assert (cards("show=held"), cards("show=asks")) == ((1, 0), (0, 1))
        assert cards("reason=contact-changed-twice") == (0, 1)
        assert "Nothing like this is open." in client.get("/inbox?overdue=yes").text


class TestOneTechnicianOnTwoDevices:
    def test_is_one_visit_in_the_order_in_which_it_was_done(
        self, today: World, client: TestClient, dora: dict[str, str]
    ):
        job, other = today.order(), mint()
        with today.database.write() as session:
            hers = session.get_one(DeviceRow, today.ana.device_id)
            values = {column.key: getattr(hers, column.key) for column in DeviceRow.__table__.columns}
            session.add(DeviceRow(**values | {"id": other, "name": "Tablet", "token_hash": "tablet"}))
        run(today, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        steps = today.ana.envelopes(*today.visit(job))
        now = today.now + timedelta(hours=1)
        contact = Contact(device_now=now, server_now=now)
        for number, device in enumerate((other, today.ana.device_id)):
            units = DeviceUnits(today.database, today.settings, device, now)
            own = [replace(step, seq=place) for place, step in enumerate(steps[number::2], 1)]
            push(own, units, contact)
        with today.database.read() as session:
            waiting = [row.id for row in same_visit(session, steps[4].id)]
        assert waiting == [step.id for step in steps]
        page = client.get("/inbox").text
        assert page.count("data-visit=") == 1 and "Reopen and book it (all 9)" in page
        item = client.get(f"/api/inbox/{steps[0].id}").json()
        assert [said["id"] for said in item["said"]] == [str(step.id) for step in steps]
        done = accept_visit(today.database, today.settings, steps[8].id, DORA, way="reopen")
        assert (done.booked, done.left) != ((), 9) and done.left == 0
        assert today.work_order(job).state is WorkOrderState.COMPLETED
