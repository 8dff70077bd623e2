"""Hold a time slot, confirm it, give it back.

Finding a place takes longer than a transaction may last, so it is done before, and a short transaction under
the day's lock looks whether the day is still the one that it was found in. Of two who want the last place one
is first; the other looks again, and is told what is free instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.slots import Opening
from server import office
from server.clock import mint
from server.customers.models import ServiceLocationRow
from server.db.engine import Database
from server.dispatch import moves
from server.dispatch.board import newest_plan
from server.dispatch.day_rows import mark
from server.dispatch.override_rows import let_go
from server.dispatch.rechecks import Coming, objections, spot_of
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.slot_rows import Needs, living, lock_day
from server.dispatch.time_slots import Looked, Wanted, Wish, look, open_order, wanted, windows_of
from server.settings import Settings
from server.work_orders import intake
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder, OfficeCommand, RescheduleWorkOrder, UnassignWorkOrder
from shared.problems import BadValue, Conflict, IdReused, NoLongerFree, NotFound
from shared.work_orders import WorkOrder, WorkOrderState
from sync.server.ports import Clash

HOLD = timedelta(minutes=5)
KEPT = timedelta(days=1)
"""How long a hold that came to nothing is remembered: its key may come again."""
KEY_MAX = 200
TRIES = 100
"""So often somebody else may change the day while a place in it is looked for."""
NEAREST = 3
DAYS_AROUND = (0, 1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A window kept free until `expires_at`. `added_minor`: what it adds to the day, in minor units."""

    id: UUID
    start: datetime
    end: datetime
    expires_at: datetime
    added_minor: int
    work_order_id: UUID | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The order that has its window now."""

    work_order_id: UUID
    number: str
    start: datetime
    end: datetime


_turns: WeakKeyDictionary[Database, dict[date, threading.Lock]] = WeakKeyDictionary()
_turns_lock = threading.Lock()


@contextmanager
def _turn(database: Database, day: date) -> Iterator[None]:
    """One after another within this process: then whoever looks finds the day still so when it writes."""
    with _turns_lock:
        lock = _turns.setdefault(database, {}).setdefault(day, threading.Lock())
    with lock:
        yield


def hold(
    database: Database,
    settings: Settings,
    wish: Wish,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    key: str,
    by: str,
) -> Hold:
    """Keep the window [start, end) free for five minutes. The same `key` and wish again: the same hold.

    An order has one hold at a time; the one before is given back. Raises NoLongerFree, IdReused when `key`
    stands for another wish, and what `time_slots.wanted` raises.
    """
    if not 0 < len(key) <= KEY_MAX or not key.isprintable():
        raise BadValue(f"The key is a text of 1 to {KEY_MAX} letters", field="key")
    if start.tzinfo is None or end.tzinfo is None:
        raise BadValue("A window needs a time zone on both ends", field="start")
    asked = wanted(database, wish)
    day = start.astimezone(settings.zone).date()
    for _ in range(TRIES):
        with _turn(database, day):
            if found := _known(database, wish, start, end, key, now):
                return found
            looked = look(database, settings, day, asked, now)
            if (start, end) not in windows_of(settings, looked.clock):
                raise BadValue("There is no such time slot", field="start")
            opening = dict(looked.free).get((start, end))
            if opening is None:
                break
            row = _row(looked, asked, wish, opening, (start, end), key, by, now)
            try:
                with database.write() as session:
                    lock_day(session, day)
                    mine = asked.order.id if asked.order else None
                    if mark(session, looked.clock, now, not_held_for=mine) == looked.mark:
                        _make_way(session, looked, opening)
                        return _write(session, row, mine, now)
            except IntegrityError:
                continue  # the same key came twice at once: then the other one is found
    said = f"{_words(start, settings)}–{end.astimezone(settings.zone):%H:%M} is no longer free"
    nearest = _nearest(database, settings, asked, start, now)
    more = "choose another time" if nearest else "and nothing near it is"
    raise NoLongerFree(f"{said}; {more}", field="start", alternatives=nearest)


def _words(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.zone):%d.%m. %H:%M}"


def _known(
    database: Database, wish: Wish, start: datetime, end: datetime, key: str, now: datetime
) -> Hold | None:
    with database.read() as session:
        row = session.scalar(select(SlotHoldRow).where(SlotHoldRow.key == key))
        if row is None:
            return None
        if (row.wish, row.window_start, row.window_end) != (_wish(wish), start, end):
            raise IdReused("This key was used for another time slot or another order", field="key")
        return _shown(row) if row.confirmed_at or _lives(row, now) else None


def _lives(row: SlotHoldRow, now: datetime) -> bool:
    return row.confirmed_at is None and row.given_back_at is None and row.expires_at > now


def _wish(wish: Wish) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(wish)
    return found


def _row(
    looked: Looked,
    asked: Wanted,
    wish: Wish,
    opening: Opening,
    window: tuple[datetime, datetime],
    key: str,
    by: str,
    now: datetime,
) -> SlotHoldRow:
    clock, question = looked.clock, looked.question
    return SlotHoldRow(
        id=mint(),
        key=key,
        day=clock.day,
        window_start=window[0],
        window_end=window[1],
        work_order_id=wish.work_order_id,
        location_id=asked.visit.place.id,
        wish=_wish(wish),
        needs=msgspec.to_builtins(asked.needs),
        technician_id=question.technicians[opening.technician_id],
        starts_at=clock.instant(opening.start),
        travel_minutes=question.on_the_road(opening.start, opening.travel_minutes),
        added_minor=opening.added_cost,
        delays=[
            {
                "work_order_id": str(question.orders[delay.job_id].id),
                "from": clock.instant(delay.start_before).isoformat(),
                "to": clock.instant(delay.start_after).isoformat(),
            }
            for delay in opening.delays
            if delay.job_id not in question.held
        ],
        held_by=by,
        held_at=now,
        expires_at=now + HOLD,
        given_back_at=None,
        confirmed_at=None,
    )


def _make_way(session: Session, looked: Looked, opening: Opening) -> None:
    """Held and booked slots that begin later for the new one are remembered so."""
    row = SlotHoldRow
    for delay in opening.delays:
        order_id = looked.question.orders[delay.job_id].id
        booked = and_(row.work_order_id == order_id, row.confirmed_at.is_not(None))
        there = update(row).where(or_(row.id == order_id, booked), row.day == looked.clock.day)
        session.execute(there.values(starts_at=looked.clock.instant(delay.start_after)))


def _write(session: Session, row: SlotHoldRow, mine: UUID | None, now: datetime) -> Hold:
    gone = SlotHoldRow.confirmed_at.is_(None)
    session.execute(delete(SlotHoldRow).where(gone, SlotHoldRow.expires_at < now - KEPT))
    # One that ran out or was given back makes room for its key.
    session.execute(delete(SlotHoldRow).where(SlotHoldRow.key == row.key, gone, ~living(now)))
    if mine is not None:
        mine_now = (SlotHoldRow.work_order_id == mine, living(now))
        session.execute(update(SlotHoldRow).where(*mine_now).values(given_back_at=now))
    session.add(row)
    session.flush()
    return _shown(row)


def _shown(row: SlotHoldRow) -> Hold:
    return Hold(
        id=row.id,
        start=row.window_start,
        end=row.window_end,
        expires_at=row.expires_at,
        added_minor=row.added_minor,
        work_order_id=row.work_order_id,
        confirmed=row.confirmed_at is not None,
    )


def _nearest(
    database: Database, settings: Settings, asked: Wanted, start: datetime, now: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Free windows around, the nearest in time first; other days only where the day itself has too few."""
    today, day = (at.astimezone(settings.zone).date() for at in (now, start))
    found: list[tuple[datetime, datetime]] = []
    for days in DAYS_AROUND:
        there = day + timedelta(days=days)
        if len(found) >= NEAREST or there < today:
            continue
        found += [window for window, _ in look(database, settings, there, asked, now).free]
    return tuple(sorted(found, key=lambda window: (abs(window[0] - start), window[0]))[:NEAREST])


