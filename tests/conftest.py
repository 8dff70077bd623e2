"""Fixtures that every test folder may use: databases of both kinds, Chromium, the shared data sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import databases
import provision
import pytest
from turns import OneBrowserAtATime, drives_a_browser
from xdist.scheduler import LoadFileScheduling

SHARED_DATA = databases.ROOT.parent / "shared" / "data"


@pytest.fixture(params=databases.ENGINES)
def database_engine(request: pytest.FixtureRequest) -> databases.Engine:
    """The test runs twice: "sqlite" and "postgresql"."""
    return request.param


@pytest.fixture
def database_url(database_engine: databases.Engine, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, once on SQLite and once on PostgreSQL."""
    with databases.migrated_database(database_engine, tmp_path) as url:
        yield url


@pytest.fixture
def empty_database_url(database_engine: databases.Engine, tmp_path: Path) -> Iterator[str]:
    """A database without any table, once on SQLite and once on PostgreSQL: for tests of migrations."""
    with databases.empty_database(database_engine, tmp_path) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """A migrated SQLite database, for the few tests that are about SQLite."""
    with databases.migrated_database("sqlite", tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_url(tmp_path: Path) -> Iterator[str]:
    """A migrated PostgreSQL database, for the few tests that are about PostgreSQL."""
    with databases.migrated_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser to test with. Fails with the command that gets one; never skips."""
    return provision.need_chromium()


@pytest.fixture(scope="session")
def zbar() -> str:
    """libzbar. Fails with the command that gets it; never skips."""
    return provision.need_zbar()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The large data sets beside the checkout. Without them their tests are skipped, with a sentence."""
    if not SHARED_DATA.is_dir():
        pytest.skip("The data sets are not here: ../shared/data is missing beside the checkout.")
    return SHARED_DATA


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real Chromium")


def pytest_unconfigure() -> None:
    databases.leave_postgresql()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come first: they are the longest."""
    items.sort(key=lambda item: not drives_a_browser(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    return OneBrowserAtATime(config, log) if config.getoption("dist") == "loadfile" else None
