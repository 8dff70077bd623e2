"""The register of equipment: rows ↔ shared.assets.Asset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.stock.models import StockPlaceRow
from shared.assets import Asset, AssetState, HolderKind


def find(session: Session, *conditions: Any) -> list[Asset]:
    """Devices that meet `conditions` on AssetRow, ordered by serial."""
    query = (
        select(AssetRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == AssetRow.holder_id)
        .where(*conditions)
        .order_by(AssetRow.serial)
    )
    return [_asset(row, name) for row, name in session.execute(query)]


def lock(session: Session, serials: Iterable[str]) -> dict[str, tuple[AssetRow, Asset]]:
    """Serial → row and value of the devices to change, locked in serial order so that nobody deadlocks."""
    query = (
        select(AssetRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == AssetRow.holder_id)
        .where(AssetRow.serial.in_(sorted(set(serials))))
        .order_by(AssetRow.serial)
        .with_for_update(of=AssetRow)
        .execution_options(populate_existing=True)
    )
    return {row.serial: (row, _asset(row, name)) for row, name in session.execute(query)}


def _asset(row: AssetRow, holder_name: str) -> Asset:
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


def new_row(asset: Asset, asset_id: UUID, received_at: Any) -> AssetRow:
    return AssetRow(
        id=asset_id,
        serial=asset.serial,
        sku=asset.sku,
        gpon_serial=asset.gpon_serial,
        mac=asset.mac,
        batch=asset.batch,
        state=asset.state,
        holder_kind=asset.holder_kind,
        holder_id=asset.holder_id,
        claimed_by=asset.claimed_by,
        received_at=received_at,
    )
