"""Plan rows → shared.rating.Tariff: the price list that phones keep, too."""

from __future__ import annotations

from server.customers.models import PlanRow
from shared.money import Money
from shared.rating import Tariff


def tariff_of(row: PlanRow) -> Tariff:
    return Tariff(
        code=row.code,
        name=row.name,
        monthly=Money(row.monthly_minor, row.currency),
        fees={kind: int(fee) for kind, fee in row.fees_minor.items()},
    )
