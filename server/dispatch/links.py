"""Work orders that depend on each other, and what becomes of that in the day that is planned. Pure.

Two begin together, or one begins after another has ended. What is planned on the same day is linked in the
scheduler's request; what is over, or planned for another day, bounds the time that is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from scheduler.link_rules import contradiction
from scheduler.request import MINUTES_MAX, After, Job, Window
from server.dispatch.day_clock import DayClock
from shared.work_orders import WorkOrder, WorkOrderState

LINKED = "linked"
Kind = Literal["together", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`order_id` begins together with `other_id`, or after it has ended.

    gap_least, gap_most: minutes from its end to this begin, at least and at most (None: any).
    """

    id: UUID
    kind: Kind
    order_id: UUID
    other_id: UUID
    gap_least: int = 0
    gap_most: int | None = None

    def partner(self, order_id: UUID) -> UUID:
        return self.other_id if order_id == self.order_id else self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: the order as it is now, whatever its day."""

    id: UUID
    number: str
    state: WorkOrderState
    expected_minutes: int
    technician_id: UUID | None = None
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None

    @property
    def begins(self) -> datetime | None:
        """When somebody began or is to begin; None while nobody is to go."""
        if self.state in (WorkOrderState.UNASSIGNED, WorkOrderState.CANCELLED):
            return None
        return self.arrived_at or self.planned_start or self.finished_at

    @property
    def ends(self) -> datetime | None:
        """When it ended or is to end."""
        if self.state.is_over:
            return self.finished_at
        begins = self.begins
        if begins is None:
            return None
        length = timedelta(minutes=self.expected_minutes)
        if self.planned_start and self.planned_end:
            length = self.planned_end - self.planned_start
        return begins + length


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """Links, and every order that they name."""

    links: tuple[Link, ...] = ()
    ends: Mapping[UUID, End] = field(default_factory=dict)

    def of(self, order_id: UUID) -> list[Link]:
        return [one for one in self.links if order_id in (one.order_id, one.other_id)]


NO_TIES = Ties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """What links mean for the orders of one day, by number. out: why an order can't be planned for them.

    bounds: the first and the last minute at which work may begin, for what is not in this day's request.
    """

    after: Mapping[str, tuple[After, ...]] = field(default_factory=dict)
    together: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    out: Mapping[str, str] = field(default_factory=dict)

    def tie(self, job: Job) -> Job:
        """`job` with its links; what a person has pinned keeps its window."""
        job = replace(job, after=self.after.get(job.id, ()), together=self.together.get(job.id))
        if job.setup_minutes and any(link.job == job.id for links in self.after.values() for link in links):
            # Somebody waits for its end, which must not hang on who was at its place before.
            begun = job.fixed_start is not None  # then it is in the minutes already
            minutes = job.minutes if begun else job.minutes + job.setup_minutes
            job = replace(job, minutes=minutes, setup_minutes=0)
        if job.id not in self.bounds or job.fixed_start is not None:
            return job
        windows = clip(job.windows, self.bounds[job.id])
        return replace(job, windows=windows) if windows else job


NOT_TIED = Tied()


def clip(windows: tuple[Window, ...], bounds: tuple[int, int]) -> tuple[Window, ...]:
    """What is left of `windows` (none: any time) from the first to the last minute of `bounds`."""
    first, last = max(0, bounds[0]), min(MINUTES_MAX, bounds[1])
    return tuple(
        Window(max(one.opens, first), min(one.closes, last))
        for one in windows or (Window(0, MINUTES_MAX),)
        if one.opens <= last and one.closes >= first and first <= last
    )


def tie(
    ties: Ties,
    orders: Sequence[WorkOrder],
    clock: DayClock,
    *,
    windows: Mapping[str, tuple[Window, ...]],
    technicians: int,
    gone: Collection[UUID] = (),
    pinned: Collection[UUID] = (),
    anew: bool = False,
) -> Tied:
    """What `ties` mean for `orders`, those of the day's request, begun ones among them.

    windows: number → what is promised on this day. gone: orders of the day that are not planned at all.
    pinned: whom a person has put where they are; no link takes them out. anew: the day is planned, so a visit
    that can't be for its links is left out, though somebody was told of it; else it stays as it was told.
    """
    if not ties.links:
        return NOT_TIED
    day = _Day(ties, orders, clock, windows, technicians, set(gone))
    stays = {o.id for o in orders if o.id in pinned or (not anew and o.state is WorkOrderState.ASSIGNED)}
    out: dict[str, str] = {}
    while refused := day.refused(stays):
        order, reason = refused
        out[order.number] = reason
        day.drop(order.id)
    return day.tied(out)


class _Day:
    """The orders that are still in, and which links between them count."""

    def __init__(
        self,
        ties: Ties,
        orders: Sequence[WorkOrder],
        clock: DayClock,
        windows: Mapping[str, tuple[Window, ...]],
        technicians: int,
        gone: set[UUID],
    ) -> None:
        self.clock, self.windows, self.technicians, self.gone = clock, windows, technicians, gone
        self.ends = ties.ends
        self.inside = {order.id: order for order in orders}
        self.links = {one.id: one for one in ties.links if not _is_settled(one, ties.ends)}

    def drop(self, order_id: UUID) -> None:
        del self.inside[order_id]
        self.gone.add(order_id)

    def refused(self, stays: Collection[UUID]) -> tuple[WorkOrder, str] | None:
        """An order that can't be, with why; links of those that stay all the same are forgotten."""
        for order in list(self.inside.values()):
            if order.state.is_under_way or order.state.is_over:
                continue
            for link in self._of(order.id):
                reason = self._why_not(order, link)
                if reason and order.id in stays:
                    del self.links[link.id]
                elif reason:
                    return order, reason
        for members in self._components():
            wrong = contradictory(self._ties_of(members), self.technicians)
            if wrong is None:
                continue
            ahead = [one for one in members if not (one.state.is_under_way or one.state.is_over)]
            for order in ahead:
                if order.id not in stays:
                    return order, f"its links contradict each other: {wrong}"
            for order in ahead:
                for link in self._of(order.id):
                    del self.links[link.id]
        return None

    def _of(self, order_id: UUID) -> list[Link]:
        """The links that hold it back: what it waits for, and with whom it begins."""
        return [
            one
            for one in self.links.values()
            if one.order_id == order_id or (one.kind == "together" and one.other_id == order_id)
        ]

    def _why_not(self, order: WorkOrder, link: Link) -> str | None:
        other = self.ends[link.partner(order.id)]
        what = "waits for" if link.kind == "after" else "must begin with"
        if other.state is WorkOrderState.CANCELLED:
            return f"{what} {other.number}, which was cancelled"
        if other.state is WorkOrderState.UNFINISHED:
            return f"{what} {other.number}, which could not be finished"
        if link.kind == "together" and other.state.is_over:
            return f"{what} {other.number}, which is over"
        if other.id in self.inside:
            return None
        bounds = None if other.id in self.gone else self._bounds(link, other)
        if bounds is None:
            return f"{what} {other.number}, which is not planned"
        if clip(self.windows.get(order.number, ()), self._all_bounds(order)) and bounds[0] < self._midnight:
            return None
        begins, ends = other.begins, other.ends
        at = ends if link.kind == "after" else begins
        verb = ("ended" if other.state.is_over else "ends") if link.kind == "after" else "begins"
        gap = f", and {link.gap_least} min must pass" if link.gap_least and link.kind == "after" else ""
        return f"{what} {other.number}, which {verb} {self._words(at)}{gap}"

    @property
    def _midnight(self) -> int:
        return self.clock.of_wall(24 * 60)

    def _words(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.clock.zone):%d.%m. %H:%M}" if at else "at no known time"

    def _bounds(self, link: Link, other: End) -> tuple[int, int] | None:
        """From when to when what is outside of this day lets work begin; None where nobody knows."""
        if link.kind == "together":
            if other.begins is None:
                return None
            start = self.clock.minute(other.begins)
            lasts = max(1, other.expected_minutes) - 1 if other.state.is_under_way else 0
            return start, start + lasts
        if other.ends is None:
            return None
        end = self.clock.minute_after(other.ends)
        return end + link.gap_least, MINUTES_MAX if link.gap_most is None else end + link.gap_most

    def _all_bounds(self, order: WorkOrder) -> tuple[int, int]:
        first, last = 0, MINUTES_MAX
        for link in self._of(order.id):
            other = self.ends[link.partner(order.id)]
            if other.id not in self.inside and (bounds := self._bounds(link, other)):
                first, last = max(first, bounds[0]), min(last, bounds[1])
        return first, last

    def _inner(self) -> list[Link]:
        return [one for one in self.links.values() if {one.order_id, one.other_id} <= self.inside.keys()]

    def _components(self) -> list[list[WorkOrder]]:
        found = groups((one.order_id, one.other_id) for one in self._inner())
        return [[self.inside[id] for id in sorted(members, key=str)] for members in found]

    def _group_names(self) -> dict[UUID, str]:
        found = groups((one.order_id, one.other_id) for one in self._inner() if one.kind == "together")
        return {
            id: f"with {min(self.inside[one].number for one in members)}"
            for members in found
            for id in members
        }

    def _after(self, order_id: UUID) -> tuple[After, ...]:
        return tuple(
            After(job=self.inside[one.other_id].number, gap_least=one.gap_least, gap_most=one.gap_most)
            for one in self._inner()
            if one.kind == "after" and one.order_id == order_id
        )

    def _ties_of(self, members: Sequence[WorkOrder]) -> Ties:
        ids = {one.id for one in members}
        links = tuple(one for one in self._inner() if one.order_id in ids)
        return Ties(links=links, ends={id: self.ends[id] for id in ids})

    def tied(self, out: Mapping[str, str]) -> Tied:
        names = self._group_names()
        open_orders = [o for o in self.inside.values() if not (o.state.is_under_way or o.state.is_over)]
        bounds = {order.number: self._all_bounds(order) for order in open_orders}
        return Tied(
            after={o.number: after for o in open_orders if (after := self._after(o.id))},
            together={self.inside[id].number: name for id, name in names.items()},
            bounds={number: one for number, one in bounds.items() if one != (0, MINUTES_MAX)},
            out=out,
        )


