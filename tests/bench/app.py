"""The technician app in headless Chromium: bytes over the wire, start to first usable screen, tap to saved.

Bytes are counted by a proxy between browser and server, headers included; ours is the smallest build. The
peer is an app of one screen with a note field and no data, on the same Flet, Pyodide and storage, published
as Flet does it (`tests/bench/plain_pwa.py`). Starts run alternately, ours and the peer's, and the median is
given.

"Slowed" means that each process of the browser may run a quarter of the time. (The developer tools' own CPU
throttle reaches the page's thread alone, and Python runs in a worker.)
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import socketserver
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import databases
import day_of_work
from bench import in_hand
from bench.plain_pwa import build_plain
from bench.slowing import SLOW, slowed
from browser import AppDriver, launch, open_app
from pwa_server import ServerProcess
from real_server import RealServer, free_port
from technician import Technician
from world import World, a_world

from server.access.devices import new_code
from server.clock import utc_now
from server.demo.prepare import morning_zone
from server.pwa.build import DEFAULT_CACHE, build_pwa
from shared.work_orders import WorkOrderKind

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = ROOT / "tests" / "server" / "pwa" / "placeholder_main.py"
PEER = "an app of one screen and no data, as Flet publishes it"
QUIET_SECONDS = 1.0
JOBS = 8
JOBS_MANY = 200
IMAGE_KEPT_MS = 6000  # after its first start the app keeps an image of Python for later ones


_started = time.monotonic()


def say(text: str) -> None:
    print(f"bench app: {time.monotonic() - _started:5.1f} s  {text}", file=sys.stderr, flush=True)


def figures(quick: bool) -> list[dict[str, Any]]:
    """See the module's docstring. `quick` takes one start of each kind, fewer taps, and slows only ours."""
    starts, taps = (1, 20) if quick else (5, 200)
    with (
        tempfile.TemporaryDirectory(prefix="truckroll-bench-") as folder,
        bench_apps(Path(folder)) as (ours, peer),
    ):
        found = first_visits(ours, peer, starts)
        found += offline_starts(ours, peer, starts, slow_peer=not quick)
        found += saving(ours, taps) + many_jobs(Path(folder))
        return found + in_hand.figures(Path(folder) / "full", quick, say)


# --- two apps and what is between them and the browser ---


class CountingProxy:
    """Forwards a port of its own to `target` on this machine and counts the bytes that come back."""

    def __init__(self, target: int) -> None:
        proxy = self
        self.bytes_down = 0
        self._lock = threading.Lock()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    server = socket.create_connection(("127.0.0.1", target))
                except OSError:
                    return  # the server is stopped: the browser sees a closed connection
                up = threading.Thread(target=proxy._pump, args=(self.request, server, False), daemon=True)
                up.start()
                proxy._pump(server, self.request, True)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if counted:
                    with self._lock:
                        self.bytes_down += len(chunk)
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def wait_until_quiet(self) -> int:
        """The bytes that came back, once nothing more has for QUIET_SECONDS."""
        before, since = self.bytes_down, time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            time.sleep(0.1)
            if self.bytes_down != before:
                before, since = self.bytes_down, time.monotonic()
        return before

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Served:
    """One app behind its proxy. `world` is None for the peer, which has no data."""

    name: str
    server: RealServer | ServerProcess
    proxy: CountingProxy
    folder: Path
    world: World | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}/app/"

    @property
    def profile(self) -> Path:
        return self.folder / "profile"

    def forget(self) -> None:
        shutil.rmtree(self.profile, ignore_errors=True)


