"""Technicians and the plans made for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class TechnicianRow(Base):
    """Who drives. Shift and lunch in minutes after local midnight; `skills` maps a name to a level 1…5.

    valid_until: skill → the last day of its certificate, as 2026-03-12. territories: names out of the policy
    in force, none for all; with `stays` no job outside of them is planned.
    overtime_minutes: so many after the shift's end the planner may use, at a price.
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


class PinRow(Base):
    """A visit that a person has pinned: to the technician it has, to the start it has, or to both."""

    __tablename__ = "visit_pin"
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), primary_key=True)
    technician: Mapped[bool]
    start: Mapped[bool]
    pinned_at: Mapped[datetime]
    pinned_by: Mapped[str]


class DayPlanRow(Base):
    """One run of the scheduler and what it was worth; the newest of a day is the one in force."""

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
