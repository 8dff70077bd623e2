"""Drive the technician app in a real Chromium: launch it, make Flet's controls reachable, tap and type.

    with launch(profile) as browser:               # a folder that keeps the browser's data across launches
        app = open_app(browser, "http://127.0.0.1:1234/app/")
        app.type_into("Note", "hello")
        app.tap("Save")
        app.see("Saved")

Flet paints on a canvas. For assistive technology Flutter keeps a tree of elements beside it, switched on
by clicking its hidden placeholder; everything here goes through that tree, as a screen reader would.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import provision
from playwright.sync_api import (
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

# A cold start of Python in the browser takes seconds, and tests share the machine.
START_SECONDS = 90
STEP_SECONDS = 20

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@contextlib.contextmanager
def launch(
    profile: Path,
    *,
    camera: Path | None = None,
    size: tuple[int, int] = (412, 892),
    scale: float = 1,
    headless: bool = True,
    flags: Sequence[str] = (),
) -> Iterator[BrowserContext]:
    """Chromium with the data folder `profile`, its camera showing `camera` (a .mjpeg file, see `mjpeg`).

    Without `camera` the fake camera shows Chromium's own test pattern. `scale` is the screen's pixels per
    CSS pixel. Closing keeps the profile.
    """
    given = [*CHROMIUM_FLAGS, *([f"--use-file-for-fake-video-capture={camera}"] if camera else []), *flags]
    with _playwright() as playwright, _context(playwright, profile, given, size, scale, headless) as context:
        context.set_default_timeout(STEP_SECONDS * 1000)
        yield context


_shared: list[Playwright] = []


@contextlib.contextmanager
def _playwright() -> Iterator[Playwright]:
    """One for all browsers that are open at a time: Playwright refuses a second one in the same thread."""
    if _shared:
        yield _shared[0]
        return
    with sync_playwright() as playwright:
        _shared.append(playwright)
        try:
            yield playwright
        finally:
            _shared.clear()


@contextlib.contextmanager
def _context(
    playwright: Playwright,
    profile: Path,
    flags: list[str],
    size: tuple[int, int],
    scale: float,
    headless: bool,
) -> Iterator[BrowserContext]:
    context = playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=str(provision.need_chromium()),
        headless=headless,
        args=flags,
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        permissions=["camera"],
        service_workers="allow",
    )
    try:
        yield context
    finally:
        with contextlib.suppress(Exception):  # it may have been killed by the test
            context.close()


def kill(profile: Path) -> None:
    """End the browser of `profile` at once, as an empty battery does. The profile can be launched again."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--user-data-dir={profile}".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    for lock in profile.glob("Singleton*"):
        lock.unlink()


def install(url: str, profile: Path) -> Path:
    """Open the app at `url` in the fresh `profile`, until it is all there to be started from the device.

    What the app wrote of its own is removed: copies of the profile are phones that nobody has signed in on.
    They belong to `url`, port and all. Returns the profile.
    """
    with launch(profile) as browser:
        app = open_app(browser, url)
        app.wait_until_offline_ready()
        app.wait_until_image_kept()
        app.page.goto(f"{url}manifest.json")  # no app on the page: it would hold its files
        app.page.evaluate(FORGET)
    return profile


def copy_of(profile: Path, to: Path) -> Path:
    """A browser profile of its own, with all that the closed browser of `profile` has kept."""
    shutil.copytree(profile, to, ignore=shutil.ignore_patterns("Singleton*"))
    return to


def mjpeg(frames: list[bytes], path: Path) -> Path:
    """Write JPEG pictures as a video that the fake camera plays in a loop."""
    path.write_bytes(b"".join(frames))
    return path


