"""The same `.osm.pbf` → five GeoJSON layers for MapLibre, cut once and kept in a folder.

Roads (lines), buildings, land use and water (polygons; rivers and coast as lines), places (points).
Rings follow RFC 7946: the outer one counterclockwise, holes clockwise.
"""

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import osmium

from server.town.model import MapError

FORMAT = 1  # raise it when layers change, so that old caches are cut anew
DIGITS = 6  # of a degree: about 10 cm
LAYERS = ("roads", "buildings", "landuse", "water", "places")

ROAD_CLASSES: Mapping[str, str] = {
    **{
        kind + link: kind
        for kind in ("motorway", "trunk", "primary", "secondary", "tertiary")
        for link in ("", "_link")
    },
    **dict.fromkeys(("unclassified", "residential", "living_street", "road"), "residential"),
    "service": "service",
    "pedestrian": "pedestrian",
    **dict.fromkeys(("footway", "path", "cycleway", "steps", "bridleway"), "path"),
    "track": "track",
}
LANDUSE_CLASSES: Mapping[tuple[str, str], str] = {
    ("landuse", "forest"): "forest",
    ("natural", "wood"): "forest",
    ("natural", "scrub"): "forest",
    **{("landuse", kind): "field" for kind in ("farmland", "meadow", "orchard", "vineyard", "allotments")},
    ("natural", "grassland"): "field",
    **{("landuse", kind): "park" for kind in ("grass", "village_green", "recreation_ground", "cemetery")},
    **{("leisure", kind): "park" for kind in ("park", "garden", "pitch", "playground", "golf_course")},
    ("landuse", "residential"): "residential",
    **{("landuse", kind): "industrial" for kind in ("industrial", "commercial", "retail", "railway")},
    **{("natural", kind): "bare" for kind in ("bare_rock", "scree", "sand", "beach")},
    ("natural", "wetland"): "wetland",
}
WATER_AREAS = frozenset({("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir"),
                         ("landuse", "basin"), ("leisure", "swimming_pool")})  # fmt: skip
WATER_LINES = frozenset({("waterway", "river"), ("waterway", "stream"), ("waterway", "canal"),
                         ("natural", "coastline")})  # fmt: skip
PLACES = frozenset({"city", "town", "village", "hamlet", "suburb", "neighbourhood", "quarter", "island"})

Feature = dict[str, object]
Position = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """`file` and `gzip_file` are names inside the base map's folder; sizes in bytes."""

    name: str
    file: str
    gzip_file: str
    features: int
    size: int
    gzip_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMap:
    """`folder` holds every layer as .geojson and .geojson.gz, and `basemap.json`, which lists them."""

    folder: Path
    layers: tuple[Layer, ...]

    def layer(self, name: str) -> Layer:
        return next(layer for layer in self.layers if layer.name == name)


def base_map(pbf: Path, cache: Path, say: Callable[[str], None] = lambda _: None) -> BaseMap:
    """The layers of `pbf`, from `cache` when they were cut before.

    The folder is named by the file's own hash, so another map can never be shown by mistake; it
    appears whole or not at all. Raises MapError when the file is missing or no map.
    """
    if not pbf.is_file():
        raise MapError(f"There is no map at {pbf}. Give the path of an .osm.pbf file.")
    folder = cache / f"basemap-{FORMAT}-{hashlib.sha256(pbf.read_bytes()).hexdigest()[:16]}"
    listing = folder / "basemap.json"
    if not listing.is_file():
        say(f"Drawing the base map from {pbf.name}")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".cutting-") as name:
            fresh = Path(name) / "basemap"
            fresh.mkdir()
            layers = [_write(fresh, *pair) for pair in cut(pbf).items()]
            (fresh / listing.name).write_text(json.dumps([asdict(layer) for layer in layers], indent=1))
            try:
                os.replace(fresh, folder)
            except OSError:
                # Another program cut the same map meanwhile; its bytes are the same as ours.
                if not listing.is_file():
                    raise
        say("Base map: " + ", ".join(f"{layer.features} {layer.name}" for layer in layers))
    return BaseMap(folder=folder, layers=tuple(Layer(**row) for row in json.loads(listing.read_text())))


