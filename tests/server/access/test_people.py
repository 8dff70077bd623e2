"""Signing in: who may, what a failure tells, and when it has to wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from server.access import people
from server.access.models import PersonRow, SessionRow
from server.access.people import add_person, pause_after, sign_in, sign_out, who_is
from server.access.roles import Permission, Role
from server.access.tokens import digest
from server.db.engine import Database

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAIL, PASSWORD = "dora@example.org", "correct horse battery"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    with found.write() as session:
        add_person(session, name="Dora", email=" Dora@Example.org", role=Role.DISPATCHER, password=PASSWORD)
    yield found
    found.close()


class TestSigningIn:
    def test_gives_a_token_of_which_only_the_digest_is_kept(self, database: Database):
        signed_in = sign_in(database, "DORA@example.org ", PASSWORD, NOON)
        assert signed_in is not None
        with database.read() as session:
            kept = session.scalars(select(SessionRow)).one()
        assert kept.token_hash == digest(signed_in.token)
        assert signed_in.expires_at == NOON + timedelta(hours=12)
        assert signed_in.person.role is Role.DISPATCHER

    def test_keeps_no_password(self, database: Database):
        with database.read() as session:
            assert session.scalars(select(PersonRow.password_hash)).one().startswith("$argon2id$")

    def test_fails_alike_for_an_unknown_mail_and_a_wrong_password(self, database: Database):
        assert sign_in(database, "nobody@example.org", PASSWORD, NOON) is None
        assert sign_in(database, MAIL, "wrong horse battery", NOON) is None

    def test_rests_after_five_wrong_tries_even_for_the_right_password(self, database: Database):
        for _ in range(5):
            assert sign_in(database, MAIL, "wrong", NOON) is None
        assert sign_in(database, MAIL, PASSWORD, NOON + timedelta(seconds=29)) is None
        assert sign_in(database, MAIL, PASSWORD, NOON + timedelta(seconds=31)) is not None

    def test_forgets_failures_after_a_success(self, database: Database):
        for _ in range(4):
            sign_in(database, MAIL, "wrong", NOON)
        sign_in(database, MAIL, PASSWORD, NOON)
        with database.read() as session:
            row = session.scalars(select(PersonRow)).one()
        assert (row.failed_logins, row.locked_until) == (0, None)

    def test_is_closed_to_people_who_left(self, database: Database):
        with database.write() as session:
            session.scalars(select(PersonRow)).one().active = False
        assert sign_in(database, MAIL, PASSWORD, NOON) is None

    @pytest.mark.parametrize(
        ("failures", "seconds"), [(4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (99, 900)]
    )
    def test_pauses_longer_each_time(self, failures: int, seconds: int):
        assert pause_after(failures) == timedelta(seconds=seconds)

    def test_wants_a_long_password(self, database: Database):
        with database.write() as session, pytest.raises(ValueError, match="at least 12"):
            add_person(session, name="B", email="b@example.org", role=Role.VIEWER, password="short")


class TestASession:
    def test_ends_after_twelve_hours(self, database: Database):
        signed_in = sign_in(database, MAIL, PASSWORD, NOON)
        assert signed_in is not None
        with database.read() as session:
            assert who_is(session, signed_in.token, NOON + people.SESSION_LIFE - timedelta(seconds=1))
            assert who_is(session, signed_in.token, NOON + people.SESSION_LIFE) is None
            assert who_is(session, signed_in.token[:-1], NOON) is None

    def test_ends_when_the_person_is_shut_out(self, database: Database):
        signed_in = sign_in(database, MAIL, PASSWORD, NOON)
        assert signed_in is not None
        with database.write() as session:
            session.scalars(select(PersonRow)).one().active = False
        with database.read() as session:
            assert who_is(session, signed_in.token, NOON) is None

    def test_ends_with_sign_out_here_and_nowhere_else(self, database: Database):
        here, there = sign_in(database, MAIL, PASSWORD, NOON), sign_in(database, MAIL, PASSWORD, NOON)
        assert here and there
        with database.write() as session:
            sign_out(session, here.token)
        with database.read() as session:
            assert who_is(session, here.token, NOON) is None
            assert who_is(session, there.token, NOON) is not None


class TestRoles:
    def test_let_a_viewer_look_and_do_nothing(self):
        from server.access.roles import ALLOWED

        assert ALLOWED[Role.VIEWER] == {Permission.SEE_BOARD}

    def test_let_an_administrator_do_everything(self):
        from server.access.roles import ALLOWED

        assert ALLOWED[Role.ADMIN] == set(Permission)

    def test_are_all_in_the_table(self):
        from server.access.roles import ALLOWED, WORDS

        assert set(ALLOWED) == set(WORDS) == set(Role)