@dataclass
class AppDriver:
    """One tab with the technician app."""

    page: Page
    console: list[str] = field(default_factory=list)
    failed_requests: list[str] = field(default_factory=list)

    def wait_until_started(self) -> None:
        """Wait for the first screen from Python, and switch the accessible tree on."""
        self.page.locator("#splash").wait_for(state="detached", timeout=START_SECONDS * 1000)
        placeholder = self.page.locator("flt-semantics-placeholder")
        placeholder.wait_for(state="attached")
        placeholder.evaluate("element => element.click()")
        self.page.locator("flt-semantics").first.wait_for(state="attached")

    def reload(self) -> None:
        self.page.reload()
        self.wait_until_started()

    def control(self, label: str | re.Pattern[str], role: str | None = None) -> Locator:
        """A control by its accessible name; `role` narrows it (button, checkbox, tab, textbox, switch…)."""
        if role:
            return self.page.get_by_role(role, name=label)  # type: ignore[arg-type]
        return self.page.get_by_label(label).or_(self.page.get_by_text(label)).first

    def tap(self, label: str | re.Pattern[str], role: str = "button", *, nth: int = 0) -> None:
        """Tap a button, tab, check box or list row by its name (the whole name, or a pattern)."""
        exact = isinstance(label, str)
        # A click scrolls there by itself, and finds the control again when the app draws it anew meanwhile.
        self.page.get_by_role(role, name=label, exact=exact).nth(nth).click()  # type: ignore[arg-type]

    def type_into(self, label: str, text: str, *, enter: bool = False) -> None:
        """Replace what a text field holds, key by key, as a keyboard (or a wedge scanner) does."""
        self._take_focus(label)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text, delay=10)
        if enter:
            self.page.keyboard.press("Enter")

    def paste_into(self, label: str, text: str) -> None:
        """Put text into a field at once."""
        self._take_focus(label)
        self.page.keyboard.insert_text(text)

    def _take_focus(self, label: str) -> None:
        """What is typed before Flutter listens to a field never reaches it.

        Flutter puts a field of its own in the place of this one; but where the accessible tree was there
        first, it listens to the tree's field, and only from when its own focus comes to it: that is led
        elsewhere before, for the field may have had it from the beginning.
        """
        field = self.page.get_by_role("textbox", name=label)
        field.click()
        for _ in range(8):
            self.page.wait_for_timeout(100)
            if self.page.evaluate(FLUTTER_LISTENS):
                return
        self.page.keyboard.press("Tab")
        self.page.wait_for_timeout(400)
        field.click()
        self.page.wait_for_timeout(600)

    def value_of(self, label: str) -> str:
        """What a text field holds."""
        return self.page.get_by_role("textbox", name=label).input_value()

    def see(self, text: str | re.Pattern[str], *, seconds: float = STEP_SECONDS) -> None:
        """Wait until `text` is on the screen, or fail and say what is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shown = self.texts()
            if any(re.search(text, t) if isinstance(text, re.Pattern) else text in t for t in shown):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{text!r} did not appear within {seconds} s. On the screen: {self.texts()}")

    def texts(self) -> list[str]:
        """Every text and accessible name on the screen now."""
        return self.page.evaluate(READ_TEXTS)

    def choose_file(self, label: str, file: Path | FilePayload) -> None:
        """Tap the button `label` and give `file` to the dialog it opens."""
        with self.page.expect_file_chooser() as chooser:
            self.tap(label)
        chooser.value.set_files(file)

    def draw(self, label: str, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
        """Draw with the mouse on the field `label`; points are parts of its width and height."""
        box = self.page.get_by_role("img", name=label).bounding_box()
        assert box, f"{label} is not on the screen"
        for stroke in strokes:
            points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point, steps=4)
            self.page.mouse.up()

    def settle(self) -> None:
        """Wait until the picture stands still: ripples and screens that slide in have come to rest."""
        self.page.mouse.move(1, 1)  # away from whatever would answer to it with a tooltip
        before = b""
        for _ in range(20):
            now = self.page.screenshot()
            if now == before:
                return
            before = now
            self.page.wait_for_timeout(120)

    def wait_until_offline_ready(self) -> None:
        """Wait until the service worker holds the whole app, so that a start needs no server."""
        # A worker controls the page only after its whole list has been fetched.
        self.page.wait_for_function(
            "() => !!navigator.serviceWorker.controller", timeout=START_SECONDS * 1000
        )

    def wait_until_image_kept(self) -> None:
        """Wait for the image of Python's memory. It is kept some seconds after the start, out of its way."""
        deadline = time.monotonic() + START_SECONDS
        while self.page.evaluate(IMAGES) == 0:
            assert time.monotonic() < deadline, "no image of Python's memory was kept"
            self.page.wait_for_timeout(200)

    def marks(self) -> dict[str, float]:
        """Milliseconds from the start of the page to flutter, python and screen."""
        return self.page.evaluate(
            "() => Object.fromEntries(performance.getEntriesByType('mark')"
            ".filter(m => m.name.startsWith('truckroll-')).map(m => [m.name.slice(10), m.startTime]))"
        )


FLUTTER_LISTENS = "() => document.activeElement?.classList.contains('flt-text-editing')"

IMAGES = "caches.keys().then(all => all.filter(name => name.startsWith('image-')).length)"

FORGET = """async () => {
  localStorage.clear();
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
}"""

# Flutter puts names into aria-label, into text, or into a form field's own label.
READ_TEXTS = """() => {
  const texts = [];
  for (const element of document.querySelectorAll('flt-semantics-host *, #splash, #scan-overlay *')) {
    const label = element.getAttribute('aria-label');
    if (label) texts.push(label);
    const own = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent).join('').trim();
    if (own) texts.push(own);
    if (element.value) texts.push(String(element.value));
  }
  return texts;
}"""


def open_app(browser: BrowserContext, url: str, *, new_tab: bool = False, started: bool = True) -> AppDriver:
    """Open the app in the browser's tab (or a new one) and wait for its first screen."""
    page = browser.new_page() if new_tab or not browser.pages else browser.pages[0]
    driver = AppDriver(page)
    page.on("console", lambda message: driver.console.append(message.text))
    page.on("pageerror", lambda error: driver.console.append(f"page error: {error}"))
    page.on("requestfailed", lambda request: driver.failed_requests.append(request.url))
    page.goto(url)
    if started:
        try:
            driver.wait_until_started()
        except Exception as error:
            said = "\n".join([*driver.console[-20:], *driver.failed_requests])
            raise AssertionError(f"The app did not start. The page said:\n{said}") from error
    return driver


__all__ = ["AppDriver", "copy_of", "expect", "install", "kill", "launch", "mjpeg", "open_app"]
