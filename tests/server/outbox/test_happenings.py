"""What others are told: CloudEvents with nothing about the customer, and documented to the last type."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

from databases import ROOT
from world import MONDAY, World, uid

from server.customers.models import CustomerRow, ServiceLocationRow
from server.outbox.happenings import PING, as_bytes, envelope, of_held, of_work_order, public, type_of
from server.outbox.webhooks import TOPICS
from server.outbox.writing import Subscription, outbox_row_for_notice, webhook_rows
from shared import events as ev
from shared.commands import StartTravel

SOURCE = "https://field.example"


def completed(world: World, **order):
    job = world.order(**order)
    event = ev.WorkOrderCompleted(at=MONDAY, technician_id=world.ana.technician_id, moves=())
    return of_work_order(event, world.work_order(job), at=MONDAY)


class TestTheEnvelope:
    def test_is_a_cloud_event_that_says_when_it_happened(self, world: World):
        happening = completed(world)
        assert envelope(happening, uid("message"), SOURCE) == {
            "specversion": "1.0",
            "id": str(uid("message")),
            "source": SOURCE,
            "type": "dev.truckroll.work_order.completed",
            "subject": str(uid("WO-0001")),
            "time": "2026-11-16T07:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "work_order_id": str(uid("WO-0001")),
                "number": "WO-0001",
                "kind": "install",
                "state": "assigned",
                "priority": 3,
                "version": 1,
                "service_id": str(uid("service WO-0001")),
                "location_id": str(uid("location WO-0001")),
                "technician_id": str(world.ana.technician_id),
                "planned_start": "2026-11-16T07:00:00Z",
                "planned_end": "2026-11-16T09:00:00Z",
                "finished_at": None,
                "unfinished_reason": None,
            },
        }

    def test_is_the_same_bytes_whatever_order_a_database_keeps_the_keys_in(self):
        assert as_bytes({"b": {"y": 1, "x": "ä"}, "a": None}) == '{"a":null,"b":{"x":"ä","y":1}}'.encode()
        assert as_bytes({"a": None, "b": {"x": "ä", "y": 1}}) == '{"a":null,"b":{"x":"ä","y":1}}'.encode()

    def test_holds_nothing_of_the_customer_or_the_technician_but_ids(self, world: World):
        job = world.order()
        told = json.dumps(public(world.work_order(job)))
        customer = world.row(CustomerRow)
        place = world.row(ServiceLocationRow)
        for private in (customer.name, customer.phone, customer.email, place.street, world.ana.name):
            assert private not in told

    def test_names_a_held_command_and_why(self):
        happening = of_held(uid("command"), "close_work_order", "missing-checks", uid("job"), at=MONDAY)
        assert (happening.type, happening.subject) == ("dev.truckroll.command.held", str(uid("command")))
        assert happening.data == {
            "command_id": str(uid("command")),
            "command": "close_work_order",
            "reason": "missing-checks",
            "work_order_id": str(uid("job")),
        }


class TestTypes:
    def test_are_made_of_the_events_names(self):
        assert type_of(ev.WorkOrderCompleted) == "dev.truckroll.work_order.completed"
        assert type_of(ev.TravelStarted) == "dev.truckroll.work_order.travel_started"

    def test_are_all_documented_and_no_others(self):
        text = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^\| `(dev\.truckroll\.[a-z_.]+)`", text, re.M)) == {*TOPICS, PING}

    def test_every_field_of_the_data_is_documented(self, world: World):
        text = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
        held = of_held(uid("command"), "arrive", "not-your-job", None, at=MONDAY)
        fields = {*completed(world).data, *held.data}
        assert [name for name in sorted(fields) if f"`{name}`" not in text] == []


class TestRows:
    def test_there_is_one_for_each_who_wants_to_hear_of_it(self, world: World):
        happening = completed(world)
        everything, this, other = uid("everything"), uid("this"), uid("other")
        subscriptions = [
            Subscription(everything),
            Subscription(this, frozenset({"dev.truckroll.work_order.completed"})),
            Subscription(other, frozenset({"dev.truckroll.work_order.cancelled"})),
        ]
        ids = iter([uid("first"), uid("second")])
        rows = webhook_rows(subscriptions, [happening], MONDAY, lambda: next(ids), SOURCE)
        assert [(row["id"], row["webhook_id"], row["key"]) for row in rows] == [
            (uid("first"), everything, f"{everything} {happening.subject}"),
            (uid("second"), this, f"{this} {happening.subject}"),
        ]
        assert [row["payload"]["id"] for row in rows] == [str(uid("first")), str(uid("second"))]

    def test_of_all_kinds_name_the_same_columns(self, world: World):
        notice = {"id": uid("n"), "channel": "sms", "customer_id": uid("c"), "template": "completed"}
        made = outbox_row_for_notice(notice, MONDAY)
        [hook] = webhook_rows([Subscription(uid("w"))], [completed(world)], MONDAY, lambda: uid("m"), SOURCE)
        assert made.keys() == hook.keys()
        assert (made["id"], made["channel"], made["notice_id"]) == (uid("n"), "sms", uid("n"))
        assert made["payload"] == {}  # what it says, and to whom, stays in the notice


class TestACommandOfAPhone:
    def test_puts_its_events_and_messages_into_the_same_transaction(self, world: World):
        from outbox_world import add_webhook, messages

        job = world.order()
        hook: UUID = add_webhook(world, "https://example.com/")
        world.ana.send(StartTravel(work_order_id=job.id), start=world.now + timedelta(hours=23, minutes=50))
        told = [(row.channel, row.topic, row.webhook_id) for row in messages(world)]
        assert sorted(told, key=str) == [
            ("sms", "on_the_way", None),
            ("webhook", "dev.truckroll.work_order.travel_started", hook),
        ]