def give_back(database: Database, hold_id: UUID, now: datetime, *, of: UUID | None = None) -> None:
    """The slot is free again at once; a second time does nothing. `of`: only a hold of this order.

    Raises NotFound, and Conflict once it is confirmed.
    """
    with database.write() as session:
        row = _held(session, hold_id, of)
        if row.confirmed_at is not None:
            raise Conflict("This time slot is confirmed: move the visit instead")
        row.given_back_at = row.given_back_at or now


def _held(session: Session, hold_id: UUID, of: UUID | None) -> SlotHoldRow:
    row = session.get(SlotHoldRow, hold_id, with_for_update=True, populate_existing=True)
    if row is None or (of is not None and row.work_order_id != of):
        raise NotFound("There is no such hold")
    return row


def confirm(
    database: Database, settings: Settings, hold_id: UUID, now: datetime, *, by: str, of: UUID | None = None
) -> Booked:
    """The order gets its window, in a planned day its technician too; one not yet given is placed.

    A second time answers the same. Raises NoLongerFree when the hold has run out or was given back, and when
    its technician can't come any more: then it is given back, and the order is as it was.
    """
    for _ in range(office.TRIES):
        try:
            # The order first, in a transaction of its own: the log must know it before the commands about it.
            with database.write() as session:
                _place_if_new(session, settings, hold_id, now, by, of)
            with database.write() as session:
                return _confirm(session, settings, hold_id, now, by, of)
        except _NobodyComes as gone:
            raise _instead(database, settings, hold_id, str(gone), now) from gone
        except (IntegrityError, Clash):
            continue  # somebody took the same number, or changed the order, in this moment
    raise Conflict("Too much changed in this moment. Try again")


class _NobodyComes(Exception):
    """Whoever was to come in the held slot can't; says why."""