def _is_settled(link: Link, ends: Mapping[UUID, End]) -> bool:
    """Who has begun waits for nobody any more."""
    order, other = ends[link.order_id].state, ends[link.other_id].state
    if link.kind == "after":
        return order.is_under_way or order.is_over
    return (order.is_under_way or order.is_over) and (other.is_under_way or other.is_over)


def groups(pairs: Iterable[tuple[UUID, UUID]]) -> list[set[UUID]]:
    """Who hangs together by way of `pairs`, in the order in which they come."""
    found: list[set[UUID]] = []
    for pair in pairs:
        touched = [members for members in found if members & set(pair)]
        for members in touched:
            found.remove(members)
        found.append(set(pair).union(*touched))
    return found


def ring(links: Iterable[Link], ends: Mapping[UUID, End]) -> str:
    """The circle that the links make, as "WO-1 after WO-2, WO-2 after WO-1"; "" where they make none."""
    kept = list(links)
    group = {id: f"{min(map(str, m))}" for m in groups(_pairs(kept, "together")) for id in m}

    def begin(order_id: UUID) -> str:
        return group.get(order_id, str(order_id))

    waits: dict[str, list[Link]] = {}
    for one in kept:
        if one.kind == "after":
            waits.setdefault(begin(one.order_id), []).append(one)

    def follow(at: str, way: list[Link]) -> list[Link] | None:
        for one in waits.get(at, ()):
            there = begin(one.other_id)
            seen = [begin(step.order_id) for step in [*way, one]]
            if there in seen:
                return [*way, one][seen.index(there) :]
            if found := follow(there, [*way, one]):
                return found
        return None

    for start in waits:
        if found := follow(start, []):
            return ", ".join(f"{ends[a.order_id].number} after {ends[a.other_id].number}" for a in found)
    return ""


