"""httpx against a real socket: every status is an answer, and no answer is NoNetwork."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sync.client.transport import Answer, HttpxTransport, NoNetwork

WHOLE = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"


def ask(reply: bytes, *, seconds: float = 5, look: Callable[[bytes], None] = lambda _: None) -> Answer:
    """Send one request to a server that says exactly `reply`; with no reply it stays silent."""

    async def run() -> Answer:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            look(await reader.readuntil(b"hello"))
            if reply:
                writer.write(reply)
                await writer.drain()
            else:
                await reader.read()
            writer.close()
            await writer.wait_closed()
            done.set()

        done = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = HttpxTransport(f"http://127.0.0.1:{port}", timeout_seconds=seconds)
        try:
            return await transport.request("POST", "/sync", headers={"X-Van": "11"}, body=b"hello")
        finally:
            await transport.close()
            await done.wait()
            server.close()
            await server.wait_closed()

    return asyncio.run(run())


class TestHttpx:
    def test_sends_what_it_was_given(self):
        seen: list[bytes] = []
        answer = ask(WHOLE, look=seen.append)
        assert (answer.status, answer.headers["content-type"], answer.body) == (
            201,
            "application/json",
            b"{}",
        )
        assert seen[0].startswith(b"POST /sync HTTP/1.1\r\n")
        assert b"X-Van: 11\r\n" in seen[0]

    def test_does_not_follow_a_portals_redirect(self):
        assert ask(REDIRECT).status == 302

    def test_half_a_reply_is_no_answer(self):
        with pytest.raises(NoNetwork, match="could not be reached"):
            ask(CUT)

    def test_silence_is_no_answer(self):
        with pytest.raises(NoNetwork, match="did not answer in time"):
            ask(b"", seconds=0.2)

    def test_nobody_there_is_no_answer(self):
        async def run() -> None:
            transport = HttpxTransport("http://127.0.0.1:9")
            try:
                await transport.request("POST", "/sync", headers={}, body=b"")
            finally:
                await transport.close()

        with pytest.raises(NoNetwork):
            asyncio.run(run())
