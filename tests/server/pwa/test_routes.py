"""How the built folder is served."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from server.pwa.routes import mount_app


class Client:
    """Requests to an app in this process, with no compression unless asked for."""

    def __init__(self, folder: Path) -> None:
        self._app = FastAPI()
        mount_app(self._app, folder)

    def request(self, method: str, path: str, **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                names = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, headers={"accept-encoding": "identity", **names})

        return asyncio.run(send())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, **headers)


@pytest.fixture
def client(placeholder: Path) -> Client:
    return Client(placeholder)


class TestServingTheApp:
    def test_starts_at_app(self, client: Client):
        assert client.get("/app").headers["location"] == "/app/"
        page = client.get("/app/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "<title>Placeholder</title>" in page.text

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("pyodide/pyodide.mjs", "text/javascript; charset=utf-8"),
            ("canvaskit/canvaskit.wasm", "application/wasm"),
            ("sw.js", "text/javascript; charset=utf-8"),
            ("manifest.json", "application/json"),
            ("icons/icon-192.png", "image/png"),
            ("app.zip", "application/zip"),
        ],
    )
    def test_names_the_type_that_the_browser_insists_on(self, client: Client, name: str, kind: str):
        answer = client.request("HEAD", f"/app/{name}")
        assert answer.headers["content-type"] == kind
        assert "content-encoding" not in answer.headers

    def test_sends_the_smallest_twin_that_the_browser_takes(self, client: Client, placeholder: Path):
        plain = (placeholder / "splash.css").read_bytes()
        for accepted, encoding in (("gzip, deflate, br", "br"), ("gzip, br;q=0", "gzip")):
            answer = client.get("/app/splash.css", accept_encoding=accepted)
            assert answer.headers["content-encoding"] == encoding
            assert answer.headers["vary"] == "Accept-Encoding"
            assert int(answer.headers["content-length"]) < len(plain)
            assert answer.content == plain
        assert client.get("/app/splash.css").content == plain

    def test_lets_the_browser_ask_again_and_answers_unchanged_files_in_no_bytes(self, client: Client):
        first = client.get("/app/main.dart.js")
        assert first.headers["cache-control"] == "no-cache"
        again = client.get("/app/main.dart.js", if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")

    def test_allows_only_our_own_scripts(self, client: Client):
        policy = client.get("/app/").headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy
        assert "'unsafe-eval'" not in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy

    @pytest.mark.parametrize(
        "name", ["../build.json", "build.json", "%2e%2e/pyproject.toml", "splash.css.br", "nope"]
    )
    def test_serves_nothing_but_the_files_of_the_build(self, client: Client, name: str):
        assert client.get(f"/app/{name}").status_code == 404


class TestAFolderThatChanges:
    def test_says_how_to_build_while_there_is_nothing_and_serves_once_there_is(self, tmp_path: Path):
        client = Client(tmp_path)
        answer = client.get("/app/")
        assert (answer.status_code, answer.text) == (
            503,
            "The technician app is not built yet: run python -m server.pwa\n",
        )
        (tmp_path / "index.html").write_text("one")
        (tmp_path / "build.json").write_text('{"files": {"index.html": "aa"}, "policy": "default-src"}')
        assert client.get("/app/").text == "one"
        (tmp_path / "index.html").write_text("two!")
        (tmp_path / "build.json").write_text('{"files": {"index.html": "bb"}, "policy": "default-src"}')
        os.utime(tmp_path / "build.json", (1, 1))  # another time, whatever the clock's grain
        assert client.get("/app/").headers["etag"] == '"bb"'
