"""Where a webhook may point: to https on the open internet, and nowhere into our own network.

The name is looked up once, every address it has is judged, and the connection goes to a judged address: a
name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from shared.problems import BadValue

URL_LENGTH_MAX = 500
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16"))
"""IPv6 that leads to an IPv4 address of whose network we know nothing."""

Lookup = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses of `host`. Raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Forbidden(Exception):
    """An address that webhooks may not reach."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to connect to: `host` for the certificate and the Host line, `addresses` in the order to try."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


class Boundary:
    """What may be reached. `allowed`: networks of our own, in CIDR, to which http may be spoken too."""

    def __init__(self, allowed: str = "", lookup: Lookup = look_up) -> None:
        """Raises ValueError when `allowed` is no list of networks."""
        self._allowed = [ip_network(part.strip()) for part in allowed.split(",") if part.strip()]
        self._lookup = lookup

    def check_url(self, url: str) -> None:
        """Raises BadValue for what can never be right, without asking the network."""
        try:
            scheme, host, *_ = _parts(url)
            if _is_number(host):
                self._judge(host, scheme)
        except Forbidden as error:
            raise BadValue(f"{error}", field="url") from error
        except ValueError as error:
            raise BadValue("That is not an address like https://example.com/hook", field="url") from error
        if urlsplit(url).scheme == "http" and not self._allowed:
            raise BadValue("Give an address that begins with https://", field="url")

    def target(self, url: str) -> Target:
        """Where to connect for `url`. Raises Forbidden, or OSError when the name can't be looked up."""
        scheme, host, port, path = _parts(url)
        addresses = tuple(self._lookup(host, port))
        if not addresses:
            raise OSError(f"{host} has no address")
        for address in addresses:
            self._judge(address, scheme)
        return Target(scheme, host, port, path, addresses)

    def _judge(self, text: str, scheme: str) -> None:
        address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in network for network in self._allowed):
            return
        if scheme != "https":
            raise Forbidden("Only https leads outside")
        if not _is_public(address):
            raise Forbidden("The address lies in a private network (TRUCKROLL_WEBHOOK_NETWORKS allows some)")


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, path with query. Raises ValueError or Forbidden."""
    if len(url) > URL_LENGTH_MAX or not url.isascii() or any(letter <= " " for letter in url):
        raise ValueError(url)
    split = urlsplit(url)
    if split.scheme not in ("https", "http"):
        raise Forbidden("Give an address that begins with https://")
    if split.username or split.password:
        raise Forbidden("Leave name and password out of the address: messages are signed")
    if not split.hostname:
        raise ValueError(url)
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    return split.scheme, split.hostname, split.port or (443 if split.scheme == "https" else 80), path
