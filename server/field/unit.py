"""sync.server.ports.Unit on SQL: one transaction for one command of one device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.assets import register
from server.assets.models import AssetRow
from server.booking import book
from server.clock import mint, utc_now
from server.consequences import Deed
from server.db import feed
from server.db.command_log import next_numbers
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.settings import Settings
from server.stock import ledger
from server.stock.models import StockPlaceRow
from server.stock.products import products
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import FieldCommand, InstallAsset, RemoveAsset, UseParts
from shared.decide import Decision
from shared.problems import IdReused, Problem
from shared.remarks import Remark
from shared.situation import Situation
from sync.protocol import PushedCommand, Receipt
from sync.server.ports import Clash, Key, TryAgain, Unit

INTEGER_MAX = 2**31 - 1


def receipt_of(row: CommandRow) -> Receipt:
    outcome = "accepted" if row.outcome == "accepted" else "held"
    return Receipt(
        command_id=row.id,
        outcome=outcome,  # type: ignore[arg-type]  # one of the two literals, as just said
        decided_at=row.decided_at,
        slug=row.slug,
        detail=row.detail,
        remarks=tuple(Remark(item["slug"], item["detail"]) for item in row.remarks),
    )


class CommandUnit:
    """See sync.server.ports.Unit."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        device_id: UUID,
        technician: TechnicianRow,
        van: str,
        touched: dict[Key, None],
    ) -> None:
        self._session = session
        self._settings = settings
        self._device_id = device_id
        self._technician = technician
        self._van_name = van
        self._touched = touched
        self._row: WorkOrderRow | None = None
        self._assets: dict[str, AssetRow] = {}

    def receipt_of(self, pushed: PushedCommand) -> Receipt | None:
        row = self._session.get(CommandRow, pushed.id)
        if row is None:
            return None
        if row.digest != _digest(pushed) or not self._is_ours(row):
            raise IdReused(
                "This id came before with another content: the app must mint a new one", field="id"
            )
        if row.work_order_id:
            self._touched[("work_order", str(row.work_order_id))] = None
        return receipt_of(row)

    def _is_ours(self, row: CommandRow) -> bool:
        """From this device, or from the one that this technician had before it was registered anew."""
        sender = self._session.get(DeviceRow, row.device_id) if row.device_id else None
        return sender is not None and sender.technician_id == self._technician.id

    def situation(self, command: FieldCommand) -> tuple[FieldCommand, Situation]:
        session = self._session
        self._row, order = repository.lock(session, command.work_order_id)
        command = self._resolve(command)
        serials = {item.serial for item in order.fitted} | {item.serial for item in order.removed}
        if isinstance(command, InstallAsset | RemoveAsset):
            serials.add(command.serial)
        found = register.lock(session, serials)
        self._assets = {serial: row for serial, (row, _) in found.items()}
        used = {line.sku for line in command.lines} if isinstance(command, UseParts) else set()
        named = used | order.fitting_skus | {asset.sku for _, asset in found.values()}
        if isinstance(command, InstallAsset) and command.sku:
            named |= {command.sku}
        situation = Situation(
            order=order,
            actor_id=self._technician.id,
            van_id=self._technician.van_id,
            van_name=self._van_name,
            assets={serial: asset for serial, (_, asset) in found.items()},
            on_hand=ledger.balances(session, self._technician.van_id, used) if used else {},
            products=products(session, named) if named else {},
        )
        return command, situation

    def _resolve(self, command: FieldCommand) -> FieldCommand:
        """A GPON serial or a MAC that was scanned in place of the serial finds its device all the same."""
        if not isinstance(command, InstallAsset | RemoveAsset):
            return command
        code = command.serial
        query = select(AssetRow.serial).where(
            or_(AssetRow.serial == code, AssetRow.gpon_serial == code, AssetRow.mac == code)
        )
        serials = self._session.scalars(query.limit(2)).all()
        return replace(command, serial=serials[0]) if len(serials) == 1 else command

    def accept(
        self,
        pushed: PushedCommand,
        command: FieldCommand,
        before: Situation,
        decision: Decision,
        happened_at: datetime,
        remarks: tuple[Remark, ...],
    ) -> Receipt:
        assert self._row is not None, "accept follows situation"
        row = self._keep(pushed, "accepted", happened_at, remarks=remarks)
        deed = Deed(
            session=self._session,
            settings=self._settings,
            command_id=pushed.id,
            actor=self._technician.name,
            row=self._row,
            before=before,
            after=decision.after,
            happened_at=happened_at,
            decided_at=row.decided_at,
        )
        self._touched.update(dict.fromkeys(book(deed, decision, self._assets)))
        return receipt_of(row)

    def hold(self, pushed: PushedCommand, problem: Problem, happened_at: datetime) -> Receipt:
        """Keep the command whole, with the reason, for a dispatcher."""
        if isinstance(problem, IdReused):
            return self._hold_under_another_id(pushed, problem, happened_at)
        row = self._keep(pushed, "held", happened_at, problem=problem)
        self._tell_dispatch(row)
        return receipt_of(row)

    def _hold_under_another_id(
        self, pushed: PushedCommand, problem: IdReused, happened_at: datetime
    ) -> Receipt:
        """The id is taken by another content; this one is kept all the same, once however often it comes."""
        kept = self._session.scalar(
            select(CommandRow).where(
                CommandRow.device_id == self._device_id,
                CommandRow.slug == IdReused.slug,
                CommandRow.digest == _digest(pushed),
            )
        )
        if kept is None:
            kept = self._keep(replace(pushed, id=mint()), "held", happened_at, problem=problem)
            self._tell_dispatch(kept)
        return replace(receipt_of(kept), command_id=pushed.id)

    def _tell_dispatch(self, row: CommandRow) -> None:
        if row.work_order_id:
            self._touched[("work_order", str(row.work_order_id))] = None
        feed.append(
            self._session,
            [feed.BOARD],
            "command",
            row.id,
            "CommandHeld",
            at=row.decided_at,
            actor=self._technician.name,
            facts={"slug": row.slug, "work_order_id": str(row.work_order_id) if row.work_order_id else None},
        )

    def _keep(
        self,
        pushed: PushedCommand,
        outcome: str,
        happened_at: datetime,
        *,
        problem: Problem | None = None,
        remarks: tuple[Remark, ...] = (),
    ) -> CommandRow:
        row = CommandRow(
            id=pushed.id,
            number=next_numbers(self._session, 1)[0],
            origin="field",
            device_id=self._device_id,
            actor=self._technician.name,
            seq=in_range(pushed.seq),
            type=storable(pushed.type),
            schema_version=in_range(pushed.schema),
            work_order_id=self._row.id if self._row else None,
            body=storable(bytes(pushed.body).decode(errors="backslashreplace")),
            digest=_digest(pushed),
            base_version=in_range(pushed.base_version),
            made_at=pushed.made_at,
            made_mono_ms=pushed.made_mono_ms,
            boot=pushed.boot,
            hlc=pushed.hlc,
            happened_at=happened_at,
            decided_at=utc_now(),
            outcome=outcome,
            slug=problem.slug if problem else None,
            detail=storable(problem.detail) if problem else None,
            remarks=[{"slug": remark.slug, "detail": remark.detail} for remark in remarks],
        )
        self._session.add(row)
        return row


