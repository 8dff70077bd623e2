"""A routing server for tests: real HTTP on loopback, answers of the shape that OSRM and Valhalla give.

with a_router(osrm_answers()) as router:     # or valhalla_answers(); router.url, router.asked
    router.next.append(Reply(500))           # used up before any other answer
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Point = tuple[float, float]


@dataclass(frozen=True)
class Reply:
    """drip: a byte at a time, with so many seconds between. half: less than its length says. silent: none."""

    status: int = 200
    body: bytes = b"{}"
    drip: float = 0.0
    half: bool = False
    silent: bool = False


Answer = Callable[[str, bytes], Reply]


@dataclass
class Router:
    url: str = ""
    asked: list[str] = field(default_factory=list)
    next: list[Reply] = field(default_factory=list)


def seconds_of(a: Point, b: Point) -> float:
    """What a drive takes by these answers: 1,000 s a degree east, 2,000 s a degree west or north or south."""
    east = b[0] - a[0]
    return round(1000 * east if east > 0 else -2000 * east) + round(2000 * abs(b[1] - a[1]))


def osrm_answers(
    *, table_max: int = 100, away: dict[Point, float] | None = None, cut_off: set[Point] = frozenset()
) -> Answer:
    """As osrm-routed: places further than usual from a road, and places to which no road leads."""

    def answer(path: str, _body: bytes) -> Reply:
        parts = urlsplit(path)
        service, places = parts.path.split("/")[1], parts.path.split("/")[4]
        points = [(float(p.split(",")[0]), float(p.split(",")[1])) for p in places.split(";")]
        waypoints = [
            {"location": p, "distance": (away or {}).get(p, 0.0), "name": "", "hint": ""} for p in points
        ]
        if service == "route":
            line = [points[0], *((a + 0.001, b) for a, b in points[1:-1]), points[-1]]
            route = {"geometry": {"type": "LineString", "coordinates": line}, "duration": 1, "distance": 1}
            return _json({"code": "Ok", "routes": [route], "waypoints": waypoints})
        query = {key: [int(n) for n in values[0].split(";")] for key, values in parse_qs(parts.query).items()
                 if key in ("sources", "destinations")}  # fmt: skip
        rows, columns = query["sources"], query["destinations"]
        if len(rows) * len(columns) > table_max**2:
            return _json({"code": "TooBig", "message": "Too many table coordinates"}, 400)

        def duration(i: int, j: int) -> float | None:
            return None if {points[i], points[j]} & cut_off else seconds_of(points[i], points[j])

        durations = [[duration(i, j) for j in columns] for i in rows]
        distances = [[None if s is None else 10 * s for s in row] for row in durations]
        return _json({
            "code": "Ok", "durations": durations, "distances": distances,
            "sources": [waypoints[n] for n in rows], "destinations": [waypoints[n] for n in columns],
        })  # fmt: skip

    return answer


def valhalla_answers(*, pairs_max: int = 2500, off: set[Point] = frozenset()) -> Answer:
    """As valhalla_service, with places near which it knows no road."""

    def answer(path: str, body: bytes) -> Reply:
        asked = json.loads(body)
        names = ("locations", "sources", "targets")
        points = {name: [(p["lon"], p["lat"]) for p in asked.get(name, ())] for name in names}
        if path == "/locate":
            return _json(
                [
                    {"input_lon": p[0], "edges": [] if p in off else [{"way_id": 1}]}
                    for p in points["locations"]
                ]
            )
        if {*points["locations"], *points["sources"], *points["targets"]} & off:
            return _json(
                {"error_code": 171, "error": "No suitable edges near location", "status_code": 400}, 400
            )
        if path == "/route":
            # (9.5, 47.14), (9.52015, 47.140189) and what else there is: two legs share their end.
            leg = {"shape": "_vt|xA_zz`Q{J{of@"}
            return _json({"trip": {"legs": [leg] * (len(points["locations"]) - 1), "status": 0}})
        if len(points["sources"]) * len(points["targets"]) > pairs_max:
            return _json({"error_code": 150, "error": "Exceeded max locations: 2500"}, 400)
        pairs = [
            [
                {"from_index": i, "to_index": j, "time": seconds_of(a, b), "distance": seconds_of(a, b) / 100}
                for j, b in enumerate(points["targets"])
            ]
            for i, a in enumerate(points["sources"])
        ]
        return _json({"sources_to_targets": pairs, "units": "kilometers"})

    return answer


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


@contextmanager
def a_router(answer: Answer) -> Iterator[Router]:
    router, lock, over = Router(), threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes) -> None:
            with lock:
                router.asked.append(self.path)
                reply = router.next.pop(0) if router.next else None
            reply = reply or answer(self.path, body)
            if reply.silent:
                over.wait(30)
                return
            with contextlib.suppress(OSError):
                self.send_response(reply.status)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                if reply.drip:
                    for byte in reply.body:
                        self.wfile.write(bytes([byte]))
                        time.sleep(reply.drip)
                elif reply.half:
                    self.wfile.write(reply.body[: len(reply.body) // 2])
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_WR)
                else:
                    self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # whoever asked has gone

    server = Server(("127.0.0.1", 0), Handler)
    router.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield router
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
