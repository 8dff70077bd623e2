"""Money in whole minor units. The only place that rounds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""ISO 4217: how many digits follow the point, where it is not two."""


def percent(basis_points: int) -> Decimal:
    """2,550 basis points as 25.5: without zeros after the point, and never with an exponent."""
    rate = Decimal(basis_points) / 100
    return rate.quantize(Decimal(1)) if rate == rate.to_integral_value() else rate.normalize()


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents) of one currency (ISO 4217). Mixing currencies raises ValueError."""

    minor: int
    currency: str = "EUR"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def times(self, quantity: int) -> Money:
        return Money(self.minor * quantity, self.currency)

    def share(self, part: int, whole: int) -> Money:
        """`part / whole` of this amount, halves rounded to even so that many small shares do not drift."""
        if whole <= 0:
            raise ValueError(f"whole must be positive, got {whole}")
        return Money(round(Fraction(self.minor * part, whole)), self.currency)

    def tax(self, basis_points: int) -> Money:
        """Tax on this net amount; 2,550 basis points are 25.5 %."""
        return self.share(basis_points, 10_000)

    @classmethod
    def read(cls, text: str) -> Money:
        """What `str` of an amount wrote. Raises ValueError for other text, or for parts of a minor unit."""
        amount, _, currency = text.partition(" ")
        try:
            minor = Decimal(amount.replace(",", "")).scaleb(EXPONENTS.get(currency, 2))
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is no amount") from error
        if not currency or minor != minor.to_integral_value():
            raise ValueError(f"{text!r} is no amount in minor units")
        return cls(int(minor), currency)

    @property
    def digits(self) -> tuple[str, str, str]:
        """Sign, whole units and what follows the point: ("-", "12", "40"), and no fraction for yen."""
        exponent = EXPONENTS.get(self.currency, 2)
        text = f"{abs(self.minor):0{exponent + 1}d}"
        whole, fraction = text[: len(text) - exponent], text[len(text) - exponent :]
        return ("-" if self.minor < 0 else ""), whole, fraction

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other.minor

    def __str__(self) -> str:
        sign, whole, fraction = self.digits
        point = "." if fraction else ""
        return f"{sign}{int(whole):,}{point}{fraction} {self.currency}"
