"""The demo's own catalogue: real makers, models and product families; prices, vendors, GTINs are ours.

GTINs start with 29: GS1 keeps 20 to 29 for use inside one company, so none can be a real product's number.
MAC prefixes come from the IEEE registry that `netaddr` carries.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from shared.barcodes.gtin import check_digit
from shared.catalogue import Tracking, Unit

CURRENCY = "EUR"
TAX_BASIS_POINTS = 2_550  # Finland's general rate since September 2024
PREFIXES_PER_MAKER = 3
COMPANY_PREFIX = "0297000"  # GTIN-14: a leading zero, then the made-up company

#: Maker → its name in the IEEE registry.
REGISTERED: Mapping[str, str] = {
    "Huawei": "HUAWEI TECHNOLOGIES CO.,LTD",
    "ZTE": "zte corporation",
    "Nokia": "Nokia",
    "FiberHome": "Fiberhome Telecommunication Technologies Co.,LTD",
    "Ubiquiti": "Ubiquiti Inc",
    "AVM": "AVM Audiovisuelles Marketing und Computersysteme GmbH",
    "Zyxel": "Zyxel Communications Corporation",
    "TP-Link": "TP-LINK TECHNOLOGIES CO.,LTD.",
    "Genexis": "Genexis B.V.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Who sells to us. Made up; the address lies in a domain that never receives mail."""

    code: str
    name: str
    email: str
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueItem:
    """A stocked kind. Money is net minor units for one `unit`; the reorder numbers are in that unit too.

    `category` is ont, router, sfp, splitter, closure, cable, connector, outlet, patch, power or splice.
    ONTs have a GPON vendor id, all devices have MAC prefixes (AA:BB:CC) and the speed they can carry.
    """

    sku: str
    name: str
    category: str
    tracking: Tracking
    unit: Unit
    maker: str
    model: str
    gtin: str
    cost_minor: int
    price_minor: int
    vendor: str
    reorder_point: int
    reorder_quantity: int
    lead_days: int
    gpon_vendor: str | None = None
    mac_prefixes: tuple[str, ...] = ()
    down_mbps_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffPlan:
    """What a customer subscribes to: net prices, minor units, and the devices that may be fitted for it."""

    code: str
    name: str
    monthly_minor: int
    one_off_minor: int
    down_mbps: int
    up_mbps: int
    ont_skus: tuple[str, ...]
    router_skus: tuple[str, ...]
    tax_basis_points: int = TAX_BASIS_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    vendors: tuple[Vendor, ...]
    items: tuple[CatalogueItem, ...]
    plans: tuple[TariffPlan, ...]
    currency: str = CURRENCY

    def item(self, sku: str) -> CatalogueItem:
        return next(item for item in self.items if item.sku == sku)

    def plan(self, code: str) -> TariffPlan:
        return next(plan for plan in self.plans if plan.code == code)

    def of(self, *categories: str) -> tuple[CatalogueItem, ...]:
        return tuple(item for item in self.items if item.category in categories)


VENDORS = (
    Vendor(code="AURORA", name="Aurora Access Distribution", email="orders@aurora.example"),
    Vendor(code="SKERRY", name="Skerry Network Supply", email="sales@skerry.example"),
    Vendor(code="BOREAL", name="Boreal Fibre and Cable", email="orders@boreal.example"),
    Vendor(code="SPLICEHUB", name="Splicehub Tools", email="desk@splicehub.example"),
    Vendor(code="LUMEN27", name="Lumen 27 Optics", email="po@lumen27.example"),
)

