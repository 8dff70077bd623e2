"""The register of equipment: rows ↔ shared.assets.Asset."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.stock.models import StockPlaceRow
from shared.assets import Asset, AssetState, HolderKind

_COLUMNS = (
    AssetRow.id,
    AssetRow.serial,
    AssetRow.sku,
    AssetRow.state,
    AssetRow.holder_kind,
    AssetRow.holder_id,
    AssetRow.claimed_by,
    AssetRow.gpon_serial,
    AssetRow.mac,
    AssetRow.batch,
)


# Columns, not rows: a phone's first pull reads thousands, and nobody will change them.
_READ: Select[*tuple[Any, ...]] = (
    select(*_COLUMNS, StockPlaceRow.name)
    .join(StockPlaceRow, StockPlaceRow.id == AssetRow.holder_id)
    .order_by(AssetRow.serial)
)


def find(session: Session, *conditions: Any) -> list[Asset]:
    """Devices that meet `conditions` on AssetRow, ordered by serial."""
    return found(session, finding(*conditions))


def finding(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """`find` as a statement: where it is asked often, building it once halves the cost."""
    return _READ.where(*conditions)


def found(session: Session, statement: Select[*tuple[Any, ...]], **values: Any) -> list[Asset]:
    """What `finding` built, asked with `values` for its parameters."""
    return [_asset(row, row[-1]) for row in session.execute(statement, values)]


_NAMED = or_(
    *(
        column.in_(bindparam("codes", expanding=True))
        for column in (AssetRow.serial, AssetRow.gpon_serial, AssetRow.mac)
    )
)
_LOCK = (
    select(AssetRow, StockPlaceRow.name)
    .join(StockPlaceRow, StockPlaceRow.id == AssetRow.holder_id)
    .order_by(AssetRow.serial)
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
    return {
        row.serial: (row, _asset(row, name)) for row, name in session.execute(statement, {"codes": wanted})
    }


def _asset(row: Any, holder_name: str) -> Asset:
    """`row`: an AssetRow, or its columns."""
    return Asset(
        id=row.id,
        serial=row.serial,
        sku=row.sku,
        state=AssetState(row.state),
        holder_kind=HolderKind(row.holder_kind),
        holder_id=row.holder_id,
        holder_name=holder_name,
        claimed_by=row.claimed_by,
        gpon_serial=row.gpon_serial,
        mac=row.mac,
        batch=row.batch,
    )


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
