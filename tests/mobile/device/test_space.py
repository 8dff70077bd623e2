"""The bytes left for our data on a device with files; test_visit_in_chromium asks a browser."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from mobile.device.space import Space, Usage


class TestSpaceLeft:
    def test_is_what_the_disk_of_our_folder_has(self, tmp_path: Path):
        space = Space(tmp_path)
        asyncio.run(space.look())
        assert space.left() == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2**30)

    def test_is_that_of_the_apps_own_folder_if_none_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("FLET_APP_STORAGE_DATA", str(tmp_path / "gone"))
        assert Space().left() is None
        (tmp_path / "gone").mkdir()
        assert Space().left() == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2**30)


class TestANearlyFullDevice:
    def test_gives_up_what_keeps_a_tenth_free_and_counts_what_our_file_can_use_again(self):
        assert Usage(899, 1000).to_free(0) == 0
        assert Usage(950, 1000).to_free(0) == 50
        assert Usage(950, 1000).to_free(30) == 20
        assert Usage(950, 1000).to_free(80) == 0
        assert [Usage(used, 1000).nearly_full for used in (899, 900)] == [False, True]
