"""An `.osm.pbf` file → a Town. One pass; nothing is looked up anywhere else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import osmium

from server.town.cabinets import complete
from server.town.model import Address, Bounds, Cabinet, MapError, Street, Town, metres_between

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
MADE_UP_GENERATOR = "truckroll made-up town"
MADE_UP_ATTRIBUTION = "Made-up town, no real place"

#: Ways a van may drive on, `_link` ways included; junctions and streets come from these alone.
DRIVABLE = frozenset(
    name + link
    for name in ("motorway", "trunk", "primary", "secondary", "tertiary")
    for link in ("", "_link")
) | {"unclassified", "residential", "living_street", "service", "road"}

#: Cabinets of other trades. An untyped cabinet may be ours, so it stays.
FOREIGN_CABINETS = frozenset({
    "power", "traffic_signals", "traffic_control", "gas", "water", "waste", "sewerage", "street_lighting",
    "postal_service", "traffic_monitoring", "cable_tv_power",
})  # fmt: skip

Point = tuple[float, float]  # lat, lon


def read_town(path: Path, *, name: str | None = None, cabinets_wanted: int | None = None) -> Town:
    """Read the map at `path`.

    `name` defaults to the city most addresses name, else to the file's own name. `cabinets_wanted`
    defaults to one per 60 addresses, eight at least; what the map lacks is added at junctions.
    Raises MapError when the file is missing, no map, or has no house addresses.
    """
    found = _Found()
    header = _header(path)
    try:
        for thing in (
            osmium.FileProcessor(str(path))
            .with_locations()
            .with_filter(osmium.filter.KeyFilter("addr:housenumber", "man_made", "highway"))
        ):
            if isinstance(thing, osmium.osm.Node):
                found.take_node(thing)
            elif isinstance(thing, osmium.osm.Way):
                found.take_way(thing)
    except RuntimeError as error:
        raise MapError(f"{path.name} cannot be read as an OpenStreetMap file: {error}") from error
    addresses = found.distinct_addresses()
    if not addresses:
        raise MapError(
            f"{path.name} has no house addresses (addr:housenumber with addr:street). "
            "Use an extract of a place where houses are mapped."
        )
    made_up = header.get("generator") == MADE_UP_GENERATOR
    wanted = cabinets_wanted if cabinets_wanted is not None else max(8, len(addresses) // 60)
    return Town(
        name=name or _town_name(addresses, path),
        attribution=MADE_UP_ATTRIBUTION if made_up else OSM_ATTRIBUTION,
        bounds=_bounds(header, addresses),
        addresses=addresses,
        streets=found.streets(),
        cabinets=complete(tuple(found.cabinets), addresses, found.junctions(), wanted),
        source=path.name,
        made_up=made_up,
    )


class _Found:
    """What one pass over the file collects."""

    def __init__(self) -> None:
        self.addresses: list[Address] = []
        self.cabinets: list[Cabinet] = []
        self._ways: dict[str, list[tuple[float, str, Point]]] = defaultdict(list)
        self._uses: Counter[int] = Counter()
        self._places: dict[int, Point] = {}

    def take_node(self, node: osmium.osm.Node) -> None:
        if node.location.valid():
            self._take_place(f"n{node.id}", [(node.location.lat, node.location.lon)], node.tags)

    def take_way(self, way: osmium.osm.Way) -> None:
        corners = [(n.ref, (n.location.lat, n.location.lon)) for n in way.nodes if n.location.valid()]
        points = [point for _, point in corners]
        if not points:
            return  # an extract may cut a way off entirely
        if way.tags.get("highway", "") in DRIVABLE and len(points) > 1:
            self._take_road(way.tags, corners)
        # A closed way names its first corner again; it must not weigh twice.
        closed = len(points) > 1 and points[0] == points[-1]
        self._take_place(f"w{way.id}", points[:-1] if closed else points, way.tags)

    def _take_place(self, id: str, points: Sequence[Point], tags: osmium.osm.TagList) -> None:
        def text(key: str) -> str:
            return (tags.get(key) or "").strip()

        lat = round(sum(lat for lat, _ in points) / len(points), 6)
        lon = round(sum(lon for _, lon in points) / len(points), 6)
        number = text("addr:housenumber")
        street = text("addr:street") or text("addr:place")
        if number and street:
            city = text("addr:city")
            self.addresses.append(Address(
                id=id, lat=lat, lon=lon, street=street, housenumber=number,
                postcode=text("addr:postcode"),
                city=city if any(letter.isalpha() for letter in city) else "",
            ))  # fmt: skip
        if tags.get("man_made") == "street_cabinet" and tags.get("street_cabinet") not in FOREIGN_CABINETS:
            self.cabinets.append(Cabinet(
                id=id, lat=lat, lon=lon, ref=text("ref") or id.upper(),
                operator=text("operator"),
            ))  # fmt: skip

    def _take_road(self, tags: osmium.osm.TagList, corners: Sequence[tuple[int, Point]]) -> None:
        # Ends count as well, so a way that merely continues another under a new name is a junction.
        for ref, point in corners:
            self._uses[ref] += 1
            self._places[ref] = point
        if name := (tags.get("name") or "").strip():
            points = [point for _, point in corners]
            length = sum(metres_between(*a, *b) for a, b in pairwise(points))
            self._ways[name].append((length, tags["highway"], points[len(points) // 2]))

    def distinct_addresses(self) -> tuple[Address, ...]:
        """In file order. A house mapped twice, as entrance and as building, counts once: the same
        words within one square of 0.0001° (about ten metres).
        """
        first: dict[tuple[object, ...], Address] = {}
        for a in self.addresses:
            square = round(a.lat, 4), round(a.lon, 4)
            first.setdefault((*square, a.street, a.housenumber, a.postcode, a.city), a)
        return tuple(first.values())

    def streets(self) -> tuple[Street, ...]:
        return tuple(self._street(name) for name in sorted(self._ways))

    def _street(self, name: str) -> Street:
        _, kind, (lat, lon) = max(self._ways[name])
        length = round(sum(length for length, _, _ in self._ways[name]))
        return Street(name=name, kind=kind, lat=round(lat, 6), lon=round(lon, 6), length_m=length)

    def junctions(self) -> tuple[tuple[int, float, float], ...]:
        """Node id, lat, lon of every node that two drivable ways share."""
        return tuple(
            (ref, *self._places[ref]) for ref, uses in sorted(self._uses.items()) if uses > 1
        )  # fmt: skip


def _header(path: Path) -> osmium.io.Header:
    if not path.is_file():
        raise MapError(f"There is no map at {path}. Give the path of an .osm.pbf file.")
    try:
        with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as reader:
            return reader.header()
    except RuntimeError as error:
        raise MapError(f"{path.name} cannot be read as an OpenStreetMap file: {error}") from error


def _bounds(header: osmium.io.Header, addresses: Iterable[Address]) -> Bounds:
    """The extract's own box, else the box of its addresses."""
    box = header.box()
    if box.valid():
        low, high = box.bottom_left, box.top_right
        return Bounds(west=low.lon, south=low.lat, east=high.lon, north=high.lat)
    lats, lons = zip(*((a.lat, a.lon) for a in addresses), strict=True)
    return Bounds(west=min(lons), south=min(lats), east=max(lons), north=max(lats))


def _town_name(addresses: Sequence[Address], path: Path) -> str:
    """The city that at least half the addresses name; a whole region is called by its file."""
    cities = Counter(a.city for a in addresses if a.city)
    if cities:
        city, count = cities.most_common(1)[0]
        if count * 2 >= len(addresses):
            return city
    return path.name.split(".")[0].replace("-", " ").replace("_", " ").title()
