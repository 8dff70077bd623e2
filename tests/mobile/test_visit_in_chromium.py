"""The built app in a real Chromium: a whole visit with no network, a reload in it, then the office."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import START_SECONDS, AppDriver, copy_of, install, launch, open_app
from day_office import an_office
from playwright.sync_api import BrowserContext, FilePayload, Page, Request
from pwa_server import label

TARGET_PIXELS = 48


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, with a server behind it that has Aino's day."""
    with an_office(tmp_path_factory.mktemp("app") / "pwa") as url:
        yield url


@pytest.fixture(scope="module")
def installed(office: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(office, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def profile(installed: Path, tmp_path: Path) -> Path:
    """A phone that has the app, on which nobody has signed in."""
    return copy_of(installed, tmp_path / "phone")


SMALL = """least => [...document.querySelectorAll('flt-semantics[role=button]')]
    .filter(e => e.style.height && Math.min(parseFloat(e.style.height), parseFloat(e.style.width)) < least)
    .map(e => `${e.getAttribute('aria-label') || e.textContent}: ${e.style.width} x ${e.style.height}`)"""


def small_targets(app: AppDriver) -> list[str]:
    """Buttons of the screen that a glove would miss, seen on one so long that it cuts none off."""
    size = app.page.viewport_size
    assert size is not None
    app.page.set_viewport_size({"width": size["width"], "height": 2400})
    app.page.wait_for_timeout(1000)
    found = app.page.evaluate(SMALL, TARGET_PIXELS)
    app.page.set_viewport_size(size)
    return found


HAS_LETTERS = """() => performance.getEntriesByType('resource')
    .some(({name, responseStatus}) => name.includes('/assets/fonts/noto') && responseStatus === 200)"""


def wait_for_letters(app: AppDriver) -> None:
    """Wait until the font that Arabic needs has come, from wherever."""
    app.page.wait_for_function(HAS_LETTERS, timeout=1000 * START_SECONDS)


KEEPS_LETTERS = """async () => {
  for (const name of await caches.keys()) {
    const kept = await (await caches.open(name)).keys();
    if (kept.some(({ url }) => url.includes('/assets/fonts/noto'))) return true;
  }
  return false;
}"""


def wait_until_kept(app: AppDriver) -> None:
    """Wait until the service worker has the font, too."""
    for _ in range(10 * START_SECONDS):
        if app.page.evaluate(KEEPS_LETTERS):
            return
        app.page.wait_for_timeout(100)
    raise AssertionError("the font is not kept")


def a_file(picture: bytes) -> FilePayload:
    return {"name": "picture.jpg", "mimeType": "image/jpeg", "buffer": picture}


class Contacts:
    """What the app tells the server in each contact."""

    def __init__(self, phone: BrowserContext) -> None:
        self._bodies: list[bytes] = []
        phone.on("request", self._hear)

    def _hear(self, request: Request) -> None:
        if request.url.endswith("/sync"):
            self._bodies.append(request.post_data_buffer or b"")

    def storage_left(self) -> list[int]:
        plain = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body for body in self._bodies)
        return [json.loads(body)["storage_left_bytes"] for body in plain]


def wait_for_a_calm_field(page: Page) -> None:
    """While a screen slides in, the focus wanders between its field and the view."""
    page.wait_for_function(
        """() => new Promise((resolve) => {
            let calm = 0;
            const look = () => {
                calm = document.activeElement.tagName === 'INPUT' ? calm + 1 : 0;
                if (calm > 15) resolve(true); else setTimeout(look, 50);
            };
            look();
        })"""
    )


def scan_beside_the_field(page: Page, code: str) -> None:
    """Type as fast as a scanner, which a busy machine's driver can't, while no field has the focus."""
    page.evaluate(
        """(keys) => {
            document.activeElement.blur();
            const press = (key) => new KeyboardEvent('keydown', { key, bubbles: true });
            for (const key of keys) document.body.dispatchEvent(press(key));
        }""",
        [*code, "Enter"],
    )


@pytest.mark.browser
class TestAVisitWithoutNetwork:
    def test_is_done_offline_survives_a_reload_and_reaches_the_office(
        self, office: str, profile: Path
    ) -> None:
        with launch(profile, size=(360, 800)) as phone:
            contacts = Contacts(phone)
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0001")
            app.tap("Sign in")
            app.see("0 of 6 jobs done")
            app.see(re.compile(r"All sent \d\d:\d\d"))
            app.wait_until_offline_ready()
            assert min(contacts.storage_left()) > 2**20

            phone.set_offline(True)
            app.tap(re.compile("^WO-1042"))
            app.tap("Start travel")
            app.see("On the way. Saved on this device")
            app.tap("Arrived")
            app.see("On site. Saved on this device")
            assert small_targets(app) == []

            app.tap("Scan the ONT")
            picture = label(("ALCLB1A2C001", "Code128"))
            app.choose_file("Photo of the label", a_file(picture))
            app.see("Nokia G-2425G-B ALCLB1A2C001 is on your van.")
            app.tap("Fit this device")

            app.tap("Record optical receive power")
            app.type_into("Optical receive power", "-31,2")
            app.tap("Save measurements")
            app.see("-31.2 dBm is outside -27 to -8 dBm. Mend the line, then measure again.")
            app.type_into("Optical receive power", "-18,4")
            app.type_into("Download speed", "288")
            app.tap("Save measurements")

            app.tap("Take a photo")
            app.choose_file("Take photo", a_file(picture))
            app.see("1 photo")
            app.tap("Back")

            app.tap("Have the customer sign")
            draw(app)
            app.tap("Save signature")
            app.see("Signed by Maija Korhonen")
            app.page.wait_for_timeout(1000)

            app.reload()
            app.see("Offline. 8 saved on this device, not sent")
            app.page.evaluate("() => { location.hash += '/scan'; }")
            wait_for_a_calm_field(app.page)
            app.page.keyboard.type("NOSUCH01\n")  # as a wedge scanner does, with no tap before
            app.see("NOSUCH01 is not in this device's stock list.")
            scan_beside_the_field(app.page, "NOSUCH02")
            app.see("NOSUCH02 is not in this device's stock list.")
            app.tap("Back")
            app.tap("Check and close")
            app.tap("Close job")
            app.see("WO-1042 closed. Saved on this device")
            app.see("1 of 6 jobs done")

            phone.set_offline(False)
            app.see(re.compile(r"^Sync: All sent \d\d:\d\d$"), seconds=60)
            app.tap("Sync", role="tab")
            app.see("Answered by the office (9)")
            app.see(re.compile("^Closed the job, WO-1042, .*Accepted$"))

    def test_asks_whether_one_has_arrived_where_the_phone_may_say_its_place(
        self, office: str, profile: Path
    ) -> None:
        with launch(profile, size=(360, 800)) as phone:
            phone.grant_permissions(["geolocation"])
            phone.set_geolocation({"latitude": 60.2, "longitude": 24.955, "accuracy": 20})
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0003")
            app.tap("Sign in")
            app.see(re.compile("of 6 jobs done"))
            app.page.evaluate("() => { location.hash = '/settings'; }")
            app.tap("Suggest “Arrived” when I am there: On", role="button")
            app.page.evaluate("() => { location.hash = '/'; }")
            app.tap(re.compile("^WO-1044"))
            app.tap("Start travel")
            app.see("On the way. Saved on this device")
            app.page.wait_for_timeout(1500)
            asked = "You seem to be at Porthaninkatu 9. Arrived?"
            assert asked not in app.texts()

            phone.set_geolocation({"latitude": 60.1891, "longitude": 24.952, "accuracy": 20})
            app.see(asked)
            app.tap("Yes, arrived")
            app.see("On site. Saved on this device")


@pytest.mark.browser
class TestASwapWithoutNetwork:
    def test_is_one_gesture_with_a_photo_undone_as_one_and_reaches_the_office(
        self, office: str, profile: Path
    ) -> None:
        new, photo = label(("ALCLB1A2C003", "Code128")), label(("ALCLF00D0002", "Code128"))
        with launch(profile, size=(360, 800)) as phone:
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0004")
            app.tap("Sign in")
            app.see(re.compile("of 6 jobs done"))
            app.wait_until_offline_ready()
            phone.set_offline(True)
            app.tap(re.compile("^WO-1043"))
            app.tap("Start travel")
            app.see("On the way. Saved on this device")
            app.tap("Arrived")
            app.see("On site. Saved on this device")

            swap(app, new, photo)
            app.see("ONT restarts several times a day")
            app.page.evaluate("() => { location.hash += '/scan'; }")
            app.tap("Undo the swap: ALCLF00D0002 hangs there again")
            app.see("Offline. 5 saved on this device, not sent")
            app.page.wait_for_timeout(1000)
            app.reload()
            app.tap("Back")
            swap(app, new, photo)
            app.see("Nokia G-2425G-B ALCLB1A2C003")

            phone.set_offline(False)
            app.see(re.compile(r"^Sync: All sent \d\d:\d\d$"), seconds=60)
            app.tap("Back")
            app.tap("Sync", role="tab")
            app.see(re.compile("^Swapped ALCLF00D0002 for ALCLB1A2C003, WO-1043, .*Accepted$"))


def swap(app: AppDriver, new: bytes, photo: bytes) -> None:
    """From the job to the job: the device that hangs there is chosen already."""
    app.tap("Swap a device")
    app.choose_file("Photo of the label", a_file(new))
    app.see("Nokia G-2425G-B ALCLB1A2C003 is on your van.")
    app.tap("Restarts, drops the line")
    app.choose_file("Take photo", a_file(photo))
    app.see("It is saved together with the swap.")
    app.tap("Swap")
    app.see("Saved on this device")


def draw(app: AppDriver) -> None:
    """A stroke with the finger across the field."""
    app.see("Sign here with a finger")
    box = app.page.get_by_label("Sign here with a finger").first.bounding_box()
    assert box is not None
    mouse, left, middle = app.page.mouse, box["x"] + 40, box["y"] + 110
    mouse.move(left, middle)
    mouse.down()
    for step in range(30):
        mouse.move(left + 7 * step, middle + (20 if step % 10 < 5 else -20))
    mouse.up()
    app.page.wait_for_timeout(500)


@pytest.mark.browser
class TestAnotherLanguage:
    def test_is_chosen_on_the_device_and_still_there_with_its_letters_without_network(
        self, office: str, profile: Path
    ) -> None:
        with launch(profile, size=(360, 800)) as phone:
            app = open_app(phone, office)
            app.see("Registration code")
            assert not app.page.evaluate(HAS_LETTERS)
            app.tap("Settings")
            app.tap("Language: العربية")
            app.see("الإعدادات")
            app.tap("رجوع")
            app.see("تسجيل هذا الهاتف")
            wait_for_letters(app)
            assert small_targets(app) == []
            app.wait_until_offline_ready()
            wait_until_kept(app)

            phone.set_offline(True)
            app.reload()
            app.see("تسجيل هذا الهاتف")
            wait_for_letters(app)
            assert not [url for url in app.failed_requests if "/fonts/" in url]
