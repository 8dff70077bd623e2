"""Dispatchers and the plan decide by the same rules and book by the same road as phones."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.assets import register
from server.assets.models import AssetRow
from server.booking import book
from server.clock import mint, utc_now
from server.consequences import Deed
from server.db.command_log import next_numbers
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.settings import Settings
from server.stock.models import StockPlaceRow
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import SCHEMA, AssignWorkOrder, OfficeCommand
from shared.decide import Decision, decide
from shared.problems import NotFound
from shared.situation import Situation
from shared.work_orders import WorkOrder
from sync.protocol import encode

OFFICE = UUID("00000000-0000-7000-8000-000000000002")
"""Stands for the office where a rule asks who acts."""


def run(database: Database, settings: Settings, command: OfficeCommand, actor: str) -> Decision:
    """Decide and book one command. Raises Problem, and then nothing has moved."""
    with database.write() as session:
        return apply(session, settings, command, actor, utc_now())


def apply(
    session: Session, settings: Settings, command: OfficeCommand, actor: str, now: datetime
) -> Decision:
    """The same within a transaction of the caller's: a plan books its hundred assignments at once."""
    row, order = repository.lock(session, command.work_order_id)
    if isinstance(command, AssignWorkOrder) and not session.get(TechnicianRow, command.technician_id):
        raise NotFound("There is no such technician", field="technician_id")
    claimed = session.scalars(select(AssetRow.serial).where(AssetRow.claimed_by == order.id))
    found = register.lock(session, [*claimed, *(device.serial for device in order.removed)])
    van = _van_at_work(session, order)
    before = Situation(
        order=order,
        actor_id=OFFICE,
        van_id=van.id if van else None,
        van_name=van.name if van else "",
        assets={serial: asset for serial, (_, asset) in found.items()},
        on_hand={},
        products={},
    )
    decision = decide(command, before, now)
    kept = _keep(session, command, row, actor, now)
    deed = Deed(
        session=session,
        settings=settings,
        command_id=kept.id,
        actor=actor,
        row=row,
        before=before,
        after=decision.after,
        happened_at=now,
        decided_at=now,
    )
    if decision.after.order.technician_id != order.technician_id:
        row.why = {}  # the plan's reason was for somebody else; a plan that decides gives its own
    book(deed, decision, {serial: asset_row for serial, (asset_row, _) in found.items()})
    return decision


def _van_at_work(session: Session, order: WorkOrder) -> StockPlaceRow | None:
    """The van of the visit that is under way: what it has used so far came from there."""
    if not order.state.is_under_way:
        return None
    query = (
        select(StockPlaceRow)
        .join(TechnicianRow, TechnicianRow.van_id == StockPlaceRow.id)
        .where(TechnicianRow.id == order.technician_id)
    )
    return session.scalar(query)


def _keep(
    session: Session, command: OfficeCommand, row: WorkOrderRow, actor: str, now: datetime
) -> CommandRow:
    kept = CommandRow(
        id=mint(),
        number=next_numbers(session, 1)[0],
        origin="office",
        device_id=None,
        actor=actor,
        seq=0,
        type=command.type,
        schema_version=SCHEMA,
        work_order_id=row.id,
        body=encode(command).decode(),
        digest="",
        base_version=row.version,
        made_at=now,
        happened_at=now,
        decided_at=now,
        outcome="accepted",
        slug=None,
        detail=None,
        remarks=[],
    )
    session.add(kept)
    return kept
