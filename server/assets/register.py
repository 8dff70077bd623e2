"""The register of equipment: rows ↔ shared.assets.Asset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.db.base import columns_of, table_of
from server.stock.models import StockPlaceRow
from shared.assets import Asset

_asset, _place = columns_of(AssetRow), columns_of(StockPlaceRow)
_OWN = {field.name: _asset[field.name] for field in fields(Asset) if field.name in _asset}
_COLUMNS = _OWN | {"holder_name": _place.name}


def _joined(*shown: Any) -> Select[*tuple[Any, ...]]:
    return select(*shown).join(table_of(StockPlaceRow), _place.id == _asset.holder_id).order_by(_asset.serial)


# Columns, not rows: a phone's first pull reads thousands, and nobody will change them.
_READ = _joined(*_COLUMNS.values())


def find(session: Session, *conditions: Any) -> list[Asset]:
    """Devices that meet `conditions` on AssetRow, ordered by serial."""
    return found(session, finding(*conditions))


def finding(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """`find` as a statement: where it is asked often, building it once halves the cost."""
    return _READ.where(*conditions)


def found(session: Session, statement: Select[*tuple[Any, ...]], **values: Any) -> list[Asset]:
    """What `finding` built, asked with `values` for its parameters."""
    return [_build(columns) for columns in session.execute(statement, values).all()]


_NAMED = or_(
    *(
        column.in_(bindparam("codes", expanding=True))
        for column in (AssetRow.serial, AssetRow.gpon_serial, AssetRow.mac)
    )
)
# Not joined: the device may move while its lock is waited for, and PostgreSQL would then find no pair of the
# row as it is now and the place as it was before. What is only shown is looked up after the wait.
_HOLDER_NAME = select(_place.name).where(_place.id == _asset.holder_id).scalar_subquery()
_LOCK = (
    select(AssetRow, _HOLDER_NAME)
    .order_by(_asset.serial)
    .with_for_update(of=AssetRow, key_share=True)
    .execution_options(populate_existing=True)
)
_LOCK_NAMED = _LOCK.where(_NAMED)


def lock(session: Session, codes: Iterable[str], *conditions: Any) -> dict[str, tuple[AssetRow, Asset]]:
    """Serial → row and value of the devices to change, locked in serial order so that nobody deadlocks.

    `codes` are serials, MACs or GPON serials; a device that meets any of `conditions` comes too.
    """
    wanted = sorted(set(codes))
    statement = _LOCK.where(or_(_NAMED, *conditions)) if conditions else _LOCK_NAMED
    found = session.execute(statement, {"codes": wanted})
    return {
        row.serial: (row, _build([*(getattr(row, name) for name in _OWN), holder_name]))
        for row, holder_name in found
    }


def _build(columns: Sequence[Any]) -> Asset:
    return msgspec.convert(dict(zip(_COLUMNS, columns, strict=True)), Asset)


def store(row: AssetRow, asset: Asset) -> None:
    """Write what an event may have changed back to the row."""
    row.state = asset.state
    row.holder_kind = asset.holder_kind
    row.holder_id = asset.holder_id
    row.claimed_by = asset.claimed_by


def new_values(asset: Asset, received_at: datetime) -> dict[str, Any]:
    """The columns of a device that was never booked in."""
    return {
        "id": asset.id,
        "serial": asset.serial,
        "sku": asset.sku,
        "gpon_serial": asset.gpon_serial,
        "mac": asset.mac,
        "batch": asset.batch,
        "state": asset.state,
        "holder_kind": asset.holder_kind,
        "holder_id": asset.holder_id,
        "claimed_by": asset.claimed_by,
        "received_at": received_at,
    }
