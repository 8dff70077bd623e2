"""What phone and server say to each other, and the one codec for it. One POST does push and pull.

Guarantees and messages in prose: docs/protocol.md. A test pins a hash of these shapes beside PROTOCOL.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from shared import halves
from shared.assets import Asset
from shared.briefs import PlaceBrief
from shared.catalogue import Product
from shared.commands import FIELD_COMMANDS, SCHEMA, FieldCommand, PartsCommand
from shared.part_requests import PartRequest, PartSupply
from shared.problems import Malformed, NewerSchema, UnknownCommand
from shared.rating import Tariff
from shared.remarks import Remark
from shared.stock import StockLine
from shared.stock_commands import StockCommand, serials_named, skus_named
from shared.transfers import Handed
from shared.work_orders import WorkOrder

PROTOCOL = 5
"""Version of the messages below."""

PROTOCOL_MIN = 1
"""The floor: the oldest messages that a server of this version still answers."""

COMMANDS_PER_PUSH_MAX = 200
WAIT_SECONDS_MAX = 55
"""How long the server may hold an empty answer back until something changes: below the proxies' minute."""

DAYS_BACK, DAYS_AHEAD = 7, 14
"""Jobs planned from so many days ago to so many days ahead come down; a phone says so to its technician."""

THINGS_MAX = 5_000
"""No van holds more; a database asks for no more values at once."""

PIN_LENGTHS = range(4, 9)
"""How many digits a PIN of the app may have, so also what an office may ask for."""

UNSENT_LISTED_MAX = 50
"""So many things that only the device has are named; the numbers beside the list count all of them."""

SKEW_TOLERATED = timedelta(minutes=2)
"""Clocks that differ by less are left alone: it may as well be the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who holds this device, and which van they drive: the row a phone needs before all others.

    `sealing_key`: what this technician's phones seal transfers to other vans with; empty before protocol 4.
    `tax_basis_points`: hundredths of a per cent on every price, None before protocol 5; `company`: the name
    that customers know. `pin_length_min`: digits that the app's PIN must have; 0: the office requires none.
    """

    technician_id: UUID
    name: str
    van_id: UUID
    van_name: str
    time_zone: str
    home_lat: float
    home_lon: float
    sealing_key: str = ""
    tax_basis_points: int | None = None
    company: str = ""
    pin_length_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What became of a held command. `outcome` dismissed: it is on record and nothing was booked for it."""

    command_id: UUID
    outcome: Literal["accepted", "corrected", "dismissed"]
    ruled_at: datetime
    by: str
    detail: str


Image = (
    WorkOrder
    | Asset
    | StockLine
    | Product
    | Profile
    | Ruling
    | Handed
    | PlaceBrief
    | Tariff
    | PartRequest
    | PartSupply
)
"""What the server sends down: a whole row as it is now, never a difference."""

KINDS: dict[str, type[Image]] = {
    "profile": Profile,
    "work_order": WorkOrder,
    "asset": Asset,
    "stock_line": StockLine,
    "product": Product,
    "ruling": Ruling,
    "transfer": Handed,
    "place_brief": PlaceBrief,
    "tariff": Tariff,
    "part_request": PartRequest,
    "part_supply": PartSupply,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedCommand:
    """One command in its envelope. `seq` counts 1, 2, 3… on a device; `made_at` is by the device's clock.

    `made_mono_ms` is by the clock that nobody can set, in the run that `boot` names; `hlc` is hybrid logical
    time (shared/clocks.py). `technician_id`: whom the device was registered for at the tap; the work is
    theirs, whoever holds the device when it is sent. All four are missing in protocol 1.
    """

    id: UUID
    seq: int
    type: str
    schema: int
    made_at: datetime
    base_version: int
    body: msgspec.Raw
    made_mono_ms: int | None = None
    boot: str | None = None
    hlc: str | None = None
    technician_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentItem:
    """Something that only the device has: what kind of thing, of which job, since when. Never what it says.

    `type` is a command's, or `photo` or `signature` where the bytes are meant. `made_at` is by the device's
    clock.
    """

    type: str
    order_number: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """`cursor` is None on the first contact. `device_now` lets the server correct the device's clock.

    `page_bytes`: how much the device wants at a time over its present network, unpacked (0: as the server
    likes). `wait_seconds`: with nothing to say the server may hold its answer back so long.
    `queue_length`, `unsent_photos`, `oldest_unsent_at`, `storage_left_bytes`, `unsent`: the heartbeat, so
    that the office knows what a lost phone still carried. `unsent` lists what remains besides these commands,
    the newest first and at most UNSENT_LISTED_MAX; None: the list that was last told still holds.
    `photos_wait`: photos are kept back for another network, so that to miss them is no news for a device that
    waits for news. `supply_wanted`: who else has parts is to be told anew; else only a snapshot brings it.
    """

    protocol: int
    app_version: str
    device_now: datetime
    queue_length: int
    cursor: str | None = None
    commands: tuple[PushedCommand, ...] = ()
    device_mono_ms: int | None = None
    boot: str | None = None
    hlc: str | None = None
    page_bytes: int = 0
    wait_seconds: int = 0
    unsent_photos: int = 0
    oldest_unsent_at: datetime | None = None
    storage_left_bytes: int | None = None
    unsent: tuple[UnsentItem, ...] | None = None
    photos_wait: bool = False
    supply_wanted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The one answer to a command, for ever. `held`: kept whole, a dispatcher decides; nothing is dropped."""

    command_id: UUID
    outcome: Literal["accepted", "held"]
    decided_at: datetime
    slug: str | None = None
    detail: str | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The image of one row. `body` decodes to the class that KINDS names."""

    kind: str
    key: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A row that left this device's scope: forget it, unless unsent work refers to it."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResponse:
    """`reset`: a whole snapshot begins here; what it does not bring by the page without `more` is gone.

    `more`: ask again at once. `epoch` names this database's history: where it is not the one of the last
    answer, a backup was restored, and the device offers again what was decided since. `token`: sign in with
    it from now on. `protocol_min`: the oldest app that is still answered. `hlc`: hybrid logical time here.
    """

    protocol: int
    server_now: datetime
    cursor: str
    receipts: tuple[Receipt, ...] = ()
    rows: tuple[Row, ...] = ()
    gone: tuple[Gone, ...] = ()
    reset: bool = False
    more: bool = False
    missing_evidence: tuple[str, ...] = ()
    epoch: str = ""
    token: str | None = None
    protocol_min: int = 1
    hlc: str | None = None


_encoder = msgspec.json.Encoder(decimal_format="string")
_request = msgspec.json.Decoder(SyncRequest)
_response = msgspec.json.Decoder(SyncResponse)
_images = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}
_commands = {tag: msgspec.json.Decoder(shape) for tag, shape in FIELD_COMMANDS.items()}

T = TypeVar("T")


def encode(message: object) -> bytes:
    """Any message, image or command as UTF-8 JSON; Decimals as strings, so that they stay exact."""
    return _encoder.encode(message)


def encode_response(response: SyncResponse) -> bytes:
    """Without what is as usual, for most answers say next to nothing."""
    said = {
        field.name: value
        for field in fields(SyncResponse)
        if (value := getattr(response, field.name)) != field.default
    }
    return _encoder.encode(said)


def _decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, what: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise Malformed(f"{what}: {reason}", field=path.strip("`.") or None) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{what} is not valid JSON: {error}") from error


def decode_request(data: bytes) -> SyncRequest:
    """Raises Malformed, naming the field.

    Half a character in one command's body spoils that command, see decode_command, and not the request.
    """
    try:
        return _request.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        request = _decode(_request, halves.raw(data), "The sync request")
    kept = [replace(item, body=msgspec.Raw(halves.spelt(bytes(item.body)))) for item in request.commands]
    return replace(request, commands=tuple(kept))


def decode_response(data: bytes) -> SyncResponse:
    """Raises Malformed: half an answer, or a captive portal's page."""
    return _decode(_response, data, "The server's answer")


