"""What can go wrong, each with the close code and the HTTP status it is answered with.

    WsstreamError
    |-- ConfigError              the configuration cannot be used
    |-- AvatarError              an avatar engine cannot start or go on
    |-- VoiceError               a voice is missing or cannot speak this
    |-- MediaError               sound or pictures that cannot be decoded
    `-- Refused                  a request or a viewer is turned away
        |-- BadMessage           4400  400
        |-- Unauthorized         4401  401
        |-- ForbiddenOrigin      4403  403
        |-- NotFound             4404  404
        |-- Superseded           4409  409
        |-- TooLarge             4413  413
        |-- UnsupportedMedia     4400  415
        |-- TooMany              4429  429
        `-- Unavailable          4503  503

The numbers follow HTTP's, so that a reader knows them; WebSocket close codes from 4000 on are the
application's own (RFC 6455 section 7.4.2).
"""

from __future__ import annotations

from typing import ClassVar


class WsstreamError(Exception):
    """Everything this package raises on purpose. The message is fit for a user to read."""


class ConfigError(WsstreamError):
    """The configuration cannot be used."""


class AvatarError(WsstreamError):
    """An avatar engine cannot start or go on."""


class VoiceError(WsstreamError):
    """A voice is missing, or cannot speak this."""


class MediaError(WsstreamError):
    """Sound or pictures that cannot be decoded."""


class Refused(WsstreamError):
    """A request or a viewer is turned away. ``close_code`` ends a WebSocket, ``status`` an HTTP
    request, ``code`` names it in an ``error`` message."""

    code: ClassVar[str] = "refused"
    close_code: ClassVar[int] = 4400
    status: ClassVar[int] = 400


class BadMessage(Refused):
    """It could not be understood: what was expected and what came."""

    code = "bad_message"


class Unauthorized(Refused):
    """No token, or a wrong one."""

    code = "unauthorized"
    close_code = 4401
    status = 401


class ForbiddenOrigin(Refused):
    """A page of another origin, which the allow-list does not name."""

    code = "forbidden_origin"
    close_code = 4403
    status = 403


class NotFound(Refused):
    """No such agent or session."""

    code = "not_found"
    close_code = 4404
    status = 404


class Superseded(Refused):
    """A newer socket took this one's place."""

    code = "superseded"
    close_code = 4409
    status = 409


class TooLarge(Refused):
    """A message, a text or an upload over its limit."""

    code = "too_large"
    close_code = 4413
    status = 413


class UnsupportedMedia(Refused):
    """A body of another kind than expected."""

    code = "unsupported_media"
    status = 415


class TooMany(Refused):
    """Too many messages, viewers or sessions from one place."""

    code = "too_many"
    close_code = 4429
    status = 429


class Unavailable(Refused):
    """Full, or shutting down."""

    code = "unavailable"
    close_code = 4503
    status = 503
