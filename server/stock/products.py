"""Product rows ↔ shared.catalogue.Product."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.stock.models import ProductRow
from shared.catalogue import Product, Tracking, Unit


def product_of(row: ProductRow) -> Product:
    return Product(
        sku=row.sku,
        name=row.name,
        tracking=Tracking(row.tracking),
        unit=Unit(row.unit),
        maker=row.maker,
        model=row.model,
        price_minor=row.price_minor,
        currency=row.currency,
        gtin=row.gtin,
    )


def products(session: Session, skus: Iterable[str] | None = None) -> dict[str, Product]:
    """SKU → product; all of them without `skus`."""
    query = select(ProductRow)
    if skus is not None:
        query = query.where(ProductRow.sku.in_(sorted(set(skus))))
    return {row.sku: product_of(row) for row in session.scalars(query)}
