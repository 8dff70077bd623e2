"""sync.server.ports.Unit on SQL: one transaction for a batch of commands of one device."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.access.callers import quarantine_of, standing_of
from server.access.models import DeviceRow
from server.booking import book
from server.books import Books, Known, name_id
from server.consequences import Deed
from server.db import feed
from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from server.network_booking import book_network
from server.outbox.happenings import of_held
from server.settings import Settings
from server.stock import ledger, transfers
from server.stock.models import StockPlaceRow
from server.van_booking import StockDeed, book_stock
from server.work_orders import briefs, repository
from shared.commands import (
    AskForVisit,
    CloseWorkOrder,
    DeviceCommand,
    FittingCommand,
    JoblessCommand,
    PartsCommand,
    VisitCommand,
    file_named,
    order_of,
    parts_named,
    renamed,
    serials_of,
)
from shared.decide import Decision, StockDecision
from shared.network_faults import Cabinet, NetworkCommand, NetworkDecision
from shared.problems import IdReused, NotFound, Problem
from shared.remarks import Remark
from shared.situation import Situation
from shared.stock_commands import (
    AskForPart,
    CountVan,
    PickUpParts,
    RequestCommand,
    StockCommand,
    TransferCommand,
    places_named,
    serials_named,
    skus_named,
)
from shared.van import Van
from sync.protocol import PushedCommand, Receipt
from sync.server.ports import Asked, Clash, Key, TryAgain, Unit

INTEGER_MAX = 2**31 - 1
WIDE_INTEGER_MAX = 2**63 - 1
NAME_LENGTH_MAX = 80
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST = re.compile(r"[0-9a-f]{64}")


_WHO = (
    select(DeviceRow, TechnicianRow, StockPlaceRow.name)
    .join(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
    .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
    .where(DeviceRow.id == bindparam("device"))
    # A retry that overtakes its first try waits here. key_share: photos may name the device.
    .with_for_update(of=DeviceRow, key_share=True)
)


class CommandUnit:
    """See sync.server.ports.Unit."""

    def __init__(
        self,
        books: Books,
        device_id: UUID,
        technician: TechnicianRow,
        van: str,
        known: Mapping[UUID, Known],
        touched: dict[Key, None],
        *,
        origin: str = "field",
        again: bool = False,
        quarantine: Problem | None = None,
    ) -> None:
        """`again`: a replay, for which what was accepted once is not asked whether it may be."""
        self._books = books
        self._device_id = device_id
        self._technician = technician
        self._van_name = van
        self._known = dict(known)
        self._touched = touched
        self._origin = origin
        self._again = again
        self.quarantine = quarantine

    @classmethod
    def open(
        cls,
        books: Books,
        device_id: UUID,
        batch: Sequence[Asked],
        touched: dict[Key, None],
        *,
        origin: str = "field",
        again: bool = False,
        hear: Callable[[DeviceRow], None] = lambda device: None,
    ) -> CommandUnit:
        """With everything that `batch` will need, read by one query a table. `hear`: see DeviceUnits."""
        device, technician, van_name = books.session.execute(_WHO, {"device": device_id}).one()
        hear(device)
        known = books.known(asked.pushed.id for asked in batch)
        wanted = [asked.command for asked in batch if asked.command and asked.pushed.id not in known]
        books.open_transfers(
            command.transfer.id for command in wanted if isinstance(command, TransferCommand)
        )
        about_vans = [command for command in wanted if isinstance(command, StockCommand)]
        asked_for = [requests_named(command, technician.id) for command in about_vans]
        books.open_part_requests(
            {id for ids, _ in asked_for for id in ids}, {pair for _, pairs in asked_for for pair in pairs}
        )
        for command in sorted(
            (one for one in wanted if isinstance(one, NetworkCommand)), key=lambda one: one.cabinet
        ):
            books.open_cabinet(command.cabinet)
        fresh = [command for command in wanted if not isinstance(command, JoblessCommand)]
        unreadable = [_order_in(asked.pushed) for asked in batch if not asked.command]
        books.open_orders([*(command.work_order_id for command in fresh), *filter(None, unreadable)])
        orders = [order for command in fresh if (order := books.opened(command.work_order_id))]
        codes = {code for item in fresh if isinstance(item, DeviceCommand) for code in serials_of(item)}
        codes |= {serial for order in orders for serial in order.handled_serials}
        asking = {command.work_order_id for command in fresh if isinstance(command, AskForVisit)}
        codes |= {serial for order in orders if order.id in asking for serial in order.on_site_serials}
        codes |= {serial for command in about_vans for serial in serials_named(command)}
        books.open_assets(codes)
        skus = {sku for command in about_vans for sku in skus_named(command)}
        skus |= {line.sku for command in fresh for line in parts_named(command)}
        skus |= {
            sku for order in orders for sku in (*order.fitting_skus, *(line.sku for line in order.parts))
        }
        books.open_products(skus)
        closing = {command.work_order_id for command in fresh if isinstance(command, CloseWorkOrder)}
        books.open_services(order.service.id for order in orders if order.id in closing | asking)
        # As the row is now that it is locked: it may have been signed out since its token was looked at.
        quarantine = quarantine_of(standing_of(device, technician))
        return cls(
            books,
            device_id,
            technician,
            van_name,
            known,
            touched,
            origin=origin,
            again=again,
            quarantine=quarantine,
        )

    def receipt_of(self, asked: Asked) -> Receipt | None:
        known = self._known.get(asked.pushed.id)
        if known is None:
            return None
        if known.digest != _digest(asked.pushed) or known.technician_id != self._technician.id:
            raise IdReused(
                "This id came before with another content: the app must mint a new one", field="id"
            )
        if known.work_order_id:
            self._touched[("work_order", str(known.work_order_id))] = None
        return known.receipt

    def situation(self, asked: Asked) -> tuple[VisitCommand, Situation]:
        if asked.command is None:
            assert asked.problem is not None, "what can't be read has its reason"
            raise asked.problem
        books, command = self._books, asked.command
        assert not isinstance(command, JoblessCommand), "that has its own"
        order = books.order(command.work_order_id)
        serials = set(order.handled_serials)
        if isinstance(command, DeviceCommand):
            command = renamed(command, lambda code: books.serial_of(code) or code)
            serials.update(serials_of(command))
        assets = books.assets(serials)
        if isinstance(command, AskForVisit):
            books.check_new_order(command, order)
        wanted = {line.sku for line in parts_named(command)}
        used = wanted if isinstance(command, PartsCommand) else set()
        named = wanted | order.fitting_skus | {asset.sku for asset in assets.values()}
        if isinstance(command, FittingCommand) and command.sku:
            named |= {command.sku}
        on_hand = books.on_hand(self._technician.van_id) if used else {}
        prices = None
        if isinstance(command, CloseWorkOrder):
            prices = books.prices()
            named |= {line.sku for line in order.parts}
            # Another visit of this batch may have changed the plan that runs.
            running = books.service(order.service.id).plan_code
            order = replace(order, service=replace(order.service, running_plan_code=running))
        situation = Situation(
            order=order,
            actor_id=self._technician.id,
            van_id=self._technician.van_id,
            van_name=self._van_name,
            assets=assets,
            on_hand={sku: on_hand[sku] for sku in used if sku in on_hand},
            products=books.products(named) if named else {},
            prices=prices,
        )
        return command, situation

    def van(self, asked: Asked, command: StockCommand) -> Van:
        books, van_id = self._books, self._technician.van_id
        if isinstance(command, TransferCommand):
            books.open_transfers([command.transfer.id])  # before devices are, as everywhere
        requests = books.part_requests(*requests_named(command, self._technician.id))
        if isinstance(command, AskForPart):
            repository.must_exist(books.session, command.for_order_id)
        assets = books.assets(serials_named(command))
        if isinstance(command, CountVan):
            for code in sorted(serials_named(command) - assets.keys()):
                if serial := books.serial_of(code):  # its MAC or GPON serial was read
                    found = books.assets([serial])
                    assets |= {code: found[serial], **found}
        skus = skus_named(command) | {asset.sku for asset in assets.values()}
        on_hand = books.on_hand(van_id)
        # Whoever agreed to a count, or corrected a transfer, has looked at it; a replay asks nobody again.
        limited = self._origin != "agreed" and not self._again
        handed, sealed, giver_on_hand = {}, None, None
        if isinstance(command, TransferCommand):
            transfer = command.transfer
            handed = books.transfers([transfer.id])
            sealed = not limited or self._is_true(command)
            giver_on_hand = books.on_hand(transfer.offer.giver_van_id)
        elif isinstance(command, PickUpParts):
            giver_on_hand = books.on_hand(command.depot_id)
        return Van(
            actor_id=self._technician.id,
            van_id=van_id,
            van_name=self._van_name,
            assets=assets,
            on_hand={sku: on_hand[sku] for sku in sorted(skus) if sku in on_hand},
            products=books.products(skus) if skus else {},
            count_units_max=books.settings.count_units_max if limited else None,
            transfers=handed,
            sealed=sealed,
            giver_on_hand=giver_on_hand,
            requests=requests,
            places=ledger.holders(books.session, places_named(command)),
            knows_all=True,
        )

    def cabinet(self, asked: Asked, command: NetworkCommand) -> Cabinet:
        repository.must_exist(self._books.session, command.for_order_id)
        return self._books.cabinet(command)

    def _is_true(self, command: TransferCommand) -> bool:
        """Whether both sides sealed it, and each speaks of the van that is theirs."""
        books, transfer = self._books, command.transfer
        theirs = (books.van_of(transfer.offer.giver_id), books.van_of(transfer.taker_id))
        named = (transfer.offer.giver_van_id, transfer.taker_van_id)
        return theirs == named and transfers.is_sealed(books.session, command)

    def accept_stock(self, asked: Asked, before: Van, decision: StockDecision) -> Receipt:
        deed = StockDeed(
            books=self._books,
            command_id=asked.pushed.id,
            actor=self._technician.name,
            before=before,
            after=decision.after,
            decided_at=self._books.now,
        )
        self._touched.update(dict.fromkeys(book_stock(deed, decision)))
        return self._keep(asked, "accepted", remarks=decision.remarks + asked.remarks, work_order_id=None)

    def accept_network(self, asked: Asked, decision: NetworkDecision) -> Receipt:
        book_network(self._books, decision, self._technician.id, self._technician.name)
        shown = briefs.shown_of(
            self._books.session, self._technician.id, decision.after.name, self._books.now
        )
        self._touched.update(dict.fromkeys((briefs.KIND, str(place_id)) for place_id in shown))
        return self._keep(asked, "accepted", remarks=decision.remarks + asked.remarks, work_order_id=None)

    def accept(self, asked: Asked, command: VisitCommand, before: Situation, decision: Decision) -> Receipt:
        books = self._books
        remarks = decision.remarks + asked.remarks
        deed = Deed(
            books=books,
            command_id=asked.pushed.id,
            actor=self._technician.name,
            before=before,
            after=decision.after,
            happened_at=asked.happened_at,
            decided_at=books.now,
        )
        self._touched.update(dict.fromkeys(book(deed, decision)))
        if (file := file_named(command)) is not None:
            books.await_evidence(self._technician.id, file.digest, file.size_bytes, command.work_order_id)
        return self._keep(asked, "accepted", remarks=remarks, work_order_id=command.work_order_id)

    def hold(self, asked: Asked, problem: Problem) -> Receipt:
        """Keep the command whole, with the reason, for a dispatcher."""
        if isinstance(problem, IdReused):
            return self._hold_under_another_id(asked, problem)
        return self.hold_whole(asked, problem)

    def hold_whole(self, asked: Asked, problem: Problem) -> Receipt:
        """Under its own id, whatever the problem is: a replay holds what was held."""
        receipt = self._keep(asked, "held", problem=problem, work_order_id=self._order_named_by(asked))
        self._tell_dispatch(asked, receipt)
        return receipt

    def _hold_under_another_id(self, asked: Asked, problem: IdReused) -> Receipt:
        """The id is taken by another content; this one is kept all the same, once however often it comes."""
        digest = _digest(asked.pushed)
        own_id = name_id(asked.pushed.id, LONG_AGO, f"another content {self._device_id} {digest}")
        kept = self._known.get(own_id) or self._books.known([own_id]).get(own_id)
        if kept is not None:
            receipt = kept.receipt
        else:
            another = replace(asked, pushed=replace(asked.pushed, id=own_id))
            receipt = self._keep(another, "held", problem=problem, work_order_id=self._order_named_by(asked))
            self._tell_dispatch(another, receipt)
        return replace(receipt, command_id=asked.pushed.id)

    def _order_named_by(self, asked: Asked) -> UUID | None:
        """The order that a held command is about, as far as one can tell and there is such an order."""
        named = order_of(asked.command) if asked.command else _order_in(asked.pushed)
        try:
            return self._books.order(named).id if named else None
        except NotFound:
            return None

    def _tell_dispatch(self, asked: Asked, receipt: Receipt) -> None:
        order_id = self._order_named_by(asked)
        if order_id:
            self._touched[("work_order", str(order_id))] = None
        file = file_named(asked.command) if asked.command else None
        if file is not None and _DIGEST.fullmatch(file.digest):
            # A dispatcher will want to see it.
            size_bytes = in_range(file.size_bytes)
            self._books.await_evidence(self._technician.id, file.digest, size_bytes, order_id)
        if isinstance(asked.command, NetworkCommand):
            for photo in asked.command.photos:
                if _DIGEST.fullmatch(photo.digest):
                    size_bytes = in_range(photo.size_bytes)
                    self._books.await_evidence(self._technician.id, photo.digest, size_bytes, None)
        happening = partial(
            of_held,
            asked.pushed.id,
            storable(asked.pushed.type),
            receipt.slug or "",
            order_id,
            at=self._books.now,
        )
        self._books.announce(
            happening, lambda webhook: name_id(asked.pushed.id, self._books.now, f"held, for {webhook}")
        )
        self._books.tell(
            [feed.BOARD],
            "command",
            str(asked.pushed.id),
            "CommandHeld",
            actor=self._technician.name,
            facts={"slug": receipt.slug, "work_order_id": str(order_id) if order_id else None},
        )

    def _keep(
        self,
        asked: Asked,
        outcome: Literal["accepted", "held"],
        *,
        work_order_id: UUID | None,
        problem: Problem | None = None,
        remarks: tuple[Remark, ...] = (),
    ) -> Receipt:
        pushed, now = asked.pushed, self._books.now
        receipt = Receipt(
            command_id=pushed.id,
            outcome=outcome,
            decided_at=now,
            slug=problem.slug if problem else None,
            detail=storable(problem.detail) if problem else None,
            remarks=remarks,
        )
        digest = _digest(pushed)
        self._books.log(
            id=pushed.id,
            origin=self._origin,
            device_id=self._device_id,
            actor=self._technician.name,
            seq=in_range(pushed.seq),
            type=storable(pushed.type),
            schema_version=in_range(pushed.schema),
            work_order_id=work_order_id,
            body=storable(bytes(pushed.body).decode(errors="backslashreplace")),
            digest=digest,
            base_version=in_range(pushed.base_version),
            made_at=pushed.made_at,
            made_mono_ms=None if pushed.made_mono_ms is None else _in_wide_range(pushed.made_mono_ms),
            boot=storable(pushed.boot[:NAME_LENGTH_MAX]) if pushed.boot else None,
            hlc=storable(pushed.hlc[:NAME_LENGTH_MAX]) if pushed.hlc else None,
            happened_at=asked.happened_at,
            decided_at=now,
            outcome=outcome,
            slug=receipt.slug,
            detail=receipt.detail,
            remarks=[{"slug": remark.slug, "detail": remark.detail} for remark in remarks],
        )
        self._known[pushed.id] = Known(
            receipt=receipt,
            digest=digest,
            technician_id=self._technician.id,
            work_order_id=work_order_id,
        )
        return receipt


def requests_named(command: StockCommand, technician_id: UUID) -> tuple[set[UUID], set[tuple[UUID, UUID]]]:
    """The requests for parts that a command of this technician is about by their ids, and the (asker, holder)
    whose open ones it may settle."""
    if isinstance(command, RequestCommand):
        return {command.request_id}, set()
    if isinstance(command, TransferCommand):
        return set(), {(command.transfer.taker_id, command.transfer.offer.giver_van_id)}
    if isinstance(command, PickUpParts):
        return set(), {(technician_id, command.depot_id)}
    return set(), set()


def in_range(number: int) -> int:
    """The nearest that an integer column holds: what a broken phone says of itself must not stop its work."""
    return max(-INTEGER_MAX, min(number, INTEGER_MAX))


def _in_wide_range(number: int) -> int:
    return max(-WIDE_INTEGER_MAX, min(number, WIDE_INTEGER_MAX))


def storable(text: str) -> str:
    """PostgreSQL keeps no NUL; a broken app's command must not block its queue for that."""
    return text.replace("\x00", "\\u0000")


