"""The database in an ordinary file; tests/server/pwa drives the browser's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mobile.device.storage import data_folder, open_database


class TestOpeningADatabase:
    def test_keeps_what_was_committed_and_drops_what_was_not(self, tmp_path: Path):
        async def run() -> None:
            first = await open_database("truckroll", folder=tmp_path)
            first.connection.execute("CREATE TABLE note (text TEXT)")
            first.connection.execute("INSERT INTO note VALUES ('kept')")
            first.commit()
            first.connection.execute("INSERT INTO note VALUES ('lost')")
            first.close()
            second = await open_database("truckroll", folder=tmp_path)
            assert second.connection.execute("SELECT text FROM note").fetchall() == [("kept",)]
            assert second.where == "file"
            second.close()

        asyncio.run(run())
        assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == ["truckroll.db"]

    def test_waits_for_the_disk_at_each_commit(self, tmp_path: Path):
        database = asyncio.run(open_database("truckroll", folder=tmp_path))
        assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
        assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        database.close()

    @pytest.mark.parametrize("name", ["", "../else", "a b", "x.db"])
    def test_refuses_a_name_that_is_a_path(self, name: str, tmp_path: Path):
        with pytest.raises(ValueError, match="not a database name"):
            asyncio.run(open_database(name, folder=tmp_path))

    def test_uses_the_folder_that_a_packaged_app_is_given(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("FLET_APP_STORAGE_DATA", "/data/app")
        assert data_folder() == Path("/data/app")
