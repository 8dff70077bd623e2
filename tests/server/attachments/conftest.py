"""Both stores: the folder on disk, and a real S3 server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import S3Server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "objects") as server:
        yield server


@pytest.fixture
def s3_keys(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The S3 server, with its keys in this process's environment, as an operator sets them."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture(params=["disk", "s3"])
def store_setting(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The test runs twice: TRUCKROLL_ATTACHMENT_STORE for the local folder, and for S3."""
    if request.param == "disk":
        return ""
    server: S3Server = request.getfixturevalue("s3_keys")
    return server.setting(prefix=tmp_path.name)
