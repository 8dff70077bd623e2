"""Which source of travel times this server uses; put together once a process.

The routing server that the settings name, else the roads of the map, else the straight line: each stands in
for the one before when that can't say, and what it says is labelled. What was measured is remembered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import structlog

from scheduler.request import TravelMatrix
from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import BadPoint, Drawn, checked
from scheduler.travel.protocol import Point as Point
from scheduler.travel.protocol import TravelTimes as TravelTimes
from server.dispatch.road_engines.asking import RoadServer
from server.dispatch.road_engines.memory import DriveMemory, Remembering
from server.dispatch.road_engines.osrm import Osrm
from server.dispatch.road_engines.standing_in import FirstThatAnswers
from server.dispatch.road_engines.valhalla import Valhalla
from server.settings import Settings

log = structlog.get_logger("truckroll.roads")

STRAIGHT = CrowFlight()
DRIVES_CACHED = 4_096
DRIVES_FILE = "drives.db"
GOOD_FOR = timedelta(days=7)
"""A routing server does not say when its data changes."""

_reading = threading.Lock()
_drawing = threading.Lock()
_drives: OrderedDict[tuple[TravelTimes, tuple[Point, ...]], Drawn] = OrderedDict()


def travel_times(settings: Settings) -> TravelTimes:
    """The routing server and the map that the settings name; without either, the straight line.

    The straight line always calls itself estimated, and a map that can't be read is logged.
    """
    stamp = _stamp(settings.map_file) if settings.map_file else None
    map_file = settings.map_file if stamp is not None else ""
    if not map_file and not settings.road_server:
        return STRAIGHT
    with _reading:  # two planners at the start of the day read the map once
        return _engine(
            settings.road_server,
            settings.road_server_seconds,
            map_file,
            stamp or 0,
            settings.data_folder / DRIVES_FILE,
        )


def _stamp(map_file: str) -> int | None:
    try:
        return Path(map_file).stat().st_mtime_ns
    except OSError as error:
        log.warning("no roads", map=map_file, error=str(error))
        return None


@lru_cache(maxsize=4)
def _engine(server: str, seconds: int, map_file: str, stamp: int, drives: Path) -> TravelTimes:
    memory = DriveMemory(drives)
    engines: list[TravelTimes] = []
    if server:
        engines.append(Remembering(_server(server, seconds), memory, GOOD_FOR))
    if map_file and (roads := _read(map_file, stamp)) is not None:
        engines.append(Remembering(roads, memory))
    if not engines:
        return STRAIGHT
    return engines[0] if len(engines) == 1 and not server else FirstThatAnswers(*engines, STRAIGHT)


def _server(url: str, seconds: int) -> TravelTimes:
    kind, _, rest = url.partition("+")
    server = RoadServer(rest, seconds=seconds)
    return Valhalla(server) if kind == "valhalla" else Osrm(server)


@lru_cache(maxsize=4)
def _read(path: str, _changed: int) -> TravelTimes | None:
    from scheduler.travel.roads import NoRoads, RoadNetwork  # heavy, and not every server has a map

    try:
        return RoadNetwork.read(path)
    except NoRoads as error:
        log.warning("no roads", map=path, error=str(error))
        return None


def no_place(place: Point) -> str | None:
    """Why `place` is no place on earth, or None."""
    try:
        checked([place])
    except BadPoint as error:
        return str(error).removeprefix("point 0 ")
    return None


def measure(travel: TravelTimes, points: Sequence[Point]) -> tuple[TravelMatrix, Mapping[Point, str]]:
    """Drives between all points, and which of them are off the roads, with the reason.

    From and to these, and where the roads have no drive, it is the straight line, and the matrix's name says
    so. Raises BadPoint for what is no place on earth.
    """
    table = travel.table(points, points)
    seconds, metres, engine, estimated = table.seconds, table.metres, table.engine, table.estimated
    without = seconds < 0
    if without.any():
        straight = STRAIGHT.table(points, points)
        seconds, metres = (
            np.where(without, straight.seconds, seconds),
            np.where(without, straight.metres, metres),
        )
        on = np.array([point not in table.off for point in points], dtype=bool)
        beyond, lost = int((~on).sum()), int(without[np.ix_(on, on)].sum())
        if beyond:
            engine += f"; {beyond} {'place' if beyond == 1 else 'places'} beyond the map, estimated"
        if lost:
            engine += f"; {lost} {'drive' if lost == 1 else 'drives'} that no road leads, estimated"
        estimated = estimated or not on.any()
    matrix = TravelMatrix.of(seconds.tolist(), metres.tolist(), engine=engine, estimated=estimated)
    return matrix, table.off


def drawn(travel: TravelTimes, stops: Sequence[Point]) -> Drawn:
    """A drive past all stops as a line on the map; straight where a place is off the roads."""
    key = (travel, tuple(stops))
    with _drawing:
        if key in _drives:
            _drives.move_to_end(key)
            return _drives[key]
    try:
        found = travel.path(stops)
    except BadPoint:
        found = STRAIGHT.path([stop for stop in stops if no_place(stop) is None])
    if found.engine == travel.name:  # what another drew in its stead is not what it will say next time
        with _drawing:
            _drives[key] = found
            while len(_drives) > DRIVES_CACHED:
                _drives.popitem(last=False)
    return found
