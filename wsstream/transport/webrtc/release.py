"""What a closed peer connection held is freed at once."""

from __future__ import annotations

from typing import Any

from aiortc import RTCPeerConnection

from .hooks import unhook


def release(connection: RTCPeerConnection) -> None:
    """Cut the circles in which the parts of a closed connection hold each other: ours, and those
    that aiortc 1.16 and aioice 0.13 leave; what others do not have is left to the collector.
    Releasing twice does nothing.

    Uncut, each waits for the collector with 370 KB, half of it OpenSSL's and libsrtp's, of which
    the collector knows nothing: it comes after some fifty peers, and what they leave behind is a
    heap in pieces.
    """
    ends: set[Any] = {sender.transport for sender in connection.getSenders()}
    if connection.sctp is not None:
        ends.add(connection.sctp.transport)
    for dtls in ends:
        dtls.remove_all_listeners()  # the connection
        ice = getattr(dtls.transport, "_connection", None)
        pairs = getattr(ice, "_check_list", [])  # each knows its connection and its task
        for pair in pairs:
            pair.task = None
        pairs.clear()
    unhook(connection)
