"""Links between work orders as rows: read with all that hangs on them, made, taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.clock import mint
from server.db import feed
from server.db.base import Base
from server.dispatch.links import End, Kind, Link, Ties, contradictory, ring
from server.dispatch.models import TechnicianRow
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, BadValue, Conflict, NotFound
from shared.work_orders import WorkOrderState

GAP_MAX = 14 * 24 * 60
LINKED_MAX = 50
"""So many orders may hang together: more are a project, not a day's work."""


class WorkOrderLinkRow(Base):
    """`kind` "together": both begin at the same minute; "after": work_order_id waits for the end of other_id.

    gap_least, gap_most: minutes between. A link is never changed: another one takes its place.
    """

    __tablename__ = "work_order_link"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), index=True)
    gap_least: Mapped[int]
    gap_most: Mapped[int | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("work_order_id", "other_id"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """`number` of the order to begin with, or to wait for; minutes from its end on, at least and at most."""

    kind: Kind
    number: str
    gap_least: int = 0
    gap_most: int | None = None


def ties(session: Session, ids: Iterable[UUID]) -> Ties:
    """The links of the orders `ids`, and all that hang on these, with every order that they name."""
    found: dict[UUID, WorkOrderLinkRow] = {}
    known, fresh = set[UUID](), set(ids)
    row = WorkOrderLinkRow
    while fresh:
        known |= fresh
        near = session.scalars(select(row).where(or_(row.work_order_id.in_(fresh), row.other_id.in_(fresh))))
        new = {one.id: one for one in near if one.id not in found}
        found |= new
        fresh = {id for one in new.values() for id in (one.work_order_id, one.other_id)} - known
    links = tuple(_link(one) for one in sorted(found.values(), key=lambda one: (one.made_at, one.id)))
    named = {id for link in links for id in (link.order_id, link.other_id)}
    return Ties(links=links, ends=ends(session, named))


def ends(session: Session, ids: Collection[UUID]) -> dict[UUID, End]:
    if not ids:
        return {}
    return {
        row.id: _end(row) for row in session.scalars(select(WorkOrderRow).where(WorkOrderRow.id.in_(ids)))
    }


def _end(row: WorkOrderRow) -> End:
    return End(
        id=row.id,
        number=row.number,
        state=WorkOrderState(row.state),
        expected_minutes=row.expected_minutes,
        technician_id=row.technician_id,
        planned_start=row.planned_start,
        planned_end=row.planned_end,
        arrived_at=row.arrived_at,
        finished_at=row.finished_at,
        window_start=row.window_start,
        window_end=row.window_end,
    )


def _link(row: WorkOrderLinkRow) -> Link:
    return Link(
        id=row.id,
        kind="together" if row.kind == "together" else "after",
        order_id=row.work_order_id,
        other_id=row.other_id,
        gap_least=row.gap_least,
        gap_most=row.gap_most,
    )


def link_ids(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """The links that name one of the orders `ids`: others than before, when somebody has linked meanwhile."""
    row = WorkOrderLinkRow
    if not ids:
        return set()
    return set(session.scalars(select(row.id).where(or_(row.work_order_id.in_(ids), row.other_id.in_(ids)))))


def make(session: Session, work_order_id: UUID, wanted: NewLink, *, by: str, now: datetime) -> UUID:
    """Link an order to another one. Raises NotFound, and BadValue or Conflict in a plain sentence."""
    order = _order(session, WorkOrderRow.id == work_order_id, "There is no such work order")
    number = "".join(one for one in wanted.number if one.isprintable()).strip()
    other = _order(session, WorkOrderRow.number == number, f"There is no work order {number}", field="number")
    _check_gaps(wanted)
    _check_states(order, other, wanted.kind)
    # One after another: two halves of a circle, made at the same time, must see each other.
    for id in sorted((order.id, other.id)):
        session.get_one(WorkOrderRow, id, with_for_update=True)
    link = Link(
        id=mint(),
        kind=wanted.kind,
        order_id=order.id,
        other_id=other.id,
        gap_least=wanted.gap_least,
        gap_most=wanted.gap_most,
    )
    _check_together(session, link)
    session.add(
        WorkOrderLinkRow(
            id=link.id,
            kind=link.kind,
            work_order_id=link.order_id,
            other_id=link.other_id,
            gap_least=link.gap_least,
            gap_most=link.gap_most,
            made_by=by,
            made_at=now,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Somebody has linked them in this moment. Look again") from error
    _tell(session, link, "WorkOrderLinked", by, now)
    return link.id


def _order(
    session: Session, condition: ColumnElement[bool], missing: str, field: str | None = None
) -> WorkOrderRow:
    row: WorkOrderRow | None = session.scalar(select(WorkOrderRow).where(condition))
    if row is None:
        raise NotFound(missing, field=field)
    return row


def _check_gaps(wanted: NewLink) -> None:
    if not 0 <= wanted.gap_least <= GAP_MAX:
        raise BadValue(f"Between them lie 0 to {GAP_MAX} minutes", field="gap_least")
    if wanted.gap_most is not None and not wanted.gap_least <= wanted.gap_most <= GAP_MAX:
        raise BadValue("The most that may lie between them is no less than the least", field="gap_most")
    if wanted.kind == "together" and (wanted.gap_least or wanted.gap_most is not None):
        raise BadValue("Nothing lies between two that begin together", field="gap_least")


def _check_states(order: WorkOrderRow, other: WorkOrderRow, kind: Kind) -> None:
    if order.id == other.id:
        raise BadValue(f"{order.number} can't depend on itself", field="number")
    if WorkOrderState(order.state) not in (WorkOrderState.UNASSIGNED, WorkOrderState.ASSIGNED):
        raise AlreadyClosed(f"{order.number} has begun or is over: it waits for nobody", subject=order.number)
    state = WorkOrderState(other.state)
    if state in (WorkOrderState.CANCELLED, WorkOrderState.UNFINISHED):
        said = "was cancelled" if state is WorkOrderState.CANCELLED else "could not be finished"
        raise Conflict(f"{other.number} {said}: nobody will do it", field="number")
    if kind == "together" and state is WorkOrderState.COMPLETED:
        raise AlreadyClosed(f"{other.number} is over: nothing can begin with it", field="number")


def _check_together(session: Session, link: Link) -> None:
    """What the link says beside all others that it meets."""
    before = ties(session, [link.order_id, link.other_id])
    named = {**before.ends, **ends(session, {link.order_id, link.other_id} - before.ends.keys())}
    order, other = named[link.order_id].number, named[link.other_id].number
    if any({one.order_id, one.other_id} == {link.order_id, link.other_id} for one in before.links):
        raise Conflict(f"{order} and {other} are linked already", field="number")
    if len(named) > LINKED_MAX:
        raise Conflict(f"More than {LINKED_MAX} work orders would hang together", field="number")
    after = replace(before, links=(*before.links, link), ends=named)
    if way := ring(after.links, named):
        raise Conflict(f"That would be a circle: {way}", field="number")
    people = session.scalar(select(func.count()).where(TechnicianRow.active)) or 0
    # A shorter team may be on duty on the day; more than there are will never be.
    if wrong := contradictory(after, max(people, 1)):
        raise Conflict(f"These links contradict each other: {wrong}", field="number")


def remove(session: Session, work_order_id: UUID, link_id: UUID, *, by: str, now: datetime) -> None:
    """Raises NotFound."""
    row = session.get(WorkOrderLinkRow, link_id)
    if row is None or work_order_id not in (row.work_order_id, row.other_id):
        raise NotFound("There is no such link")
    link = _link(row)
    session.delete(row)
    session.flush()
    _tell(session, link, "WorkOrderUnlinked", by, now)


def _tell(session: Session, link: Link, topic: str, by: str, now: datetime) -> None:
    """Open boards draw both anew."""
    for id in (link.order_id, link.other_id):
        feed.append(session, [feed.BOARD], "work_order", id, topic, at=now, actor=by)
