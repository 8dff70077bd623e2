"""The placeholder app, built once, and a server process for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pwa_server import ROOT, ServerProcess, build_alone


@pytest.fixture(scope="session")
def placeholder() -> Path:
    """The built placeholder app. The build folder is kept, so that only a change costs a build."""
    out = ROOT / "build" / "pwa-placeholder"
    build_alone(out, app_name="Placeholder", main=Path(__file__).with_name("placeholder_main.py"))
    return out


@pytest.fixture
def server(placeholder: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(placeholder)
    running.start()
    yield running
    running.stop()