@contextlib.contextmanager
def bench_apps(folder: Path) -> Iterator[tuple[Served, Served]]:
    say("building both apps")
    build_pwa(smallest=True, say=say)
    plain = ROOT / "build" / "pwa-plain"
    build_plain(plain, PLACEHOLDER, DEFAULT_CACHE)
    port, now = free_port(), utc_now()
    with (
        databases.migrated_database("sqlite", folder) as url,
        a_world(url, now=now, data_folder=folder / "data", time_zone=morning_zone(now)) as world,
    ):
        for number in range(JOBS):
            kind = WorkOrderKind.REPAIR if number % 2 else WorkOrderKind.INSTALL
            world.order(kind, start=now + timedelta(minutes=20 + 45 * number))
        servers: list[RealServer | ServerProcess] = [
            RealServer(world.settings, port, folder / "server.log"), ServerProcess(plain),
        ]  # fmt: skip
        served = [
            Served(name, server, CountingProxy(server.port), folder / name, known)
            for name, server, known in zip(("ours", "peer"), servers, (world, None), strict=True)
        ]
        try:
            for app in served:
                app.server.start()
            yield served[0], served[1]
        finally:
            for app in served:
                app.server.stop()
                app.proxy.close()


# --- what is measured ---


def first_visits(ours: Served, peer: Served, starts: int) -> list[dict[str, Any]]:
    """Cold starts over loopback, each with an empty profile; then a visit with what it kept."""
    cold: dict[str, list[float]] = {"ours": [], "peer": []}
    down = {"ours": 0, "peer": 0}
    again = 0
    useful: list[float] = []
    for number in range(starts):
        for app in (ours, peer):
            say(f"first visit {number + 1} of {starts}, {app.name}")
            app.forget()
            app.proxy.bytes_down = 0
            with launch(app.profile, size=(360, 800)) as browser:
                driver = open_app(browser, app.url)
                if app is ours:
                    useful.append(first_paint(driver))
                cold[app.name].append(driver.marks()["screen"] / 1000)
                driver.wait_until_offline_ready()
                down[app.name] = app.proxy.wait_until_quiet()
                if app.world is None:
                    continue
                if number == starts - 1:
                    with app.world.database.write() as session:
                        code = new_code(session, app.world.ana.technician_id, utc_now())
                    Technician(driver).register(code)
                    app.proxy.wait_until_quiet()
                    driver.page.wait_for_timeout(IMAGE_KEPT_MS)
                    app.proxy.bytes_down = 0
                    driver.reload()
                    again = app.proxy.wait_until_quiet()
    median = {name: statistics.median(seconds) for name, seconds in cold.items()}
    return [
        figure("first visit, until it works offline", down["ours"] / 1e6, "MB", down["peer"] / 1e6, "<= 9"),
        figure("first visit, plain page that says what happens", statistics.median(useful), "s", aim="<= 1"),
        figure("visit again with today's jobs, server there", again / 1e3, "kB", aim="<= 50"),
        figure("cold start to first usable screen", median["ours"], "s", median["peer"], "<= 15"),
    ]


def offline_starts(ours: Served, peer: Served, starts: int, *, slow_peer: bool) -> list[dict[str, Any]]:
    """Warm starts of a fresh browser on a kept profile, the server stopped: to the list of today's jobs."""
    for app in (ours, peer):
        app.server.stop()
    took: dict[tuple[str, int], list[float]] = {}
    first: dict[int, list[float]] = {1: [], SLOW: []}
    for number in range(starts):
        for app in (ours, peer):
            for times in (1, SLOW) if app is ours or slow_peer else (1,):
                say(f"offline start {number + 1} of {starts}, {app.name}, {times} times slower")
                marks = offline_start(app, times)
                took.setdefault((app.name, times), []).append(marks["screen"] / 1000)
                if app is ours:
                    first[times].append(marks["today"] / 1000)
    median = {key: statistics.median(values) for key, values in took.items()}
    name = "warm start offline to today's jobs"
    return [
        figure(name, median["ours", 1], "s", median["peer", 1], aim_beside(median.get(("peer", 1)))),
        figure(
            f"{name}, slowed {SLOW} times",
            median["ours", SLOW],
            "s",
            slow_one := median.get(("peer", SLOW)),
            aim_beside(slow_one),
        ),
        figure("today's jobs on the plain page", statistics.median(first[1]), "s", aim="<= 1"),
        figure(
            f"today's jobs on the plain page, slowed {SLOW} times",
            statistics.median(first[SLOW]),
            "s",
            aim="<= 1",
        ),
    ]


