"""The doors of the console: forms, cookies, tokens against forgery, roles, and where a sign-in leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import zxingcpp
from console_day import ADMIN, DISPATCHER, PASSWORD, VIEWER, Console, a_console
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from server.access import devices
from server.access.guard import safe_next
from server.access.models import DeviceRow
from server.access.people import NO_MATCH


@pytest.fixture
def console(sqlite_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(sqlite_url, tmp_path) as found:
        yield found


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with console.client() as found:
        yield found


def console_device(console: Console, device_id: object) -> DeviceRow:
    with console.database.read() as session:
        return session.get_one(DeviceRow, UUID(str(device_id)))


def read_qr(svg: str) -> str:
    """What a camera reads in the picture: its path of rectangles, drawn and read."""
    path = re.search(r'<path d="([^"]+)"', svg)
    size = re.search(r'width="(\d+)"', svg)
    assert path and size
    picture = Image.new("L", (int(size[1]), int(size[1])), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, wide, high in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", path[1]):
        left, top = int(x), int(y)
        draw.rectangle((left, top, left + int(wide) - 1, top + int(high) - 1), fill=0)
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


def fill_in(client: TestClient, email: str, password: str, next: str = "/board"):
    form = client.get("/login", params={"next": next}).text
    token = re.search(r'name="form_token" value="([^"]+)"', form)
    hidden_next = re.search(r'name="next" value="([^"]+)"', form)
    assert token and hidden_next
    values = {"email": email, "password": password, "form_token": token[1], "next": hidden_next[1]}
    return client.post("/login", data=values)


class TestTheLoginForm:
    def test_leads_where_one_wanted_to_go(self, client: TestClient):
        sent_away = client.get("/board?day=2026-11-23")
        assert sent_away.status_code == 303
        assert sent_away.headers["location"] == "/login?next=/board%3Fday%3D2026-11-23"
        answer = fill_in(client, DISPATCHER, PASSWORD, "/board?day=2026-11-23")
        assert (answer.status_code, answer.headers["location"]) == (303, "/board?day=2026-11-23")
        assert client.get("/board?day=2026-11-23").status_code == 200

    def test_sets_a_cookie_that_scripts_and_other_sites_cannot_use(self, client: TestClient):
        cookie = fill_in(client, DISPATCHER, PASSWORD).headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie

    def test_says_the_same_for_an_unknown_mail_and_a_wrong_password(self, client: TestClient):
        unknown = fill_in(client, "nobody@example.org", PASSWORD)
        wrong = fill_in(client, DISPATCHER, "wrong password here")
        for answer in (unknown, wrong):
            assert answer.status_code == 401
            assert NO_MATCH in answer.text
            assert "truckroll_session" not in answer.headers.get("set-cookie", "")

    def test_is_refused_when_another_site_made_it(self, client: TestClient):
        answer = client.post("/login", data={"email": DISPATCHER, "password": PASSWORD, "form_token": "x"})
        assert answer.status_code == 403
        assert "truckroll_session" not in client.cookies

    def test_keeps_what_was_typed_as_text(self, client: TestClient):
        answer = fill_in(client, '"><script>alert(1)</script>', "x")
        assert "<script>alert" not in answer.text

    @pytest.mark.parametrize(
        "wanted",
        [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/\t/evil",
            "",
            None,
        ],
    )
    def test_never_leads_to_another_site(self, wanted: str | None):
        assert safe_next(wanted) == "/board"

    def test_leads_to_any_page_of_ours(self):
        assert safe_next("/devices?x=1#end") == "/devices?x=1#end"


class TestSecureCookies:
    def test_are_secure_where_browsers_come_by_https(self, sqlite_url: str, tmp_path: Path):
        with (
            a_console(sqlite_url, tmp_path) as console,
            TestClient(console.app, base_url="https://testserver") as client,
        ):
            answer = client.post("/api/session", json={"email": DISPATCHER, "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]


class TestSigningOut:
    def test_ends_the_session(self, console: Console, client: TestClient):
        token = console.signed_in(client)["X-CSRF-Token"]
        assert client.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"
        assert client.get("/api/session").status_code == 401

    def test_cannot_be_caused_by_another_site(self, console: Console, client: TestClient):
        console.signed_in(client)
        assert client.post("/logout", data={"csrf_token": "forged"}).status_code == 403
        assert client.get("/api/session").status_code == 200


class TestApiRoutes:
    def test_answer_problem_json_to_strangers(self, client: TestClient):
        answer = client.get("/api/board")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].endswith("/sign-in-needed")

    def test_refuse_a_change_without_the_token_and_nothing_moves(self, console: Console, client: TestClient):
        console.signed_in(client)
        order = console.work_order(technician=console.technician())
        answer = client.post(f"/api/work-orders/{order}/unassign")
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/bad-csrf")
        assert client.get("/api/board").json()["totals"]["unassigned"] == 0

    def test_refuse_a_token_of_somebody_elses_session(self, console: Console, client: TestClient):
        foreign = console.signed_in(client, ADMIN)
        console.signed_in(client)
        order = console.work_order()
        assert client.post(f"/api/work-orders/{order}/unassign", headers=foreign).status_code == 403

    def test_refuse_what_the_role_does_not_include(self, console: Console, client: TestClient):
        headers = console.signed_in(client, VIEWER)
        order = console.work_order()
        answer = client.post(
            f"/api/work-orders/{order}/cancel", headers=headers, json={"reason": "not wanted"}
        )
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/wrong-role")
        assert "Vera Viewer (viewer)" in answer.json()["detail"]
        assert client.get("/api/board").status_code == 200

    def test_tell_who_is_signed_in(self, console: Console, client: TestClient):
        headers = console.signed_in(client)
        assert client.get("/api/session").json() == {
            "name": "Dora Dispatcher",
            "role": "dispatcher",
            "csrf_token": headers["X-CSRF-Token"],
        }


class TestTheDevicesPage:
    def test_makes_a_code_that_registers_a_phone_and_signs_it_out(self, console: Console, client: TestClient):
        technician = console.technician("Eetu Korhonen")
        token = console.signed_in(client)["X-CSRF-Token"]
        made = client.post("/devices/codes", data={"csrf_token": token, "technician_id": str(technician)})
        code = re.search(r'class="big-code">([0-9A-Z-]{9})<', made.text)
        assert made.status_code == 200 and code
        body = {"code": code[1], "device_name": "Eetu's phone", "platform": "android"}
        device = client.post("/api/devices/register", json=body).json()["device_id"]
        assert "Eetu&#39;s phone" in client.get("/devices").text
        client.post(f"/devices/{device}/revoke", data={"csrf_token": token})
        assert "signed out" in client.get("/devices").text
        row = console_device(console, device)
        assert (row.revoked_at is not None, row.wipe_ordered_at) == (True, None)

    def test_shows_the_code_as_a_picture_that_opens_the_app(self, console: Console, client: TestClient):
        technician = console.technician("Eetu Korhonen")
        token = console.signed_in(client)["X-CSRF-Token"]
        form = {"csrf_token": token, "technician_id": str(technician)}
        made = client.post("/devices/codes", data=form).text
        code = re.search(r'class="big-code">([0-9A-Z-]{9})<', made)
        picture = re.search(r"<svg.*?</svg>", made, re.DOTALL)
        assert code and picture
        assert re.search(r"Good once, until <time [^>]+>[0-9.]+ [0-9:]+</time>, and shown only now", made)
        assert read_qr(picture[0]) == f"http://127.0.0.1:8800/app/#/sign-in/{code[1]}"

    def test_orders_a_wipe_that_the_phone_confirms(self, console: Console, client: TestClient):
        technician = console.technician("Eetu Korhonen")
        with console.database.write() as session:
            code = devices.new_code(session, technician, console.now)
        body = {"code": code, "device_name": "Eetu's phone", "platform": "android"}
        phone = client.post("/api/devices/register", json=body).json()
        with console.database.write() as session:
            row = session.get_one(DeviceRow, UUID(phone["device_id"]))
            row.queue_length, row.unsent_photos = 1, 2
        bearer = {"authorization": f"Bearer {phone['token']}"}
        early = client.post("/api/devices/wiped", headers=bearer)
        assert (early.status_code, early.json()["type"].rpartition("/")[2]) == (409, "conflict")
        token = console.signed_in(client)["X-CSRF-Token"]
        where = f"/devices/{phone['device_id']}/wipe"
        assert client.post(where, data={"csrf_token": token}).headers["location"] == "/devices"
        page = client.get("/devices").text
        assert "wipe ordered" in page and "1 entry and 2 photos" in page
        assert console_device(console, phone["device_id"]).revoked_at is not None
        answers = [client.post("/api/devices/wiped", headers=bearer) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 204]
        assert "1 entry and 2 photos had not been sent when it last told." in client.get("/devices").text

    def test_orders_no_wipe_without_the_token_or_for_a_viewer(self, console: Console, client: TestClient):
        technician = console.technician()
        with console.database.write() as session:
            code = devices.new_code(session, technician, console.now)
            device, _ = devices.register(session, code, "Phone", "web", console.now)
        where = f"/devices/{device.id}/wipe"
        assert client.post(where).headers["location"] == "/login"
        console.signed_in(client)
        assert client.post(where).status_code == 403
        token = console.signed_in(client, VIEWER)["X-CSRF-Token"]
        assert client.post(where, data={"csrf_token": token}).status_code == 403
        assert console_device(console, device.id).wipe_ordered_at is None

    def test_is_shown_as_a_refusal_to_a_viewer(self, console: Console, client: TestClient):
        console.signed_in(client, VIEWER)
        answer = client.get("/devices")
        assert answer.status_code == 403
        assert answer.headers["content-type"].startswith("text/html")
        assert "who may not do this" in answer.text

    def test_makes_no_code_without_the_token(self, console: Console, client: TestClient):
        technician = console.technician()
        console.signed_in(client)
        assert client.post("/devices/codes", data={"technician_id": str(technician)}).status_code == 403


class TestPages:
    def test_run_no_script_but_our_own(self, console: Console, client: TestClient):
        console.signed_in(client)
        for path in ("/login", "/board", "/devices"):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
            assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", answer.text), path
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"

    def test_serve_modules_as_javascript(self, client: TestClient):
        for path in ("/static/board/main.js", "/static/vendor/maplibre-gl/maplibre-gl.mjs"):
            assert client.get(path).headers["content-type"].startswith("text/javascript")
