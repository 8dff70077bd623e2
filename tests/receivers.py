"""What messages are sent to in tests: a real HTTP server and a real SMTP server on this machine.

with http_receiver() as receiver:       # answers 204 unless told otherwise
    receiver.answers += [Reply(503), Reply(204)]
    … receiver.url … receiver.requests
"""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCAL = "127.0.0.0/8"


@dataclass(frozen=True)
class Reply:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes


@dataclass
class HttpReceiver:
    """`answers` are used up one by one, then `otherwise`. While `silent` no request is answered."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)
    otherwise: Reply = field(default_factory=Reply)
    silent: threading.Event = field(default_factory=threading.Event)
    got_one: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]


@contextmanager
def http_receiver(tls: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    receiver, lock, over = HttpReceiver(), threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            names = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                receiver.requests.append(Received(self.path, names, body))
                reply = receiver.answers.pop(0) if receiver.answers else receiver.otherwise
            receiver.got_one.set()
            if receiver.silent.is_set():
                over.wait(60)
                return
            with contextlib.suppress(OSError):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a sender that was killed leaves a broken connection

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/hook"
    with _serving(server):
        try:
            yield receiver
        finally:
            over.set()


@dataclass
class SmtpReceiver:
    """`refuse`: the answer to every recipient instead of 250, like "550 no such user"."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: str = ""


@contextmanager
def smtp_receiver() -> Iterator[SmtpReceiver]:
    """As much of RFC 5321 as it takes to receive a mail."""
    receiver = SmtpReceiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test ready")
            while line := self.rfile.readline():
                verb = line.split(b":")[0].split()[0].upper().decode()
                if verb == "RCPT":
                    receiver.recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                    self._say(receiver.refuse or "250 ok")
                elif verb == "DATA":
                    self._say("354 go on")
                    receiver.mails.append(message_from_bytes(self._until_dot()))
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def _until_dot(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return b"".join(lines)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    with _serving(server):
        yield receiver


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
