"""What the whole application answers when something is wrong, and what it writes down about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError, OperationalError
from world import World, uid

from server.app import build_app
from server.customers.models import CustomerRow


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    app = build_app(world.settings, pwa_folder=tmp_path / "no pwa")

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret of ours")

    @app.get("/busy")
    def busy() -> None:
        raise OperationalError("SELECT 1", {}, Exception("locked"))

    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


class TestEveryRefusalIsProblemJson:
    @pytest.mark.parametrize(
        ("method", "path", "status", "slug", "detail"),
        [
            ("GET", "/nowhere", 404, "not-found", "There is nothing at this address"),
            ("DELETE", "/api/board", 405, "problem", "DELETE is not offered at this address"),
            ("GET", "/static/nothing.js", 404, "not-found", "There is nothing at this address"),
            ("GET", "/broken", 500, "server-fault", "Our server made a mistake, and it is noted. Try again"),
            (
                "GET",
                "/busy",
                503,
                "server-fault",
                "The database is busy or away. Nothing was lost; try again in a moment",
            ),
        ],
    )
    def test_with_one_status_in_head_and_body(
        self, client: TestClient, method: str, path: str, status: int, slug: str, detail: str
    ):
        answer = client.request(method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = answer.json()
        assert (answer.status_code, body["status"]) == (status, status)
        assert (body["type"].rsplit("/", 1)[1], body["detail"]) == (slug, detail)

    def test_and_still_says_which_methods_there_are(self, client: TestClient):
        assert client.delete("/api/board").headers["allow"] == "GET"

    def test_but_a_page_still_leads_to_the_sign_in(self, client: TestClient):
        answer = client.get("/board", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/board")


class TestAnErrorOfTheDatabase:
    def test_names_nobody_in_the_log(self, world: World):
        world.order()
        row = {"name": "Liisa Salainen", "phone": "+358409999999", "email": "", "language": "fi"}
        with pytest.raises(IntegrityError) as failed, world.database.write() as session:
            session.add(CustomerRow(id=uid("customer WO-0001"), **row))
        assert "Salainen" not in str(failed.value)
