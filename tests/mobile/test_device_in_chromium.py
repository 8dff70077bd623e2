"""What only a device has, in a real Chromium: a lock, a place, a voice."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import AppDriver, copy_of, install, launch, open_app
from day_office import an_office
from pwa_server import label

PIN = "2580"
# Chromium can't be minimised here, so the page is told so.
LOOK_AWAY = """hidden => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange')); }"""
VEILED = "() => !document.getElementById('veil').hidden"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with an_office(tmp_path_factory.mktemp("app") / "pwa") as url:
        yield url.replace("127.0.0.1", "localhost")  # an address is no name that keys are kept for


@pytest.fixture(scope="module")
def installed(office: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(office, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def profile(installed: Path, tmp_path: Path) -> Path:
    """A phone that has the app, on which nobody has signed in."""
    return copy_of(installed, tmp_path / "phone")


def set_pin(app: AppDriver) -> None:
    app.tap("Sync", role="tab")
    app.tap("Settings")
    app.tap("Set a PIN")
    app.type_into("New PIN again", PIN)
    app.page.get_by_role("textbox", name="New PIN", exact=True).click()
    app.page.wait_for_timeout(300)
    app.page.keyboard.type(PIN, delay=10)
    app.tap("Save the PIN")
    app.see("This device asks for the PIN from now on")


@pytest.mark.browser
class TestALockedApp:
    def test_shows_nothing_of_the_day_from_its_first_moment_and_sends_what_waits(
        self, office: str, profile: Path
    ) -> None:
        with launch(profile, size=(360, 800)) as phone:
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0001")
            app.tap("Sign in")
            app.see("0 of 6 jobs done")
            app.page.wait_for_function("() => (localStorage.getItem('today') || '').includes('WO-1041')")
            set_pin(app)
            app.page.wait_for_function("() => !localStorage.getItem('today').includes('WO-')")
            app.tap("Back")
            app.tap("Today", role="tab")
            app.wait_until_offline_ready()
            phone.set_offline(True)
            app.tap(re.compile("^WO-1041"))
            app.tap("Start travel")
            app.see("On the way. Saved on this device")

            app.page.reload()
            app.page.wait_for_function("() => document.querySelector('#splash.today h1')")
            first = app.page.locator("#splash").inner_text()
            assert first.split("\n")[0] == "Locked" and "WO-" not in first
            app.page.evaluate(LOOK_AWAY, True)
            assert not app.page.evaluate(VEILED), "nobody is there yet to uncover it"
            app.page.evaluate(LOOK_AWAY, False)
            app.wait_until_started()
            app.see("Offline. 1 saved on this device, not sent")
            assert not [text for text in app.texts() if "WO-" in text]
            phone.set_offline(False)
            app.see(re.compile(r"All sent \d\d:\d\d"), seconds=60)
            app.type_into("PIN", "1111", enter=True)
            app.see("That is not the PIN. 9 tries are left.")
            app.type_into("PIN", PIN, enter=True)
            app.see("WO-1041")

            app.page.evaluate(LOOK_AWAY, True)
            assert app.page.evaluate(VEILED)
            app.page.evaluate(LOOK_AWAY, False)
            app.page.wait_for_function(f"() => !({VEILED})()")
            app.see("WO-1041")
            app.page.evaluate(LOOK_AWAY, True)
            app.page.evaluate("() => { const real = Date.now; Date.now = () => real() + 61_000; }")
            app.page.evaluate(LOOK_AWAY, False)
            app.page.wait_for_function(f"() => !({VEILED})()")
            app.see("Locked")


@pytest.mark.browser
class TestAFinger:
    def test_unlocks_offline_and_only_while_the_device_knows_it(self, office: str, profile: Path) -> None:
        with launch(profile, size=(360, 3000)) as phone:
            page = phone.pages[0]
            devices = phone.new_cdp_session(page)
            devices.send("WebAuthn.enable")
            sensor = devices.send(
                "WebAuthn.addVirtualAuthenticator",
                {
                    "options": {
                        "protocol": "ctap2",
                        "transport": "internal",
                        "hasUserVerification": True,
                        "isUserVerified": True,
                    }
                },
            )["authenticatorId"]
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0004")
            app.tap("Sign in")
            app.see(re.compile("of 6 jobs done"), seconds=60)
            set_pin(app)
            app.tap("Also unlock by finger or face")
            app.see("Finger or face unlock too from now on")
            app.wait_until_offline_ready()
            phone.set_offline(True)
            app.reload()
            app.see("Locked")
            verified = {"authenticatorId": sensor, "isUserVerified": False}
            devices.send("WebAuthn.setUserVerified", verified)
            app.tap("Unlock by finger or face")
            app.see("That did not work: type the PIN.")
            devices.send("WebAuthn.setUserVerified", verified | {"isUserVerified": True})
            app.tap("Unlock by finger or face")
            app.see("Settings")
            assert "Locked" not in app.texts()


@pytest.mark.browser
class TestAPhoto:
    def test_keeps_where_it_was_taken_once_the_browser_may_say_so(self, office: str, profile: Path) -> None:
        with launch(profile, size=(360, 2400)) as phone:
            phone.grant_permissions(["geolocation"])
            phone.set_geolocation({"latitude": 60.1875, "longitude": 24.9625, "accuracy": 12})
            bodies: list[bytes] = []
            phone.on("request", lambda asked: bodies.append(asked.post_data_buffer or b""))
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0002")
            app.tap("Sign in")
            app.see(re.compile("of 6 jobs done"), seconds=60)
            app.tap("Sync", role="tab")
            app.tap("Settings")
            app.tap("Where a photo was taken: Kept with the photo")
            app.page.wait_for_timeout(1000)
            assert not [text for text in app.texts() if "did not say where it is" in text]
            app.tap("Back")
            app.tap("Today", role="tab")
            app.tap(re.compile("^WO-1043"))
            app.tap("Start travel")
            app.see("On the way. Saved on this device")
            app.tap("Arrived")
            app.see("On site. Saved on this device")
            app.page.evaluate("() => { location.hash += '/photo'; }")
            picture = label(("ALCLB1A2C001", "Code128"))
            app.choose_file("Take photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture})
            app.see("1 photo")
            app.page.wait_for_timeout(2000)
            plain = [gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body for body in bodies]
            plain = [body for body in plain if body.startswith(b'{"protocol"')]
            said = [one["body"] for body in plain for one in json.loads(body).get("commands", ())]
            assert (said[-1]["lat"], said[-1]["lon"], said[-1]["accuracy_m"]) == (60.1875, 24.9625, 12.0)


# Chromium without a screen has the interface of speech and nobody who listens.
SPEECH = """globalThis.SpeechRecognition = class {
    start() {
        const said = (text) => Object.assign([{ transcript: text }], { isFinal: true });
        setTimeout(() => this.onresult({ results: [said('Gate code 12')], resultIndex: 0 }), 300);
        const both = [said('Gate code 12'), said(' dog is kind')];
        setTimeout(() => this.onresult({ results: both, resultIndex: 1 }), 600);
    }
    stop() { setTimeout(() => this.onend(), 50); }
    abort() {}
};"""


@pytest.mark.browser
class TestADictatedNote:
    def test_stands_in_the_field_to_be_corrected(self, office: str, profile: Path) -> None:
        with launch(profile, size=(360, 800)) as phone:
            phone.add_init_script(SPEECH)
            app = open_app(phone, office)
            app.type_into("Registration code", "AINO-0003")
            app.tap("Sign in")
            app.see(re.compile("of 6 jobs done"), seconds=60)
            app.tap(re.compile("^WO-1042"))
            app.tap("Add a note")
            app.see("The browser sends what you say to its maker")
            app.type_into("Note for the office", "Ring twice.")
            app.tap("Dictate")
            app.page.wait_for_timeout(1500)
            app.tap("Listening … tap to stop")
            app.see("Dictate")
            app.tap("Save note")
            app.see("Ring twice. Gate code 12 dog is kind")
