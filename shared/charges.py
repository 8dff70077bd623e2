"""What is owed and why, as values: one charge, and the bill that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.money import Money

FEE, FIRST_MONTH, PLAN_CHANGE, UNUSED_DAYS = "fee", "first-month", "plan-change", "unused-days"
NOT_AGREED, AGREED_LATER = "not-agreed", "agreed-later"
PART = "part:"
"""Before the SKU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An amount owed and its cause, in minor units of its bill's currency; a credit is negative.

    `code` is unique within one bill: one of the above. `days` of `of_days` where a month is prorated.
    """

    code: str
    description: str
    quantity: int
    unit_minor: int
    net_minor: int
    tax_minor: int
    days: int = 0
    of_days: int = 0

    @property
    def is_part(self) -> bool:
        return self.code.startswith(PART)

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Charges of one visit. Tax is taken line by line, so that what is shown adds up."""

    currency: str
    charges: tuple[Charge, ...]

    @property
    def net(self) -> Money:
        return Money(sum(charge.net_minor for charge in self.charges), self.currency)

    @property
    def tax(self) -> Money:
        return Money(sum(charge.tax_minor for charge in self.charges), self.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def left_out(self) -> Charge | None:
        """The credit for what its customer did not agree to, until the office charges it after all."""
        found = {charge.code: charge for charge in self.charges}
        return None if AGREED_LATER in found else found.get(NOT_AGREED)

    @property
    def shown(self) -> tuple[Charge, ...]:
        """Without what cancels itself out, and without lines that cost nothing."""
        both = (NOT_AGREED, AGREED_LATER) if self.left_out is None else ()
        return tuple(charge for charge in self.charges if charge.total_minor and charge.code not in both)

    def capped(self, most: Money, tax_basis_points: int) -> Bill:
        """With a credit that leaves `most` to be paid, tax included."""
        over = (self.total - most).minor
        net = Money(over, self.currency).share(10_000, 10_000 + tax_basis_points).minor
        return self._with(NOT_AGREED, "Not agreed with the customer", -net, net - over)

    def in_full(self) -> Bill:
        """With what had been left out. Raises ValueError where nothing is."""
        if (credit := self.left_out) is None:
            raise ValueError("nothing is left out")
        return self._with(AGREED_LATER, "Charged in full", -credit.net_minor, -credit.tax_minor)

    def _with(self, code: str, description: str, net_minor: int, tax_minor: int) -> Bill:
        added = Charge(
            code=code,
            description=description,
            quantity=1,
            unit_minor=net_minor,
            net_minor=net_minor,
            tax_minor=tax_minor,
        )
        return replace(self, charges=(*self.charges, added))
