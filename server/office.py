"""Dispatchers and the plan decide by the same rules and book by the same road as phones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.booking import book
from server.books import Books
from server.clock import mint, utc_now
from server.consequences import Deed
from server.db.engine import Database
from server.settings import Settings
from server.stock.models import StockPlaceRow
from shared.commands import (
    SCHEMA,
    AssignWorkOrder,
    EditContact,
    OfficeCommand,
    ReopenWorkOrder,
    parts_named,
)
from shared.conflicts import CONFLICTS
from shared.decide import Decision, decide
from shared.problems import Conflict, NotFound
from shared.remarks import Remark
from shared.situation import Situation
from shared.visit_rules import words_of
from shared.work_orders import WorkOrder
from sync.protocol import encode
from sync.server.ports import Clash

OFFICE = UUID("00000000-0000-7000-8000-000000000002")
"""Stands for the office where a rule asks who acts."""
TRIES = 5
"""What is written may have changed while its lock was waited for: then it is read and decided again."""


def run(
    database: Database,
    settings: Settings,
    command: OfficeCommand,
    actor: str,
    *,
    also: Callable[[Session], None] | None = None,
) -> Decision:
    """Decide and book one command. Raises Problem, and then nothing has moved.

    `also` is done first in the same transaction, each time that is tried.
    """
    for _ in range(TRIES):
        with suppress(Clash), database.write() as session:
            if also:
                also(session)
            return apply(session, settings, [command], actor, utc_now())[0]
    raise Conflict("Somebody changed the same thing again and again in this moment. Look again, and retry")


def apply(
    session: Session, settings: Settings, commands: Sequence[OfficeCommand], actor: str, now: datetime
) -> list[Decision]:
    """The same within a transaction of the caller's: a plan books its hundred assignments at once."""
    books = Books(session, settings, now)
    decisions = decide_all(books, [(mint(), command) for command in commands], actor)
    books.write()
    return decisions


def decide_all(books: Books, commands: Sequence[tuple[UUID, OfficeCommand]], actor: str) -> list[Decision]:
    """Decide commands, each with its id, one after another, and write down what they cause."""
    ids = [command.work_order_id for _, command in commands]
    books.open_orders(ids)
    orders = [order for order_id in ids if (order := books.opened(order_id))]
    named = {serial for order in orders for serial in order.handled_serials}
    books.open_assets(named, AssetRow.claimed_by.in_(ids))
    return [_decide(books, command_id, command, actor) for command_id, command in commands]


def _decide(books: Books, command_id: UUID, command: OfficeCommand, actor: str) -> Decision:
    order = books.order(command.work_order_id)
    if isinstance(command, AssignWorkOrder | ReopenWorkOrder) and books.van_of(command.technician_id) is None:
        raise NotFound("There is no such technician", field="technician_id")
    van_id = _van_at_work(books, order)
    serials = {*books.claimed_by(order.id), *order.handled_serials}
    before = Situation(
        order=order,
        actor_id=OFFICE,
        van_id=van_id,
        van_name=books.session.get_one(StockPlaceRow, van_id).name if van_id else "",
        assets=books.assets(serials),
        on_hand={},
        products=books.products({line.sku for line in parts_named(command)}),
    )
    decision = decide(command, before, books.now)
    deed = Deed(
        books=books,
        command_id=command_id,
        actor=actor,
        before=before,
        after=decision.after,
        happened_at=books.now,
        decided_at=books.now,
    )
    if decision.after.order.technician_id != order.technician_id:
        books.row_of(order.id).why = {}  # the reason was for somebody else; a plan gives its own
    book(deed, decision)
    if isinstance(command, EditContact):
        words = {"field": words_of(command.field), "number": order.number}
        asked = CONFLICTS["contact-both-sides"].remarked(**words)
        books.answer(order.id, asked, by=actor, outcome="edited")
    _keep(books, command_id, command, order, actor, decision.remarks)
    return decision


def _van_at_work(books: Books, order: WorkOrder) -> UUID | None:
    """The van of the visit that is under way: what it has used so far came from there."""
    if not order.state.is_under_way or order.technician_id is None:
        return None
    return books.van_of(order.technician_id)


def _keep(
    books: Books,
    command_id: UUID,
    command: OfficeCommand,
    before: WorkOrder,
    actor: str,
    remarks: Sequence[Remark],
) -> None:
    books.log(
        id=command_id,
        origin="office",
        device_id=None,
        actor=actor,
        seq=0,
        type=command.type,
        schema_version=SCHEMA,
        work_order_id=before.id,
        body=encode(command).decode(),
        digest="",
        base_version=before.version,
        made_at=books.now,
        made_mono_ms=None,
        boot=None,
        hlc=None,
        happened_at=books.now,
        decided_at=books.now,
        outcome="accepted",
        slug=None,
        detail=None,
        remarks=[{"slug": remark.slug, "detail": remark.detail} for remark in remarks],
    )
