"""Answer pushed commands: receipt? → decide → book → receipt, one transaction a batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.clocks import Contact, Tap, correct
from shared.decide import decide, decide_stock
from shared.network_faults import NetworkCommand, decide_network
from shared.problems import IdReused, Problem, ServerFault
from shared.stock_commands import StockCommand
from sync.protocol import PushedCommand, Receipt, decode_command
from sync.server.ports import Asked, Clash, TryAgain, Unit, Units

_log = logging.getLogger(__name__)

TRIES = 5
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def push(
    commands: Iterable[PushedCommand],
    units: Units,
    contact: Contact,
    quarantine: Problem | None = None,
) -> list[Receipt]:
    """Answer `commands` in the device's order, all in one transaction where that works.

    With `quarantine`, the caller's or else the unit's, nothing new is decided: what has no receipt yet is
    held with that problem, whole, so that a dispatcher can accept it later.

    Where one command spoils the batch, each is answered by itself, and one that this server can't digest is
    held as our own fault, so that it neither blocks the queue nor gets lost. When the database is gone or
    overrun, TryAgain goes up: the device keeps everything and tries again, and what was answered stands.
    """
    batch = [_read(pushed, contact) for pushed in sorted(commands, key=lambda item: item.seq)]
    return _answer_batch(batch, units, quarantine) if batch else []


def _read(pushed: PushedCommand, contact: Contact) -> Asked:
    pushed = _in_utc(pushed)
    tap = Tap(made_at=pushed.made_at, mono_ms=pushed.made_mono_ms, boot=pushed.boot)
    when = correct(tap, contact, latest=contact.server_now)
    try:
        command, problem = decode_command(pushed), None
    except Problem as unreadable:
        command, problem = None, unreadable
    return Asked(pushed=pushed, command=command, problem=problem, happened_at=when.at, remarks=when.remarks)


def _in_utc(pushed: PushedCommand) -> PushedCommand:
    """A time without a zone is read as UTC, and one that no calendar holds as long ago: neither may block."""
    made_at = pushed.made_at if pushed.made_at.tzinfo else pushed.made_at.replace(tzinfo=UTC)
    if not 1900 < made_at.year < 9000:
        made_at = LONG_AGO
    return replace(pushed, made_at=made_at.astimezone(UTC))


def _answer_batch(batch: Sequence[Asked], units: Units, quarantine: Problem | None) -> list[Receipt]:
    for attempt in range(1, TRIES + 1):
        try:
            with units(batch) as unit:
                return [answer(asked, unit, quarantine or unit.quarantine) for asked in batch]
        except Clash:
            continue
        except TryAgain:
            if attempt == TRIES:
                raise  # a crowd or an outage, not these commands' doing: the phone tries again later
        except Exception:
            _log.exception("could not digest %s", ", ".join(str(asked.pushed.id) for asked in batch[:3]))
            break
    if len(batch) > 1:
        return [receipt for asked in batch for receipt in _answer_batch([asked], units, quarantine)]
    [asked] = batch
    fault = ServerFault("Our server could not book this. It is kept; dispatch has been told")
    # What spoilt it may be a text that its unit looks up: this time it looks up nothing but the job.
    with units([replace(asked, command=None, problem=fault)]) as unit:
        return [unit.receipt_of(asked) or unit.hold(asked, quarantine or unit.quarantine or fault)]


def answer(asked: Asked, unit: Unit, quarantine: Problem | None = None) -> Receipt:
    """Apply one command once; every later push of the same id gets the same receipt."""
    try:
        if receipt := unit.receipt_of(asked):
            return receipt
        if isinstance(asked.command, StockCommand):
            van = unit.van(asked, asked.command)
            if quarantine is not None:
                raise quarantine
            return unit.accept_stock(asked, van, decide_stock(asked.command, van, asked.happened_at))
        if isinstance(asked.command, NetworkCommand):
            cabinet = unit.cabinet(asked, asked.command)
            if quarantine is not None:
                raise quarantine
            return unit.accept_network(asked, decide_network(asked.command, cabinet, asked.happened_at))
        command, situation = unit.situation(asked)
        if quarantine is not None:  # only now, so that the unit knows which job it is about
            raise quarantine
        decision = decide(command, situation, asked.happened_at)
    except IdReused as problem:
        return unit.hold(asked, problem)
    except Problem as problem:
        return unit.hold(asked, quarantine or problem)
    return unit.accept(asked, command, situation, decision)
