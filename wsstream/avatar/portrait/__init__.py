"""The default avatar: a portrait on the CPU."""

from .provider import PortraitAvatar

__all__ = ["PortraitAvatar"]
