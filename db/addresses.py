"""Which network addresses the studio may talk to: who names a server must not reach what is near it.

A name may resolve to a private address, and to another one a moment later (DNS rebinding). So whoever
connects asks `allowed_addresses` and connects to one of the addresses it gives, never to the name.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address


def parse_base_url(url: str) -> str:
    """The URL without a slash at its end. Raises ValueError naming the fault; it never quotes a password."""
    url = url.strip().rstrip("/")
    parts = _split(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("base url: it must begin with http:// or https://, such as https://host/v1.")
    if not parts.hostname:
        raise ValueError("base url: it names no host; write it as https://host/v1.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base url: it holds a user name or password; name a key's variable instead.")
    if parts.query or parts.fragment:
        raise ValueError("base url: leave out what follows ? or #; a key belongs in an environment variable.")
    return url


def host_and_port(url: str) -> tuple[str, int]:
    parts = _split(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_private(address: Address) -> bool:
    """Loopback, link-local or private: an address that means another machine elsewhere."""
    return not _plain(address).is_global


def is_named_private(host: str) -> bool:
    """True when the host is written so that it can only be private: an address, or localhost."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return is_private(ip_address(host))
    except ValueError:
        return False


def allowed_addresses(host: str, found: Sequence[str], *, private: bool) -> list[str]:
    """Those of `found`, the addresses that the host resolves to, as they may be connected to.

    Raises ValueError when one of them may not: a name that leads to both is a trick, not a choice.
    """
    addresses = [ip_address(text.split("%")[0]) for text in found]
    if not addresses:
        raise ValueError(f"base url: the name {host} has no address; check how it is spelled.")
    for address in map(_plain, addresses):
        if address.is_multicast or address.is_unspecified or address == IPv4Address("255.255.255.255"):
            raise ValueError(f"base url: {host} leads to {address}, which is no server's address.")
        if is_private(address) and not private:
            leads = "is a private address" if host == str(address) else f"leads to the private {address}"
            raise ValueError(f"base url: {host} {leads}; an admin must agree to that on the endpoint first.")
    return [str(address) for address in addresses]


def addresses_in(answer: Sequence[tuple]) -> list[str]:
    """The addresses in an answer of `getaddrinfo`, IPv4 first: many hosts have no IPv6 road."""
    inet = sorted(answer, key=lambda one: one[0] != socket.AF_INET)
    return list(dict.fromkeys(one[4][0] for one in inet))


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here, for it may be wrong
    except ValueError as error:
        raise ValueError("base url: it cannot be read; write it as https://host:port/v1.") from error
    return parts
