"""Look at the screens without a server: a made-up day, no network, the app in any browser.

.venv/bin/python tests/serve_app.py --port 8123 [--folder DIR] [--sign-in]
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import day_of_work
import flet as ft

from mobile.app import start
from mobile.gateway import Gateway
from sync.client.store import ClientStore


async def serve(port: int, folder: Path, registered: bool) -> None:
    opened = datetime.now(UTC)

    def now() -> datetime:
        """The made-up morning, and time goes on from there."""
        return day_of_work.MORNING + (datetime.now(UTC) - opened)

    fresh = not (folder / "phone.db").exists()
    if fresh:
        store = day_of_work.a_store(folder, registered=registered)
    else:
        store = ClientStore(sqlite3.connect(folder / "phone.db", check_same_thread=False))
    gateway = Gateway(store, day_of_work.NoWayOut(), now=now)

    async def main(page: ft.Page) -> None:
        page.padding = page.spacing = 0
        page.padding = page.spacing = 0
        start(page, gateway, now=now)

    await ft.run_async(main, host="127.0.0.1", port=port, view=None, no_cdn=True)


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--port", type=int, default=8123)
    ask.add_argument("--folder", type=Path)
    ask.add_argument("--sign-in", action="store_true")
    chosen = ask.parse_args()
    asyncio.run(serve(chosen.port, chosen.folder or Path(tempfile.mkdtemp()), not chosen.sign_in))
