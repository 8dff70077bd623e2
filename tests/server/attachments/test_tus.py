"""Photos in pieces: created by digest, resumed where they broke off, completed once, each one's own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from uploads import TUS, Upload, a_picture, digest, metadata
from world import Job, World

from server.access.models import DeviceRow
from server.attachments import partial, records
from server.attachments.models import AttachmentSenderRow
from server.attachments.store import open_store
from server.db.feed_models import FeedRow
from server.work_orders.models import AttachmentRow, EvidenceRow

PICTURE = a_picture(size_bytes=3_000)


@pytest.fixture
def upload(client: TestClient, today: World) -> Upload:
    """Ana's, not begun."""
    return Upload(client, today.ana, PICTURE)


def partials(today: World) -> list[Path]:
    return [path for path in today.settings.uploads.rglob("*") if path.is_file()]


def kept(today: World, name: str) -> bytes:
    return b"".join(open_store(today.settings.attachment_store, today.settings.attachments).open(name))


def naming(today: World, technician_id: object, name: str, job: Job | None = None) -> None:
    """As booking an add_evidence does."""
    with today.database.write() as session:
        session.add(
            EvidenceRow(
                technician_id=technician_id, digest=name, work_order_id=job.id if job else None,
                size_bytes=len(PICTURE), named_at=today.now, arrived_at=None,
            )
        )  # fmt: skip


def is_refused(answer: object, status: int, slug: str, words: str) -> None:
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body = answer.json()  # type: ignore[attr-defined]
    assert (body["type"].rsplit("/", 1)[1], body["status"], body["detail"]) == (slug, status, words)
    assert answer.headers["tus-resumable"] == "1.0.0"  # type: ignore[attr-defined]


class TestAnUploadFromBeginningToEnd:
    def test_goes_piece_by_piece(self, upload: Upload, today: World):
        made = upload.create()
        assert (made.status_code, made.headers["location"]) == (201, f"/api/uploads/{digest(PICTURE)}")
        assert (made.headers["upload-offset"], made.headers["tus-resumable"]) == ("0", "1.0.0")
        for start, end in ((0, 1_000), (1_000, 1_001), (1_001, 3_000)):
            answer = upload.patch(start, end)
            assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
        assert kept(today, digest(PICTURE)) == PICTURE
        row = today.row(AttachmentRow)
        assert (row.digest, row.size_bytes, row.media_type) == (digest(PICTURE), 3_000, "image/jpeg")
        assert row.device_id == today.ana.device_id
        assert partials(today) == []

    def test_can_be_looked_at_at_any_time(self, upload: Upload):
        assert upload.head().status_code == 404
        upload.create()
        for end in (0, 1_200, 3_000):
            upload.patch(0 if end == 1_200 else 1_200, end) if end else None
            seen = upload.head()
            assert (seen.status_code, seen.headers["upload-offset"]) == (200, str(end))
            assert (seen.headers["upload-length"], seen.headers["cache-control"]) == ("3000", "no-store")

    def test_is_shown_to_the_office_afterwards_as_if_it_had_come_whole(self, upload: Upload, today: World):
        assert upload.send().status_code == 204
        whole = f"/api/attachments/{digest(PICTURE)}"
        assert upload._client.head(whole, headers=today.ana.headers).status_code == 200

    def test_may_come_in_one_piece(self, upload: Upload):
        upload.create()
        assert upload.patch(0).headers["upload-offset"] == "3000"

    def test_says_until_when_it_waits_and_no_longer_once_it_is_complete(self, upload: Upload):
        upload.create()
        waits = datetime.strptime(upload.head().headers["upload-expires"], "%a, %d %b %Y %H:%M:%S %Z")
        days = waits.replace(tzinfo=UTC) - datetime.now(UTC)
        assert timedelta(days=6, hours=23) < days <= timedelta(days=7)
        assert "upload-expires" not in upload.patch(0).headers

    def test_is_told_what_the_server_speaks(self, client: TestClient):
        for place in ("/api/uploads", f"/api/uploads/{'0' * 64}"):
            answer = client.options(place)
            assert answer.status_code == 204
            assert answer.headers["tus-version"] == "1.0.0"
            assert answer.headers["tus-extension"] == "creation,expiration,termination"
            assert answer.headers["tus-max-size"] == "10485760"


