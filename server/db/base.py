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
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    insert,
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
    """An aware UTC datetime. SQLite keeps no zone, so it is taken off there and put back on."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every instant is aware")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        # At one go: by way of a naive datetime it takes ten times as long, and a contact reads hundreds.
        return _from_text if dialect.name == "sqlite" else _in_utc


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


@cache
def places_by_dependence() -> dict[str, int]:
    """Table → its place in an order in which each comes after those that it refers to."""
    return {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}


@cache
def inserting(kind: type[Base]) -> Insert:
    """`INSERT INTO kind` of plain rows, built once."""
    return insert(table_of(kind))


def upserting(session: Session, kind: type[Base]) -> Any:
    """`INSERT INTO kind`, for on_conflict_… in the words of the session's database."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(kind)


__all__ = ["Base", "Id", "Instant", "Json", "Serial", "Text"]