def decode_image(kind: str, body: bytes | msgspec.Raw) -> Image:
    """Raises Malformed when `kind` is unknown or the body does not fit it."""
    decoder = _images.get(kind)
    if decoder is None:
        raise Malformed(f"unknown kind of row: {kind}", field="kind")
    return _decode(decoder, body, kind)


def decode_command(pushed: PushedCommand) -> FieldCommand:
    """The command in an envelope. Raises UnknownCommand, NewerSchema or Malformed, naming the field."""
    decoder = _commands.get(pushed.type)
    if decoder is None:
        raise UnknownCommand(
            f"The server does not know '{pushed.type}': update the server or the app", field="type"
        )
    if pushed.schema > SCHEMA:
        raise NewerSchema(
            f"The app sends version {pushed.schema}, the server reads up to {SCHEMA}: update the server",
            field="schema",
        )
    command = _decode(decoder, pushed.body, pushed.type)
    if _things_in(command) > THINGS_MAX:
        raise Malformed(f"{pushed.type} names more than {THINGS_MAX:,} things", field="body")
    return command


def _things_in(command: FieldCommand) -> int:
    """So many parts and devices are looked up to decide it."""
    if isinstance(command, StockCommand):
        return len(serials_named(command)) + len(skus_named(command))
    return len(command.lines) if isinstance(command, PartsCommand) else 0


def image_key(image: Image) -> str:
    """The key of a row within its kind."""
    match image:
        case WorkOrder():
            return str(image.id)
        case Asset() | Product():
            return image.serial if isinstance(image, Asset) else image.sku
        case StockLine():
            return image.sku
        case Ruling():
            return str(image.command_id)
        case Handed():
            return str(image.transfer.id)
        case PlaceBrief():
            return str(image.place_id)
        case Tariff():
            return image.code
        case PartRequest():
            return str(image.id)
    return "me"


def row_of(kind: str, image: Image) -> Row:
    return Row(kind=kind, key=image_key(image), body=msgspec.Raw(encode(image)))


def wire_schema() -> dict[str, Any]:
    """JSON Schema of all messages, images and commands: what the pinned hash is taken of."""
    shapes = [SyncRequest, SyncResponse, *KINDS.values(), *FIELD_COMMANDS.values()]
    _, components = msgspec.json.schema_components(shapes, ref_template="#/{name}")
    return components