def _instead(database: Database, settings: Settings, hold_id: UUID, why: str, now: datetime) -> NoLongerFree:
    """The slot is given back, and what is free instead, in the same window if somebody else can come."""
    with database.write() as session:
        row = _held(session, hold_id, None)
        row.given_back_at = row.given_back_at or now
        wish, start = msgspec.convert(row.wish, Wish), row.window_start
    nearest = _nearest(database, settings, wanted(database, wish), start, now)
    more = "Choose another time" if nearest else "Nothing near it is free"
    return NoLongerFree(f"{why}. {more}", subject=str(hold_id), alternatives=nearest)


def _look_again(session: Session, settings: Settings, row: SlotHoldRow) -> None:
    """Raises _NobodyComes."""
    needs = msgspec.convert(row.needs, Needs)
    end = row.starts_at + timedelta(minutes=needs.minutes)
    visit = Coming(
        spot=spot_of(row.technician_id, row.starts_at, end, row.travel_minutes),
        skills=needs.required_skills,
        postcode=session.get_one(ServiceLocationRow, row.location_id).postcode,
    )
    if why := objections(session, settings.zone, {"": visit}):
        raise _NobodyComes(why[""])


def _place_if_new(
    session: Session, settings: Settings, hold_id: UUID, now: datetime, by: str, of: UUID | None
) -> None:
    row = _locked(session, hold_id, of)
    if row.confirmed_at is not None or row.work_order_id is not None:
        return
    if not _lives(row, now):
        raise _run_out(hold_id)
    _look_again(session, settings, row)
    wish = msgspec.convert(row.wish, Wish)
    assert wish.order is not None
    promised = replace(wish.order, window_start=row.window_start, window_end=row.window_end)
    row.work_order_id = intake.place(session, settings, promised, actor=by, now=now).id


def _confirm(
    session: Session, settings: Settings, hold_id: UUID, now: datetime, by: str, of: UUID | None
) -> Booked:
    row = _locked(session, hold_id, of)
    assert row.work_order_id is not None
    if row.confirmed_at is None:
        placed = msgspec.convert(row.wish, Wish).order is not None
        if not placed and not _lives(row, now):  # what is placed has its promise already
            raise _run_out(hold_id)
        order = open_order(session, row.work_order_id)
        comes = True
        try:
            _look_again(session, settings, row)
        except _NobodyComes:
            if not placed:
                raise
            comes = False  # it was promised a moment ago: it waits within its window for the day to be mended
        commands = _commands(session, order, row, placed=placed, comes=comes)
        office.apply(session, settings, commands, by, now)
        let_go(session, [order.id], by=by, now=now, why="another time agreed")
        row.confirmed_at = now
    number = session.scalars(select(WorkOrderRow.number).where(WorkOrderRow.id == row.work_order_id)).one()
    return Booked(work_order_id=row.work_order_id, number=number, start=row.window_start, end=row.window_end)


def _locked(session: Session, hold_id: UUID, of: UUID | None) -> SlotHoldRow:
    day = session.scalar(select(SlotHoldRow.day).where(SlotHoldRow.id == hold_id))
    if day is None:
        raise NotFound("There is no such hold")
    lock_day(session, day)
    return _held(session, hold_id, of)


def _run_out(hold_id: UUID) -> NoLongerFree:
    return NoLongerFree("This time slot is not held any more. Choose it again", subject=str(hold_id))


def _commands(
    session: Session, order: WorkOrder, row: SlotHoldRow, *, placed: bool, comes: bool
) -> list[OfficeCommand]:
    """What makes the promise true. In a day without a plan the order waits for it, wherever it was before."""
    commands: list[OfficeCommand] = []
    if not placed:
        commands.append(
            RescheduleWorkOrder(
                work_order_id=order.id, window_start=row.window_start, window_end=row.window_end
            )
        )
    if newest_plan(session, row.day) is None or not comes:
        if order.state is WorkOrderState.ASSIGNED:
            commands.append(UnassignWorkOrder(work_order_id=order.id))
        return commands
    there = moves.assignment(session, order.id, row.technician_id, row.starts_at)
    needs = timedelta(minutes=int(row.needs["minutes"]))
    commands.append(replace(there, planned_end=row.starts_at + needs, travel_minutes=row.travel_minutes))
    return [*commands, *_delayed(session, row)]


def _delayed(session: Session, row: SlotHoldRow) -> Iterator[AssignWorkOrder]:
    """Visits that begin later for it, as far as they are still where they were."""
    ids = [UUID(delay["work_order_id"]) for delay in row.delays]
    orders: Mapping[UUID, WorkOrderRow] = {
        one.id: one for one in session.scalars(select(WorkOrderRow).where(WorkOrderRow.id.in_(ids)))
    }
    for delay in row.delays:
        order = orders.get(UUID(delay["work_order_id"]))
        if order is None or order.state != WorkOrderState.ASSIGNED or order.planned_start is None:
            continue
        before, after = datetime.fromisoformat(delay["from"]), datetime.fromisoformat(delay["to"])
        if (order.technician_id, order.planned_start) == (row.technician_id, before) and order.planned_end:
            yield AssignWorkOrder(
                work_order_id=order.id,
                technician_id=row.technician_id,
                planned_start=after,
                planned_end=after + (order.planned_end - order.planned_start),
                travel_minutes=order.travel_minutes,
                route_position=order.route_position or 0,
            )
