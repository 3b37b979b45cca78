"""The rule for URLs of receivers: https, to the public internet (domain.md, section 8.7).

The rule is checked when an endpoint is registered, and again before each attempt. It checks the
URL; the sender checks the addresses that the name resolves to.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import idna

from resolvers.notifications.addresses import Address, allowed, loopback
from resolvers.values import frozen

MOST: Final = 2_000
"""The longest URL, in characters."""

PORTS: Final = {"https": 443, "http": 80}
MOST_OF_PORT: Final = 65_535
MOST_OF_NAME: Final = 253

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label with which programs read the whole name as an IPv4 address."""

_NOT_WRITTEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_KEPT: Final = "%/?:@!$&'()*+,;=-._~[]"


class WrongUrl(ValueError):
    """A URL that is not allowed. The text states the rule."""


@frozen
class Receiver:
    """A valid URL as the parts of a request, all ASCII."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The canonical URL of this request."""
        return f"{self.scheme}://{self.authority}{self.target}"


def url_rule(url: str, *, local: bool, ports: frozenset[int] = frozenset()) -> str | None:
    """The rule that a URL breaks, as a text that follows the field's name, or None."""
    try:
        receiver(url, local=local, ports=ports)
    except WrongUrl as wrong:
        return str(wrong)
    return None


def canonical(url: str) -> str:
    """The form in which URLs of the same request are equal (RFC 3986, 6.2).

    Scheme and host are in lower case and ASCII, without a default port. An invalid URL is returned
    unchanged.
    """
    try:
        parts = _split(url)
        if parts.scheme not in PORTS or parts.username is not None:
            return url
        host = _host(parts.hostname or "", local=True)
        return Receiver(parts.scheme, host, _port(parts), _target(parts)).url
    except WrongUrl:
        return url


def receiver(url: str, *, local: bool, ports: frozenset[int] = frozenset()) -> Receiver:
    """Parse and check a URL. `local` allows http, and this machine at any port, for development.

    `ports` are allowed in addition to 443.

    Raises: WrongUrl.
    """
    parts = _split(url)
    if parts.scheme not in PORTS:
        raise WrongUrl("must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise WrongUrl("must not hold a user or a password")
    if "#" in url:
        raise WrongUrl("must not have a fragment")
    host = _host(parts.hostname or "", local=local)
    if parts.scheme == "http" and not (local and this_machine(host)):
        raise WrongUrl("must begin with https://")
    port = _port(parts)
    known = {PORTS["https"], *ports}
    if port not in known and not (local and this_machine(host)):
        raise WrongUrl(f"must have port {' or '.join(map(str, sorted(known)))}")
    return Receiver(parts.scheme, host, port, _target(parts))


def _target(parts: SplitResult) -> str:
    target = quote(parts.path or "/", safe=_KEPT)
    return f"{target}?{quote(parts.query, safe=_KEPT)}" if parts.query else target


def _split(url: str) -> SplitResult:
    if len(url) > MOST:
        raise WrongUrl(f"must have at most {MOST} characters")
    if _NOT_WRITTEN.search(url):
        raise WrongUrl("must not hold blanks, control characters or backslashes")
    try:
        return urlsplit(url)
    except ValueError:
        raise WrongUrl("is not a URL") from None


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise WrongUrl(f"must have a port from 1 to {MOST_OF_PORT}")
    return port or PORTS[parts.scheme]


def _host(written: str, *, local: bool) -> str:
    """The host in canonical form: a name in ASCII, or an address in its usual spelling."""
    name = written if ":" in written else _name(written)
    address = _address(name)
    if address is None:
        if this_machine(name) and not local:
            raise WrongUrl("must not name this machine")
        return name
    if not allowed(address, local=local):
        raise WrongUrl("must not name a private or special address")
    return str(address)


def _name(written: str) -> str:
    """A name in lower case and ASCII, without a final dot."""
    name = written.removesuffix(".").lower()
    try:
        if not name.isascii() or "xn--" in name:
            name = idna.encode(name, uts46=True, std3_rules=True).decode()
    except UnicodeError:  # idna's own errors are of this kind
        raise WrongUrl("must name a host") from None
    labels = name.split(".")
    if len(name) > MOST_OF_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise WrongUrl("must name a host")
    return name


def _address(host: str) -> Address | None:
    """The address of a host that is an address; None for a name.

    127.1, 2130706433 and 0x7f000001 are 127.0.0.1 to some programs and names to others.
    Raises: WrongUrl, for such a spelling.
    """
    try:
        if ":" in host:
            return IPv6Address(host.replace("%", " "))  # %eth0 is a network card of this machine
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return IPv4Address(host)
    except AddressValueError:
        raise WrongUrl("must name a host, or an address in its usual spelling") from None
    return None


def this_machine(host: str) -> bool:
    """Whether a host in ASCII is this machine, by its name or by its address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return loopback(ip_address(host))
    except ValueError:
        return False
