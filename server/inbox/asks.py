"""What was booked and asks somebody for something: one question, however many commands raised it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, func, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.customers.models import CustomerRow
from server.db.feed_models import CommandRow
from server.dispatch.meaning import in_words
from server.inbox.facing import Facing, Reader
from server.inbox.facing_asks import both_sides
from server.inbox.models import FollowUpRow
from server.inbox.proposals import ASKED, Proposal
from server.inbox.reading import readable
from server.inbox.visits import reader_of
from server.inbox.waiting import OVERDUE, OpenCounts, State, held_counts
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import CorrectContact
from shared.conflicts import CONFLICTS, conflict_of
from shared.work_orders import WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One button. `ask_id`: whose value it is about. `base`: what stood there when this was shown."""

    ask_id: UUID
    proposal: Proposal
    words: str
    means: str
    sure: str = ""
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question about one job to one person's work, or about their van: then `work_order_id` is None and
    `number` and `customer` are empty. `ids`: every remark that asks it, the first first.

    `case`, `rule`: in general what `detail` says of this one. From `done_at` on: None while it is open.
    """

    ids: tuple[UUID, ...]
    technician: str
    work_order_id: UUID | None
    number: str
    customer: str
    slug: str
    case: str
    rule: str
    detail: str
    wanted: tuple[str, ...]
    both: tuple[Facing, ...]
    choices: tuple[Choice, ...]
    happened_at: datetime
    raised_at: datetime
    overdue: bool
    done_at: datetime | None
    done_by: str | None
    outcome: str | None
    note: str | None


def open_counts(session: Session, now: datetime) -> OpenCounts:
    """Held commands and open questions together, and apart."""
    held = held_counts(session, now)
    asked = _questions(FollowUpRow.done_at.is_(None)).subquery()
    late = func.count().filter(asked.c.raised_at <= now - OVERDUE)
    count, overdue, oldest = session.execute(select(func.count(), late, func.min(asked.c.raised_at))).one()
    times = [at for at in (held.oldest_at, oldest) if at]
    return OpenCounts(
        open=held.held + count,
        overdue=held.overdue + overdue,
        oldest_at=min(times, default=None),
        held=held.held,
        asks=count,
    )


def asked_reasons(session: Session) -> list[tuple[str, str, int]]:
    """(slug, in general words, how many questions are open), the most frequent first."""
    open_, many = _questions(FollowUpRow.done_at.is_(None)).subquery(), func.count()
    query = select(open_.c.slug, many).group_by(open_.c.slug).order_by(many.desc(), open_.c.slug)
    rows = ((slug, conflict_of(slug, held=False), count) for slug, count in session.execute(query))
    return [(slug, row.case if row else slug, count) for slug, row, count in rows]


def by_job(found: Iterable[Ask]) -> list[list[Ask]]:
    """Questions about one technician's work on one job, or about their van, together."""
    jobs: dict[tuple[str, UUID | None], list[Ask]] = {}
    for ask in found:
        jobs.setdefault((ask.technician, ask.work_order_id), []).append(ask)
    return list(jobs.values())


QUESTION = (FollowUpRow.actor, FollowUpRow.work_order_id, FollowUpRow.slug, FollowUpRow.detail)
"""Remarks that are alike in these are one question: a whole second visit asks once."""


def _questions(*conditions: ColumnElement[bool]) -> Any:
    """A row a question: when it was first raised and last answered."""
    row = FollowUpRow
    return (
        select(*QUESTION, func.min(row.raised_at).label("raised_at"), row.done_at, row.done_by)
        .where(*conditions)
        .group_by(*QUESTION, row.done_at, row.done_by)
    )


def asks(
    session: Session,
    zone: tzinfo,
    now: datetime,
    *,
    state: State = "open",
    technician_id: UUID | None = None,
    reason: str | None = None,
    work_order_id: UUID | None = None,
    overdue: bool = False,
    limit: int = 200,
    offset: int = 0,
) -> list[Ask]:
    """Open ones, the oldest first; answered ones, the newest first."""
    row = FollowUpRow
    conditions: list[ColumnElement[bool]] = [
        row.done_at.is_(None) if state == "open" else row.done_at.is_not(None)
    ]
    if technician_id is not None:
        sent = select(CommandRow.id).join(DeviceRow, DeviceRow.id == CommandRow.device_id)
        conditions.append(row.command_id.in_(sent.where(DeviceRow.technician_id == technician_id)))
    if reason is not None:
        conditions.append(row.slug == reason)
    if work_order_id is not None:
        conditions.append(row.work_order_id == work_order_id)
    if overdue:
        conditions.append(row.raised_at <= now - OVERDUE)
    found = _questions(*conditions).subquery()
    order = found.c.raised_at.asc() if state == "open" else found.c.done_at.desc()
    page = select(found).order_by(order, *(found.c[column.key] for column in QUESTION))
    return _asks(session, page.limit(limit).offset(offset).subquery(), zone, now)


