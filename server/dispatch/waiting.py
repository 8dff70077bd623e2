"""Who is late because somebody else is: visits that wait for others, in the day as it goes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from server.dispatch.links import Ties
from server.dispatch.timeliness import Held, Stop, Timeliness, follow_route
from shared.work_orders import WorkOrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """`stop` begins after `other` has ended and `gap_minutes` more, or together with it."""

    kind: Literal["after", "together"]
    stop: UUID
    other: UUID
    number: str
    gap_minutes: int = 0


def waits_of(ties: Ties) -> list[Wait]:
    """The same seen from each side that waits: of two who begin together, each waits for the other."""
    found = []
    for link in ties.links:
        sides = [(link.order_id, link.other_id)]
        if link.kind == "together":
            sides.append((link.other_id, link.order_id))
        for stop, other in sides:
            number = ties.ends[other].number
            found.append(
                Wait(kind=link.kind, stop=stop, other=other, number=number, gap_minutes=link.gap_least)
            )
    return found


def who_waits(
    waits: Sequence[Wait], routes: Mapping[UUID, Sequence[Stop]], now: datetime, zone: ZoneInfo
) -> dict[UUID, Held]:
    """Stop → until when it must wait, for those who would otherwise begin earlier.

    routes: technician → stops of the day. A wait for a visit that is in none of them holds nobody.
    """
    if not waits:
        return {}
    stands = {one.id: (who, one.planned_start) for who, stops in routes.items() for one in stops}
    waits = [wait for wait in waits if not _within_one_route(wait, stands)]
    ahead = {one.id for stops in routes.values() for one in stops if one.state is WorkOrderState.ASSIGNED}
    own = _expected(routes, now, zone, {})
    held: dict[UUID, Held] = {}
    for _ in range(len(waits) + 1):
        seen = _expected(routes, now, zone, held)
        found: dict[UUID, Held] = {}
        for wait in waits:
            if wait.stop not in ahead or (other := seen.get(wait.other)) is None:
                continue
            one = _held(wait, other, zone)
            arrival = own[wait.stop].expected_arrival
            if one is None or (arrival is not None and one.at <= arrival):
                continue
            if wait.stop not in found or one.at > found[wait.stop].at:
                found[wait.stop] = one
        if found == held:
            break
        held = found
    return held


def _within_one_route(wait: Wait, stands: Mapping[UUID, tuple[UUID, datetime | None]]) -> bool:
    """One technician who has both can't wait for what comes later in the same round: that link is broken."""
    here, there = stands.get(wait.stop), stands.get(wait.other)
    if here is None or there is None or here[0] != there[0] or here[1] is None or there[1] is None:
        return False
    return wait.kind == "together" or there[1] >= here[1]


def _expected(
    routes: Mapping[UUID, Sequence[Stop]], now: datetime, zone: ZoneInfo, held: Mapping[UUID, Held]
) -> dict[UUID, Timeliness]:
    followed = (follow_route(stops, now, zone, held) for stops in routes.values())
    return {one.id: one for route in followed for one in route.stops}


def _held(wait: Wait, other: Timeliness, zone: ZoneInfo) -> Held | None:
    if wait.kind == "together":
        if other.expected_arrival is None:
            return None
        at = other.expected_arrival
        return Held(at=at, because=f"begins with {wait.number}, expected {at.astimezone(zone):%H:%M}")
    if other.expected_end is None:
        return None
    end = other.expected_end
    gap = f", and {wait.gap_minutes} min more" if wait.gap_minutes else ""
    return Held(
        at=end + timedelta(minutes=wait.gap_minutes),
        because=f"waits for {wait.number}, expected done {end.astimezone(zone):%H:%M}{gap}",
    )
