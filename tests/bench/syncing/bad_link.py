"""A TCP proxy that behaves like a bad mobile link, for clients on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter

SEGMENT = 1_400
QUIET_SECONDS = 0.3
"""Bytes after so long a silence begin a new message."""
MESSAGE_BYTES = 16_384
"""A message is lost somewhere in its first bytes: that is where most are over."""


class BadLink:
    """So many bits a second each way, half of `delay_seconds` each way, and `loss` of the messages lost.

    A lost message cuts its connection in the middle, as a dead spot does; a short one is lost whole. `label`
    names what is being sent; `sent` counts the bytes that went up over the link by label, those of cut
    messages too.
    """

    def __init__(
        self, port: int, *, bits_per_second: int, delay_seconds: float, loss: float, seed: int
    ) -> None:
        self._target = port
        self._rate = bits_per_second / 8
        self._one_way = delay_seconds / 2
        self._loss = loss
        self._chance = random.Random(seed)
        self._free_at = {"up": 0.0, "down": 0.0}
        self._server: asyncio.Server | None = None
        self.label = ""
        self.sent: Counter[str] = Counter()
        self.cuts = 0

    async def __aenter__(self) -> BadLink:
        # A small window, so that what the client has written has nearly gone over the link.
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=SEGMENT)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(2 * self._one_way)  # the handshake
            far, far_out = await asyncio.open_connection("127.0.0.1", self._target, limit=SEGMENT)
        except OSError:
            out.close()
            return
        ways = [
            asyncio.create_task(self._carry(near, far_out, "up")),
            asyncio.create_task(self._carry(far, out, "down")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (out, far_out):
                writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str) -> None:
        """Returns when the connection ends, or breaks."""
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(arriving, target))
        cut_after, spoken_at = None, 0.0
        try:
            while data := await self._read(source, cut_after is not None):
                now = time.monotonic()
                if now - spoken_at > QUIET_SECONDS:
                    lost = self._chance.random() < self._loss
                    cut_after = self._chance.randrange(1, MESSAGE_BYTES) if lost else None
                # The link carries one segment after the other, of all connections together.
                self._free_at[way] = max(self._free_at[way], now) + len(data) / self._rate
                if way == "up":
                    self.sent[self.label] += len(data)
                await asyncio.sleep(self._free_at[way] - now)
                spoken_at = time.monotonic()
                if cut_after is not None:
                    cut_after -= len(data)
                    if cut_after <= 0:
                        self.cuts += 1
                        return
                arriving.put_nowait((spoken_at + self._one_way, data))
            arriving.put_nowait((time.monotonic() + self._one_way, b""))
            await delivery
        except ConnectionAbortedError:
            return  # a short message: it was still on its way, so none of it arrives
        finally:
            delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await delivery

    async def _read(self, source: asyncio.StreamReader, doomed: bool) -> bytes:
        """The next bytes; of a message that is to be lost none when it ends before its cut."""
        if not doomed:
            return await source.read(SEGMENT)
        try:
            return await asyncio.wait_for(source.read(SEGMENT), QUIET_SECONDS)
        except TimeoutError:
            self.cuts += 1
            raise ConnectionAbortedError from None

    async def _deliver(
        self, arriving: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await arriving.get()
            await asyncio.sleep(due - time.monotonic())
            if not data:
                return
            target.write(data)
            await target.drain()