def cut(pbf: Path) -> dict[str, list[Feature]]:
    """Layer name → its GeoJSON features, in file order. Raises MapError when `pbf` is no map."""
    layers: dict[str, list[Feature]] = {name: [] for name in LAYERS}
    filled = osmium.filter.KeyFilter("building", "landuse", "natural", "leisure", "waterway")
    shown = osmium.filter.KeyFilter(
        "building", "landuse", "natural", "leisure", "waterway", "highway", "place"
    )  # fmt: skip
    try:
        for thing in osmium.FileProcessor(str(pbf)).with_areas(filled).with_filter(shown):
            if isinstance(thing, osmium.osm.Node):
                found = _of_node(thing)
            elif isinstance(thing, osmium.osm.Way):
                found = _of_way(thing)
            elif isinstance(thing, osmium.osm.Area):
                found = _of_area(thing)
            else:
                continue
            if found:
                layers[found[0]].append(found[1])
    except RuntimeError as error:
        raise MapError(f"{pbf.name} cannot be read as an OpenStreetMap file: {error}") from error
    return layers


def _of_node(node: osmium.osm.Node) -> tuple[str, Feature] | None:
    kind, name = node.tags.get("place"), node.tags.get("name")
    if kind not in PLACES or not name:
        return None
    point = [round(node.location.lon, DIGITS), round(node.location.lat, DIGITS)]
    return "places", _feature("Point", point, {"class": kind, "name": name})


def _of_way(way: osmium.osm.Way) -> tuple[str, Feature] | None:
    tags = way.tags
    road = ROAD_CLASSES.get(tags.get("highway") or "")
    water = next((kind for key, kind in sorted(WATER_LINES) if tags.get(key) == kind), None)
    if not road and not water:
        return None
    line = _line((n.location.lon, n.location.lat) for n in way.nodes if n.location.valid())
    if len(line) < 2:
        return None
    if not road:
        return "water", _feature("LineString", line, {"class": water, **_named(tags)})
    marks = {key: 1 for key in ("oneway", "bridge", "tunnel") if tags.get(key, "no") not in ("no", "-1")}
    return "roads", _feature("LineString", line, {"class": road, **_named(tags), **marks})


def _of_area(area: osmium.osm.Area) -> tuple[str, Feature] | None:
    tags = area.tags
    kind = next((LANDUSE_CLASSES[pair] for pair in LANDUSE_CLASSES if tags.get(pair[0]) == pair[1]), None)
    if tags.get("building", "no") != "no":
        layer, properties = "buildings", {}
    elif any(tags.get(key) == value for key, value in WATER_AREAS):
        layer, properties = "water", {"class": "water", **_named(tags)}
    elif kind:
        layer, properties = "landuse", {"class": kind}
    else:
        return None
    polygons = [rings for rings in _polygons(area) if rings]
    if not polygons:
        return None
    if len(polygons) == 1:
        return layer, _feature("Polygon", polygons[0], properties)
    return layer, _feature("MultiPolygon", polygons, properties)


def _polygons(area: osmium.osm.Area) -> Iterator[list[list[Position]]]:
    for outer in area.outer_rings():
        shell = _ring(outer, counterclockwise=True)
        if shell:
            holes = (_ring(inner, counterclockwise=False) for inner in area.inner_rings(outer))
            yield [shell, *(hole for hole in holes if hole)]


def _ring(nodes: osmium.osm.NodeRefList, *, counterclockwise: bool) -> list[Position]:
    """A closed ring in the wanted turn; empty when rounding left fewer than three corners."""
    ring = _line((n.location.lon, n.location.lat) for n in nodes)
    if len(ring) < 4:
        return []
    return ring if (doubled_area(ring) > 0) == counterclockwise else ring[::-1]


def doubled_area(ring: list[Position]) -> float:
    """Twice the signed area in square degrees; positive when `ring` runs counterclockwise."""
    lon, lat = ring[0]  # from the first corner, or the small differences drown in the large numbers
    return sum(
        (a[0] - lon) * (b[1] - lat) - (b[0] - lon) * (a[1] - lat)
        for a, b in pairwise(ring)
    )  # fmt: skip


def _line(points: Iterable[tuple[float, float]]) -> list[Position]:
    """Rounded positions; corners that rounding made equal are merged."""
    line: list[Position] = []
    for lon, lat in points:
        position = [round(lon, DIGITS), round(lat, DIGITS)]
        if not line or line[-1] != position:
            line.append(position)
    return line


def _named(tags: osmium.osm.TagList) -> dict[str, object]:
    return {"name": tags["name"]} if tags.get("name") else {}


def _feature(kind: str, coordinates: object, properties: Mapping[str, object]) -> Feature:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": dict(properties),
    }


def _write(folder: Path, name: str, features: list[Feature]) -> Layer:
    file = f"{name}.geojson"
    collection = {"type": "FeatureCollection", "features": features}
    data = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
    packed = gzip.compress(data, 9, mtime=0)
    (folder / file).write_bytes(data)
    (folder / f"{file}.gz").write_bytes(packed)
    return Layer(name=name, file=file, gzip_file=f"{file}.gz", features=len(features), size=len(data),
                 gzip_size=len(packed))  # fmt: skip
