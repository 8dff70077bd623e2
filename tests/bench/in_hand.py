"""Rows of `./dev bench app` about a full phone: 60 jobs today, 200 in all, killed while it works.

"Slowed" is what tests/bench/app.py means by it. Frames are those of the page's compositor; headless Chromium
draws without a graphics card, so that they say more about changes than about phones.
"""

from __future__ import annotations

import contextlib
import random
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import databases
from bench.slowing import SLOW, slowed
from browser import kill, launch, open_app
from real_server import RealServer, free_port
from technician import Technician
from world import World, a_world

from server.access.devices import new_code
from server.clock import utc_now
from server.demo.prepare import morning_zone
from shared.work_orders import WorkOrderKind

SIZE = (360, 800)
JOBS_TODAY, JOBS = 60, 200
OPTICAL = "Optical receive power"
WRITE = """([order, times]) => {
  const known = flet_js.start_connection.__globals__.get("__builtins__");
  const builtin = name => known.get?.(name) ?? known[name];
  const names = builtin("dict")();
  builtin("exec")(`
import gc, json, time
from decimal import Decimal
import flet
from flet.controls.context import _context_page
from mobile.gateway import Gateway
from shared.commands import RecordCheck
[gateway] = [found for found in gc.get_objects() if type(found) is Gateway]
[page] = [found for found in gc.get_objects() if type(found) is flet.Page]
_context_page.set(page)
[order] = [found for found in gateway.today() if found.number == "${order}"]
took = []
for number in range(${times}):
    command = RecordCheck(work_order_id=order.id, code="optical_power", value=Decimal(-3100 - number) / 100)
    began = time.perf_counter()
    gateway.send(command)
    took.append(1000 * (time.perf_counter() - began))
took = json.dumps(took)
`, names);
  return JSON.parse(names.get("took"));
}"""
"""Runs in the app's own Python: the tap's whole way from the handler to the flushed file."""

COUNT_FRAMES = """() => {
  window.frames_ms = [];
  let before = performance.now();
  const next = now => {
    window.frames_ms.push(now - before);
    before = now;
    window.going = requestAnimationFrame(next);
  };
  window.going = requestAnimationFrame(next);
}"""
FRAMES = "() => { cancelAnimationFrame(window.going); return window.frames_ms; }"
FRAME_MS = 1000 / 60


@dataclass
class FullPhone:
    """A server with JOBS for one technician, and the profile of the browser that is their phone."""

    server: RealServer
    world: World
    profile: Path

    @property
    def url(self) -> str:
        return f"{self.server.url}/app/"


@contextlib.contextmanager
def full_phone(folder: Path) -> Iterator[FullPhone]:
    port, now = free_port(), utc_now()
    with (
        databases.migrated_database("sqlite", folder) as url,
        a_world(url, now=now, data_folder=folder / "data", time_zone=morning_zone(now)) as world,
    ):
        for number in range(JOBS):
            kind = WorkOrderKind.REPAIR if number % 2 else WorkOrderKind.INSTALL
            later = max(0, number - JOBS_TODAY + 1)
            start = timedelta(minutes=20 + 6 * (number % JOBS_TODAY), days=1 + later % 13 if later else 0)
            world.order(kind, start=now + start, reserve=False)
        server = RealServer(world.settings, port, folder / "server.log")
        server.start()
        try:
            yield FullPhone(server, world, folder / "full-phone")
        finally:
            server.stop()


def figures(folder: Path, quick: bool, say: Any) -> list[dict[str, Any]]:
    taps, kills = (20, 3) if quick else (200, 100)
    folder.mkdir()
    with full_phone(folder) as phone:
        say(f"first contact with {JOBS} jobs")
        found = [figure(f"first contact with {JOBS} jobs", first_contact(phone), "s")]
        phone.server.stop()
        say("writing")
        found += writing(phone, taps)
        say(f"opening jobs and scrolling through {JOBS_TODAY}")
        found += opening(phone, 5 if quick else 40)
        found += scrolling(phone)
        found.append(figure(f"saved taps lost over {kills} kills", killed(phone, kills, say), "", aim="<= 0"))
        return found


def first_contact(phone: FullPhone) -> float:
    """Seconds from the tap on "Sign in" until the device has everything and says when it last had contact."""
    with phone.world.database.write() as session:
        code = new_code(session, phone.world.ana.technician_id, utc_now())
    with launch(phone.profile, size=SIZE) as browser:
        app = open_app(browser, phone.url)
        app.wait_until_offline_ready()
        app.type_into("Registration code", code)
        app.type_into("Name of this device", "Full phone")
        began = time.monotonic()
        app.tap("Sign in")
        app.see(f"0 of {JOBS_TODAY} jobs done", seconds=120)
        app.see("All sent", seconds=120)
        return time.monotonic() - began