def _asks(session: Session, page: Subquery, zone: tzinfo, now: datetime) -> list[Ask]:
    row = FollowUpRow
    same = [page.c[column.key].is_not_distinct_from(column) for column in QUESTION]
    same.append(page.c.done_at.is_not_distinct_from(row.done_at))
    rows = session.scalars(select(row).join(page, onclause=and_(*same)).order_by(row.raised_at, row.id)).all()
    commands = _commands(session, [one.command_id for one in rows])
    orders = _orders(session, {one.work_order_id for one in rows if one.work_order_id})
    reader = reader_of(session, orders.keys(), zone, now)
    customers = _customers(session, orders.keys())
    grouped: dict[tuple[Any, ...], list[FollowUpRow]] = {}
    for one in rows:
        key = (one.actor, one.work_order_id, one.slug, one.detail, one.done_at)
        grouped.setdefault(key, []).append(one)
    made = [
        _ask(group, commands, orders, customers, reader)
        for group in grouped.values()
        if group[0].work_order_id is None or group[0].work_order_id in orders
    ]
    made.sort(key=lambda ask: ask.done_at or now, reverse=True)  # open ones keep their order
    return made


def _commands(session: Session, ids: Iterable[UUID]) -> dict[UUID, CommandRow]:
    found = session.scalars(select(CommandRow).where(CommandRow.id.in_(list(ids))))
    return {row.id: row for row in found}


def _orders(session: Session, ids: Iterable[UUID]) -> dict[UUID, WorkOrder]:
    """With those that part of their work was moved to."""
    found = {order.id: order for order in repository.load(session, ids)}
    others = {off.order_id for order in found.values() for off in order.split_off} - found.keys()
    return found | {order.id: order for order in repository.load(session, others)}


def _customers(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    query = (
        select(WorkOrderRow.id, CustomerRow.name)
        .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
        .where(WorkOrderRow.id.in_(list(ids)))
    )
    return {order_id: name for order_id, name in session.execute(query)}


def other_order(detail: str, order: WorkOrder) -> UUID | None:
    """The order to which the part had been moved that this remark is about."""
    said = CONFLICTS["split"].remarked
    named = (off for off in order.split_off if said(number=order.number, other=off.number).detail == detail)
    return next((off.order_id for off in named), None)


def _ask(
    group: Sequence[FollowUpRow],
    commands: dict[UUID, CommandRow],
    orders: dict[UUID, WorkOrder],
    customers: dict[UUID, str],
    reader: Reader,
) -> Ask:
    first = group[0]
    order = orders[first.work_order_id] if first.work_order_id else None
    sent = [commands[one.command_id] for one in group if one.command_id in commands]
    row = conflict_of(first.slug, held=False)
    other_id = other_order(first.detail, order) if order else None
    other = orders.get(other_id) if other_id else None
    return Ask(
        ids=tuple(one.id for one in group),
        technician=first.actor,
        work_order_id=first.work_order_id,
        number=order.number if order else "",
        customer=customers.get(order.id, "") if order else "",
        slug=first.slug,
        case=row.case if row else "",
        rule=row.rule if row else "",
        detail=first.detail,
        wanted=tuple(dict.fromkeys(in_words(one.type, one.body) for one in sent)),
        both=both_sides(first.slug, sent, order, other, reader) if order else (),
        choices=_choices(group, commands, order, other) if first.done_at is None else (),
        happened_at=min((one.happened_at for one in sent), default=first.raised_at),
        raised_at=first.raised_at,
        overdue=first.done_at is None and first.raised_at <= reader.now - OVERDUE,
        done_at=first.done_at,
        done_by=first.done_by,
        outcome=first.outcome,
        note=next((one.note for one in group if one.note), None),
    )


def _choices(
    group: Sequence[FollowUpRow],
    commands: dict[UUID, CommandRow],
    order: WorkOrder | None,
    other: WorkOrder | None,
) -> tuple[Choice, ...]:
    row = conflict_of(group[0].slug, held=False)
    made: list[Choice] = []
    for proposal in row.proposals if row else ():
        if proposal is Proposal.TAKE_VALUE:
            assert order is not None, "a suggestion is about a job's contact"
            made += _values(group, commands, order)
            continue
        if proposal is Proposal.CANCEL_OTHER and (other is None or other.state.is_over):
            continue  # it is off already, or done too
        offer = ASKED[proposal]
        words = (
            f"{offer.words} {other.number}" if other and proposal is Proposal.CANCEL_OTHER else offer.words
        )
        if proposal is Proposal.DISMISS and group[0].slug == "contact-changed-twice":
            words = "Keep what stands"
        made.append(
            Choice(ask_id=group[0].id, proposal=proposal, words=words, means=offer.means, sure=offer.sure)
        )
    return tuple(made)


def _values(group: Sequence[FollowUpRow], commands: dict[UUID, CommandRow], order: WorkOrder) -> list[Choice]:
    """A button for each value that was suggested."""
    offer, made = ASKED[Proposal.TAKE_VALUE], {}
    for one in group:
        found = commands.get(one.command_id)
        command = readable(found) if found else None
        if isinstance(command, CorrectContact):
            made[command.value] = Choice(
                ask_id=one.id,
                proposal=Proposal.TAKE_VALUE,
                words=f"{offer.words} “{command.value}”",
                means=offer.means,
                base=order.contact_value(command.field),
            )
    return list(made.values())
