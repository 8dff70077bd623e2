"""Who may come in: staff with roles, their sessions, and technicians' devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class PersonRow(Base):
    """Somebody of the office. `role` is one of server.access.roles.Role."""

    __tablename__ = "person"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]


class SessionRow(Base):
    """A signed-in browser. Only the SHA-256 of the cookie is kept."""

    __tablename__ = "session"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class DeviceRow(Base):
    """A phone or tablet that speaks for one technician. Only the SHA-256 of its token is kept."""

    __tablename__ = "device"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"), index=True)
    name: Mapped[str]
    platform: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    token_expires_at: Mapped[datetime]
    next_token_hash: Mapped[str | None] = mapped_column(unique=True)  # told to the device, not yet used by it
    next_token_salt: Mapped[str | None]  # with the present token it gives the next one again
    token_rotated_at: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    wipe_ordered_at: Mapped[datetime | None]
    wiped_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    app_version: Mapped[str | None]
    protocol: Mapped[int] = mapped_column(default=1)
    queue_length: Mapped[int] = mapped_column(default=0)
    unsent_photos: Mapped[int] = mapped_column(default=0)
    oldest_unsent_at: Mapped[datetime | None]
    storage_left_bytes: Mapped[int | None] = mapped_column(BigInteger)
    clock_offset_seconds: Mapped[int] = mapped_column(default=0)
    unsent: Mapped[list[Any]] = mapped_column(default=list)  # see server.access.heartbeat.Left


class RetiredTokenRow(Base):
    """A token that a newer one has replaced. Whoever still comes with it has a copy."""

    __tablename__ = "retired_token"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), index=True)
    retired_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # the last time that somebody came with it all the same


class RegistrationCodeRow(Base):
    """A one-time code that turns a phone into a technician's device."""

    __tablename__ = "registration_code"
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
