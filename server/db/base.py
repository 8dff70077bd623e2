"""What every table is built of: constraint names that migrations can rely on, and portable column types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from msgspec import convert
from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps text without a zone, which is taken off there and put back on."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def bind_processor(self, dialect: Dialect) -> Any:
        # In one step there: a contact binds dozens, a push thousands.
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        check_aware(value)
        return value and value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        # At one go: by way of a naive datetime it takes ten times as long, and a contact reads hundreds.
        return _from_text if dialect.name == "sqlite" else _in_utc


def check_aware(value: datetime | None) -> None:
    """Raises ValueError when it says no zone."""
    if value is not None and value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: every instant is aware")


def _as_text(value: datetime | None) -> str | None:
    check_aware(value)
    return value.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00") if value else None


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Id(Uuid[UUID]):
    """A UUID. SQLite keeps it as text, which msgspec reads in a third of the time that `UUID` takes."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], UUID | None]:
        return _read_id


def _read_id(value: str | None) -> UUID | None:
    return None if value is None else convert(value, UUID)


Json = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up by itself only on INTEGER


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        UUID: Id(),
        datetime: Instant(),
        date: Date(),
        str: String(),
        dict[str, Any]: Json,
        list[Any]: Json,
    }


def table_of(kind: type[Base]) -> Table:
    """For statements that write plain rows, past the session's bookkeeping."""
    table = kind.__table__
    assert isinstance(table, Table)
    return table


def columns_of(kind: type[Base]) -> Any:
    """For statements that are asked often and for plain values: past the session they cost half."""
    return table_of(kind).c


@cache
def places_by_dependence() -> dict[str, int]:
    """Table → its place in an order in which each comes after those that it refers to."""
    return {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}


def upserting(session: Session, kind: type[Base]) -> Any:
    """`INSERT INTO kind`, for on_conflict_… in the words of the session's database."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(kind)


__all__ = ["Base", "Id", "Instant", "Json", "Serial", "Text"]
