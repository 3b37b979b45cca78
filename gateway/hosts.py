"""The host names that requests may use. All others are refused.

With DNS rebinding, a page of another site resolves its own name to this server's address and can
then read any data, because the browser treats both as one origin. Only the header `Host` reveals
it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from gateway import errors
from gateway.security_headers import HEADERS

SETTING: Final = "GATEWAY_ALLOWED_HOSTS"
LOOPBACK_NAME: Final = "localhost"
LONGEST: Final = 253
"""A host name in the DNS has no more characters."""

NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
WITH_PORT: Final = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#\\\s]+)(:[0-9]{0,5})?", re.ASCII
)

FORWARDED: Final = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host"})
"""Headers of a proxy. Behind a proxy, a loopback address is not the client's."""

Address = IPv4Address | IPv6Address


class WrongHost(ValueError):
    """Not the name or the address of a host."""


class Hosts:
    """The allowed hosts. `*.example.com` allows all of its subdomains.

    Loopback names and addresses are always allowed. The address at which the connection arrived is
    allowed too: load balancers use it for health checks, and no page of another site can have it as
    its origin.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        named = frozenset(allowed)
        self._exact = frozenset(name for name in named if not name.startswith("*."))
        self._domains = tuple(name[1:] for name in named if name.startswith("*."))

    def refusal(self, scope: Scope) -> Response | None:
        """The response to a request for a host that is not allowed; None if it is allowed."""
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return refused(400, "A request must have exactly one header 'Host'.", "BAD_REQUEST")
        try:
            host = host_in(given[0])
        except WrongHost:
            rule = "The header 'Host' must be HOST or HOST:PORT."
            return refused(400, rule, "BAD_REQUEST")
        if self._allows(host) or host == _server(scope):
            return None
        rule = (
            f"This gateway does not serve the host '{host}'."
            f" If it should, add the host to the setting {SETTING}."
        )
        return refused(421, rule, "HOST_NOT_ALLOWED")

    def _allows(self, host: str) -> bool:
        return is_loopback(host) or host in self._exact or host.endswith(self._domains)


def is_local(scope: Scope) -> bool:
    """Whether a request names a loopback host and arrived there, without a proxy in between."""
    server = _server(scope)
    if server is None or not is_loopback(server):
        return False
    names = [name for name, _ in scope["headers"]]
    if not FORWARDED.isdisjoint(names):
        return False
    return all(is_loopback(host_in(value)) for name, value in scope["headers"] if name == b"host")


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host in the form of `host_of` is this machine itself."""
    address = _address(host)
    return host == LOOPBACK_NAME if address is None else address.is_loopback


def host_of(text: str) -> str:
    """A host in the form in which hosts are compared.

    Names are in lower case and without the final dot, IPv6 addresses without brackets.

    Raises: WrongHost.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    address = _address(bare)
    if address is not None:
        return str(address)
    name = text.lower().removesuffix(".")
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise WrongHost(text)
    return name


def hosts_of(text: str) -> tuple[str, ...]:
    """The hosts of a list that is separated by commas. Raises: WrongHost."""
    found = []
    for part in (piece.strip() for piece in text.split(",")):
        below = part.startswith("*.")
        found.append(f"*.{host_of(part[2:])}" if below else host_of(part))
    return tuple(found)


@lru_cache(maxsize=256)
def host_in(header: bytes) -> str:
    """Raises: WrongHost."""
    match = WITH_PORT.fullmatch(header.decode("latin-1"))
    if match is None:
        raise WrongHost(header)
    return host_of(match["host"])


def _server(scope: Scope) -> str | None:
    """The local address of a connection; None if it is not an IP address."""
    name = (scope.get("server") or ("", None))[0]
    address = _address(name)
    return None if address is None else str(address)


@lru_cache(maxsize=256)
def _address(text: str) -> Address | None:
    """An IP address. The IPv4 address that an IPv6 socket shows as `::ffff:…` is the IPv4 one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def refused(status: int, message: str, code: str) -> Response:
    return Response(
        errors.encoded({"errors": [errors.top_level(message, code)]}),
        status,
        {"cache-control": "no-store", **HEADERS},
        "application/json",
    )
