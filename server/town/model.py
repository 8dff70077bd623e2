"""What the product knows about a town, whatever map it came from."""

from dataclasses import dataclass
from math import cos, hypot, radians

METRES_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6,371,009 m


def metres_between(a_lat: float, a_lon: float, b_lat: float, b_lon: float) -> float:
    """Straight line on a flat patch of the earth; under 0.1 % off within 50 km of a town."""
    east = (b_lon - a_lon) * cos(radians((a_lat + b_lat) / 2))
    return METRES_PER_DEGREE * hypot(b_lat - a_lat, east)


class MapError(ValueError):
    """The map file cannot serve as a town; the text says why and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """WGS 84 degrees, in the order MapLibre and GeoJSON want them."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lat: float, lon: float) -> bool:
        return self.south <= lat <= self.north and self.west <= lon <= self.east


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One house. `id` is n or w plus the OpenStreetMap id; postcode and city are empty where unmapped."""

    id: str
    lat: float
    lon: float
    street: str
    housenumber: str
    postcode: str = ""
    city: str = ""

    @property
    def line(self) -> str:
        return f"{self.street} {self.housenumber}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """All ways of one name: the class of the longest, the summed length, the middle of the longest."""

    name: str
    kind: str
    lat: float
    lon: float
    length_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cabinet:
    """A street cabinet. `synthetic`: the map has too few, so this one was put at a real junction."""

    id: str
    lat: float
    lon: float
    ref: str
    operator: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """`attribution` must be shown wherever the map is; `source` names the file it was read from."""

    name: str
    attribution: str
    bounds: Bounds
    addresses: tuple[Address, ...]
    streets: tuple[Street, ...]
    cabinets: tuple[Cabinet, ...]
    source: str
    made_up: bool = False