class TestComingBack:
    def test_to_create_again_changes_nothing_and_tells_the_offset(self, upload: Upload, today: World):
        upload.create()
        upload.patch(0, 1_234)
        again = upload.create()
        assert (again.status_code, again.headers["upload-offset"]) == (201, "1234")
        assert again.headers["location"] == upload.place
        assert upload.patch(1_234).headers["upload-offset"] == "3000"
        assert kept(today, digest(PICTURE)) == PICTURE

    def test_with_bytes_that_are_here_is_told_so_and_sends_none(self, upload: Upload, today: World):
        upload.send()
        again = upload.create()
        assert (again.status_code, again.headers["upload-offset"]) == (201, "3000")
        assert "upload-expires" not in again.headers
        assert partials(today) == []

    def test_at_a_wrong_offset_is_told_the_right_one_and_costs_nothing(self, upload: Upload):
        upload.create()
        upload.patch(0, 1_000)
        for wrong in (0, 999, 1_001, 2_999):
            answer = upload.patch(wrong)
            is_refused(answer, 409, "conflict", "The upload goes on at byte 1000")
            assert answer.headers["upload-offset"] == "1000"
        assert upload.head().headers["upload-offset"] == "1000"

    def test_with_the_last_piece_twice_completes_once(self, upload: Upload, today: World):
        upload.send()
        answer = upload.patch(1_500)
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "3000")
        assert upload.patch(3_000).status_code == 204
        assert len(today.rows(AttachmentRow)) == len(today.rows(AttachmentSenderRow)) == 1

    def test_four_times_at_once_keeps_one_picture_that_is_whole(self, upload: Upload, today: World):
        upload.create()
        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(lambda _: upload.patch(0).status_code, range(4)))
        assert set(answers) <= {204, 409}, "those that lost the race are told where it stands"
        assert upload.head().headers["upload-offset"] == "3000"
        assert kept(today, digest(PICTURE)) == PICTURE
        assert len(today.rows(AttachmentRow)) == 1

    def test_after_a_restart_goes_on_where_it_was(self, upload: Upload, today: World, doors: object):
        upload.create()
        upload.patch(0, 2_000)
        with TestClient(doors(today.settings)) as restarted:  # type: ignore[operator]
            resumed = Upload(restarted, today.ana, PICTURE)
            assert resumed.head().headers["upload-offset"] == "2000"
            assert resumed.patch(2_000).status_code == 204
        assert kept(today, digest(PICTURE)) == PICTURE

    def test_after_a_crash_between_the_last_byte_and_the_filing_sends_none_again(
        self, upload: Upload, today: World
    ):
        upload.create()
        partials(today)[0].write_bytes(PICTURE)  # as a server leaves it that ends at that moment
        assert upload.create().headers["upload-offset"] == "3000"
        assert kept(today, digest(PICTURE)) == PICTURE
        assert partials(today) == []

    def test_brings_back_what_the_disk_lost(self, upload: Upload, today: World):
        upload.send()
        open_store("", today.settings.attachments).delete(digest(PICTURE))
        assert upload.create().headers["upload-offset"] == "0"
        assert upload.patch(0).status_code == 204
        assert kept(today, digest(PICTURE)) == PICTURE
        assert len(today.rows(AttachmentRow)) == 1


