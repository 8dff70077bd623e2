"""Webhooks and messages for tests of the outbox, on the rows of a World."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from receivers import LOCAL
from sqlalchemy import select
from world import World, uid

from server.clock import mint
from server.customers.models import NoticeRow
from server.outbox.addresses import Boundary
from server.outbox.courier import Courier
from server.outbox.happenings import Happening
from server.outbox.models import OutboxRow, WebhookRow
from server.outbox.senders import WebhookSender
from server.outbox.writing import outbox_row_for_notice, put, subscriptions, webhook_rows

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SOURCE = "https://field.example"
_numbers = count(1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def add_webhook(world: World, url: str, *, topics: Iterable[str] = ()) -> UUID:
    webhook_id = mint()
    with world.database.write() as session:
        session.add(
            WebhookRow(
                id=webhook_id, url=url, secret=SECRET, topics=sorted(topics), created_at=world.now,
                created_by="Ada", disabled_at=None, failures=0, paused_until=None,
            )
        )  # fmt: skip
    return webhook_id


def tell(world: World, *subjects: str) -> list[str]:
    """One happening about each subject, in one transaction; the ids of their messages, in order."""
    made: list[UUID] = []

    def next_id() -> UUID:
        made.append(uid(f"message {next(_numbers)}"))
        return made[-1]

    happenings = [
        Happening(type="dev.truckroll.work_order.arrived", subject=name, at=world.now, data={"subject": name})
        for name in subjects
    ]
    with world.database.write() as session:
        put(session, webhook_rows(subscriptions(session), happenings, world.now, next_id, SOURCE))
    return [str(message_id) for message_id in made]


def tell_customer(world: World, *, channel: str = "email", template: str = "completed") -> UUID:
    """A notice to a new customer, queued with its way out."""
    job = world.order()
    notice = {
        "id": mint(),
        "customer_id": job.customer_id,
        "work_order_id": job.id,
        "template": template,
        "channel": channel,
        "recipient": f"{job.number.lower()}@home.test" if channel == "email" else "+358501234567",
        "language": "en",
        "body": f"{job.number} was completed at 09:08.",
        "state": "queued",
        "queued_at": world.now,
    }
    with world.database.write() as session:
        session.add(NoticeRow(**notice))
        session.flush()
        put(session, [outbox_row_for_notice(notice, world.now)])
    return job.id


def a_courier(world: World, clock: Callable[[], datetime], **options: Any) -> Courier:
    """One that sends webhooks to this machine. Its chance is always the middle: back-off is exact."""
    senders = options.pop("senders", {"webhook": WebhookSender(Boundary(LOCAL), seconds=3)})
    middle = (2**31).to_bytes(4, "big")
    return Courier(world.database, senders, now=clock, chance=lambda _count: middle, **options)


def messages(world: World) -> list[OutboxRow]:
    with world.database.read() as session:
        return list(session.scalars(select(OutboxRow).order_by(OutboxRow.seq)))


def states(world: World) -> list[str]:
    return [row.state for row in messages(world)]
