"""Who may come in: origins, host names and tokens. Pure."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from .errors import ForbiddenOrigin, Unauthorized

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def _host_port(host: str, scheme: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme, 0)


def check_origin(origin: str | None, host: str | None, allowed: Sequence[str]) -> None:
    """Accept a page of our own origin, or one that ``allowed`` names; ``"*"`` names all.

    A client that sends no ``Origin`` is no browser, and cross-site attacks need one (RFC 6455
    section 10.2), so it passes. Behind a proxy that ends TLS the scheme differs while host and port
    agree, so the scheme only supplies the default port.

    Raises:
        ForbiddenOrigin: for every other page.
    """
    if origin is None or "*" in allowed or origin.rstrip("/") in (a.rstrip("/") for a in allowed):
        return
    try:
        parts = urlsplit(origin)
        if (
            parts.hostname
            and host
            and _host_port(parts.netloc, parts.scheme) == _host_port(host, parts.scheme)
        ):
            return
    except ValueError:
        pass
    raise ForbiddenOrigin(f"origin {origin[:200]!r} is not allowed here")


def answers_to(host: str | None, allowed: Sequence[str]) -> bool:
    """Whether a server with these names is asked by one of them, whatever the port.
    ``"*.a.example"`` is all below, ``"*"`` or none at all is every name.

    A page whose name is made to point here (DNS rebinding) is a page of our own origin. It needs a
    name for that, so addresses always pass, and so does who sends no ``Host``: no browser.
    """
    if host is None or not allowed or "*" in allowed:
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    names = [known.lower() for known in allowed]
    below = tuple(known.removeprefix("*") for known in names if known.startswith("*."))
    return bool(name) and (name in names or name.endswith(below) or _address(name) is not None)


def default_hosts(bound: str) -> tuple[str, ...]:
    """The names that a server bound to this address answers to where nothing else is said: all,
    unless it serves this machine only. ``.localhost`` and ``.test`` cannot be anybody's (RFC 6761).
    """
    address = _address(bound)
    if bound.lower() == "localhost" or (address is not None and address.is_loopback):
        return "localhost", "*.localhost", "*.test"
    return ()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network_of(address: str) -> str:
    """What one subscriber has of addresses: an IPv4 address, or the /64 of an IPv6 address, which
    has as many as anybody likes (RFC 6177 section 2). What is no address is itself."""
    host = _address(address)
    if not isinstance(host, ipaddress.IPv6Address):
        return address
    return str(host.ipv4_mapped or ipaddress.IPv6Network((host, 64), strict=False))


def check_token(expected: str, given: str | None) -> None:
    """Compare in constant time; an empty ``expected`` asks for no token.

    Raises:
        Unauthorized: when it is missing or differs.
    """
    if expected and not hmac.compare_digest(expected.encode(), (given or "").encode()):
        raise Unauthorized("a token is required" if not given else "the token is wrong")


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization: Bearer`` header (RFC 6750 section 2.1), if there is one."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