class TestAnotherTechnician:
    def test_is_told_nothing_of_bytes_that_they_have_not_sent(
        self, client: TestClient, upload: Upload, today: World
    ):
        upload.send()
        others = Upload(client, today.ben, PICTURE)
        assert others.head().status_code == 404
        assert others.create().headers["upload-offset"] == "0", "a digest is no proof of having the bytes"
        assert others.head().headers["upload-offset"] == "0"

    def test_who_sends_them_too_has_them_and_they_are_kept_once(
        self, client: TestClient, upload: Upload, today: World
    ):
        upload.send()
        others = Upload(client, today.ben, PICTURE)
        assert others.send().status_code == 204
        assert others.create().headers["upload-offset"] == "3000"
        assert len(today.rows(AttachmentRow)) == 1
        assert {row.technician_id for row in today.rows(AttachmentSenderRow)} == {
            today.ana.technician_id, today.ben.technician_id
        }  # fmt: skip
        assert len([path for path in today.settings.attachments.rglob("*") if path.is_file()]) == 1

    def test_can_neither_see_nor_touch_what_is_half_sent(
        self, client: TestClient, upload: Upload, today: World
    ):
        upload.create()
        upload.patch(0, 1_000)
        others = Upload(client, today.ben, PICTURE)
        for answer in (others.head(), others.patch(1_000), others.delete()):
            assert answer.status_code == 404
        assert upload.head().headers["upload-offset"] == "1000"

    def test_with_other_bytes_under_the_same_name_spoils_nothing(
        self, client: TestClient, upload: Upload, today: World
    ):
        upload.create()
        upload.patch(0, 1_000)
        forged = Upload(client, today.ben, a_picture(colour=9, size_bytes=3_000), name=digest(PICTURE))
        assert forged.send().status_code == 422
        assert upload.patch(1_000).status_code == 204
        assert kept(today, digest(PICTURE)) == PICTURE

    def test_without_a_token_gets_nowhere(self, client: TestClient, today: World):
        nobody = Upload(client, replace_headers(today), PICTURE)
        for answer in (nobody.create(), nobody.head(), nobody.patch(0), nobody.delete()):
            assert answer.status_code == 401
        assert partials(today) == []


def replace_headers(today: World) -> object:
    """A phone with a token that nobody gave out."""
    return type("Stranger", (), {"headers": {"authorization": "Bearer made up"}})


class TestADeviceThatWasSignedOut:
    @pytest.fixture(autouse=True)
    def signed_out(self, client: TestClient, today: World) -> None:
        with today.database.write() as session:
            session.get_one(DeviceRow, today.ana.device_id).revoked_at = today.now

    def test_still_brings_the_photos_that_its_work_named(self, upload: Upload, today: World):
        naming(today, today.ana.technician_id, digest(PICTURE))
        assert upload.send().status_code == 204
        assert today.row(EvidenceRow).arrived_at is not None

    def test_brings_nothing_else(self, upload: Upload, client: TestClient, today: World):
        for answer in (upload.create(), upload.head(), upload.patch(0), upload.delete()):
            assert answer.status_code == 403
        whole = client.put(f"/api/attachments/{digest(PICTURE)}", content=PICTURE, headers=today.ana.headers)
        assert (whole.status_code, whole.json()["type"].rsplit("/", 1)[1]) == (403, "revoked-device")
        assert partials(today) == []


class TestAPictureThatCannotBeKept:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """One database is enough: nothing of it gets there."""
        return sqlite_url

    @pytest.fixture(autouse=True)
    def leaves_nothing_behind(self, client: TestClient, today: World) -> Iterator[None]:
        yield
        assert today.rows(AttachmentRow) == []
        assert partials(today) == []
        assert not today.settings.attachments.exists()

    def test_has_other_bytes_than_were_announced(self, client: TestClient, today: World):
        wrong = Upload(client, today.ana, PICTURE, name="0f" * 32)
        is_refused(wrong.send(), 422, "bad-evidence", "The bytes do not match their digest: send them again")
        assert wrong.head().status_code == 404

    def test_is_no_picture(self, client: TestClient, today: World):
        words = "This is not a JPEG, PNG or WebP picture: take it again"
        is_refused(Upload(client, today.ana, b"hello, this is text").send(), 422, "bad-evidence", words)

    def test_is_longer_than_was_announced(self, upload: Upload):
        upload.create(length=2_000)
        is_refused(upload.patch(0), 422, "bad-evidence", "More bytes came than were announced: start again")

    def test_is_larger_than_10_mb(self, upload: Upload):
        answer = upload.create(length=10 * 2**20 + 1)
        is_refused(answer, 413, "bad-evidence", "The picture is larger than 10 MB: send it scaled down")

    def test_is_empty(self, client: TestClient, today: World):
        answer = Upload(client, today.ana, b"").create()
        is_refused(answer, 422, "bad-evidence", "The picture is empty: take it again")

    def test_was_given_up_by_its_phone(self, upload: Upload):
        upload.create()
        upload.patch(0, 1_000)
        assert upload.delete().status_code == 204
        assert upload.head().status_code == 404
        assert upload.patch(1_000).status_code == 404
        assert upload.delete().status_code == 404


