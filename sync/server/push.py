"""Answer pushed commands: receipt? → decide → book → receipt, one transaction a command."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.decide import decide
from shared.problems import IdReused, Problem, ServerFault
from shared.remarks import Remark
from sync.protocol import SKEW_TOLERATED, PushedCommand, Receipt, decode_command
from sync.server.ports import Clash, TryAgain, Units

_log = logging.getLogger(__name__)

TRIES = 5
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SKEW_REMARKED = timedelta(minutes=5)


def push(
    commands: Iterable[PushedCommand],
    units: Units,
    *,
    device_now: datetime,
    now: datetime,
    quarantine: Problem | None = None,
) -> list[Receipt]:
    """Answer `commands` in the device's order.

    With `quarantine` nothing new is decided: what has no receipt yet is held with that problem, whole, so
    that a dispatcher can accept it later.

    A command that this server can't digest is held as our own fault, so that it neither blocks the queue nor
    gets lost. When the database is gone or overrun, TryAgain goes up: the device keeps everything and tries
    again, and what was answered stands.
    """
    offset = now - device_now
    return [
        _answer_or_hold(_in_utc(pushed), units, offset=offset, now=now, quarantine=quarantine)
        for pushed in sorted(commands, key=lambda item: item.seq)
    ]


def _in_utc(pushed: PushedCommand) -> PushedCommand:
    """A time without a zone is read as UTC, and one that no calendar holds as long ago: neither may block."""
    made_at = pushed.made_at if pushed.made_at.tzinfo else pushed.made_at.replace(tzinfo=UTC)
    if not 1900 < made_at.year < 9000:
        made_at = LONG_AGO
    return replace(pushed, made_at=made_at.astimezone(UTC))


def _answer_or_hold(
    pushed: PushedCommand, units: Units, *, offset: timedelta, now: datetime, quarantine: Problem | None
) -> Receipt:
    for attempt in range(1, TRIES + 1):
        try:
            return answer(pushed, units, offset=offset, now=now, quarantine=quarantine)
        except Clash:
            continue
        except TryAgain:
            if attempt == TRIES:
                raise  # a crowd or an outage, not this command's doing: the phone tries again later
        except Exception:
            _log.exception("could not digest command %s (%s)", pushed.id, pushed.type)
            break
    fault = quarantine or ServerFault("Our server could not book this. It is kept; dispatch has been told")
    with units() as unit:
        return unit.receipt_of(pushed) or unit.hold(pushed, fault, corrected(pushed.made_at, offset, now)[0])


def answer(
    pushed: PushedCommand,
    units: Units,
    *,
    offset: timedelta,
    now: datetime,
    quarantine: Problem | None = None,
) -> Receipt:
    """Apply one command once; every later push of the same id gets the same receipt."""
    happened_at, remarks = corrected(pushed.made_at, offset, now)
    with units() as unit:
        try:
            if receipt := unit.receipt_of(pushed):
                return receipt
            command, situation = unit.situation(decode_command(pushed))
            if quarantine is not None:  # only now, so that the unit knows which job it is about
                raise quarantine
            decision = decide(command, situation, happened_at)
        except IdReused as problem:
            return unit.hold(pushed, problem, happened_at)
        except Problem as problem:
            return unit.hold(pushed, quarantine or problem, happened_at)
        return unit.accept(pushed, command, situation, decision, happened_at, decision.remarks + remarks)


def corrected(made_at: datetime, offset: timedelta, now: datetime) -> tuple[datetime, tuple[Remark, ...]]:
    """When it happened by the server's clock. `offset` is server time minus device time at this contact.

    Small differences are the network's and are left alone; nothing happens in the future.
    """
    if abs(offset) <= SKEW_TOLERATED:
        return min(made_at, now), ()
    remarks: tuple[Remark, ...] = ()
    if abs(offset) > SKEW_REMARKED:
        minutes = round(abs(offset).total_seconds() / 60)
        direction = "behind" if offset > timedelta(0) else "ahead"
        detail = f"The phone's clock was {minutes} minutes {direction}; times were corrected"
        remarks = (Remark("clock-skew", detail),)
    return min(made_at + offset, now), remarks
