"""When something happened: hybrid logical time, and device times corrected at the contact that brings them.

Pure: nothing here looks at a clock. Hybrid logical clocks are by Kulkarni and others, 2014.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.conflicts import CONFLICTS
from shared.remarks import Remark

NETWORK = timedelta(minutes=2)
"""What a request may take on its way. Clocks that differ by less are left alone: it may as well be that."""

REMARKED = timedelta(minutes=5)
"""A clock that was further off, or was set by more, is remarked."""

DRIFT = 1e-4
"""How far a device's clocks run off by themselves: 100 parts in a million, twice what quartz does."""

AHEAD_MS_MAX = 5 * 60_000
"""A server takes over no hybrid time that is further ahead: a phone in 2099 must not take others along."""

MONO_MS_MAX = 10 * 366 * 86_400_000
_STAMP = re.compile(r"([0-9a-f]{13})-([0-9a-f]{4})")
_COUNT_MAX = 0xFFFF


# --- hybrid logical time ------------------------------------------------------------------------------------


def stamp(unix_ms: int, count: int = 0) -> str:
    """Text that sorts as the times do: 13 hex digits of milliseconds, a dash, 4 of the counter."""
    if count > _COUNT_MAX:
        unix_ms, count = unix_ms + 1, 0
    return f"{max(unix_ms, 0):013x}-{count:04x}"


def parts(hlc: str | None) -> tuple[int, int]:
    """(milliseconds, counter); (0, 0) for what is none of ours."""
    found = _STAMP.fullmatch(hlc or "")
    return (int(found[1], 16), int(found[2], 16)) if found else (0, 0)


def tick(last: str | None, wall_ms: int) -> str:
    """The stamp of something that happens here now: above `last`, whatever the wall clock did."""
    ms, count = parts(last)
    return stamp(wall_ms) if wall_ms > ms else stamp(ms, count + 1)


def merge(last: str | None, heard: str | None, wall_ms: int, *, ahead_ms_max: int | None = None) -> str:
    """The stamp of hearing `heard`: above both. What is further ahead than `ahead_ms_max` is not believed."""
    told = parts(heard)
    if ahead_ms_max is not None and told[0] > wall_ms + ahead_ms_max:
        told = (0, 0)
    ms, count = max(parts(last), told)
    return stamp(wall_ms) if wall_ms > ms else stamp(ms, count + 1)


# --- corrected time -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A device's clocks at the tap. `mono_ms` is by the clock that nobody can set, in the run named `boot`.

    That clock counts while the device sleeps (CLOCK_BOOTTIME); a device that has none such leaves it out.
    """

    made_at: datetime
    mono_ms: int | None = None
    boot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A device's clocks as its request left, and the server's as it came. On a device: the last contact."""

    device_now: datetime
    server_now: datetime
    mono_ms: int | None = None
    boot: str | None = None

    @property
    def offset(self) -> timedelta:
        """What the device's clock lacks."""
        return self.server_now - self.device_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """When it happened by the server's clock: within `error` of `at`.

    `sure`: the error holds whatever was done to the device's clock. Otherwise nothing but that clock spoke,
    and it holds if nobody set it between the tap and the contact.
    """

    at: datetime
    error: timedelta
    sure: bool
    remarks: tuple[Remark, ...] = ()


def correct(tap: Tap, contact: Contact, *, latest: datetime | None = None) -> Corrected:
    """The time of `tap` by the server's clock. `latest`: nothing has happened after that; None on a device.

    In one run of the device its age by the unsettable clock says it. Across runs, and for phones that have no
    such clock, the offset measured at the contact does. A correction of up to two minutes is not made.
    """
    aged = _age_by_mono(tap, contact)
    age = contact.device_now - tap.made_at if aged is None else aged
    found = _before(contact.server_now, age)
    within = abs(found - tap.made_at) <= NETWORK
    at = tap.made_at if within else found
    return Corrected(
        at=min(at, latest) if latest is not None else at,
        error=NETWORK + abs(age) * DRIFT + (NETWORK if within else timedelta(0)),
        sure=aged is not None,
        remarks=(*_skewed(found - tap.made_at), *_changed(tap, contact, aged)),
    )


def _age_by_mono(tap: Tap, contact: Contact) -> timedelta | None:
    if tap.mono_ms is None or contact.mono_ms is None or tap.boot is None or tap.boot != contact.boot:
        return None
    age_ms = contact.mono_ms - tap.mono_ms
    return timedelta(milliseconds=age_ms) if abs(age_ms) < MONO_MS_MAX else None  # no device runs so long


def _before(instant: datetime, age: timedelta) -> datetime:
    """A clock beyond the calendar tells nothing: `instant` itself then."""
    try:
        return instant - age
    except OverflowError:
        return instant


def _skewed(correction: timedelta) -> tuple[Remark, ...]:
    if abs(correction) <= REMARKED:
        return ()
    direction = "behind" if correction > timedelta(0) else "ahead"
    return (CONFLICTS["clock-skew"].remarked(minutes=_minutes(correction), direction=direction),)


def _changed(tap: Tap, contact: Contact, aged: timedelta | None) -> tuple[Remark, ...]:
    """Within one run both clocks should have come equally far since the tap."""
    if aged is None:
        return ()
    set_by = (contact.device_now - tap.made_at) - aged
    if abs(set_by) <= REMARKED:
        return ()
    return (CONFLICTS["clock-changed"].remarked(minutes=_minutes(set_by)),)


def _minutes(span: timedelta) -> int:
    return round(abs(span).total_seconds() / 60)