class TestARequestThatCannotBeRead:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """One database is enough: nothing of it gets there."""
        return sqlite_url

    @pytest.mark.parametrize(
        ("headers", "status", "slug"),
        [
            ({"Tus-Resumable": "0.2.2"}, 412, "malformed"),
            ({"Upload-Length": "many"}, 422, "malformed"),
            ({"Upload-Length": "-1"}, 422, "malformed"),
            ({"Upload-Length": "1" * 30}, 422, "malformed"),
            ({"Upload-Metadata": "filetype aW1hZ2UvanBlZw=="}, 422, "malformed"),
            ({"Upload-Metadata": "sha256 not*base64"}, 422, "malformed"),
            ({"Upload-Metadata": "sha256"}, 422, "bad-evidence"),
            ({"Upload-Metadata": metadata("../../etc/passwd")}, 422, "bad-evidence"),
            ({"Upload-Metadata": metadata("0F" * 32)}, 422, "bad-evidence"),
        ],
    )
    def test_creates_nothing(
        self, upload: Upload, today: World, headers: dict[str, str], status: int, slug: str
    ):
        answer = upload.create(**headers)
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (status, slug)
        assert (answer.headers.get("tus-version"), partials(today)) == (
            "1.0.0" if status == 412 else None,
            [],
        )

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Tus-Resumable": "2.0.0"}, 412),
            ({"Content-Type": "image/jpeg"}, 415),
            ({"Upload-Offset": ""}, 422),
            ({"Upload-Offset": "0x0"}, 422),
            ({"Upload-Offset": "٣"}, 422),
        ],
    )
    def test_adds_nothing(self, upload: Upload, headers: dict[str, str], status: int):
        upload.create()
        encoded = {name: value.encode() for name, value in headers.items()}
        assert upload.patch(0, **encoded).status_code == status
        assert upload.head().headers["upload-offset"] == "0"

    def test_without_the_protocol_version_is_refused(self, client: TestClient, today: World):
        answer = client.head(f"/api/uploads/{digest(PICTURE)}", headers=today.ana.headers)
        assert (answer.status_code, answer.headers["tus-version"]) == (412, TUS["Tus-Resumable"])


