"""Technicians and the plans made for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class TechnicianRow(Base):
    """Who drives. Shift and lunch in minutes after local midnight; `skills` maps a name to a level 1…5.

    valid_until: skill → the last day of its certificate, as 2026-03-12. territories: names out of the policy
    in force, none for all; with `stays` no job outside of them is planned.
    overtime_minutes: so many after the shift's end the planner may use, at a price. breaks: those beside
    lunch, as server/dispatch/breaks.py has them.
    """

    __tablename__ = "technician"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str]
    skills: Mapped[dict[str, Any]]
    shift_start_minute: Mapped[int]
    shift_end_minute: Mapped[int]
    lunch_from_minute: Mapped[int | None]
    lunch_until_minute: Mapped[int | None]
    lunch_minutes: Mapped[int]
    overtime_minutes: Mapped[int] = mapped_column(default=0)
    start_lat: Mapped[float]
    start_lon: Mapped[float]
    end_lat: Mapped[float]
    end_lon: Mapped[float]
    van_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    valid_until: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    territories: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    stays: Mapped[bool] = mapped_column(default=False, server_default=false())
    breaks: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class PolicyRow(Base):
    """What plans are weighed by, one row a version: nothing is changed, the newest is in force.

    weights: name → cents, as scheduler/request.py has them; those left out have its defaults. territories:
    name → the beginnings of the postcodes that lie in it.
    """

    __tablename__ = "planning_policy"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    weights: Mapped[dict[str, Any]]
    territories: Mapped[dict[str, Any]]


class DrivesRow(Base):
    """The drives of a request, JSON compressed by zlib: its largest part, and the same all day long."""

    __tablename__ = "plan_drives"
    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class PlanRecordRow(Base):
    """What the scheduler was asked and answered, to be looked at and replayed.

    request: JSON compressed by zlib, with the digest of its drives in their place. answer: the plan, the
    same way. The digests are SHA-256 of both as they were, byte for byte. names: who and what the request's
    ids mean: `technicians` name → id, `orders` number → id. rounds: None when it looked by the clock.
    searched: False for a plan that was put together from moves of a saved one.
    """

    __tablename__ = "plan_record"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(index=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    request_digest: Mapped[str]
    drives_digest: Mapped[str] = mapped_column(ForeignKey("plan_drives.digest"), index=True)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    answer_digest: Mapped[str]
    seconds: Mapped[int]
    rounds: Mapped[int | None]
    threads: Mapped[int]
    seed: Mapped[int]
    searched: Mapped[bool]
    versions: Mapped[dict[str, Any]]
    names: Mapped[dict[str, Any]]


class DayPlanRow(Base):
    """One run of the scheduler and what it was worth; the newest of a day is the one in force.

    lunches: technician → minute. breaks: technician → earliest start of a break by the wall → minute.
    """

    __tablename__ = "day_plan"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    made_at: Mapped[datetime]
    engine: Mapped[str]
    roads: Mapped[str]
    roads_estimated: Mapped[bool]
    seconds: Mapped[float]
    seed: Mapped[int]
    figures: Mapped[dict[str, Any]]
    lunches: Mapped[dict[str, Any]]
    breaks: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    record_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("plan_record.id", ondelete="SET NULL"), index=True
    )
    __table_args__ = (Index("ix_day_plan_day_made_at", "day", "made_at"),)


class UnassignedRow(Base):
    """A work order that a plan left out, and the reason in numbers."""

    __tablename__ = "day_plan_unassigned"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    day_plan_id: Mapped[UUID] = mapped_column(ForeignKey("day_plan.id"))
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), index=True)
    code: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("day_plan_id", "work_order_id"),)


class SavedPlanRow(Base):
    """What a day would look like, if: a plan that nobody has to follow until somebody applies it.

    changes: as server/dispatch/what_if.py has them; words: the same as sentences. seen: number → how the
    order stood when it was thought about. strangers: ids that are only imagined. outcome: what became of each
    move when it was applied.
    """

    __tablename__ = "saved_plan"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    name: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    changes: Mapped[list[Any]]
    words: Mapped[list[Any]]
    seen: Mapped[dict[str, Any]]
    strangers: Mapped[list[Any]]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("plan_record.id"), index=True)
    applied_at: Mapped[datetime | None]
    applied_by: Mapped[str | None]
    outcome: Mapped[list[Any]]


class PlanOverrideRow(Base):
    """A person's decision about who goes when. It holds for plans until `released_at`.

    technician_id: who was chosen; None: the order was taken off. wanted, cost, breaks: see Weighed in
    server/dispatch/overrides.py. reason: a code from there, or "".
    """

    __tablename__ = "plan_override"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    technician_id: Mapped[UUID | None] = mapped_column(ForeignKey("technician.id"))
    start: Mapped[datetime | None]
    wanted: Mapped[dict[str, Any]]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    cost: Mapped[dict[str, Any]]
    breaks: Mapped[list[Any]]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    released_why: Mapped[str]
