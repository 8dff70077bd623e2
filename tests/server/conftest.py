"""A world of rows for tests of the server, on both databases, and the whole server over HTTP on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from world import World, a_world

from server.app import build_app
from server.settings import Settings


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as made:
        yield made


def the_doors(settings: Settings) -> FastAPI:
    """The whole application, without a built technician app to serve."""
    return build_app(settings, pwa_folder=settings.data_folder / "no pwa")


@pytest.fixture
def today(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A world whose Monday is now: what a phone may see depends on the day."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_world(database_url, now=now, data_folder=tmp_path / "data") as made:
        yield made


@pytest.fixture
def client(today: World) -> Iterator[TestClient]:
    app = the_doors(today.settings)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def doors() -> Callable[[Settings], FastAPI]:
    """Starts the server once more on the same data."""
    return the_doors
