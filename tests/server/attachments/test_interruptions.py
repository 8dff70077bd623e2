"""Uploads on a real server process: killed in the middle, cut off, many at once, and with the store away."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from databases import migrated_database
from real_server import RealServer, free_port
from s3_server import S3Server
from uploads import TUS, Upload, a_picture, digest
from world import World, a_world

from server.attachments.partial import SYNC_BYTES
from server.attachments.store import open_store
from server.work_orders.models import AttachmentRow

SIZE = 4_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("uploads")
    with (
        migrated_database("sqlite", folder) as url,
        a_world(url, data_folder=folder / "data", device_requests_per_second=0) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def server(place: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One process for this file: a start takes seconds."""
    running = RealServer(place.settings, free_port(), tmp_path_factory.mktemp("log") / "server.log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def phone(server: RealServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def begun(phone: httpx.Client, world: World, colour: int) -> Upload:
    upload = Upload(phone, world.ana, a_picture(colour=colour, size_bytes=SIZE))
    assert upload.create().headers["upload-offset"] == "0"
    return upload


def begin_patch(server: RealServer, world: World, upload: Upload, offset: int, sent: int) -> socket.socket:
    """An open connection whose PATCH announces all the rest and has brought `sent` bytes of it so far."""
    line = socket.create_connection(("127.0.0.1", server.port))
    headers = {**world.ana.headers, **TUS, "Host": "here", "Upload-Offset": str(offset)}
    headers |= {"Content-Type": "application/offset+octet-stream", "Content-Length": str(SIZE - offset)}
    head = [f"PATCH {upload.place} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    line.sendall("\r\n".join([*head, "", ""]).encode() + upload.data[offset : offset + sent])
    return line


def kept(world: World, upload: Upload) -> bool:
    store = open_store("", world.settings.attachments)
    return b"".join(store.open(upload.name)) == upload.data


def offset_of(upload: Upload, at_least: int) -> int:
    """What the server has, once it has read what was sent."""
    deadline = time.monotonic() + 20
    while (found := int(upload.head().headers["upload-offset"])) < at_least and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


class TestAServerThatIsKilledInTheMiddleOfAPiece:
    def test_goes_on_with_what_it_had(self, place: World, server: RealServer, phone: httpx.Client):
        upload = begun(phone, place, colour=1)
        reached, sent_again = 0, 0
        for sent in (1_000_000, 1_500_000):
            line = begin_patch(server, place, upload, reached, sent)
            before = offset_of(upload, reached + sent - SYNC_BYTES)
            server.kill()
            line.close()
            server.start()
            found = int(upload.head().headers["upload-offset"])
            assert before <= found <= reached + sent, "nothing that was reported is lost"
            sent_again += reached + sent - found
            reached = found
        assert sent_again <= 2 * SYNC_BYTES, "at most one piece for each time it was killed"
        assert upload.patch(reached).status_code == 204
        assert kept(place, upload)
        with place.database.read() as session:
            assert session.get_one(AttachmentRow, upload.name).size_bytes == SIZE


class TestALineThatIsCut:
    def test_keeps_every_byte_that_arrived(self, place: World, server: RealServer, phone: httpx.Client):
        upload = begun(phone, place, colour=2)
        line = begin_patch(server, place, upload, 0, 1_234_567)
        assert offset_of(upload, 1_234_567) == 1_234_567
        line.close()
        assert upload.patch(1_234_567).status_code == 204
        assert kept(place, upload)

    def test_and_that_the_server_still_holds_open_keeps_no_newer_one_waiting(
        self, place: World, server: RealServer, phone: httpx.Client
    ):
        upload = begun(phone, place, colour=3)
        dead = begin_patch(server, place, upload, 0, 500_000)  # the phone is gone, nobody told the server
        assert offset_of(upload, 500_000) == 500_000
        assert upload.patch(500_000).status_code == 204
        dead.sendall(upload.data[500_000:600_000])  # late bytes of the old line
        answer = dead.recv(100)
        assert answer.startswith(b"HTTP/1.1 409"), answer
        dead.close()
        assert kept(place, upload)


class TestManyAtOnce:
    def test_take_no_more_memory_than_their_pieces(
        self, place: World, server: RealServer, phone: httpx.Client
    ):
        """16 photos of 9 MB, 144 MB together, 8 at a time: held whole they would show."""
        assert Upload(phone, place.ana, a_picture()).send().status_code == 204
        before = peak_memory_bytes(server.pid)

        def send(number: int) -> int:
            data = a_picture(colour=number, size_bytes=9_000_000)
            if number % 2:
                whole = f"/api/attachments/{digest(data)}"
                return int(phone.put(whole, content=data, headers=place.ana.headers).status_code)
            return int(Upload(phone, place.ana, data).send().status_code)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(send, range(16))) == [204, 201] * 8
        grown = peak_memory_bytes(server.pid) - before
        assert grown < 30_000_000, f"{grown / 1e6:.0f} MB more than before"


class TestAStoreThatIsAway:
    def test_costs_no_byte_and_is_caught_up_with_later(self, sqlite_url: str, tmp_path: Path):
        """The last piece arrives while the S3 server is down: "later", and then without any byte again."""
        with S3Server(tmp_path / "objects") as s3:
            settings = {"attachment_store": s3.setting("vans"), "device_requests_per_second": 0}
            with a_world(sqlite_url, data_folder=tmp_path / "data", **settings) as world:
                os.environ.update(s3.environment)
                server = RealServer(world.settings, free_port(), tmp_path / "server.log")
                server.start()
                try:
                    with httpx.Client(base_url=server.url, timeout=60) as client:
                        upload = begun(client, world, colour=4)
                        s3.stop()
                        start = time.monotonic()
                        answer = upload.patch(0)
                        assert (answer.status_code, answer.json()["detail"]) == (
                            503, "The store of photos is away or full. Nothing was lost; try again later"
                        )  # fmt: skip
                        assert time.monotonic() - start < 30
                        assert upload.create().status_code == 503
                        s3.start()
                        assert upload.create().headers["upload-offset"] == str(SIZE)
                finally:
                    server.stop()
                    for name in s3.environment:
                        del os.environ[name]
                name = upload.name
                kept = s3.folder / "photos" / "vans" / name[:2] / name
                assert hashlib.sha256(kept.read_bytes()).hexdigest() == name
                assert [path for path in world.settings.uploads.rglob("*") if path.is_file()] == []
                assert not world.settings.attachments.exists()


def peak_memory_bytes(pid: int) -> int:
    """The most that this process ever had in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no peak in /proc")
