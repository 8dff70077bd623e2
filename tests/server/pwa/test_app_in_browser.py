"""The built app in a real Chromium: it keeps data, starts with no server, and scans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import copy_of, install, kill, launch, mjpeg, open_app
from pwa_server import ServerProcess, label

ONT = ("HWTC1A2B3C4D", "Code128")
MAC = ("48575443AA01", "Code128")


@pytest.mark.browser
class TestTheAppWithNoServer:
    def test_keeps_a_note_across_reload_kill_and_relaunch_with_the_server_stopped(
        self, server: ServerProcess, tmp_path: Path
    ):
        with launch(tmp_path) as browser:
            app = open_app(browser, server.url)
            app.see("Open in browser")
            app.type_into("Note", "fibre at 12")
            app.tap("Save")
            app.see("Notes: fibre at 12")
            app.tap("Ask")
            app.see("Server: 200 application/octet-stream b'\\x00\\xffhello'")
            app.wait_until_offline_ready()
            app.see("Offline ready: True")
            app.wait_until_image_kept()

            server.stop()
            app.reload()
            app.see("Notes: fibre at 12")
            assert not [line for line in app.console if "image" in line]  # Python began from it
            app.tap("Ask")
            app.see("NoNetwork: The server could not be reached.")
            app.type_into("Note", "offline")
            app.tap("Save")
            app.see("Notes: fibre at 12, offline")
            kill(tmp_path)

        with launch(tmp_path) as browser:
            app = open_app(browser, server.url)
            app.see("Notes: fibre at 12, offline")
            own = [url for url in app.failed_requests if "/npm/" not in url]
            assert own == []

    def test_says_in_a_second_tab_that_it_is_open_and_takes_over_when_the_first_closes(
        self, server: ServerProcess, tmp_path: Path
    ):
        with launch(tmp_path) as browser:
            first = open_app(browser, server.url)
            first.see("Open in browser")
            second = open_app(browser, server.url, new_tab=True)
            second.see("OpenElsewhere: Truckroll is open in another tab. Close it there, then try again.")
            first.page.close()
            second.tap("Try again")
            second.see("Open in browser")

    def test_asks_no_foreign_host(self, server: ServerProcess, tmp_path: Path):
        with launch(tmp_path) as browser:
            asked: list[str] = []
            browser.on("request", lambda request: asked.append(request.url))
            open_app(browser, server.url).wait_until_offline_ready()
            foreign = [
                url
                for url in asked
                if not url.startswith((f"http://127.0.0.1:{server.port}/", "blob:", "data:"))
            ]
            assert foreign == []


@pytest.fixture(scope="class")
def one_server(placeholder: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(placeholder)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="class")
def installed(one_server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(one_server.url, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def profile(installed: Path, tmp_path: Path) -> Path:
    """A phone that has the app and no note."""
    return copy_of(installed, tmp_path / "profile")


@pytest.mark.browser
class TestScanning:
    def test_reads_the_wanted_code_and_the_rest_of_a_label_from_the_live_camera(
        self, one_server: ServerProcess, profile: Path, tmp_path: Path
    ):
        video = mjpeg([label(MAC, ONT)] * 10, tmp_path / "label.mjpeg")
        with launch(profile, camera=video) as browser:
            app = open_app(browser, one_server.url)
            app.tap("Scan")
            app.see("Scanned HWTC1A2B3C4D Code128 camera, 1 more")
            assert app.page.locator("#scan-overlay").count() == 0

    def test_shows_why_a_code_is_not_the_wanted_one_and_can_be_cancelled(
        self, one_server: ServerProcess, profile: Path, tmp_path: Path
    ):
        video = mjpeg([label(MAC)] * 10, tmp_path / "label.mjpeg")
        with launch(profile, camera=video) as browser:
            app = open_app(browser, one_server.url)
            app.tap("Scan")
            app.see("Not that one: 48575443AA01")
            app.tap("Type instead")
            app.see("Closed: typed")
            app.tap("Scan")
            app.tap("Cancel")
            app.see("Closed: cancelled")

    def test_decodes_and_shrinks_a_chosen_picture_and_refuses_what_is_none(
        self, one_server: ServerProcess, profile: Path
    ):
        datamatrix = ("HWTC00000001", "DataMatrix")
        with launch(profile) as browser:
            app = open_app(browser, one_server.url)
            picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": label(ONT, datamatrix)}
            app.choose_file("Picture", picture)
            app.see("Picture: HWTC00000001 HWTC1A2B3C4D (1280 x 720, ffd8)")
            app.choose_file("Picture", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
            app.see("NotAPicture: That file is not a picture this phone can open.")
