"""The van: what to refill first, then devices, then parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobile import words
from mobile.gateway import StockView
from mobile.views.quantities import product_name, quantity
from shared.catalogue import Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """`count` is what is left on the van now; `facts` are what else is worth knowing."""

    sku: str
    name: str
    maker: str
    count: str
    facts: tuple[str, ...]
    low: bool
    serials: tuple[str, ...]

    @property
    def label(self) -> str:
        low = (words.LOW,) if self.low else ()
        return words.listed((self.name, words.on_van(self.count), *low, *self.facts))


def stock_groups(stock: Sequence[StockView]) -> tuple[tuple[str, tuple[StockRow, ...]], ...]:
    """Titled groups, empty ones left out; what is low stands in the first and nowhere else."""
    low = [view for view in stock if view.low]
    devices = [view for view in stock if not view.low and view.product.tracking is Tracking.SERIALISED]
    counted = [view for view in stock if not view.low and view.product.tracking is Tracking.COUNTED]
    groups = ((words.REFILL, low), (words.DEVICES, devices), (words.COUNTED, counted))
    return tuple((title, tuple(stock_row(view) for view in views)) for title, views in groups if views)


def stock_row(view: StockView) -> StockRow:
    product = view.product
    facts = []
    if view.reserved:
        facts.append(words.reserved(quantity(view.reserved, product)))
    if view.used_unbooked:
        facts.append(words.unbooked(quantity(view.used_unbooked, product)))
    if view.par and view.low:
        facts.append(words.keep_at_least(quantity(view.par, product)))
    if view.low and view.short:
        facts.append(words.take_along(quantity(view.short, product)))
    return StockRow(
        sku=product.sku,
        name=product.name,
        maker=product_name(product, product.sku),
        count=quantity(view.left, product),
        facts=tuple(facts),
        low=view.low,
        serials=view.serials,
    )


def parts_to_offer(
    stock: Sequence[StockView], needed: Sequence[str]
) -> tuple[tuple[str, tuple[StockView, ...]], ...]:
    """Counted parts, those that the job asks for first; others only where the van's list has any."""
    counted = [view for view in stock if view.product.tracking is Tracking.COUNTED]
    here = tuple(view for view in counted if view.product.sku in needed)
    others = tuple(
        view for view in counted if view.product.sku not in needed and (view.left or view.used_unbooked)
    )
    groups = ((words.NEEDED_HERE, here), (words.ALSO_ON_VAN, others))
    return tuple(group for group in groups if group[1])