# sku, name, category, maker, model, GPON vendor, Mbit/s, cost, price, vendor, reorder point, quantity, days
DEVICES: tuple[
    tuple[str, str, str, str, str, str | None, int, int, int, str, int, int, int], ...
] = (
    ("ONT-HG8010H", "ONT, one gigabit port", "ont", "Huawei", "EchoLife HG8010H", "HWTC", 1000,
     1_850, 3_900, "AURORA", 30, 60, 7),
    ("ONT-EG8145V5", "ONT with dual-band Wi-Fi 5", "ont", "Huawei", "EchoLife EG8145V5", "HWTC", 1000,
     3_900, 7_900, "AURORA", 40, 80, 7),
    ("ONT-F601", "ONT, one gigabit port", "ont", "ZTE", "ZXHN F601", "ZTEG", 1000,
     1_700, 3_900, "SKERRY", 30, 60, 10),
    ("ONT-F670L", "ONT with dual-band Wi-Fi 5", "ont", "ZTE", "ZXHN F670L", "ZTEG", 1000,
     3_600, 7_900, "SKERRY", 30, 60, 10),
    ("ONT-G010GP", "ONT, one gigabit port", "ont", "Nokia", "G-010G-P", "ALCL", 1000,
     2_100, 4_400, "AURORA", 20, 40, 12),
    ("ONT-XS010XQ", "XGS-PON ONT, one 10-gigabit port", "ont", "Nokia", "XS-010X-Q", "ALCL", 10_000,
     9_800, 16_900, "AURORA", 12, 20, 14),
    ("ONT-AN5506", "ONT, one gigabit port", "ont", "FiberHome", "AN5506-01-A", "FHTT", 1000,
     1_600, 3_500, "SKERRY", 15, 40, 12),
    ("ONT-UFLOCO", "Small ONT, passive PoE", "ont", "Ubiquiti", "UFiber Loco UF-LOCO", "UBNT", 1000,
     2_900, 5_500, "LUMEN27", 2, 10, 21),
    ("ONT-FB5590", "Fibre router with 2.5-gigabit port", "ont", "AVM", "FRITZ!Box 5590 Fiber", "AVMG", 2500,
     17_500, 25_900, "LUMEN27", 12, 20, 9),
    ("RTR-EX5601", "Wi-Fi 6 router, 2.5-gigabit", "router", "Zyxel", "EX5601-T0", None, 2500,
     8_900, 14_900, "SKERRY", 20, 40, 10),
    ("RTR-AX55", "Wi-Fi 6 router", "router", "TP-Link", "Archer AX55", None, 1000,
     6_200, 9_900, "LUMEN27", 20, 40, 5),
    ("RTR-EX600", "Wi-Fi 6 router", "router", "Genexis", "Pulse EX600", None, 1000,
     7_100, 11_900, "AURORA", 20, 40, 8),
)  # fmt: skip

# sku, name, category, maker, model, unit, cost, price, vendor, reorder point, quantity, days
PARTS: tuple[tuple[str, str, str, str, str, Unit, int, int, str, int, int, int], ...] = (
    ("SFP-1G-BX", "SFP pair member, 1 Gbit/s single fibre", "sfp", "Ubiquiti", "UF-SM-1G-S", Unit.EACH,
     1_150, 2_500, "LUMEN27", 10, 20, 9),
    ("SPL-1X8", "Splitter 1:8, SC/APC", "splitter", "CommScope", "PLC 1x8 SC/APC", Unit.EACH,
     1_400, 2_900, "BOREAL", 10, 20, 10),
    ("SPL-1X32", "Splitter 1:32, SC/APC", "splitter", "CommScope", "PLC 1x32 SC/APC", Unit.EACH,
     3_900, 7_500, "BOREAL", 6, 12, 10),
    ("CLS-450B", "Splice closure, up to 96 splices", "closure", "CommScope", "FOSC 450 B6", Unit.EACH,
     9_400, 15_000, "BOREAL", 4, 8, 14),
    ("CAB-DROP1", "Drop cable, one fibre G.657.A2", "cable", "Corning", "ROC Drop 1F", Unit.METRE,
     38, 120, "BOREAL", 2_000, 4_000, 12),
    ("CAB-INDOOR", "Indoor cable, two fibres G.657.A2", "cable", "Corning", "ClearCurve 2F", Unit.METRE,
     29, 90, "BOREAL", 1_000, 2_000, 12),
    ("CON-SCAPC", "Field connector SC/APC", "connector", "Corning", "UniCam SC/APC", Unit.EACH,
     520, 1_200, "SPLICEHUB", 80, 200, 6),
    ("OUT-WALL2", "Optical wall outlet, two SC/APC", "outlet", "R&M", "FO Wall Outlet 2xSC", Unit.EACH,
     640, 1_500, "BOREAL", 60, 120, 9),
    ("PAT-SCAPC3", "Patch cord SC/APC, 3 m", "patch", "HUBER+SUHNER", "SC/APC-SC/APC 3 m", Unit.EACH,
     310, 900, "SPLICEHUB", 80, 200, 6),
    ("PAT-CAT6", "Patch cord Cat 6, 2 m", "patch", "Panduit", "NetKey Cat 6 2 m", Unit.EACH,
     140, 500, "SPLICEHUB", 60, 200, 4),
    ("PSU-12V15", "Power supply 12 V 1.5 A", "power", "Mean Well", "GST18E12-P1J", Unit.EACH,
     890, 1_900, "SKERRY", 30, 60, 5),
    ("SPP-60", "Splice protector, 60 mm", "splice", "Fujikura", "FP-03", Unit.EACH,
     18, 50, "SPLICEHUB", 200, 1_000, 6),
    ("SPC-UY2", "Copper splice, gel filled", "splice", "3M", "Scotchlok UY2", Unit.EACH,
     15, 50, "SPLICEHUB", 100, 500, 4),
)  # fmt: skip