def writing(phone: FullPhone, taps: int) -> list[dict[str, Any]]:
    with launch(phone.profile, size=SIZE) as browser:
        app = open_app(browser, phone.url)
        technician = Technician(app)
        technician.open_job("WO-0001")
        technician.travel_and_arrive()
        [worker] = [one for one in app.page.workers if one.evaluate("() => 'flet_js' in self")]
        with slowed(phone.profile, SLOW):
            took = worker.evaluate(WRITE, ["WO-0001", taps])
    return [
        figure(f"tap to flushed on the device, p50, slowed {SLOW} times", statistics.median(took), "ms"),
        figure(f"tap to flushed on the device, p95, slowed {SLOW} times", p95(took), "ms", aim="<= 20"),
    ]


def opening(phone: FullPhone, times: int) -> list[dict[str, Any]]:
    """From the finger's touch on a card until the job's own next step is there to be tapped."""
    with launch(phone.profile, size=SIZE) as browser:
        app = open_app(browser, phone.url)
        took = []
        for _ in range(times):
            app.page.evaluate(CLOCK_OPENING)
            app.tap(re.compile("^WO-0002,"))
            app.see("Start travel")
            took.append(float(app.page.evaluate("() => window.openedAfter")))
            app.tap("Back")
            app.see(f"of {JOBS_TODAY} jobs done")
    return [
        figure("opening a job, p50", statistics.median(took), "ms"),
        figure("opening a job, p95", p95(took), "ms", aim="<= 300"),
    ]


CLOCK_OPENING = """() => {
  window.openedAfter = null;
  let touched = null;
  addEventListener('pointerdown', () => { touched = performance.now(); }, { once: true, capture: true });
  const host = document.querySelector('flt-semantics-host');
  const watch = new MutationObserver(() => {
    if (touched === null || !host.textContent.includes('Start travel')) return;
    window.openedAfter = performance.now() - touched;
    watch.disconnect();
  });
  watch.observe(host, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def scrolling(phone: FullPhone) -> list[dict[str, Any]]:
    """From the first to the last card and back with the wheel."""
    with launch(phone.profile, size=SIZE) as browser:
        app = open_app(browser, phone.url)
        app.page.mouse.move(SIZE[0] / 2, SIZE[1] / 2)
        app.page.evaluate(COUNT_FRAMES)
        for step in (120, -120):
            for _ in range(90):
                app.page.mouse.wheel(0, step)
                app.page.wait_for_timeout(16)
        frames = app.page.evaluate(FRAMES)
    due = sum(frames) / FRAME_MS
    dropped = max(0.0, due - len(frames))
    return [
        figure(f"scrolling {JOBS_TODAY} jobs, frames dropped", 100 * dropped / due, "%"),
        figure(f"scrolling {JOBS_TODAY} jobs, slowest frame of a hundred", percentile(frames, 99), "ms"),
    ]


def killed(phone: FullPhone, kills: int, say: Any) -> int:
    """Taps that the app had called saved and that a start after SIGKILL does not show."""
    chance, lost, saved = random.Random(4), 0, None
    for number in range(kills):
        with launch(phone.profile, size=SIZE) as browser:
            app = open_app(browser, phone.url)
            technician = Technician(app)
            app.see("saved on this device, not sent")
            there = technician.unsent()
            if saved is not None:
                lost += max(0, saved - there)
            technician.open_job("WO-0001")
            app.tap(re.compile(f"^{OPTICAL}"))
            app.type_into(OPTICAL, "-31.5")
            for _ in range(chance.randint(1, 4)):
                before = technician.unsent()
                app.tap("Save measurements")
                app.see(f"{before + 1} saved on this device")
            saved = technician.unsent()
            app.tap("Save measurements")  # one more, that may or may not be there
            time.sleep(chance.random() * 0.15)
            kill(phone.profile)
        if number % 10 == 9:
            say(f"{number + 1} kills, {lost} lost")
    return lost


def p95(values: Sequence[float]) -> float:
    return percentile(values, 95)


def percentile(values: Sequence[float], part: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part / 100 * len(ordered)))]


def figure(name: str, value: float, unit: str, aim: str | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "aim": aim}
