"""Fourteen technicians with homes, skills, shifts and stocked vans; the depot; the office."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from random import Random

from server.demo.catalogue import Catalogue
from server.demo.serials import Device, Serials
from server.town.model import Address, Town, metres_between
from shared.skills import SkillNeed
from shared.work_orders import PartLine

SKILLS = ("fibre_install", "splice", "copper", "config", "heights", "customer_premises")
FIRST_DEVICE = 100_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Local times. Lunch of `lunch_minutes` begins between `lunch_from` and `lunch_until`."""

    name: str
    start: time
    end: time
    lunch_from: time
    lunch_until: time
    lunch_minutes: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a van or the depot holds."""

    devices: tuple[Device, ...]
    parts: tuple[PartLine, ...]

    def amounts(self) -> dict[str, int]:
        """SKU → how many, devices and counted parts together."""
        amounts = {line.sku: line.quantity for line in self.parts}
        for device in self.devices:
            amounts[device.sku] = amounts.get(device.sku, 0) + 1
        return amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Van:
    code: str
    plate: str
    stock: Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTechnician:
    """`starts_at_home` and `ends_at_home`: else the depot. `skills`: name → level 1 to 5."""

    username: str
    name: str
    email: str
    phone: str
    languages: tuple[str, ...]
    home: Address
    starts_at_home: bool
    ends_at_home: bool
    skills: tuple[SkillNeed, ...]
    shift: Shift
    van: Van

    @property
    def levels(self) -> dict[str, int]:
        return {skill.name: skill.level for skill in self.skills}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeUser:
    """`role` is dispatcher, back_office or admin."""

    username: str
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    code: str
    name: str
    address: Address
    stock: Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    technicians: tuple[DemoTechnician, ...]
    office: tuple[OfficeUser, ...]
    depot: Depot


EARLY = Shift(name="early", start=time(7), end=time(15), lunch_from=time(10, 30), lunch_until=time(12))
DAY = Shift(name="day", start=time(8), end=time(16), lunch_from=time(11), lunch_until=time(13))
LATE = Shift(name="late", start=time(10), end=time(18), lunch_from=time(13), lunch_until=time(14, 30))

# name, languages, shift, starts at home, ends at home, levels in the order of SKILLS
CREW: tuple[tuple[str, str, Shift, bool, bool, tuple[int, int, int, int, int, int]], ...] = (
    ("Aino Lehtonen", "fi en", EARLY, True, True, (4, 4, 1, 3, 2, 4)),
    ("Mikael Sandberg", "sv fi en", EARLY, True, True, (3, 3, 2, 2, 2, 3)),
    ("Amina Warsame", "fi en", EARLY, False, False, (3, 1, 0, 4, 0, 4)),
    ("Juhani Kettunen", "fi", EARLY, True, True, (3, 4, 3, 1, 2, 2)),
    ("Linh Tran", "fi en", EARLY, False, True, (2, 0, 1, 4, 0, 4)),
    ("Oskar Wikström", "sv en", DAY, True, True, (4, 3, 0, 2, 2, 3)),
    ("Elena Petrova", "en fi", DAY, True, True, (3, 2, 2, 3, 0, 3)),
    ("Samuel Okafor", "en fi", DAY, False, False, (3, 1, 0, 3, 1, 3)),
    ("Hanna Mäkelä", "fi sv", DAY, True, True, (3, 3, 1, 2, 1, 3)),
    ("Jonas Richter", "de en", DAY, True, True, (4, 2, 0, 3, 0, 4)),
    ("Sirpa Halonen", "fi", DAY, False, False, (2, 1, 3, 2, 0, 3)),
    ("Daniel Haddad", "en sv", LATE, True, True, (3, 2, 1, 3, 1, 3)),
    ("Tuuli Saarinen", "fi en", LATE, True, True, (3, 3, 2, 2, 0, 3)),
    ("Pavel Novák", "en de", LATE, False, True, (2, 1, 0, 4, 0, 3)),
)

OFFICE = (
    OfficeUser(username="kaisa", name="Kaisa Rautio", email="kaisa@truckroll.example", role="dispatcher"),
    OfficeUser(username="omar", name="Omar Farah", email="omar@truckroll.example", role="dispatcher"),
    OfficeUser(username="ebba", name="Ebba Lindqvist", email="ebba@truckroll.example", role="dispatcher"),
    OfficeUser(username="veera", name="Veera Ojala", email="veera@truckroll.example", role="back_office"),
    OfficeUser(username="admin", name="Ilmari Koskela", email="admin@truckroll.example", role="admin"),
)

#: On every van. ONT-UFLOCO is on none: an order that asks for it shows the board's reason.
VAN_DEVICES: Mapping[str, int] = {
    "ONT-HG8010H": 3, "ONT-EG8145V5": 4, "ONT-F601": 2, "ONT-F670L": 3, "ONT-G010GP": 2, "RTR-AX55": 2,
    "RTR-EX600": 2,
}  # fmt: skip
#: Dear or rare: only on the vans of those who configure best (config level 3 and up).
EXPERT_DEVICES: Mapping[str, int] = {"ONT-XS010XQ": 2, "ONT-FB5590": 2, "RTR-EX5601": 2, "ONT-AN5506": 1}
VAN_PARTS: Mapping[str, int] = {
    "CAB-DROP1": 400, "CAB-INDOOR": 150, "CON-SCAPC": 30, "OUT-WALL2": 8, "PAT-SCAPC3": 14, "PAT-CAT6": 14,
    "PSU-12V15": 5, "SPP-60": 120, "SPC-UY2": 40,
}  # fmt: skip
#: Only for splicers (splice level 3 and up).
SPLICER_PARTS: Mapping[str, int] = {"SPL-1X8": 2, "SPL-1X32": 1, "CLS-450B": 1, "SFP-1G-BX": 2}


def make_people(town: Town, catalogue: Catalogue, seed: int) -> People:
    """Everyone, living at real addresses of `town`. Same town and seed, same people and serials."""
    random = Random(f"people {seed}")
    serials = Serials(random, first=FIRST_DEVICE)
    homes = _spread_homes(town, len(CREW) + 1, random)
    technicians = []
    for number, ((name, languages, shift, starts, ends, levels), home) in enumerate(
        zip(CREW, homes[1:], strict=True), start=1
    ):
        skills = tuple(SkillNeed(skill, level) for skill, level in zip(SKILLS, levels, strict=True) if level)
        username = _plain(name.split()[0])
        technicians.append(DemoTechnician(
            username=username, name=name, email=f"{username}@truckroll.example",
            phone=f"+999 40 555 {number:04d}", languages=tuple(languages.split()), home=home,
            starts_at_home=starts, ends_at_home=ends, skills=skills, shift=shift,
            van=Van(code=f"VAN-{number:02d}", plate=f"TRK-{100 + 7 * number}",
                    stock=_van_stock(dict(zip(SKILLS, levels, strict=True)), catalogue, serials)),
        ))  # fmt: skip
    return People(
        technicians=tuple(technicians),
        office=OFFICE,
        depot=Depot(
            code="DEPOT", name=f"{town.name} depot", address=homes[0], stock=_depot_stock(catalogue, serials)
        ),
    )


def _van_stock(levels: Mapping[str, int], catalogue: Catalogue, serials: Serials) -> Stock:
    devices = {**VAN_DEVICES, **(EXPERT_DEVICES if levels["config"] >= 3 else {})}
    parts = {**VAN_PARTS, **(SPLICER_PARTS if levels["splice"] >= 3 else {})}
    return _stock(devices, parts, catalogue, serials)


def _depot_stock(catalogue: Catalogue, serials: Serials) -> Stock:
    """Just above each reorder point, so that a day's work raises purchase orders."""
    devices = {item.sku: item.reorder_point + 1 for item in catalogue.items if item.mac_prefixes}
    spare = {i.sku: max(1, i.reorder_quantity // 40) for i in catalogue.items if not i.mac_prefixes}
    parts = {sku: catalogue.item(sku).reorder_point + count for sku, count in spare.items()}
    return _stock(devices, parts, catalogue, serials)


def _stock(
    devices: Mapping[str, int], parts: Mapping[str, int], catalogue: Catalogue, serials: Serials
) -> Stock:
    return Stock(
        devices=tuple(
            serials.mint(catalogue.item(sku)) for sku, count in devices.items() for _ in range(count)
        ),
        parts=tuple(PartLine(sku=sku, quantity=quantity) for sku, quantity in parts.items()),
    )


def _spread_homes(town: Town, count: int, random: Random) -> list[Address]:
    """The first random, each next one the farthest from those taken among a handful drawn at random."""
    homes = [random.choice(town.addresses)]
    while len(homes) < count:
        drawn = [random.choice(town.addresses) for _ in range(8)]
        homes.append(max(drawn, key=lambda a: min(metres_between(a.lat, a.lon, h.lat, h.lon) for h in homes)))
    return homes


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("äöå", "aoa"))