def _pairs(links: Iterable[Link], kind: Kind) -> list[tuple[UUID, UUID]]:
    return [(one.order_id, one.other_id) for one in links if one.kind == kind]


def contradictory(ties: Ties, technicians: int) -> str | None:
    """Why no plan could ever keep `ties`, in a sentence; None where one may."""
    return contradiction(_as_jobs(ties), technicians)


def _as_jobs(ties: Ties) -> list[Job]:
    """Every order that `ties` name, as much of it as the rules on links ask for."""
    group = {id: str(n) for n, m in enumerate(groups(_pairs(ties.links, "together"))) for id in m}
    number = {id: end.number for id, end in ties.ends.items()}

    def job(end: End) -> Job:
        begun = end.state.is_under_way or end.state.is_over
        after = [one for one in ties.links if one.kind == "after" and one.order_id == end.id]
        return Job(
            id=end.number,
            place=0,
            minutes=end.expected_minutes,
            technician="somebody" if begun else None,
            fixed_start=0 if begun else None,
            after=tuple(
                After(job=number[one.other_id], gap_least=one.gap_least, gap_most=one.gap_most)
                for one in after
                if not begun
            ),
            together=group.get(end.id),
        )

    return [job(end) for end in ties.ends.values()]


def room(ties: Ties, order_id: UUID, clock: DayClock, minutes: int) -> tuple[int, int] | None:
    """From when to when a visit of so many minutes may begin for `order_id`, whenever it is now.

    The others stay where they are planned, or begin somewhere in the window that they are promised. None:
    nobody knows when what it waits for ends, so no time can be promised.
    """
    first, last = 0, MINUTES_MAX
    for link in ties.of(order_id):
        other = ties.ends[link.partner(order_id)]
        if link.kind == "after" and link.order_id == order_id:
            ends = other.ends
            if ends is None and other.window_end and not other.state.is_over:
                ends = other.window_end + timedelta(minutes=other.expected_minutes)
            if ends is None or other.state in (WorkOrderState.CANCELLED, WorkOrderState.UNFINISHED):
                return None
            end = clock.minute_after(ends)
            first = max(first, end + link.gap_least)
            last = last if link.gap_most is None else min(last, end + link.gap_most)
        elif link.kind == "after":
            begins = other.begins or other.window_end
            if begins is not None and not (other.state.is_under_way or other.state.is_over):
                last = min(last, clock.minute(begins) - link.gap_least - minutes)
        elif other.state.is_over:
            return None
        elif other.begins is not None:
            first, last = max(first, clock.minute(other.begins)), min(last, clock.minute(other.begins))
        elif other.window_start and other.window_end:
            first = max(first, clock.minute(other.window_start))
            last = min(last, clock.minute(other.window_end) - 1)
    return first, last


