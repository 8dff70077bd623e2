"""Who asked for webhooks hears of a new order."""

from __future__ import annotations

from outbox_world import add_webhook, messages
from world import World

from server.work_orders.intake import CustomerOrder, place
from shared.work_orders import WorkOrderKind


def test_an_order_that_is_taken_is_told(world: World):
    job = world.order(WorkOrderKind.REPAIR)  # its service runs
    add_webhook(world, "https://example.com/", topics=["dev.truckroll.work_order.placed"])
    with world.database.write() as session:
        order = CustomerOrder(
            kind=WorkOrderKind.REPAIR, customer_id=job.customer_id, service_id=job.service_id
        )
        row = place(session, world.settings, order, actor="Dora", now=world.now)
    [message] = messages(world)
    assert message.topic == "dev.truckroll.work_order.placed"
    assert message.payload["data"]["number"] == row.number
