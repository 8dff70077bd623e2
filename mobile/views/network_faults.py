"""Faults of street cabinets in words. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

from mobile import words
from shared.network_faults import FaultSign, KnownFault


def fault_line(fault: KnownFault, now: datetime, zone: tzinfo | None) -> str:
    """`No light, Water inside · 8 ports without light · not safe · reported 09:12 · 2 reports`."""
    today = now.astimezone(zone).date()
    facts = [words.COMMA.join(words.FAULT_SIGNS[sign] for sign in fault.signs)]
    if fault.ports:
        facts.append(words.ports_dark(fault.ports))
    if fault.customers:
        facts.append(words.customers_hit(fault.customers))
    if not fault.safe:
        facts.append(words.IT_IS_NOT_SAFE)
    facts += [
        words.FAULT_STATES[fault.state],
        words.clock_and_day(fault.newest_at.astimezone(zone), today),
        words.reports(fault.reports),
    ]
    return words.listed(facts)


def missing(sign: FaultSign | None, safe: bool | None, note: str) -> str | None:
    """What is still to be said before it can be sent; None: nothing."""
    if sign is None:
        return words.SAY_WHAT_YOU_SEE
    if sign is FaultSign.OTHER and not note.strip():
        return words.WRITE_WHAT_YOU_SEE
    if safe is None:
        return words.SAY_IF_SAFE
    return None
