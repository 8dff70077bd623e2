"""A world of today behind the whole application, with people of the office who may sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from world import World, a_world

from server.access.models import PersonRow
from server.access.passwords import hashed
from server.access.roles import Role
from server.app import build_app
from server.clock import mint

PASSWORD = "correct horse battery"


@cache
def _hashed(password: str) -> str:
    return hashed(password)  # slow on purpose, so once a run


@pytest.fixture
def today(database_url: str, tmp_path: Path) -> Iterator[World]:
    now = datetime.now(UTC).replace(microsecond=0)
    with a_world(database_url, now=now, data_folder=tmp_path / "data") as made:
        yield made


@pytest.fixture
def client(today: World) -> Iterator[TestClient]:
    app = build_app(today.settings, pwa_folder=today.settings.data_folder / "no pwa")
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as made:
        yield made


@pytest.fixture
def sign_in(today: World, client: TestClient) -> Callable[[Role], dict[str, str]]:
    """Sign the client in as somebody with this role; gives the headers that unsafe requests need."""

    def signed_in(role: Role) -> dict[str, str]:
        email = f"{role.value}@office.test"
        with today.database.write() as session:
            name, key = f"Dora {role.value}", _hashed(PASSWORD)
            session.add(PersonRow(id=mint(), name=name, email=email, role=role, password_hash=key))
        answer = client.post("/api/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return {"X-CSRF-Token": answer.json()["csrf_token"]}

    return signed_in
