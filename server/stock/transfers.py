"""Transfers between two vans: rows ↔ shared.transfers.Handed, and the keys that both sides seal with."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.db.feed_models import HistoryRow
from server.dispatch.models import TechnicianRow
from server.stock.models import VanTransferRow
from shared.stock_commands import TransferCommand
from shared.transfers import Handed, Transfer, in_words, seal_offer, seal_taken

SHOWN = timedelta(days=14)
"""As long as a phone keeps the command that it is of."""
ONE_SIDED = timedelta(days=3)
"""A half whose other half has not come for so long is shown to the office."""
ASKED_FOR = timedelta(days=30)


def key_of(session: Session, technician_id: UUID) -> str:
    """What this technician's phones seal with. Made anew each time from the database's own key."""
    own = session.scalars(select(HistoryRow.cursor_key)).one()
    return hmac.digest(own.encode(), f"seals of {technician_id}".encode(), "sha256").hex()


def is_sealed(session: Session, command: TransferCommand) -> bool:
    """Whether giver and taker really said so."""
    transfer = command.transfer
    giver = seal_offer(key_of(session, transfer.offer.giver_id), transfer.offer)
    taker = seal_taken(key_of(session, transfer.taker_id), transfer, command.giver_seal)
    return hmac.compare_digest(giver.encode(), command.giver_seal.encode()) and hmac.compare_digest(
        taker.encode(), command.taker_seal.encode()
    )


def handed(row: VanTransferRow) -> Handed:
    return Handed(
        transfer=msgspec.convert(row.terms, Transfer, strict=False), given=row.given, taken=row.taken
    )


def lock(session: Session, ids: Iterable[UUID]) -> dict[UUID, tuple[VanTransferRow, Handed]]:
    """Those of `ids` that were booked, locked in one order."""
    query = select(VanTransferRow).where(VanTransferRow.id.in_(sorted(ids))).order_by(VanTransferRow.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return {row.id: (row, handed(row)) for row in session.scalars(query)}


def find(session: Session, ids: Iterable[UUID]) -> dict[UUID, Handed]:
    query = select(VanTransferRow).where(VanTransferRow.id.in_(list(ids)))
    return {row.id: handed(row) for row in session.scalars(query)}


def new_values(known: Handed, command_id: UUID, at: datetime) -> dict[str, Any]:
    transfer = known.transfer
    return {
        "id": transfer.id,
        "giver_id": transfer.offer.giver_id,
        "taker_id": transfer.taker_id,
        "terms": msgspec.to_builtins(transfer),
        "given": known.given,
        "taken": known.taken,
        "booked_as": command_id,
        "booked_at": at,
    }


def shown_to(
    session: Session, technician_id: UUID, now: datetime, ids: Iterable[str] | None = None
) -> list[Handed]:
    """What this technician gave or took lately; `ids` asks about some only."""
    row = VanTransferRow
    query = select(row).where(
        or_(row.giver_id == technician_id, row.taker_id == technician_id), row.booked_at > now - SHOWN
    )
    if ids is not None:
        query = query.where(row.id.in_([UUID(item) for item in ids]))
    return [handed(found) for found in session.scalars(query.order_by(row.booked_at, row.id))]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """A transfer of which one phone has told, with both seals; `silent` is whose has not."""

    giver: str
    taker: str
    things: str
    silent: str
    booked_at: datetime


def one_sided(session: Session, now: datetime) -> list[OneSided]:
    """Those whose other phone has been silent for long, the oldest first. After a month nobody asks."""
    row = VanTransferRow
    query = select(row).where(
        or_(~row.given, ~row.taken),
        row.booked_at <= now - ONE_SIDED,
        row.booked_at > now - ASKED_FOR,
    )
    found = session.scalars(query.order_by(row.booked_at, row.id)).all()
    ids = {who for one in found for who in (one.giver_id, one.taker_id)}
    named = select(TechnicianRow.id, TechnicianRow.name).where(TechnicianRow.id.in_(ids))
    names = {id: name for id, name in session.execute(named)} if ids else {}
    made = []
    for one in found:
        transfer = handed(one).transfer
        giver, taker = names.get(one.giver_id, "somebody"), names.get(one.taker_id, "somebody")
        made.append(
            OneSided(
                giver=giver,
                taker=taker,
                things=in_words(transfer.lines, transfer.devices),
                silent=taker if one.given else giver,
                booked_at=one.booked_at,
            )
        )
    return made
