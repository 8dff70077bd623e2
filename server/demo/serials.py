"""Serial numbers, GPON serials, MACs and batches for made-up devices of real makers."""

from dataclasses import dataclass
from random import Random

from server.demo.catalogue import CatalogueItem

BATCH_WEEKS = ("2507", "2519", "2534", "2541")  # year and week of manufacture


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One serialised thing. `gpon_serial` is 4 letters and 8 hex digits; `mac` is AA:BB:CC:DD:EE:FF."""

    sku: str
    serial: str
    mac: str
    batch: str
    gpon_serial: str | None = None


class Serials:
    """Mints devices that never share a number with each other, nor with another mint's of another `first`."""

    def __init__(self, random: Random, *, first: int) -> None:
        self._random = random
        self._next = first

    def mint(self, item: CatalogueItem) -> Device:
        number = self._next
        self._next += 1
        batch = self._random.choice(BATCH_WEEKS)
        # Odd factors permute the whole range, so numbers look scattered and still never repeat.
        scattered = number * 0x9E3779B1 % 2**32
        low = f"{number * 0x9E3779 % 2**24:06X}"
        prefix = self._random.choice(item.mac_prefixes)
        return Device(
            sku=item.sku,
            serial=f"{item.maker[:2].upper()}{batch}{number:07d}",
            mac=":".join([prefix, low[:2], low[2:4], low[4:]]),
            batch=f"{item.sku[4:]}-{batch}",
            gpon_serial=f"{item.gpon_vendor}{scattered:08X}" if item.gpon_vendor else None,
        )