def offline_start(app: Served, times: int) -> dict[str, float]:
    """The marks of a start (milliseconds from the navigation) in a browser that was not running before."""
    with launch(app.profile, size=(360, 800)) as browser:
        with slowed(app.profile, times) if times > 1 else contextlib.nullcontext():
            driver = open_app(browser, app.url, started=False)
            driver.page.locator("#splash").wait_for(state="detached", timeout=180_000)
        driver.wait_until_started()
        driver.see("jobs done" if app.world is not None else "Notes", seconds=60)
        return driver.marks()


def saving(ours: Served, taps: int) -> list[dict[str, Any]]:
    """Offline, a measurement is saved again and again; the page itself clocks each tap until it says so."""
    with launch(ours.profile, size=(360, 800)) as browser:
        app = open_app(browser, ours.url)
        technician = Technician(app)
        technician.open_job("WO-0002")
        technician.travel_and_arrive()
        app.tap(OPTICAL_STEP)
        # Outside its limits, so that the screen stays and the value can be saved again.
        app.type_into("Optical receive power", "-31.5")
        waited = [tap_until_saved(app, technician) for _ in range(taps)]
    ordered = sorted(waited)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    say(f"{taps} taps: {ordered[0]:.0f} to {ordered[-1]:.0f} ms")
    return [
        figure('tap to "saved on this device", p50', statistics.median(ordered), "ms", aim="<= 100"),
        figure('tap to "saved on this device", p95', p95, "ms", aim="<= 200"),
    ]


OPTICAL_STEP = "Record optical receive power"


def tap_until_saved(app: AppDriver, technician: Technician) -> float:
    """Milliseconds from the finger's touch to the line that counts what is saved on this device."""
    app.page.evaluate(CLOCK_TAP, technician.unsent() + 1)
    app.tap("Save measurements")
    app.page.wait_for_function("() => window.savedAfter !== null")
    return float(app.page.evaluate("() => window.savedAfter"))


CLOCK_TAP = """wanted => {
  window.savedAfter = null;
  let touched = null;
  addEventListener('pointerdown', () => { touched = performance.now(); }, { once: true, capture: true });
  const says = `${wanted} saved on this device`;
  const host = document.querySelector('flt-semantics-host');
  const watch = new MutationObserver(() => {
    const chip = host.querySelector('[aria-label^="Sync: "]') ?? host;
    if (touched === null || !(chip.getAttribute('aria-label') ?? chip.textContent).includes(says)) return;
    window.savedAfter = performance.now() - touched;
    watch.disconnect();
  });
  watch.observe(host, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def many_jobs(folder: Path) -> list[dict[str, Any]]:
    """The file that a phone has after its first contact, when many jobs are planned; photos come on top."""
    store = day_of_work.a_store(folder)
    orders = itertools.islice(itertools.cycle(day_of_work.the_orders()), JOBS_MANY)
    numbered = (
        replace(order, id=day_of_work.uid(10_000 + number), number=f"WO-{10_000 + number}")
        for number, order in enumerate(orders)
    )
    day_of_work.send_down(store, numbered)
    size = (folder / "phone.db").stat().st_size
    return [figure(f"database with {JOBS_MANY} jobs, no photos", size / 1e6, "MB", aim="<= 30")]


def first_paint(app: AppDriver) -> float:
    """Seconds until the page first painted something with content."""
    return float(
        app.page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
    )


def aim_beside(peer: float | None) -> str | None:
    """Half of what the peer takes in the same run."""
    return f"<= {0.5 * peer:.2f}" if peer else None


def figure(
    name: str, value: float, unit: str, peer_value: float | None = None, aim: str | None = None
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "value": round(value, 2), "unit": unit, "aim": aim}
    if peer_value is not None:
        made |= {"peer": PEER, "peer_value": round(peer_value, 2)}
    return made