def broken(ties: Ties, order_id: UUID, clock: DayClock) -> list[str]:
    """What of the links of `order_id`, and of those in its group, does not hold as everybody is told now."""
    return [text for link in ties.of(order_id) if (text := _broken(link, ties.ends, clock))]


def _broken(link: Link, ends: Mapping[UUID, End], clock: DayClock) -> str:
    """Only what both ends are told can break."""
    if _is_settled(link, ends):
        return ""
    order, other = ends[link.order_id], ends[link.other_id]
    if order.begins is None:
        order, other = other, order
        if link.kind == "after" or order.begins is None:
            return ""

    def at(moment: datetime) -> str:
        local = moment.astimezone(clock.zone)
        return f"{local:%H:%M}" if local.date() == clock.day else f"{local:%d.%m. %H:%M}"

    assert order.begins is not None
    if link.kind == "together":
        if other.begins is None:
            return f"{order.number} begins together with {other.number}, which nobody has"
        if order.technician_id == other.technician_id:
            return f"{order.number} begins together with {other.number}, both with the same technician"
        lasts = other.state.is_under_way and other.ends and other.begins <= order.begins < other.ends
        if order.begins != other.begins and not lasts:
            return f"{order.number} starts {at(order.begins)}, {other.number} with it {at(other.begins)}"
        return ""
    if other.ends is None:
        return f"{order.number} comes after {other.number}, which is not planned"
    gap = timedelta(minutes=link.gap_least)
    if order.begins < other.ends + gap:
        more = f" and {link.gap_least} min must pass" if link.gap_least else ""
        return f"{order.number} starts {at(order.begins)}, but {other.number} ends {at(other.ends)}{more}"
    if link.gap_most is not None and order.begins > other.ends + timedelta(minutes=link.gap_most):
        most = f"more than {link.gap_most} min after {other.number} ends {at(other.ends)}"
        return f"{order.number} starts {at(order.begins)}, {most}"
    return ""