GIGABIT = ("ONT-EG8145V5", "ONT-F670L", "ONT-G010GP", "ONT-HG8010H")
PLANS = (
    TariffPlan(code="FIBRE-100", name="Fibre 100", monthly_minor=2_382, one_off_minor=4_900, down_mbps=100,
               up_mbps=50, ont_skus=("ONT-HG8010H", "ONT-F601", "ONT-AN5506", "ONT-UFLOCO"),
               router_skus=("RTR-AX55", "RTR-EX600")),
    TariffPlan(code="FIBRE-300", name="Fibre 300", monthly_minor=2_781, one_off_minor=4_900, down_mbps=300,
               up_mbps=150, ont_skus=("ONT-EG8145V5", "ONT-F670L", "ONT-HG8010H", "ONT-F601", "ONT-UFLOCO"),
               router_skus=("RTR-AX55", "RTR-EX600")),
    TariffPlan(code="FIBRE-1000", name="Fibre 1000", monthly_minor=3_976, one_off_minor=4_900, down_mbps=1000,
               up_mbps=500, ont_skus=GIGABIT, router_skus=("RTR-AX55", "RTR-EX600", "RTR-EX5601")),
    TariffPlan(code="FIBRE-2000", name="Fibre 2000", monthly_minor=5_569, one_off_minor=9_900, down_mbps=2000,
               up_mbps=1000, ont_skus=("ONT-XS010XQ", "ONT-FB5590"), router_skus=("RTR-EX5601",)),
)  # fmt: skip


@cache
def demo_catalogue() -> Catalogue:
    """The whole catalogue; the same value every time."""
    prefixes = mac_prefixes(REGISTERED.values())
    devices = [
        CatalogueItem(
            sku=sku, name=name, category=category, tracking=Tracking.SERIALISED, unit=Unit.EACH, maker=maker,
            model=model, gtin=_gtin(number), cost_minor=cost, price_minor=price, vendor=vendor,
            reorder_point=point, reorder_quantity=quantity, lead_days=days, gpon_vendor=gpon,
            mac_prefixes=prefixes[REGISTERED[maker]], down_mbps_max=mbps,
        )
        for number, (
            sku, name, category, maker, model, gpon, mbps, cost, price, vendor, point, quantity, days
        ) in enumerate(DEVICES, start=101)
    ]  # fmt: skip
    parts = [
        CatalogueItem(
            sku=sku, name=name, category=category, tracking=Tracking.COUNTED, unit=unit, maker=maker,
            model=model, gtin=_gtin(number), cost_minor=cost, price_minor=price, vendor=vendor,
            reorder_point=point, reorder_quantity=quantity, lead_days=days,
        )
        for number, (sku, name, category, maker, model, unit, cost, price, vendor, point, quantity, days)
        in enumerate(PARTS, start=501)
    ]  # fmt: skip
    return Catalogue(vendors=VENDORS, items=(*devices, *parts), plans=PLANS)


def mac_prefixes(organisations: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Registered name → its first prefixes in order, as AA:BB:CC. Raises LookupError for an unknown name."""
    registry = files("netaddr.eui").joinpath("oui.txt").read_bytes().decode("utf-8", "replace")
    owned: dict[str, list[str]] = {name: [] for name in organisations}
    for prefix, owner in re.findall(r"^([0-9A-F-]{8})\s+\(hex\)\s+(.*?)\s*$", registry, re.MULTILINE):
        if owner in owned:
            owned[owner].append(prefix.replace("-", ":"))
    if missing := sorted(name for name, found in owned.items() if not found):
        raise LookupError(f"netaddr's registry has no MAC prefix for {', '.join(missing)}")
    return {name: tuple(sorted(found)[:PREFIXES_PER_MAKER]) for name, found in owned.items()}


def _gtin(number: int) -> str:
    body = f"{COMPANY_PREFIX}{number:06d}"
    return f"{body}{check_digit(body)}"
