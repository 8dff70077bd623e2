"""The day's route as a drawing: where the stops lie to each other, from the coordinates on the device alone.

No roads are on the device, so legs are straight lines, and the minutes beside them are the plan's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import cos, hypot, radians
from typing import Literal
from uuid import UUID

from mobile import words
from shared.work_orders import Place, WorkOrder, WorkOrderState

METRES_PER_DEGREE = 111_320  # of latitude
EXTENT_LEAST_METRES = 400
HOME_FARTHEST = 2.5  # of what the stops cover: beyond, the way there would leave no room for them
EDGE = 26  # a stop's mark and its number stay inside
APART = 30  # marks of neighbours do not hide each other
PUSHES = 12
LEG_WITH_WORDS = 64  # shorter legs have no room for their minutes; the cards say them
BAR_METRES = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
REACH = 36  # of a finger around a stop

StopState = Literal["next", "open", "done"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """`number` is its place in the list below. Pixels from the top left, north is up."""

    id: UUID
    number: int
    x: float
    y: float
    state: StopState


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`minutes` is empty where it is driven already or has no room for words."""

    start: Point
    end: Point
    minutes: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """`home`: where the van starts, None when too far away to be drawn. `said`: all of it in words."""

    stops: tuple[Stop, ...]
    legs: tuple[Leg, ...]
    home: Point | None
    bar_pixels: float
    bar: str
    said: str

    def nearest(self, x: float, y: float) -> UUID | None:
        """The stop that a finger at this point means."""
        found = min(self.stops, key=lambda stop: hypot(stop.x - x, stop.y - y), default=None)
        return found.id if found and hypot(found.x - x, found.y - y) <= REACH else None


def sketch(
    orders: Sequence[WorkOrder],
    home: tuple[float, float] | None,
    next_id: UUID | None,
    width: float,
    height: float,
) -> Sketch | None:
    """`orders` in route order, numbered from 1; `home` as (latitude, longitude). None without any place."""
    placed = [(number, order) for number, order in enumerate(orders, start=1) if has_place(order)]
    if not placed:
        return None
    ground = [(order.place.lat, order.place.lon) for _, order in placed]
    if home is not None and _is_far(home, ground):
        home = None
    points, pixels_per_metre = _on_paper([*ground, *([home] if home else [])], width, height)
    marks = _apart(points[: len(placed)], width, height)
    start = points[-1] if home else None
    stops = tuple(
        Stop(id=order.id, number=number, x=x, y=y, state=_state(order, next_id))
        for (number, order), (x, y) in zip(placed, marks, strict=True)
    )
    bar = _bar(width / 3 / pixels_per_metre)
    return Sketch(
        stops=stops,
        legs=tuple(_legs([order for _, order in placed], marks, start)),
        home=start,
        bar_pixels=bar * pixels_per_metre,
        bar=words.distance(bar),
        said=_said(placed, next_id),
    )


def has_place(order: WorkOrder) -> bool:
    return is_located(order.place)


def is_located(place: Place) -> bool:
    """Nobody lives at 0° 0°: it is what a place without coordinates has."""
    return bool(place.lat or place.lon)


def metres_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Between two points as (latitude, longitude); within 1 % up to some hundred kilometres."""
    north = there[0] - here[0]
    east = (there[1] - here[1]) * cos(radians((here[0] + there[0]) / 2))
    return hypot(north, east) * METRES_PER_DEGREE


def _is_far(home: tuple[float, float], ground: Sequence[tuple[float, float]]) -> bool:
    covered = max((metres_between(one, other) for one, other in combinations(ground, 2)), default=0)
    nearest = min(metres_between(home, point) for point in ground)
    return nearest > HOME_FARTHEST * max(covered, EXTENT_LEAST_METRES)


def _on_paper(
    ground: Sequence[tuple[float, float]], width: float, height: float
) -> tuple[list[Point], float]:
    """Pixels for each point, in the middle of the paper, and how many of them a metre has."""
    lats, lons = [lat for lat, _ in ground], [lon for _, lon in ground]
    middle_lat, middle_lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    narrower = cos(radians(middle_lat)) * METRES_PER_DEGREE
    metres = [((lon - middle_lon) * narrower, (middle_lat - lat) * METRES_PER_DEGREE) for lat, lon in ground]
    east = max(EXTENT_LEAST_METRES, 2 * max(abs(x) for x, _ in metres))
    south = max(EXTENT_LEAST_METRES, 2 * max(abs(y) for _, y in metres))
    scale = min((width - 2 * EDGE) / east, (height - 2 * EDGE) / south)
    return [(width / 2 + x * scale, height / 2 + y * scale) for x, y in metres], scale


def _apart(points: Sequence[Point], width: float, height: float) -> list[Point]:
    """Push marks apart that would hide each other: several flats of one house are several stops."""
    found = list(points)
    for _ in range(PUSHES):
        for one, other in combinations(range(len(found)), 2):
            (x, y), (u, v) = found[one], found[other]
            away = hypot(u - x, v - y)
            if away >= APART:
                continue
            push = (APART - away) / 2
            # On top of each other they go to the sides, in their order.
            right, down = ((u - x) / away, (v - y) / away) if away else (1.0, 0.0)
            found[one] = _inside(x - right * push, y - down * push, width, height)
            found[other] = _inside(u + right * push, v + down * push, width, height)
    return found


def _inside(x: float, y: float, width: float, height: float) -> Point:
    return min(max(x, EDGE), width - EDGE), min(max(y, EDGE), height - EDGE)


def _state(order: WorkOrder, next_id: UUID | None) -> StopState:
    if order.state.is_over:
        return "done"
    return "next" if order.id == next_id else "open"


def _legs(orders: Sequence[WorkOrder], marks: Sequence[Point], start: Point | None) -> Iterable[Leg]:
    before = start
    for order, mark in zip(orders, marks, strict=True):
        if before is not None:
            done = order.state.is_over or order.state is WorkOrderState.ON_SITE
            long = hypot(mark[0] - before[0], mark[1] - before[1]) >= LEG_WITH_WORDS
            minutes = (
                words.minutes(order.travel_minutes) if order.travel_minutes and long and not done else ""
            )
            yield Leg(start=before, end=mark, minutes=minutes, done=done)
        before = mark


def _bar(metres_most: float) -> int:
    return max((length for length in BAR_METRES if length <= metres_most), default=BAR_METRES[0])


def _said(placed: Sequence[tuple[int, WorkOrder]], next_id: UUID | None) -> str:
    stops = []
    for number, order in placed:
        street = f"{order.place.street} {order.place.house_number}"
        drive = "" if order.state.is_over or not order.travel_minutes else words.drive(order.travel_minutes)
        state = words.STATES[order.state] if order.state.is_over else ""
        following = words.NEXT if order.id == next_id else ""
        stops.append(f"{number}: {words.listed([street, state, following, drive])}")
    return f"{words.SKETCH}. {'. '.join(stops)}"
