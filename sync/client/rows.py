"""The server's rows on the phone, and how one answer changes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from uuid import UUID

from shared.assets import Asset
from shared.briefs import PlaceBrief
from shared.catalogue import Product
from shared.part_requests import PartRequest, PartSupply
from shared.problems import Malformed
from shared.rating import Tariff
from shared.stock import StockLine
from shared.transfers import Handed
from shared.work_orders import WorkOrder
from sync.client.disk import Disk
from sync.client.records import Images
from sync.protocol import KINDS, Image, Profile, Ruling, SyncResponse, decode_image

_REFERRED = """EXISTS (SELECT 1 FROM reference JOIN command USING (seq)
               WHERE reference.kind = image.kind AND reference.key = image.key AND outcome IS NULL)"""


class Rows:
    """The image table. What changes runs within the caller's transaction."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def images(self) -> Images:
        """One row that today's app cannot read is left out; it stays in the file."""
        orders: dict[UUID, WorkOrder] = {}
        assets: dict[str, Asset] = {}
        stock: dict[str, StockLine] = {}
        products: dict[str, Product] = {}
        rulings: dict[UUID, Ruling] = {}
        transfers: dict[UUID, Handed] = {}
        briefs: dict[UUID, PlaceBrief] = {}
        tariffs: dict[str, Tariff] = {}
        requests: dict[UUID, PartRequest] = {}
        profile: Profile | None = None
        supply: PartSupply | None = None
        for image in self._readable():
            match image:
                case WorkOrder():
                    orders[image.id] = image
                case Asset():
                    assets[image.serial] = image
                case StockLine():
                    stock[image.sku] = image
                case Product():
                    products[image.sku] = image
                case Ruling():
                    rulings[image.command_id] = image
                case Handed():
                    transfers[image.transfer.id] = image
                case PlaceBrief():
                    briefs[image.place_id] = image
                case Tariff():
                    tariffs[image.code] = image
                case PartRequest():
                    requests[image.id] = image
                case PartSupply():
                    supply = image
                case Profile():
                    profile = image
        return Images(
            profile=profile,
            orders=orders,
            assets=assets,
            stock=stock,
            products=products,
            rulings=rulings,
            transfers=transfers,
            briefs=briefs,
            tariffs=tariffs,
            part_requests=requests,
            supply=supply,
        )

    def _readable(self) -> Iterator[Image]:
        for kind, body in self._disk.execute("SELECT kind, body FROM image"):
            with contextlib.suppress(Malformed):
                yield decode_image(kind, body)

    def check(self, response: SyncResponse) -> None:
        """Raises Malformed when a row of a known kind cannot be read."""
        for row in response.rows:
            if row.kind in KINDS:  # a kind that only a newer app knows is kept for that app
                decode_image(row.kind, row.body)

    def take_in(self, response: SyncResponse, *, moved: bool) -> None:
        """A whole snapshot takes the place of what is here only once it has all come.

        An answer that did not move the cursor brought no page: to whom the server tells no rows any more,
        it still gives receipts.
        """
        disk = self._disk
        if response.reset:
            disk.execute("UPDATE image SET departed = 2")
        if response.gone:
            disk.execute_many(
                "UPDATE image SET departed = 1 WHERE kind = ? AND key = ?",
                ((gone.kind, gone.key) for gone in response.gone),
            )
        if response.rows:
            disk.execute_many(
                "INSERT OR REPLACE INTO image (kind, key, departed, body) VALUES (?, ?, 0, ?)",
                ((row.kind, row.key, bytes(row.body)) for row in response.rows),
            )
        due = {key for (key,) in disk.execute("SELECT work_order_id FROM command WHERE echo_due")}
        for row in response.rows:
            if row.kind == "work_order" and row.key in due:
                disk.execute(
                    "UPDATE command SET echo_due = 0 WHERE work_order_id = ? AND echo_due", (row.key,)
                )
            elif "" in due and row.kind != "work_order":
                disk.execute(
                    "UPDATE command SET echo_due = 0 WHERE work_order_id = '' AND echo_due AND seq IN"
                    " (SELECT seq FROM reference WHERE kind = ? AND key = ?)",
                    (row.kind, row.key),
                )
        if not response.more and (moved or response.reset):
            disk.execute("UPDATE command SET echo_due = 0 WHERE echo_due")
            disk.execute("UPDATE image SET departed = 1 WHERE departed = 2")
        disk.execute(f"DELETE FROM image WHERE departed = 1 AND NOT {_REFERRED}")

    def forget_all(self) -> None:
        self._disk.execute("DELETE FROM image")
