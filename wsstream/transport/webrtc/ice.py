"""ICE as text: what of an offer the peer connection gets to see, and passwords for TURN."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence

from ...errors import BadMessage, TooLarge

OFFER_MAX_BYTES = 24_000
"""A browser's offer for sound, pictures and a data channel has about 5000."""
CANDIDATES_MAX = 24
"""Of one peer, trickled ones included: each costs the server connectivity checks."""
_TYPES = ("host", "srflx", "prflx", "relay")


def clean_offer(sdp: str) -> str:
    """The offer without what aiortc trips over: candidates it cannot use (TCP, mDNS names), and the
    end of candidates, after which it would take none that come later.

    Raises:
        TooLarge: beyond ``OFFER_MAX_BYTES``.
        BadMessage: when it is no session description, or one that nobody needs.
    """
    if len(sdp.encode(errors="replace")) > OFFER_MAX_BYTES:
        raise TooLarge(f"an offer of more than {OFFER_MAX_BYTES} bytes")
    lines = sdp.splitlines()
    if not lines or lines[0].strip() != "v=0" or not any(line[:2] == "m=" for line in lines):
        raise BadMessage("expected a session description (RFC 8866), starting with v=0")
    _check_sections(lines)
    kept, candidates = [], 0
    for line in lines:
        if line.startswith("a=end-of-candidates"):
            continue
        if line.startswith("a=candidate:"):
            candidates += 1
            if candidates > CANDIDATES_MAX or not is_usable_candidate(line[2:]):
                continue
        kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def _check_sections(lines: Sequence[str]) -> None:
    """Each section costs a receiver, and aiortc loses its transports over a BUNDLE group (RFC 8843)
    of sections that are not there."""
    kinds = [line[2:].partition(" ")[0] for line in lines if line.startswith("m=")]
    mids = [line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")]
    if len(set(kinds)) < len(kinds):
        raise BadMessage(f"expected one section of each kind, got {', '.join(kinds)}"[:200])
    if len(set(mids)) < len(mids) or len(mids) != len(kinds):
        raise BadMessage("expected each section to have a mid of its own (RFC 8843)")
    session, *sections = "\n".join(lines).split("\nm=")
    if not all("\na=fingerprint:" in session + section for section in sections):
        raise BadMessage("expected a certificate's fingerprint (RFC 8122)")
    for line in lines:
        if line.startswith("a=group:BUNDLE") and not set(line.split()[1:]) <= set(mids):
            raise BadMessage("expected the BUNDLE group to name sections that are there")


def is_usable_candidate(text: str) -> bool:
    """Whether a ``candidate:…`` (RFC 8839 section 5.1) can be checked: UDP, to one numeric address.

    >>> is_usable_candidate("candidate:1 1 udp 2122 192.0.2.1 5000 typ host")
    True
    >>> is_usable_candidate("candidate:1 1 udp 2122 6ba1.local 5000 typ host")
    False
    """
    fields = text.removeprefix("candidate:").split()
    if len(fields) < 8 or fields[2].lower() != "udp" or fields[6] != "typ":
        return False
    numbers = [fields[i] for i in (1, 3, 5)]
    if not all(n.isascii() and n.isdigit() and len(n) <= 10 for n in numbers):
        return False
    if fields[7] not in _TYPES or "%" in fields[4]:  # a zone means nothing on another machine
        return False
    try:
        address = ipaddress.ip_address(fields[4])
    except ValueError:
        return False
    return 0 < int(fields[5]) < 65536 and not (address.is_multicast or address.is_unspecified)


def turn_credentials(secret: str, user: str, expires_s: float) -> tuple[str, str]:
    """User name and password that a TURN server with the same secret takes until the Unix time
    ``expires_s`` (draft-uberti-behave-turn-rest-00; coturn's ``use-auth-secret``)."""
    username = f"{int(expires_s)}:{user}"
    mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(mac.digest()).decode()