def _digest(pushed: PushedCommand) -> str:
    """What binds an id to its content."""
    return sha256(b"%s\x00%d\x00" % (pushed.type.encode(), pushed.schema) + bytes(pushed.body)).hexdigest()


def _order_in(pushed: PushedCommand) -> UUID | None:
    """The work order that a command names which we can't read."""
    try:
        found = json.loads(bytes(pushed.body))
        return UUID(found["work_order_id"]) if isinstance(found, dict) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class DeviceUnits:
    """Opens a CommandUnit; one at a time for each device, in every process.

    `touched` collects the rows that a pull right after should bring along.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        device_id: UUID,
        now: datetime,
        hear: Callable[[DeviceRow], None] = lambda device: None,
    ) -> None:
        """`hear` may note on the device's row, which is locked here anyway, what it says of itself."""
        self._database = database
        self._settings = settings
        self._device_id = device_id
        self._now = now
        self._hear = hear
        self.touched: dict[Key, None] = {}
        self.told: set[str] = set()
        """The scopes of phones that see something of what was committed."""

    @contextmanager
    def __call__(self, batch: Sequence[Asked]) -> Iterator[Unit]:
        try:
            with self._database.write() as session, session.no_autoflush:
                books = Books(session, self._settings, self._now)
                yield CommandUnit.open(books, self._device_id, batch, self.touched, hear=self._hear)
                books.write()
            self.told |= books.told
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise TryAgain from error  # also a line that broke, and a pool with no connection left
        except IntegrityError as error:
            raise Clash from error
