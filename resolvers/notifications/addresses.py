"""Decides which IP addresses are public (domain.md, section 8.7).

The ranges follow both families' registries of special-purpose addresses (RFC 6890 and its
successors).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' own, and the metadata of one cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # looks public, and is the wire server of one cloud
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols, and the metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols; Teredo, which holds an IPv4 address, is one
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""NAT64: the last 32 bits are the IPv4 address that is reached."""


def public(address: Address) -> bool:
    """Whether the address is public."""
    plain = _without_ipv6(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _NOT_PUBLIC_4)
    if plain in _TRANSLATED:
        return public(IPv4Address(int(plain) & 0xFFFF_FFFF))
    return plain in _GLOBAL_6 and not any(plain in network for network in _NOT_PUBLIC_6)


def loopback(address: Address) -> bool:
    """Whether the address is loopback: 127.0.0.0/8 or ::1."""
    return _without_ipv6(address).is_loopback


def allowed(address: Address, *, local: bool) -> bool:
    """Whether messages may be sent to the address. `local` also allows loopback."""
    return public(address) or (local and loopback(address))


def _without_ipv6(address: Address) -> Address:
    """The IPv4 address for an IPv6 address of the form ::ffff:…, else the address itself."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
