"""The lock in a real Chromium: nothing of the day is left on the page, and what waits is sent still."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import AppDriver, launch, open_app
from day_office import an_office

PIN = "2580"
# Chromium can't be minimised here, so the page is told so.
LOOK_AWAY = """hidden => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange')); }"""
VEILED = "() => !document.getElementById('veil').hidden"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with an_office(tmp_path_factory.mktemp("app") / "pwa") as url:
        yield url


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
        self, office: str, tmp_path: Path
    ) -> None:
        with launch(tmp_path / "phone", size=(360, 800)) as phone:
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
