"""The register under several hands: a device that moves while its lock is waited for is seen where it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from time import sleep

from world import World

from server.assets import register
from server.stock import ledger
from shared.assets import Asset, HolderKind
from shared.stock import StockMove


class TestALock:
    def test_that_was_waited_for_shows_the_device_where_it_has_gone(self, world: World):
        asking = Event()

        def lock() -> dict[str, Asset]:
            asking.set()
            with world.database.write() as session:
                return {serial: asset for serial, (_, asset) in register.lock(session, ["ANA0001"]).items()}

        with ThreadPoolExecutor(1) as pool:
            with world.database.write() as session:
                row, asset = register.lock(session, ["ANA0001"])["ANA0001"]
                move = StockMove(
                    sku=asset.sku, quantity=1, source_id=asset.holder_id, target_id=world.depot_id,
                    serial=asset.serial,
                )  # fmt: skip
                ledger.book(session, [move], cause=asset.id, at=world.now)
                register.store(row, replace(asset, holder_kind=HolderKind.DEPOT, holder_id=world.depot_id))
                session.flush()
                found = pool.submit(lock)
                asking.wait()
                sleep(0.5)  # until it stands before the lock
            seen = found.result()
        assert {serial: (one.holder_id, one.holder_name) for serial, one in seen.items()} == {
            "ANA0001": (world.depot_id, "Depot")
        }
