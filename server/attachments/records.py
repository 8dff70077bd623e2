"""What the database says of attachments: which are kept, who sent them, whose naming they answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from server.attachments.models import AttachmentSenderRow
from server.db import feed
from server.db.base import Base, upserting
from server.dispatch.models import TechnicianRow
from server.work_orders.models import AttachmentRow, EvidenceRow
from shared.problems import Problem

ARRIVED = "EvidenceArrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The device that speaks, and whose it is.

    `refusal`: what a device that was signed out is told, unless it brings what its technician has named.
    """

    device_id: UUID
    technician_id: UUID
    refusal: Problem | None = None


def proven(session: Session, technician_id: UUID, digests: Collection[str]) -> frozenset[str]:
    """Those of `digests` whose bytes are kept and were all sent by this technician, from any device."""
    query = select(AttachmentSenderRow.digest).where(
        AttachmentSenderRow.technician_id == technician_id, AttachmentSenderRow.digest.in_(digests)
    )
    return frozenset(session.scalars(query))


def size_of(session: Session, technician_id: UUID, digest: str) -> int | None:
    """How many bytes this technician sent under that name; None before all of them are kept."""
    query = (
        select(AttachmentRow.size_bytes)
        .join(AttachmentSenderRow, AttachmentSenderRow.digest == AttachmentRow.digest)
        .where(AttachmentRow.digest == digest, AttachmentSenderRow.technician_id == technician_id)
    )
    return session.scalar(query)


def record(
    session: Session, sender: Sender, digest: str, size_bytes: int, media_type: str, now: datetime
) -> bool:
    """The bytes are kept, and `sender` sent them. True when nobody had sent them before."""
    new = _add_once(
        session,
        AttachmentRow,
        digest=digest,
        size_bytes=size_bytes,
        media_type=media_type,
        stored_at=now,
        device_id=sender.device_id,
    )
    _add_once(
        session,
        AttachmentSenderRow,
        technician_id=sender.technician_id,
        digest=digest,
        device_id=sender.device_id,
        sent_at=now,
    )
    settle(session, digest, now)
    return new


def is_named(session: Session, technician_id: UUID, digest: str) -> bool:
    """Whether a command of this technician speaks of these bytes."""
    return session.get(EvidenceRow, (technician_id, digest)) is not None


def is_awaited(session: Session, technician_id: UUID, digest: str) -> bool:
    """Whether this technician named these bytes and they count as missing."""
    query = select(EvidenceRow.digest).where(
        EvidenceRow.technician_id == technician_id,
        EvidenceRow.digest == digest,
        EvidenceRow.arrived_at.is_(None),
    )
    return session.scalar(query) is not None


def settle(session: Session, digest: str, now: datetime) -> int:
    """Evidence that was named and whose bytes its technician has sent has arrived. Returns how many.

    Done again at every offer of the same bytes: a naming and an arrival that commit at the same moment on
    PostgreSQL don't see each other, and the phone, which is asked for the bytes then, brings both together.
    """
    holders = select(AttachmentSenderRow.technician_id).where(AttachmentSenderRow.digest == digest)
    arrived = (
        update(EvidenceRow)
        .where(
            EvidenceRow.digest == digest,
            EvidenceRow.arrived_at.is_(None),
            EvidenceRow.technician_id.in_(holders),
        )
        .values(arrived_at=now)
        .returning(EvidenceRow.technician_id, EvidenceRow.work_order_id)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(arrived).all()
    for technician_id, work_order_id in rows:
        if work_order_id is not None:
            actor = session.get_one(TechnicianRow, technician_id).name
            facts = {"digest": digest}
            feed.append(
                session, [feed.BOARD], "work_order", work_order_id, ARRIVED, at=now, actor=actor, facts=facts
            )
    return len(rows)


def _add_once(session: Session, table: type[Base], **values: Any) -> bool:
    """False when the row was there, also when another transaction is adding it at this moment."""
    adding = upserting(session, table).values(**values).on_conflict_do_nothing()
    adding = adding.returning(*inspect(table).primary_key)
    return session.execute(adding).first() is not None
