"""Numbers as a technician reads and types them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from mobile import words
from mobile.language import number
from shared.catalogue import Product, Unit
from shared.work_orders import CheckSpec


def quantity(count: int, product: Product | None) -> str:
    """`30 m` of cable, `4` of anything that is counted in pieces."""
    return words.metres(count) if by_the_metre(product) else number(count)


def counted(count: int, product: Product | None, sku: str) -> str:
    """`2 × Field connector SC/APC`, `30 m Drop cable`."""
    return words.times(count, product.name if product else sku, by_the_metre=by_the_metre(product))


def by_the_metre(product: Product | None) -> bool:
    return product is not None and product.unit is Unit.METRE


def product_name(product: Product | None, sku: str) -> str:
    return f"{product.maker} {product.model}" if product is not None else sku


def read_number(text: str) -> Decimal | None:
    """What somebody typed, with comma or point, any minus sign and any digits; None when it is no number."""
    plain = re.sub(r"[\s\u061c\u200e\u200f]", "", text)  # Arabic keyboards add direction marks
    plain = re.sub(r"[\N{MINUS SIGN}–]", "-", plain)
    plain = re.sub(r"[,\N{ARABIC DECIMAL SEPARATOR}]", ".", plain)
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def change_sign(text: str) -> str:
    """Many phones' number keys have no minus, and optical power is always below zero."""
    text = text.strip()
    return text[1:] if text[:1] in ("-", "\N{MINUS SIGN}", "–") else f"-{text}"


def mostly_negative(spec: CheckSpec) -> bool:
    return spec.high is not None and spec.high <= 0
