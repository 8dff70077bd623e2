"""The day as a list of cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType
from uuid import UUID

from mobile import words
from mobile.customer_words import language_of
from mobile.language import ENGLISH, LANGUAGES, spoken
from mobile.news import News
from mobile.views.news import marks
from mobile.views.quantities import counted, product_name
from shared.catalogue import Product
from shared.work_orders import WorkOrder, WorkOrderKind, WorkOrderState
from sync.protocol import DAYS_AHEAD, DAYS_BACK

Lookup = Callable[[str], Product | None]

NO_NEWS: Mapping[UUID, News] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCardView:
    """One card. Equal cards need no new drawing, so this holds only what the eye sees."""

    id: UUID
    number: str
    starts: str  # HH:MM, or empty when nobody planned a time
    customer: str
    street: str
    kind: WorkOrderKind
    state: WorkOrderState
    emergency: bool
    facts: tuple[str, ...]  # promise and drive
    take: str  # empty when there is nothing to bring
    late: str  # empty when all is well
    is_next: bool
    place: int = 0  # on the sketch of the route
    news: tuple[str, ...] = ()  # what the office changed since the last look

    @property
    def label(self) -> str:
        """What a screen reader says, and what tests look for."""
        said = [self.number, words.STATES[self.state], self.starts, words.KINDS[self.kind], self.customer]
        return words.listed([*said, self.street, self.late, *self.news])


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """`next_id` is the job under way, else the first that is not over."""

    date: str
    done: int
    cards: tuple[JobCardView, ...]
    next_id: UUID | None
    under_way: bool


def day_view(
    orders: Sequence[WorkOrder],
    lookup: Lookup,
    now: datetime,
    zone: tzinfo | None,
    news: Mapping[UUID, News] = NO_NEWS,
    day: date | None = None,
) -> DayView:
    """`orders` come in route order; cancelled ones are left out. What could not be completed is not done.

    `day` is another one than today: nothing of it is next.
    """
    today = now.astimezone(zone).date()
    orders = listed(orders)
    under_way = [order for order in orders if order.state.is_under_way]
    still_open = [order for order in orders if not order.state.is_over]
    following = (under_way or still_open or [None])[0] if day is None else None
    next_id = following.id if following else None
    return DayView(
        date=words.day_of_week(day or today),
        done=sum(order.state is WorkOrderState.COMPLETED for order in orders),
        cards=tuple(
            replace(
                card_view(order, lookup, now, zone, is_next=order.id == next_id),
                place=place,
                news=marks(news.get(order.id), day or today, zone),
            )
            for place, order in enumerate(orders, start=1)
        ),
        next_id=next_id,
        under_way=bool(under_way),
    )


def listed(orders: Sequence[WorkOrder]) -> list[WorkOrder]:
    """Those that get a card, and a number on the sketch of the route."""
    return [order for order in orders if order.state is not WorkOrderState.CANCELLED]


def held_days(last_contact: datetime, zone: tzinfo | None) -> tuple[date, date]:
    """The first and the last day whose jobs the server sent down at the last contact."""
    day = last_contact.astimezone(zone).date()
    return day - timedelta(days=DAYS_BACK), day + timedelta(days=DAYS_AHEAD)


def card_view(
    order: WorkOrder, lookup: Lookup, now: datetime, zone: tzinfo | None, *, is_next: bool
) -> JobCardView:
    return JobCardView(
        id=order.id,
        number=order.number,
        starts=_clock(order.planned_start, zone),
        customer=order.contact.name,
        street=f"{order.place.street} {order.place.house_number}",
        kind=order.kind,
        state=order.state,
        emergency=order.priority == 1,
        facts=(*tuple(_times(order, zone))[:2], *customers_language(order)),
        take=to_take(order, lookup),
        late=lateness(order, now, zone, travels_now=is_next),
        is_next=is_next,
    )


def facts(order: WorkOrder, zone: tzinfo | None) -> Iterable[str]:
    yield from _times(order, zone)
    yield from customers_language(order)


def _times(order: WorkOrder, zone: tzinfo | None) -> Iterable[str]:
    if order.window:
        yield words.promised(_clock(order.window.start, zone), _clock(order.window.end, zone))
    if order.travel_minutes and not order.state.is_over:
        yield words.drive(order.travel_minutes)
    if not order.state.is_over:
        yield words.work(order.expected_minutes)


def customers_language(order: WorkOrder) -> Iterable[str]:
    """Where it is another than the technician's; empty else.

    In its own letters: their font then comes to the device while there is a network, for what this customer
    will read without one.
    """
    theirs = language_of(order)
    if not order.state.is_over and theirs not in (ENGLISH.code, spoken().code):
        yield LANGUAGES[theirs].name


def to_take(order: WorkOrder, lookup: Lookup) -> str:
    """Devices and parts for this job in one line; empty once it is over."""
    if order.state.is_over:
        return ""
    return words.take(bring) if (bring := bring_list(order, lookup)) else ""


def bring_list(order: WorkOrder, lookup: Lookup) -> tuple[str, ...]:
    """What the job needs from the van, one entry each: devices, then parts."""
    devices = [
        words.one_of([product_name(lookup(sku), sku) for sku in need.skus])
        for need in order.required_equipment
    ]
    parts = [counted(line.quantity, lookup(line.sku), line.sku) for line in order.required_parts]
    return (*devices, *parts)


def lateness(order: WorkOrder, now: datetime, zone: tzinfo | None, *, travels_now: bool) -> str:
    """A warning while it still helps: before the technician is there.

    The job one would drive to now is judged by the clock, later ones by the plan.
    """
    if order.state.is_over or order.state is WorkOrderState.ON_SITE:
        return ""
    if order.window is not None:
        until = _clock(order.window.end, zone)
        if now >= order.window.end:
            return words.late_now(until)
        arrival = max(now, order.planned_start or now)
        if travels_now:
            drive = timedelta(minutes=order.travel_minutes)
            if order.state is WorkOrderState.TRAVELLING and order.travel_started_at:
                arrival = max(now, order.travel_started_at + drive)
            else:
                arrival = max(now + drive, order.planned_start or now)
        if arrival >= order.window.end:
            return words.late_soon(_clock(arrival, zone), until)
    if order.sla_due_at is not None and now >= order.sla_due_at - timedelta(minutes=order.expected_minutes):
        return words.sla_due(_clock(order.sla_due_at, zone))
    return ""


def _clock(instant: datetime | None, zone: tzinfo | None) -> str:
    return words.clock(instant.astimezone(zone)) if instant else ""
