"""What every store promises, on disk and on a real S3 server; and what the setting may say."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from s3_server import S3Server

from server.attachments.disk import DiskStore
from server.attachments.store import Bucket, Store, StoreAway, open_store
from server.settings import Settings

SMALL = b"a photo of a fibre box"
LARGE = bytes(range(256)) * 40_000  # 9.8 MB: more than one piece of anything


def named(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def store(store_setting: str, tmp_path: Path) -> Store:
    return open_store(store_setting, tmp_path / "attachments")


@pytest.fixture
def a_file(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(SMALL)
    return path


class TestEveryStore:
    @pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
    def test_gives_back_the_very_bytes(self, store: Store, a_file: Path, data: bytes):
        a_file.write_bytes(data)
        store.put(named(data), a_file)
        pieces = list(store.open(named(data)))
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 1024 * 1024, "in pieces, however large the whole is"

    def test_knows_what_it_has(self, store: Store, a_file: Path):
        assert not store.exists(named(SMALL))
        store.put(named(SMALL), a_file)
        assert store.exists(named(SMALL))
        assert not store.exists(named(LARGE))

    def test_leaves_the_file_that_was_put(self, store: Store, a_file: Path):
        store.put(named(SMALL), a_file)
        assert a_file.read_bytes() == SMALL
        a_file.unlink()
        assert b"".join(store.open(named(SMALL))) == SMALL

    def test_keeps_the_same_bytes_once_however_often_they_are_put(self, store: Store, a_file: Path):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: store.put(named(SMALL), a_file), range(8)))
        assert b"".join(store.open(named(SMALL))) == SMALL
        store.delete(named(SMALL))
        assert not store.exists(named(SMALL))

    def test_says_before_the_first_piece_that_it_has_nothing(self, store: Store):
        with pytest.raises(KeyError):
            store.open(named(SMALL))

    def test_forgets_what_it_does_not_have_without_a_word(self, store: Store):
        store.delete(named(SMALL))
        assert not store.exists(named(SMALL))

    def test_tells_when_the_file_to_put_is_gone(self, store: Store, tmp_path: Path):
        with pytest.raises(FileNotFoundError):
            store.put(named(SMALL), tmp_path / "thrown away")
        assert not store.exists(named(SMALL))

    def test_is_there_again_after_a_restart(
        self, store_setting: str, store: Store, a_file: Path, tmp_path: Path
    ):
        store.put(named(SMALL), a_file)
        again = open_store(store_setting, tmp_path / "attachments")
        assert b"".join(again.open(named(SMALL))) == SMALL


class TestTheFolder:
    def test_holds_each_file_under_its_digest_and_nothing_else(self, tmp_path: Path, a_file: Path):
        DiskStore(tmp_path / "kept").put(named(SMALL), a_file)
        files = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
        assert files == [tmp_path / "kept" / named(SMALL)[:2] / named(SMALL)]
        assert [path.name for path in (tmp_path / "kept").iterdir()] == [named(SMALL)[:2]]

    def test_that_cannot_be_written_is_a_store_that_is_away(self, tmp_path: Path, a_file: Path):
        (tmp_path / "kept").write_text("a file where the folder should be")
        with pytest.raises(StoreAway):
            DiskStore(tmp_path / "kept").put(named(SMALL), a_file)
        assert a_file.read_bytes() == SMALL


class TestTheBucket:
    def test_holds_each_object_under_its_prefix_and_digest(
        self, s3_keys: S3Server, tmp_path: Path, a_file: Path
    ):
        open_store(s3_keys.setting(prefix="north/2026"), tmp_path).put(named(SMALL), a_file)
        kept = s3_keys.folder / "photos" / "north" / "2026" / named(SMALL)[:2] / named(SMALL)
        assert kept.read_bytes() == SMALL

    def test_takes_nothing_with_a_wrong_key(
        self, s3_keys: S3Server, tmp_path: Path, a_file: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something else")
        store = open_store(s3_keys.setting(prefix="nobody"), tmp_path)
        for refused in (lambda: store.put(named(SMALL), a_file), lambda: store.exists(named(SMALL))):
            with pytest.raises(StoreAway):
                refused()
        assert not (s3_keys.folder / "photos" / "nobody").exists()


class TestTheSetting:
    def test_names_bucket_prefix_endpoint_and_region(self):
        assert Bucket.parse("s3://photos/a/b?endpoint=https://s3.example:9000/&region=eu-north-1") == Bucket(
            name="photos", prefix="a/b", endpoint="https://s3.example:9000", region="eu-north-1"
        )
        assert Bucket.parse("s3://photos") == Bucket(
            name="photos", prefix="", endpoint="", region="us-east-1"
        )

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("/var/photos", "write it as s3://bucket/prefix?endpoint=…&region=…, not '/var/photos'"),
            ("s3:///photos", "write it as s3://bucket/prefix?endpoint=…&region=…, not 's3:///photos'"),
            ("s3://key:secret@photos", "keys do not belong in it"),
            ("s3://photos?end_point=x", "it has endpoint and region, and no end_point"),
            ("s3://photos?endpoint=s3.test", "its endpoint starts with https:// or http://, not 's3.test'"),
        ],
    )  # fmt: skip
    def test_that_cannot_be_stops_the_server_with_its_name(self, text: str, words: str):
        with pytest.raises(ValueError, match="TRUCKROLL_ATTACHMENT_STORE") as error:
            Settings.from_environment({"TRUCKROLL_ATTACHMENT_STORE": text})
        assert words in str(error.value)

    def test_is_the_data_folder_unless_it_says_more(self, tmp_path: Path):
        settings = Settings.from_environment({"TRUCKROLL_DATA_FOLDER": str(tmp_path)})
        assert isinstance(open_store(settings.attachment_store, settings.attachments), DiskStore)
        assert (settings.attachments, settings.uploads) == (tmp_path / "attachments", tmp_path / "uploads")


def test_a_picture_is_not_copied_byte_by_byte_on_one_disk(tmp_path: Path, a_file: Path):
    store = DiskStore(tmp_path / "kept")
    store.put(named(SMALL), a_file)
    assert os.path.samefile(a_file, store.path_of(named(SMALL)))
