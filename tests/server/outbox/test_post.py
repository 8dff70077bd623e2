"""One POST over real sockets: it ends in time, follows nobody, and believes no unknown certificate."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from receivers import Reply, http_receiver

from server.outbox.addresses import Boundary, Target
from server.outbox.post import post

NOW = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
TLS = ssl.create_default_context()


def send(url: str, *, tls: ssl.SSLContext = TLS, seconds: float = 5):
    target = Boundary("127.0.0.0/8").target(url)
    return post(target, b"{}", {"content-type": "application/json"}, now=NOW, tls=tls, seconds=seconds)


@contextmanager
def talking(*pieces: bytes, every: float = 0.0) -> Iterator[str]:
    """Says these pieces whatever it is asked, `every` so many seconds, and then holds the line."""
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65_536)
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    return
                if over.wait(every):
                    return
            over.wait(30)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        thread.join()
        listener.close()


class TestTheAnswer:
    def test_is_status_and_the_printable_beginning_of_what_it_said(self):
        with http_receiver() as receiver:
            receiver.answers = [Reply(422, body=b"no \x1b[31msuch\x00 job " + b"x" * 5_000)]
            answer = send(receiver.url)
        assert (answer.status, len(answer.said)) == (422, 298)
        assert answer.said.startswith("no [31msuch job xxx")

    @pytest.mark.parametrize(
        ("value", "wanted"),
        [
            ("120", timedelta(seconds=120)),
            ("Mon, 16 Nov 2026 07:01:00 GMT", timedelta(minutes=1)),
            ("Mon, 16 Nov 2026 06:59:00 GMT", None),
            ("0", None),
            ("soon", None),
            ("-5", None),
            ("99999999999999999999", None),
        ],
    )
    def test_may_ask_to_wait(self, value: str, wanted: timedelta | None):
        with http_receiver() as receiver:
            receiver.answers = [Reply(503, {"Retry-After": value})]
            assert send(receiver.url).retry_after == wanted

    def test_that_points_elsewhere_is_not_followed(self):
        with http_receiver() as receiver:
            receiver.answers = [Reply(302, {"Location": receiver.url})]
            assert send(receiver.url).status == 302
            assert len(receiver.requests) == 1


class TestAnEnd:
    def test_comes_when_nobody_answers(self):
        with talking() as url, pytest.raises(TimeoutError, match=r"no answer within 0\.4 s"):
            send(url, seconds=0.4)

    def test_comes_when_the_answer_drips(self):
        began = time.monotonic()
        drops = [b"HTTP/1.1 200 OK\r\n", *(b"X-Drip: 1\r\n" for _ in range(60))]
        with talking(*drops, every=0.2) as url, pytest.raises(TimeoutError):
            send(url, seconds=1)
        assert time.monotonic() - began < 4

    @pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.7\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200])
    def test_is_an_error_when_it_is_not_http(self, said: bytes):
        with talking(said) as url, pytest.raises(OSError, match="not HTTP"):
            send(url)

    def test_is_an_error_when_nobody_listens(self):
        with http_receiver() as receiver:
            closed = receiver.url
        with pytest.raises(OSError, match="refused"):
            send(closed)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a name that leads nowhere, good for 127.0.0.1 only under that name."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=hooks.test",
         "-addext", "subjectAltName=DNS:hooks.test"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


class TestHttps:
    def serving(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        return context

    def to(self, url: str, host: str) -> Target:
        return Target("https", host, int(url.rsplit(":", 1)[1].split("/")[0]), "/hook", ("127.0.0.1",))

    def test_goes_to_the_judged_address_under_the_names_certificate(self, certificate: Path):
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        with http_receiver(self.serving(certificate)) as receiver:
            target = self.to(receiver.url, "hooks.test")
            assert post(target, b"{}", {}, now=NOW, tls=trusting).status == 204
            assert receiver.requests[0].headers["host"] == f"hooks.test:{target.port}"

    @pytest.mark.parametrize("host", ["hooks.test", "other.test"])
    def test_tells_nothing_to_a_certificate_it_does_not_know(self, certificate: Path, host: str):
        context = (
            TLS if host == "hooks.test" else ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        )
        with http_receiver(self.serving(certificate)) as receiver:
            with pytest.raises(ssl.SSLCertVerificationError):
                post(self.to(receiver.url, host), b"{}", {}, now=NOW, tls=context)
            assert receiver.requests == []
