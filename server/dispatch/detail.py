"""Everything about one work order, for the panel beside the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.db.feed_models import CommandRow
from server.dispatch.board import card_links
from server.dispatch.cards import CardLink
from server.dispatch.day_clock import DayClock
from server.dispatch.link_rows import ties
from server.dispatch.links import Ties, broken
from server.dispatch.meaning import in_words
from server.dispatch.models import TechnicianRow
from server.dispatch.override_rows import pins
from server.dispatch.policy import policy_in_force
from server.dispatch.preferences import Preferred, of_orders
from server.stock.models import ProductRow
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.problems import NotFound
from shared.work_orders import WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One command about the job: who wanted what, when, and how it was answered."""

    at: datetime
    who: str
    wanted: str
    outcome: str
    detail: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """`products`: SKU → name, for those that the order mentions. `people`: technician → name.

    decided: who decided against the plan and why, while plans keep to it; else "". links: what it depends on,
    and what depends on it; broken: what of these does not hold as everybody is told. preferred: when the
    customer would like the visit; each minute outside costs a plan `unpreferred_minor`, in minor units.
    """

    order: WorkOrder
    why: dict[str, Any]
    freed_minutes: int
    deeds: tuple[Deed, ...]
    products: dict[str, str]
    people: dict[str, str]
    customer_link: str
    decided: str = ""
    links: tuple[CardLink, ...] = ()
    broken: tuple[str, ...] = ()
    preferred: Preferred | None = None
    unpreferred_minor: int = 0


def detail(session: Session, work_order_id: UUID, customer_link: str, zone: ZoneInfo) -> Detail:
    """Raises NotFound."""
    found = repository.load(session, [work_order_id])
    if not found:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    order, row = found[0], session.get_one(WorkOrderRow, work_order_id)
    tied = ties(session, [order.id])
    return Detail(
        order=order,
        why=row.why,
        freed_minutes=row.freed_minutes,
        deeds=_deeds(session, work_order_id),
        products=_products(session, order),
        people={
            str(who): name for who, name in session.execute(select(TechnicianRow.id, TechnicianRow.name))
        },
        customer_link=customer_link,
        links=card_links(tied).get(order.id, ()),
        broken=_broken(tied, order.id, zone),
        preferred=of_orders(session, [order.id]).get(order.id),
        unpreferred_minor=policy_in_force(session).weights.unpreferred_minute,
        decided="; ".join(pin.words for pin in pins(session, [order.id]).values()),
    )


def _broken(found: Ties, order_id: UUID, zone: ZoneInfo) -> tuple[str, ...]:
    begins = [end.begins for end in found.ends.values() if end.begins]
    return (
        tuple(broken(found, order_id, DayClock(min(begins).astimezone(zone).date(), zone))) if begins else ()
    )


def _deeds(session: Session, work_order_id: UUID) -> tuple[Deed, ...]:
    query = (
        select(CommandRow, TechnicianRow.name)
        .outerjoin(DeviceRow, DeviceRow.id == CommandRow.device_id)
        .outerjoin(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .where(CommandRow.work_order_id == work_order_id)
        .order_by(CommandRow.happened_at, CommandRow.seq)
    )
    return tuple(
        Deed(
            at=row.happened_at,
            who=name or row.actor,
            wanted=in_words(row.type, row.body),
            outcome=row.outcome,
            detail=row.detail,
            remarks=tuple(str(remark.get("detail", "")) for remark in row.remarks),
        )
        for row, name in session.execute(query)
    )


def _products(session: Session, order: WorkOrder) -> dict[str, str]:
    mentioned = {line.sku for line in (*order.parts, *order.required_parts)}
    mentioned |= {thing.sku for thing in order.fitted}
    mentioned |= {thing.sku for thing in (*order.removed, *order.failed)}
    mentioned |= order.fitting_skus
    query = select(ProductRow).where(ProductRow.sku.in_(mentioned))
    return {row.sku: f"{row.maker} {row.model}" for row in session.scalars(query)}
