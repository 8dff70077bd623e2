"""The truthful line on every screen: what only this device has, and what has reached the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal
from uuid import UUID

from mobile import words
from mobile.gateway import QueueItem, QueueState, SyncStatus

CLOCK_SECONDS_OFF = 120
HELD_IS_NEWS = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why steps wait, in one sentence (empty where none was given), and which, oldest first."""

    text: str
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """What waits of one job for the same kind of help. `made_at` is that of the newest step.

    `work_order_id` is None for a step that is about the van; it has a card of its own.
    """

    work_order_id: UUID | None
    order_number: str
    state: QueueState
    made_at: datetime
    reasons: tuple[Reason, ...]

    @property
    def to_do(self) -> str:
        return _to_do(self.state, self.work_order_id)

    @property
    def steps(self) -> int:
        return sum(len(reason.titles) for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class StatusView:
    """`online` False draws the crossed-out cloud."""

    text: str
    mood: Literal["good", "warn", "bad", "calm"]
    online: bool


def status_view(status: SyncStatus, now: datetime, zone: tzinfo | None, needs_you: int = 0) -> StatusView:
    """`needs_you`: unsent commands whose job changed meanwhile, and those that dispatch must decide."""
    unsent = status.unsent_commands + status.unsent_photos
    text = words.status(
        status.unsent_commands,
        status.unsent_photos,
        online=status.online,
        last=when(status.last_contact, now, zone) if status.last_contact else None,
        needs_you=needs_you,
    )
    if status.sign_in_needed:
        return StatusView(status.problem or text, "bad", status.online is not False)
    mood: Literal["good", "warn", "bad", "calm"] = "bad" if needs_you else "warn" if unsent else "calm"
    if mood == "calm" and status.online and status.last_contact:
        mood = "good"
    return StatusView(text, mood, status.online is not False)


def attention(queue: list[QueueItem], now: datetime) -> int:
    """Entries that need a person: unsent ones whose job changed, and what dispatch took over lately."""
    return sum(
        item.state == "refused_local"
        or (item.state == "held" and item.decided_at is not None and now - item.decided_at < HELD_IS_NEWS)
        for item in queue
    )


def when(instant: datetime, now: datetime, zone: tzinfo | None) -> str:
    """`12:03` today, `22 Nov 12:03` before."""
    return words.clock_and_day(instant.astimezone(zone), now.astimezone(zone).date())


def in_groups(queue: list[QueueItem]) -> tuple[tuple[str, tuple[QueueItem, ...]], ...]:
    """What needs a person first, then what only this device has, then what the office has."""
    attention = tuple(item for item in queue if item.state in ("held", "refused_local"))
    unsent = tuple(item for item in queue if item.state in ("saved", "sending"))
    accepted = tuple(item for item in queue if item.state in ("accepted", "corrected", "dismissed"))
    groups = (
        (words.NEEDS_ATTENTION, attention),
        (words.NOT_SENT, unsent),
        (words.WITH_OFFICE, accepted),
    )
    return tuple(group for group in groups if group[1])


def by_job(items: Sequence[QueueItem]) -> tuple[JobCard, ...]:
    """One card for all steps of a job in one state: ten held steps mostly wait for one decision.

    Two steps about the van wait for two.
    """
    jobs: dict[tuple[UUID, QueueState], list[QueueItem]] = {}
    for item in items:
        jobs.setdefault((item.work_order_id or item.id, item.state), []).append(item)
    return tuple(
        JobCard(
            work_order_id=found[0].work_order_id,
            order_number=found[0].order_number,
            state=state,
            made_at=max(item.made_at for item in found),
            reasons=_reasons(found),
        )
        for (_, state), found in jobs.items()
    )


def to_do(item: QueueItem, *, signed_out: bool = False) -> str:
    """What a person does about it, in one sentence; empty where all is done."""
    if item.state == "saved" and signed_out:
        return words.SIGN_IN_FIRST
    if item.picture_lost and item.state == "accepted":
        return words.PICTURE_AGAIN
    return _to_do(item.state, item.work_order_id)


def _to_do(state: QueueState, work_order_id: UUID | None) -> str:
    if work_order_id is None and state == "refused_local":
        return words.LOOK_AT_STOCK
    return words.TO_DO.get(state, "")


def _reasons(items: Sequence[QueueItem]) -> tuple[Reason, ...]:
    said: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: item.seq):
        text = " ".join(filter(None, (item.detail, *item.remarks)))
        said.setdefault(text, []).append(item.title)
    return tuple(Reason(text=text, titles=tuple(titles)) for text, titles in said.items())


def clock_warning(status: SyncStatus) -> str:
    """Empty when the device's clock is right within two minutes."""
    off = -status.clock_offset_seconds
    return words.clock_off(round(off / 60)) if abs(off) > CLOCK_SECONDS_OFF else ""
