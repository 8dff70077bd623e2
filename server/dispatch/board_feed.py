"""Changes of the feed → what the board shows of them now. Several changes of one thing are told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from server.db.feed import Change
from server.dispatch import board
from server.dispatch.cards import BreakCard, HeldCard, LeftOut, PlanCard, WorkOrderCard
from server.dispatch.models import DayPlanRow
from server.live import Message, newest_of_each


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """A new plan is in force. `lunches`: technician → minutes after midnight. `breaks`: those beside it."""

    plan: PlanCard
    left_out: tuple[LeftOut, ...]
    lunches: dict[str, int | None]
    breaks: dict[str, tuple[BreakCard, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """This is not on this board, or not any more."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderChange:
    """`topics`: the events that led here, by class name, oldest first; `actor` caused the newest."""

    card: WorkOrderCard
    topics: tuple[str, ...]
    actor: str


Shown = WorkOrderChange | HeldCard | PlanChange | Gone
Chooser = Callable[[Message], tuple[str, Shown] | None]


def render(session: Session, changes: Sequence[Change]) -> list[Message]:
    """The present state of everything that `changes` touched, in the order of the newest change of each."""
    newest = newest_of_each(changes)
    orders = {card.id: card for card in board.work_orders(session, _ids(newest, "work_order"))}
    held = {card.id: card for card in board.held(session, _ids(newest, "command"))}
    messages = []
    for change, topics in newest:
        if (data := _shown(session, change, topics, orders, held)) is not None:
            messages.append(Message(change.position, change.kind, change.key, topics, data))
    return messages


def _ids(newest: Sequence[tuple[Change, tuple[str, ...]]], kind: str) -> list[UUID]:
    return [found for change, _ in newest if change.kind == kind and (found := _uuid(change.key))]


def _uuid(key: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(key)
    return None


def _shown(
    session: Session,
    change: Change,
    topics: tuple[str, ...],
    orders: dict[UUID, WorkOrderCard],
    held: dict[UUID, HeldCard],
) -> Shown | None:
    key = _uuid(change.key)
    match change.kind:
        case "work_order":
            card = orders.get(key) if key else None
            return (
                WorkOrderChange(card=card, topics=topics, actor=change.actor) if card else Gone(id=change.key)
            )
        case "command":
            return (held.get(key) if key else None) or Gone(id=change.key)
        case "day_plan":
            return _plan_change(session, change.key)
    return None


def _plan_change(session: Session, key: str) -> PlanChange | None:
    """`key` is the plan's id or its day."""
    plan: DayPlanRow | None = None
    if found := _uuid(key):
        plan = session.get(DayPlanRow, found)
    else:
        with suppress(ValueError):
            plan = board.newest_plan(session, date.fromisoformat(key))
    card = board.plan_card(plan)
    if plan is None or card is None:
        return None
    crew = board.technicians(session, plan)
    return PlanChange(
        plan=card,
        left_out=board.left_out_of(session, plan),
        lunches={str(one.id): one.lunch_planned_minute for one in crew},
        breaks={str(one.id): one.breaks for one in crew if one.breaks},
    )


def for_day(day: date, start: datetime, end: datetime) -> Chooser:
    """How the board of one day names each message ("work_order", "held_gone"…), or None to say nothing."""

    def choose(message: Message) -> tuple[str, Shown] | None:
        match message.data:
            case WorkOrderChange(card=card) as change:
                if card.is_of(start, end):
                    return "work_order", change
                return "work_order_gone", Gone(id=str(card.id))
            case HeldCard() as card:
                return "held", card
            case PlanChange(plan=plan) as change:
                return ("plan", change) if plan.day == day else None
            case Gone() as gone:
                return ("work_order_gone" if message.kind == "work_order" else "held_gone"), gone
        return None

    return choose