class TestEvidence:
    """The bytes come before or after the command that names them."""

    def test_that_was_named_has_arrived_with_the_last_byte(self, upload: Upload, today: World):
        job = today.order()
        naming(today, today.ana.technician_id, digest(PICTURE), job)
        upload.create()
        upload.patch(0, 2_999)
        assert today.row(EvidenceRow).arrived_at is None
        before = datetime.now(UTC)
        upload.patch(2_999)
        arrived = today.row(EvidenceRow).arrived_at
        assert arrived is not None and before <= arrived <= datetime.now(UTC)

    def test_that_arrives_is_told_to_the_board_once(self, upload: Upload, today: World):
        job = today.order()
        naming(today, today.ana.technician_id, digest(PICTURE), job)
        upload.send()
        upload.create()
        told = [row for row in today.rows(FeedRow) if row.topic == "EvidenceArrived"]
        assert [(row.scope, row.kind, row.key, row.actor, row.facts) for row in told] == [
            ("board", "work_order", str(job.id), "Ana Virtanen", {"digest": digest(PICTURE)})
        ]

    def test_that_is_named_after_its_bytes_came_arrives_when_they_are_offered_again(
        self, upload: Upload, today: World
    ):
        upload.send()
        naming(today, today.ana.technician_id, digest(PICTURE))
        assert upload.create().headers["upload-offset"] == "3000"
        assert today.row(EvidenceRow).arrived_at is not None

    def test_of_another_technician_does_not_arrive_by_my_bytes(self, upload: Upload, today: World):
        naming(today, today.ben.technician_id, digest(PICTURE))
        upload.send()
        assert today.row(EvidenceRow).arrived_at is None
        with today.database.read() as session:
            assert records.proven(session, today.ana.technician_id, [digest(PICTURE)]) == {digest(PICTURE)}
            assert records.proven(session, today.ben.technician_id, [digest(PICTURE)]) == frozenset()


def begin(today: World, count: int, length: int) -> None:
    """Ana begins so many uploads, and sends nothing of them."""
    room = partial.Partials(today.settings.uploads)
    for number in range(count):
        room.begin(today.ana.technician_id, f"{number:064x}", length, datetime.now(UTC))


class TestWhatIsHalfSent:
    def test_is_thrown_away_after_a_week_in_which_nobody_went_on(self, upload: Upload, today: World):
        upload.create()
        upload.patch(0, 1_000)
        room = partial.Partials(today.settings.uploads)
        now = datetime.now(UTC)
        assert room.sweep(now + timedelta(days=6, hours=23)) == 0
        assert room.sweep(now + timedelta(days=7, minutes=1)) == 1
        assert (upload.head().status_code, partials(today)) == (404, [])

    def test_is_swept_when_the_server_starts(self, upload: Upload, today: World, doors: object):
        room = partial.Partials(today.settings.uploads)
        room.begin(today.ana.technician_id, "ab" * 32, 99, datetime.now(UTC) - timedelta(days=8))
        upload.create()
        with TestClient(doors(today.settings)):  # type: ignore[operator]
            pass
        assert [path.stem for path in partials(today)] == [digest(PICTURE)]

    def test_may_not_be_more_than_200_photos_of_one_technician(
        self, client: TestClient, upload: Upload, today: World
    ):
        begin(today, count=200, length=3_000)
        words = "200 photos of yours are half sent. Nothing is lost: finish sending some of them"
        refused = upload.create()
        is_refused(refused, 429, "too-many", words)
        assert refused.headers["retry-after"] == "300"
        known = Upload(client, today.ana, PICTURE, name=f"{7:064x}")
        assert known.create().status_code == 201, "one that was begun goes on"
        assert known.delete().status_code == 204
        assert upload.send().status_code == 204

    def test_of_others_does_not_count(self, client: TestClient, upload: Upload, today: World):
        begin(today, count=200, length=3_000)
        assert Upload(client, today.ben, PICTURE).send().status_code == 204

    def test_may_not_be_more_than_500_mb_of_one_technician(
        self, client: TestClient, upload: Upload, today: World
    ):
        begin(today, count=50, length=10 * 2**20)
        assert upload.create().status_code == 429
        assert Upload(client, today.ana, PICTURE, name="0" * 64).delete().status_code == 204
        assert upload.send().status_code == 204

    def test_that_is_too_much_keeps_nobody_from_what_is_complete(self, upload: Upload, today: World):
        upload.send()
        begin(today, count=200, length=3_000)
        assert upload.create().headers["upload-offset"] == "3000"

    def test_when_begun_with_another_length_starts_anew(self, upload: Upload, today: World):
        upload.create(length=2_000)
        upload.patch(0, 1_000)
        assert upload.create().headers["upload-offset"] == "0"
        assert len(partials(today)) == 1
        assert upload.patch(0).status_code == 204
