"""Refusals one can act on, as one tree. Rendered as RFC 9457 problem+json and shown on the phone.

Problem
├── Malformed            400/422  what was sent cannot be read
│   ├── UnknownCommand     the app is newer, or the type is misspelt
│   ├── NewerSchema        the app is newer than this server
│   ├── AppTooOld          the app is older than this server still answers
│   ├── BadValue           one field is out of its range
│   └── BadEvidence        a photo is empty, too large or not a picture
├── NotAllowed           401/403  who you are
│   ├── SignInNeeded, ExpiredToken, ReplacedToken, RevokedDevice, WipeDevice, WrongRole, BadCsrf
│   └── NotYourJob
├── NotFound             404
├── TooMany              429
│   └── Busy             503
├── ServerFault          500  our own mistake; nothing is lost
└── Conflict             409/422  the world is not as the command assumes
    ├── OthersWork, UnsentWork
    ├── IdReused, AlreadyClosed, WorkOrderCancelled, WorkOrderDeleted, Reassigned, NotStarted
    ├── ChangedMeanwhile, NoLongerFree, CountFarOff, TransferDisagrees, UnsealedTransfer
    ├── MissingChecks, MissingEquipment, MissingRemoval, MissingSignature
    └── SerialElsewhere, SerialUnknown, WrongModel, AssetQuarantined, NotInstalledHere
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

type_uri = "https://truckroll.dev/problems/"


class Problem(Exception):
    """Something was refused."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "problem"

    def __init__(self, detail: str, *, field: str | None = None, subject: str | None = None) -> None:
        """`detail`: a sentence with the mend. `field`: the input to change. `subject`: the thing's id."""
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.subject = subject

    @property
    def title(self) -> str:
        return (type(self).__doc__ or self.slug).splitlines()[0]

    def as_json(self) -> dict[str, object]:
        """The body of an `application/problem+json` answer."""
        body: dict[str, object] = {
            "type": type_uri + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.field:
            body["field"] = self.field
        if self.subject:
            body["subject"] = self.subject
        return body


class Malformed(Problem):
    """What was sent cannot be read."""

    status, slug = 422, "malformed"


class UnknownCommand(Malformed):
    """This server does not know that kind of command."""

    slug = "unknown-command"


class NewerSchema(Malformed):
    """The app is newer than this server."""

    slug = "newer-schema"


class AppTooOld(Malformed):
    """The app is too old for this server."""

    slug = "app-too-old"


class BadValue(Malformed):
    """A value is out of its range."""

    slug = "bad-value"


class BadEvidence(Malformed):
    """The photo or signature cannot be kept."""

    slug = "bad-evidence"


class NotAllowed(Problem):
    """You may not do this."""

    status, slug = 403, "not-allowed"


class SignInNeeded(NotAllowed):
    """Sign in first."""

    status, slug = 401, "sign-in-needed"


class ExpiredToken(NotAllowed):
    """This link or sign-in has expired."""

    status, slug = 401, "expired-token"


class ReplacedToken(NotAllowed):
    """A newer sign-in of this device has replaced this one."""

    status, slug = 401, "replaced-token"


class RevokedDevice(NotAllowed):
    """This device was signed out by the office."""

    status, slug = 403, "revoked-device"


class WipeDevice(NotAllowed):
    """The office ordered this device to erase itself."""

    slug = "wipe-device"


class WrongRole(NotAllowed):
    """Your role does not include this."""

    slug = "wrong-role"


class BadCsrf(NotAllowed):
    """The form is stale."""

    slug = "bad-csrf"


class NotYourJob(NotAllowed):
    """This job was never assigned to you."""

    slug = "not-your-job"


class NotFound(Problem):
    """There is no such thing."""

    status, slug = 404, "not-found"


class TooMany(Problem):
    """Too many tries."""

    status, slug = 429, "too-many"

    def __init__(
        self, detail: str, *, field: str | None = None, subject: str | None = None, retry_seconds: int = 0
    ) -> None:
        """`retry_seconds`: how long to wait before the next try; 0: not said."""
        super().__init__(detail, field=field, subject=subject)
        self.retry_seconds = retry_seconds


class Busy(TooMany):
    """The server has more to do than it can take on now."""

    status, slug = 503, "busy"


class ServerFault(Problem):
    """The server made a mistake."""

    status, slug = 500, "server-fault"


class Conflict(Problem):
    """The world is not as the command assumes."""

    status, slug = 409, "conflict"


class OthersWork(Conflict):
    """The work of one technician came with another's sign-in."""

    slug = "others-work"


class UnsentWork(Conflict):
    """This device still holds another technician's unsent work."""

    slug = "unsent-work"


class IdReused(Conflict):
    """One command id came with two different bodies."""

    slug = "id-reused"


class AlreadyClosed(Conflict):
    """The job is closed already."""

    slug = "already-closed"


class WorkOrderCancelled(Conflict):
    """The office cancelled the job."""

    slug = "work-order-cancelled"


class WorkOrderDeleted(Conflict):
    """The office deleted the job."""

    slug = "work-order-deleted"


class ChangedMeanwhile(Conflict):
    """Somebody else changed it meanwhile."""

    slug = "changed-meanwhile"


class NoLongerFree(Conflict):
    """That time slot is not free, or not held any more."""

    slug = "no-longer-free"

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        subject: str | None = None,
        alternatives: tuple[tuple[datetime, datetime], ...] = (),
    ) -> None:
        """`alternatives`: windows nearby that were free in this moment, the nearest first."""
        super().__init__(detail, field=field, subject=subject)
        self.alternatives = alternatives

    def as_json(self) -> dict[str, object]:
        nearest = [{"start": start.isoformat(), "end": end.isoformat()} for start, end in self.alternatives]
        return Problem.as_json(self) | {"alternatives": nearest}


class Reassigned(Conflict):
    """The job went to somebody else, who has started it."""

    slug = "reassigned"


class NotStarted(Conflict):
    """The visit has not got that far."""

    slug = "not-started"


class MissingChecks(Conflict):
    """A required test was not recorded, so the visit cannot be billed."""

    status, slug = 422, "missing-checks"


class MissingEquipment(Conflict):
    """The job needs a device that was not installed."""

    status, slug = 422, "missing-equipment"


class MissingRemoval(Conflict):
    """The job takes a device away, and none was scanned."""

    status, slug = 422, "missing-removal"


class MissingSignature(Conflict):
    """The customer has not signed."""

    status, slug = 422, "missing-signature"


class CountFarOff(Conflict):
    """The count differs by more than may be booked without a dispatcher."""

    slug = "count-far-off"


class TransferDisagrees(Conflict):
    """The two sides of a transfer between vans say different things."""

    slug = "transfer-disagrees"


class UnsealedTransfer(Conflict):
    """A transfer between vans bears a seal that is not its giver's or not its taker's."""

    slug = "unsealed-transfer"


class SerialElsewhere(Conflict):
    """That device is somewhere else."""

    slug = "serial-elsewhere"


class SerialUnknown(Conflict):
    """Nobody has received a device with that serial."""

    slug = "serial-unknown"


class WrongModel(Conflict):
    """That model does not fit this job."""

    status, slug = 422, "wrong-model"


class AssetQuarantined(Conflict):
    """That device must not be installed."""

    slug = "asset-quarantined"


class NotInstalledHere(Conflict):
    """That device is not at this address."""

    slug = "not-installed-here"


def every_problem(root: type[Problem] = Problem) -> list[type[Problem]]:
    """`root` and all its leaves, depth first: what docs/problems.md must explain."""
    return [root, *(found for child in root.__subclasses__() for found in every_problem(child))]
