"""People of the office: adding them, signing in, who a cookie belongs to, signing out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.access import passwords
from server.access.models import PersonRow, SessionRow
from server.access.roles import Permission, Role, may
from server.access.tokens import digest, new_token
from server.clock import mint
from server.db.engine import Database

SESSION_LIFE = timedelta(hours=12)
FREE_FAILURES = 5
LOCK_FIRST = timedelta(seconds=30)
LOCK_LONGEST = timedelta(minutes=15)

NO_MATCH = (
    "That mail address and password do not match. "
    f"After {FREE_FAILURES} wrong tries sign-in pauses, for up to {LOCK_LONGEST.seconds // 60} minutes."
)
"""The same whether the address is unknown, the password wrong or sign-in paused: nobody learns who exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who sits at this browser. Forms and scripts must send `csrf_token` back."""

    id: UUID
    name: str
    email: str
    role: Role
    csrf_token: str

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`token` goes into the cookie and is kept nowhere else."""

    token: str
    expires_at: datetime
    person: Person


def add_person(session: Session, *, name: str, email: str, role: Role, password: str) -> PersonRow:
    """Let somebody in. Raises ValueError when the password is too short."""
    row = PersonRow(
        id=mint(),
        name=name.strip(),
        email=_same_mail(email),
        role=role.value,
        password_hash=passwords.hashed(password),
    )
    session.add(row)
    return row


def sign_in(database: Database, email: str, password: str, now: datetime) -> SignedIn | None:
    """Start a session, or None with nothing told but NO_MATCH.

    The slow hash runs between two short transactions, so that a sign-in never makes another writer wait.
    """
    with database.read() as session:
        found = session.scalar(select(PersonRow).where(PersonRow.email == _same_mail(email)))
        usable = found if found and found.active else None
        paused = bool(usable and usable.locked_until and usable.locked_until > now)
        right = passwords.matches(password, usable.password_hash if usable else None)
    if usable is None or paused:
        return None
    with database.write() as session:
        if not right:
            _count_failure(session, usable.id, now)
            return None
        return _start_session(session, usable, password, now)


def _count_failure(session: Session, person_id: UUID, now: datetime) -> None:
    # One statement adds up, so that parallel guesses are all counted.
    counted = (
        update(PersonRow).where(PersonRow.id == person_id).values(failed_logins=PersonRow.failed_logins + 1)
    )
    failures = session.scalar(counted.returning(PersonRow.failed_logins)) or 0
    if pause := pause_after(failures):
        session.execute(update(PersonRow).where(PersonRow.id == person_id).values(locked_until=now + pause))


def pause_after(failures: int) -> timedelta:
    """How long sign-in rests after so many failures in a row: 30 s from the fifth on, then doubling."""
    if failures < FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES, 10)
    return min(LOCK_FIRST * (1 << doublings), LOCK_LONGEST)


def _start_session(session: Session, person: PersonRow, password: str, now: datetime) -> SignedIn:
    fresh = (
        passwords.hashed(password) if passwords.is_outdated(person.password_hash) else person.password_hash
    )
    session.execute(
        update(PersonRow)
        .where(PersonRow.id == person.id)
        .values(failed_logins=0, locked_until=None, password_hash=fresh)
    )
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    token, row = new_token(), SessionRow(person_id=person.id, csrf_token=secrets.token_urlsafe(24))
    row.token_hash, row.created_at, row.expires_at = digest(token), now, now + SESSION_LIFE
    session.add(row)
    return SignedIn(token=token, expires_at=row.expires_at, person=_person(person, row))


def who_is(session: Session, token: str | None, now: datetime) -> Person | None:
    """Whom this cookie belongs to; None when it is unknown or over, or the person was shut out meanwhile."""
    if not token:
        return None
    query = (
        select(PersonRow, SessionRow)
        .join(SessionRow, SessionRow.person_id == PersonRow.id)
        .where(SessionRow.token_hash == digest(token), SessionRow.expires_at > now, PersonRow.active)
    )
    found = session.execute(query).one_or_none()
    return _person(*found) if found else None


def sign_out(session: Session, token: str | None) -> None:
    if token:
        session.execute(delete(SessionRow).where(SessionRow.token_hash == digest(token)))


def _person(row: PersonRow, session_row: SessionRow) -> Person:
    return Person(
        id=row.id, name=row.name, email=row.email, role=Role(row.role), csrf_token=session_row.csrf_token
    )


def _same_mail(email: str) -> str:
    return email.strip().casefold()
