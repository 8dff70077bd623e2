"""What a technician asks for on site becomes a work order: once, whole, and for the office to plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import migrated_database
from outbox_world import add_webhook, messages
from world import CABLE, MONDAY, Job, World, a_world, uid

from server.db.engine import Database
from server.db.feed_models import CommandRow, FeedRow
from server.inbox.edits import body_of, form_of
from server.inbox.facing import Facing, Reader, facing
from server.replay import compare, replay
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import load
from shared.checklists import checklist_for
from shared.commands import Arrive, AskForVisit, CannotComplete, StartTravel
from shared.problems import Malformed
from shared.situation import Situation
from shared.skills import SkillNeed
from shared.work_orders import (
    PartLine,
    UnfinishedReason,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)

K, S = WorkOrderKind, WorkOrderState
NEW = uid("new order")


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as made:
        yield made


def ask(job: Job, **changes: Any) -> AskForVisit:
    values: dict[str, Any] = {
        "work_order_id": job.id,
        "new_order_id": NEW,
        "kind": K.REPAIR,
        "summary": "Socket in the cellar is loose",
        "expected_minutes": 30,
    }
    return AskForVisit(**values | changes)


def unfinished(job: Job) -> list[Any]:
    reason = UnfinishedReason.MISSING_PART
    return [
        StartTravel(work_order_id=job.id),
        Arrive(work_order_id=job.id),
        CannotComplete(work_order_id=job.id, reason=reason),
    ]


def placed(world: World) -> WorkOrder:
    with world.database.read() as session:
        [order] = load(session, [NEW])
    return order


def orders(world: World) -> list[str]:
    return sorted(row.number for row in world.rows(WorkOrderRow))


class TestAVisitAskedFor:
    def test_is_an_order_that_nobody_is_sent_to_yet_and_comes_once(self, world: World, tmp_path: Path):
        job = world.order(K.REPAIR)
        parts = (PartLine(sku=CABLE, quantity=30), PartLine(sku=CABLE, quantity=5))
        envelopes = world.ana.envelopes(ask(job, parts=parts, skill="fibre_install"))

        receipts = world.ana.deliver(envelopes)
        before = world.contents()
        again = world.ana.deliver(envelopes)

        assert [(receipt.outcome, receipt.remarks) for receipt in receipts] == [("accepted", ())]
        assert again == receipts
        assert world.contents() == before
        first, new = world.work_order(job), placed(world)
        [asked] = first.asked_for
        assert (asked.number, asked.order_id, asked.skill) == (
            "WO-0001-2",
            NEW,
            SkillNeed("fibre_install", 2),
        )
        assert (new.number, new.kind, new.state, new.priority) == ("WO-0001-2", K.REPAIR, S.UNASSIGNED, 3)
        assert (new.contact, new.place, new.service) == (first.contact, first.place, first.service)
        assert (new.summary, new.expected_minutes) == ("Socket in the cellar is loose", 30)
        assert new.required_skills == (
            SkillNeed("customer_premises", 1),
            SkillNeed("fibre_install", 2),
            SkillNeed("splice", 2),
        )
        assert new.required_parts == (PartLine(sku=CABLE, quantity=35),)
        assert new.required_checks == checks_for(K.REPAIR, 100)
        assert new.checklist == checklist_for(K.REPAIR, 100)
        assert (new.required_equipment, new.photos_required, new.window) == ((), 1, None)
        assert new.sla_due_at == asked.at + timedelta(hours=24)
        assert (new.technician_id, new.planned_start) == (None, None)
        told = [
            (row.scope, row.topic)
            for row in world.rows(FeedRow)
            if row.kind == "work_order" and row.key == str(NEW)
        ]
        assert told == [("board", "WorkOrderPlaced")]
        with migrated_database("sqlite", tmp_path) as url:
            rebuilt = Database(url)
            replay(world.database, rebuilt, world.settings)
            assert [report for report in compare(world.database, rebuilt) if not report.equal] == []
            rebuilt.close()

    def test_is_told_to_who_works_there_and_to_the_webhooks_as_placed(self, world: World):
        job = world.order(K.REPAIR)
        add_webhook(world, "https://example.com/", topics=["dev.truckroll.work_order.placed"])

        world.ana.send(ask(job))

        briefs = world.rows(FeedRow, FeedRow.kind == "place_brief", FeedRow.topic == "WorkOrderPlaced")
        assert [(row.scope, row.key) for row in briefs] == [
            (f"tech:{world.ana.technician_id}", str(job.location_id))
        ]
        [message] = messages(world)
        event = message.payload
        assert (message.topic, event["subject"]) == ("dev.truckroll.work_order.placed", str(NEW))
        assert {key: event["data"][key] for key in ("number", "kind", "state", "priority", "version")} == {
            "number": "WO-0001-2",
            "kind": "repair",
            "state": "unassigned",
            "priority": 3,
            "version": 0,
        }
        assert (event["data"]["technician_id"], event["data"]["planned_start"]) == (None, None)

    def test_goes_on_with_a_new_connection_that_could_not_be_made(self, world: World):
        job = world.order()

        receipts = world.ana.send(*unfinished(job), ask(job, kind=K.INSTALL, follow_up=True))

        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        first, new = world.work_order(job), placed(world)
        assert (first.state, new.kind, new.state) == (S.UNFINISHED, K.INSTALL, S.UNASSIGNED)
        assert new.required_equipment == first.required_equipment
        assert (new.signature_required, new.photos_required, new.service) == (True, 1, first.service)

    def test_is_held_where_another_order_makes_the_connection_already(self, world: World):
        job = world.order()
        other = world.order()
        with world.database.write() as session:
            session.get_one(WorkOrderRow, other.id).service_id = job.service_id

        receipts = world.ana.send(*unfinished(job), ask(job, kind=K.INSTALL, follow_up=True))

        assert (receipts[-1].outcome, receipts[-1].slug, receipts[-1].detail) == (
            "held",
            "conflict",
            "WO-0002 installs this service already",
        )
        assert orders(world) == ["WO-0001", "WO-0002"]

    def test_with_the_id_of_another_order_is_held_and_that_one_stays(self, world: World):
        job, other = world.order(K.REPAIR), world.order(K.REPAIR)
        before = world.work_order(other)

        receipts = world.ana.send(ask(job, new_order_id=other.id), ask(job), ask(job), ask(other))

        assert [(receipt.outcome, receipt.slug) for receipt in receipts] == [
            ("held", "bad-value"),
            ("accepted", None),
            ("accepted", None),
            ("held", "bad-value"),
        ]
        assert [remark.slug for remark in receipts[2].remarks] == ["repeated-step"]
        assert orders(world) == ["WO-0001", "WO-0001-2", "WO-0002"]
        assert world.work_order(other) == before
        assert [asked.number for asked in world.work_order(job).asked_for] == ["WO-0001-2"]

    def test_with_a_part_that_there_is_not_is_held_and_places_nothing(self, world: World):
        job = world.order(K.REPAIR)

        [receipt] = world.ana.send(ask(job, parts=(PartLine(sku="NONE", quantity=1),)))

        assert (receipt.outcome, receipt.detail) == ("held", "There is no part NONE in the catalogue")
        assert orders(world) == ["WO-0001"]
        assert world.work_order(job).asked_for == ()


class TestTheInbox:
    def test_says_both_sides_and_lets_the_words_the_minutes_and_the_parts_be_corrected(self, world: World):
        job = world.order(K.REPAIR)
        world.ana.send(ask(job), ask(job, new_order_id=uid("newer"), expected_minutes=2))
        order = world.work_order(job)
        [held] = world.rows(CommandRow, CommandRow.outcome == "held")
        form = form_of(held, True, order, [(CABLE, "Cable")])
        values = {field.name: field.value for field in form}

        assert {name: values[name] for name in ("kind", "summary", "expected_minutes")} == {
            "kind": "repair",
            "summary": "Socket in the cellar is loose",
            "expected_minutes": "2",
        }
        posted = values | {"expected_minutes": "20", "sku_0": CABLE, "quantity_0": "7"}
        kind, body = body_of(held, posted)
        assert (kind, body["expected_minutes"], body["parts"]) == (
            "ask_for_visit",
            20,
            [{"sku": CABLE, "quantity": 7}],
        )
        with pytest.raises(Malformed, match="“soon” is no whole number"):
            body_of(held, posted | {"expected_minutes": "soon"})
        now = Situation(
            order=order, actor_id=world.ana.technician_id, van_id=None, van_name="", assets={}, on_hand={},
            products={},
        )  # fmt: skip
        reader = Reader(people={}, called_off={}, zone=world.settings.zone, now=MONDAY)
        first, second = facing(ask(job, expected_minutes=2), MONDAY, now, reader)
        assert first.theirs.startswith("ask for another visit (repair): “Socket in the cellar is loose”, at ")
        assert second == Facing(
            what="Asked for",
            theirs="repair, 2 minutes: Socket in the cellar is loose",
            ours="WO-0001-2: Socket in the cellar is loose",
        )
