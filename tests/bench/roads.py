"""Travel times: our own roads on a large map, a day that grows by one job, and how far off they are.

`roads` reads an OpenStreetMap file of some 60,000 junctions (made up; quick: 15,000) and measures between
places all over it. Peer: rustworkx on the same junctions, which knows neither turns nor restrictions. Times
are the processor's, so that a busy machine does not change them; memory is what a process holds at its most.

The error is against `osrm-routed` (from the wheel `osrm-bindings`, run beside any Python): on the real
country of `../shared/data` and on our made-up town, between places on the road, for drives of over a minute.
Where OSRM can't be had, a figure says so.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rustworkx as rx
from databases import ROOT
from numpy.typing import NDArray
from osrm_server import NoOsrm, osrm, osrm_tools

from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import Point
from scheduler.travel.roads import Place, RoadNetwork
from server.dispatch.road_engines.memory import DriveMemory, Remembering
from server.town.made_up import write_made_up_town
from server.town.read import read_town

sys.path.append(str(Path(__file__).parent))
from routing.grid import places, write_grid

COUNTRY = ROOT.parent / "shared" / "data" / "liechtenstein"


def figures(quick: bool) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="bench-roads-") as folder:
        return [*_large(Path(folder), quick), *_errors(Path(folder), quick)]


def _large(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    columns, rows = (125, 122) if quick else (252, 245)
    map_file = write_grid(folder / "grid.osm.pbf", columns, rows)
    network, reading = _timed(lambda: RoadNetwork.read(map_file))
    size = f"{len(network):,} junctions"
    print(f"{size}, {len(network.graph.ms):,} arcs", file=sys.stderr)
    network.table(places(columns, rows, 2), places(columns, rows, 3))  # compiled by now
    yield {"name": f"reading {size}", "value": round(reading, 2), "unit": "s of processor"}
    count = 60 if quick else 150
    spots = places(columns, rows, count)
    found = [place for spot in spots if isinstance(place := network.place(spot), Place)]
    _, ours = _timed(lambda: network.measure(found, found))
    _, theirs = _timed(lambda: _by_rustworkx(network, found))
    yield {
        "name": f"matrix of {count} places, {size}",
        "value": round(ours, 2), "unit": "s of processor",
        "peer": "rustworkx on the junctions alone, without turns", "peer_value": round(theirs, 2),
        "aim": "<= 0.5 of peer",
    }  # fmt: skip
    _, whole = _timed(lambda: network.measure(found, found, stop_early=False))
    corner = places(columns // 4, rows // 4, 20)
    near = [place for spot in corner if isinstance(place := network.place(spot), Place)]
    _, early = _timed(lambda: network.measure(near, near))
    _, late = _timed(lambda: network.measure(near, near, stop_early=False))
    yield {
        "name": f"the same, stopping when all are reached (from {count} places all over the map)",
        "value": round(ours, 2), "unit": "s of processor",
        "peer": "to the end of the map", "peer_value": round(whole, 2),
    }  # fmt: skip
    yield {
        "name": "stopping when all are reached, 20 places in one corner of the map",
        "value": round(early, 3), "unit": "s of processor",
        "peer": "to the end of the map", "peer_value": round(late, 3), "aim": "<= 0.7 of peer",
    }  # fmt: skip
    yield from _one_more(folder, network, places(columns, rows, 200 if quick else 800, seed=2))
    yield {
        "name": f"memory at its most, {size}, a process that reads and measures",
        "value": _memory(map_file), "unit": "MB", "aim": "<= 450",
    }  # fmt: skip


def _one_more(folder: Path, network: RoadNetwork, day: list[Point]) -> Iterator[dict[str, Any]]:
    travel = Remembering(network, DriveMemory(folder / "drives.db"))
    first = day[:-1]
    _, full = _timed(lambda: travel.table(first, first))
    _, one = _timed(lambda: travel.table(day, day))
    restarted = Remembering(network, DriveMemory(folder / "drives.db"))
    _, again = _timed(lambda: restarted.table(day, day))
    yield {
        "name": f"one more job in a day of {len(day)} places",
        "value": round(one, 3), "unit": "s of processor",
        "peer": "the whole day", "peer_value": round(full, 2), "aim": "<= 0.1 of peer",
    }  # fmt: skip
    yield {
        "name": f"the day of {len(day)} places after a restart, from the file",
        "value": round(again, 3), "unit": "s of processor",
        "peer": "the whole day", "peer_value": round(full, 2),
    }  # fmt: skip


def _by_rustworkx(network: RoadNetwork, found: list[Place]) -> None:
    """What was there before: junctions only, each search to the end."""
    graph = network.graph
    tails = np.repeat(np.arange(len(graph)), [len(arcs) for arcs in graph.starts])
    arcs = np.array([arc for starts in graph.starts for arc in starts])
    heads = graph.vertices_of[graph.edge[arcs], np.where(graph.forward[arcs], 1, 0)]
    roads: rx.PyDiGraph[None, float] = rx.PyDiGraph(multigraph=False)
    roads.add_nodes_from([None] * len(graph))
    roads.add_edges_from(list(zip(tails.tolist(), heads.tolist(), graph.ms[arcs].tolist(), strict=True)))
    for place in found:
        arc = place.on[0][0]
        begin = int(graph.vertices_of[graph.edge[arc], 0])
        rx.dijkstra_shortest_path_lengths(roads, begin, float)


def _memory(map_file: Path) -> float:
    """Of a process of its own, for this one has held other things."""
    code = (
        "import resource, sys; from scheduler.travel.roads import RoadNetwork; "
        "n = RoadNetwork.read(sys.argv[1]); p = [tuple(x) for x in n.graph.points[::700].tolist()]; "
        "n.table(p, p); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(map_file)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return round(int(found.stdout) / (1024 if sys.platform != "darwin" else 2**20), 0)


def _timed(work: Any) -> tuple[Any, float]:
    began = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    ended = resource.getrusage(resource.RUSAGE_SELF)
    return result, ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def _errors(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    try:
        osrm_tools()
    except NoOsrm as reason:
        yield {"name": f"error against OSRM: not measured, {reason}", "value": None, "unit": "%"}
        return
    count = 60 if quick else 150
    if COUNTRY.is_dir():
        with (COUNTRY / "addresses.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        spots = [(float(row["lon"]), float(row["lat"])) for row in rows[:: len(rows) // count]]
        yield from _error(folder, "Liechtenstein", COUNTRY / "liechtenstein.osm.pbf", spots)
    else:
        yield {"name": "error on a real country: not measured, ../shared/data is missing", "value": None,
               "unit": "%"}  # fmt: skip
    town = write_made_up_town(folder / "kuvitelma.osm.pbf")
    addresses = read_town(town).addresses
    spots = [(a.lon, a.lat) for a in addresses[:: len(addresses) // count]]
    yield from _error(folder, "the made-up town", town, spots)


def _error(folder: Path, name: str, map_file: Path, spots: list[Point]) -> Iterator[dict[str, Any]]:
    inside = folder / name.replace(" ", "-")  # OSRM takes no spaces
    inside.mkdir()
    with osrm(map_file, inside, "--max-table-size=1000") as url:

        def get(path: str) -> Any:
            with urllib.request.urlopen(url + path, timeout=60) as answer:
                return json.load(answer)

        on_road = list(dict.fromkeys(
            tuple(get(f"/nearest/v1/driving/{lon},{lat}")["waypoints"][0]["location"]) for lon, lat in spots
        ))  # fmt: skip
        written = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in on_road)
        began = time.monotonic()
        theirs = get(f"/table/v1/driving/{written}?annotations=duration,distance")
        print(f"OSRM took {time.monotonic() - began:.2f} s for {len(on_road)} places", file=sys.stderr)
    network = RoadNetwork.read(map_file)
    snapped = {p: place for p in on_road if isinstance(place := network.place(p), Place) and place.away < 20}
    kept = [n for n, p in enumerate(on_road) if p in snapped]
    cells = np.ix_(kept, kept)
    ours = [snapped[on_road[n]] for n in kept]
    ms, dm = network.measure(ours, ours)
    guess = CrowFlight().table([on_road[n] for n in kept], [on_road[n] for n in kept])
    for what, our, straight, their in (
        ("seconds", ms / 1000, guess.seconds, theirs["durations"]),
        ("metres", dm / 10, guess.metres, theirs["distances"]),
    ):
        real = np.array(their, dtype=np.float64)[cells]
        far = np.array(theirs["durations"], dtype=np.float64)[cells] > 60
        mean, p95 = _off(np.asarray(our)[far], real[far])
        crow, _ = _off(straight[far].astype(np.float64), real[far])
        yield {
            "name": f"{name}, {len(kept)} places, {what}: mean error against OSRM",
            "value": mean, "unit": "%", "peer": "straight line", "peer_value": crow, "aim": "<= 5",
        }  # fmt: skip
        yield {
            "name": f"{name}, {what}: 95 in 100 are nearer than",
            "value": p95,
            "unit": "%",
            "aim": "<= 15",
        }
        yield {
            "name": f"{name}, {what}: median of ours to OSRM's",
            "value": round(float(np.median(np.asarray(our)[far] / real[far])), 3), "unit": "times",
        }  # fmt: skip


def _off(ours: NDArray[np.float64], real: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and 95th percentile of how far ours is from the real value, in per cent of it, unscaled."""
    apart = 100 * np.abs(ours / real - 1)
    return round(float(apart.mean()), 1), round(float(np.percentile(apart, 95)), 1)
