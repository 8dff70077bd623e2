"""The register of serialised equipment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class AssetRow(Base):
    """One device (TMF639). Where it is follows from its stock moves; `holder_id` is the newest one's target.

    `claimed_by`: the open work order it was fitted on, until the close books the move.
    """

    __tablename__ = "asset"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"))
    gpon_serial: Mapped[str | None] = mapped_column(index=True)
    mac: Mapped[str | None] = mapped_column(index=True)
    batch: Mapped[str | None]
    state: Mapped[str]
    holder_kind: Mapped[str]
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"))
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"))
    received_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_asset_holder_id_state", "holder_id", "state"),
        Index("ix_asset_claimed_by", "claimed_by"),
    )
