"""The origins whose pages may open WebSockets.

For a WebSocket of a page of another site, a browser sends no preflight request, unlike for requests
with JSON. Only the header `Origin` names the site. Other clients do not send it.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from starlette.responses import Response
from starlette.types import Scope

from gateway.hosts import WrongHost, host_in, host_of, is_loopback, refused

SETTING: Final = "GATEWAY_ALLOWED_ORIGINS"
ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[^\[\]:@/?#\\\s]+)(:(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class WrongOrigin(ValueError):
    """Not an origin."""


class Origin(NamedTuple):
    """A scheme, a host in the form of `host_of`, and a port; None for the default port."""

    scheme: str
    host: str
    port: str | None


class Origins:
    """The allowed origins: those of the settings, and the gateway's own host.

    The scheme and the port of its own host are not compared, because a proxy changes them.
    """

    def __init__(self, allowed: Iterable[Origin]) -> None:
        named = frozenset(allowed)
        self._exact = frozenset(each for each in named if not each.host.startswith("*."))
        self._domains = named - self._exact

    def refusal(self, scope: Scope) -> Response | None:
        """The response to a handshake from an origin that is not allowed; None if it is allowed.

        The header `Host` of the handshake has been checked.
        """
        given = [value for name, value in scope["headers"] if name == b"origin"]
        if not given:
            return None
        text = given[0].decode("latin-1")
        try:
            if len(given) == 1 and self._allows(origin_of(text), scope):
                return None
        except WrongOrigin:
            pass
        rule = (
            f"Pages of the origin '{text}' may not connect to this gateway."
            f" If they should, add the origin to the setting {SETTING}."
        )
        return refused(403, rule, "ORIGIN_NOT_ALLOWED")

    def _allows(self, origin: Origin, scope: Scope) -> bool:
        if origin in self._exact or any(_is_below(origin, each) for each in self._domains):
            return True
        [host] = [host_in(value) for name, value in scope["headers"] if name == b"host"]
        return origin.host == host or (is_loopback(origin.host) and is_loopback(host))


def origin_of(text: str) -> Origin:
    """An origin in the form in which origins are compared. Raises: WrongOrigin."""
    match = ORIGIN.fullmatch(text.lower())
    if match is None:
        raise WrongOrigin(text)
    scheme, host, port = match["scheme"], match["host"], match["port"]
    below = host.startswith("*.")
    try:
        host = f"*.{host_of(host[2:])}" if below else host_of(host)
    except WrongHost:
        raise WrongOrigin(text) from None
    return Origin(scheme, host, None if port == DEFAULT_PORTS.get(scheme) else port)


def _is_below(origin: Origin, domain: Origin) -> bool:
    """Whether an origin is a subdomain of `domain`, which starts with `*.`."""
    same = (origin.scheme, origin.port) == (domain.scheme, domain.port)
    return same and origin.host.endswith(domain.host[1:])
