"""Whole photos in one request: named by their digest, checked, kept across restarts, shown to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from uploads import a_picture, digest
from world import World

from server.access.people import add_person
from server.access.roles import Role
from server.attachments.disk import DiskStore
from server.work_orders.models import AttachmentRow


def put(client: TestClient, phone: object, data: bytes, name: str | None = None) -> object:
    return client.put(f"/api/attachments/{name or digest(data)}", content=data, headers=phone.headers)  # type: ignore[attr-defined]


def head(client: TestClient, phone: object, name: str) -> int:
    return client.head(f"/api/attachments/{name}", headers=phone.headers).status_code  # type: ignore[attr-defined]


def files(today: World) -> list[Path]:
    return [path for path in today.settings.attachments.rglob("*") if path.is_file()]


class TestSendingAPicture:
    @pytest.mark.parametrize(
        ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
    )
    def test_keeps_its_bytes_exactly(self, client: TestClient, today: World, kind: str, media_type: str):
        data = a_picture(kind)
        assert put(client, today.ana, data).status_code == 201
        assert DiskStore(today.settings.attachments).path_of(digest(data)).read_bytes() == data
        row = today.row(AttachmentRow)
        assert (row.digest, row.size_bytes, row.media_type) == (digest(data), len(data), media_type)
        assert row.device_id == today.ana.device_id

    def test_twice_is_known_the_second_time(self, client: TestClient, today: World):
        data = a_picture()
        assert [put(client, today.ana, data).status_code for _ in range(3)] == [201, 200, 200]
        assert len(today.rows(AttachmentRow)) == 1
        assert len(files(today)) == 1

    def test_four_times_at_once_is_kept_once(self, client: TestClient, today: World):
        data = a_picture()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: put(client, today.ana, data).status_code, range(4)))
        assert sorted(answers) == [200, 200, 200, 201]
        assert DiskStore(today.settings.attachments).path_of(digest(data)).read_bytes() == data

    def test_lasts_over_a_restart(self, client: TestClient, today: World, doors: object):
        data = a_picture()
        put(client, today.ana, data)
        with TestClient(doors(today.settings)) as restarted:
            assert head(restarted, today.ana, digest(data)) == 200
            assert put(restarted, today.ana, data).status_code == 200

    def test_brings_back_bytes_that_the_disk_lost(self, client: TestClient, today: World):
        data = a_picture()
        put(client, today.ana, data)
        DiskStore(today.settings.attachments).path_of(digest(data)).unlink()
        assert put(client, today.ana, data).status_code == 200
        assert DiskStore(today.settings.attachments).path_of(digest(data)).read_bytes() == data


class TestAskingWhetherItIsThere:
    def test_is_answered_to_the_devices_of_the_technician_who_sent_it_only(
        self, client: TestClient, today: World
    ):
        data = a_picture()
        assert head(client, today.ana, digest(data)) == 404
        put(client, today.ana, data)
        assert head(client, today.ana, digest(data)) == 200
        assert head(client, today.ben, digest(data)) == 404, "a digest is no permit to read"

    def test_is_shown_to_the_office_and_to_nobody_else(self, client: TestClient, today: World):
        data = a_picture()
        put(client, today.ana, data)
        where = f"/api/attachments/{digest(data)}"
        assert client.get(where).status_code == 401
        assert client.get(where, headers=today.ana.headers).status_code == 401
        with today.database.write() as session:
            add_person(
                session, name="Kaisa", email="k@test.example", role=Role.VIEWER, password="long enough!"
            )
        client.post("/api/session", json={"email": "k@test.example", "password": "long enough!"})
        shown = client.get(where)
        assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/jpeg", data)
        assert client.get(f"/api/attachments/{'0' * 64}").status_code == 404

    def test_is_not_answered_to_strangers(self, client: TestClient, today: World):
        data = a_picture()
        put(client, today.ana, data)
        assert client.head(f"/api/attachments/{digest(data)}").status_code == 401
        assert client.put(f"/api/attachments/{digest(data)}", content=data).status_code == 401


class TestAPictureThatCannotBeKept:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """One database is enough: nothing of it gets there."""
        return sqlite_url

    @pytest.fixture(autouse=True)
    def leaves_nothing_behind(self, client: TestClient, today: World):
        yield
        assert today.rows(AttachmentRow) == []
        assert files(today) == []

    def refused(self, answer: object, field: str, words: str) -> None:
        assert answer.status_code == 422  # type: ignore[attr-defined]
        body = answer.json()  # type: ignore[attr-defined]
        assert body["type"] == "https://truckroll.dev/problems/bad-evidence"
        assert (body["field"], body["detail"]) == (field, words)

    def test_has_no_bytes(self, client: TestClient, today: World):
        self.refused(put(client, today.ana, b""), "body", "The picture is empty: take it again")

    def test_has_30_mb(self, client: TestClient, today: World):
        answer = put(client, today.ana, b"\xff\xd8\xff" + bytes(30 * 2**20))
        self.refused(answer, "body", "The picture is larger than 10 MB: send it scaled down")

    def test_has_other_bytes_than_its_name_says(self, client: TestClient, today: World):
        answer = put(client, today.ana, a_picture(), name="0f" * 32)
        self.refused(answer, "digest", "The bytes do not match their digest: send them again")

    def test_lost_its_end_on_the_way(self, client: TestClient, today: World):
        data = a_picture()
        answer = put(client, today.ana, data[:-20], name=digest(data))
        self.refused(answer, "digest", "The bytes do not match their digest: send them again")

    @pytest.mark.parametrize(
        "data",
        [
            b"hello", b"%PDF-1.7 whatever", bytes(1_000), a_picture("GIF"), a_picture("BMP"),
            a_picture("PNG")[:60], b"\xff\xd8\xff\xe0 no picture", a_picture("PNG").replace(b"IDAT", b"IDOT"),
        ],
    )  # fmt: skip
    def test_is_no_picture_of_ours(self, client: TestClient, today: World, data: bytes):
        self.refused(
            put(client, today.ana, data), "body", "This is not a JPEG, PNG or WebP picture: take it again"
        )

    @pytest.mark.parametrize("name", ["abc", "0F" * 32, "zz" * 32, "0f" * 33, "..%2f..%2fetc%2fpasswd"])
    def test_has_a_name_that_is_no_digest(self, client: TestClient, today: World, name: str):
        answer = put(client, today.ana, a_picture(), name=name)
        if answer.status_code != 404:  # a slash in the name is no route at all
            self.refused(answer, "digest", "The name must be the SHA-256 of the bytes, in hex")