def in_range(number: int) -> int:
    """The nearest that an integer column holds: what a broken phone says of itself must not stop its work."""
    return max(-INTEGER_MAX, min(number, INTEGER_MAX))


def storable(text: str) -> str:
    """PostgreSQL keeps no NUL; a broken app's command must not block its queue for that."""
    return text.replace("\x00", "\\u0000")


def _digest(pushed: PushedCommand) -> str:
    """What binds an id to its content."""
    return sha256(b"%s\x00%d\x00" % (pushed.type.encode(), pushed.schema) + bytes(pushed.body)).hexdigest()


class DeviceUnits:
    """Opens a CommandUnit; one at a time for each device, in every process.

    `touched` collects the rows that a pull right after should bring along.
    """

    def __init__(self, database: Database, settings: Settings, device_id: UUID) -> None:
        self._database = database
        self._settings = settings
        self._device_id = device_id
        self.touched: dict[Key, None] = {}

    @contextmanager
    def __call__(self) -> Iterator[Unit]:
        try:
            with self._database.write() as session:
                yield self._unit(session)
        except OperationalError as error:
            raise TryAgain from error
        except IntegrityError as error:
            raise Clash from error

    def _unit(self, session: Session) -> CommandUnit:
        technician, van_name = session.execute(
            select(TechnicianRow, StockPlaceRow.name)
            .join(DeviceRow, DeviceRow.technician_id == TechnicianRow.id)
            .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
            .where(DeviceRow.id == self._device_id)
            .with_for_update(of=DeviceRow)  # a retry that overtakes its first try waits here
        ).one()
        return CommandUnit(session, self._settings, self._device_id, technician, van_name, self.touched)
