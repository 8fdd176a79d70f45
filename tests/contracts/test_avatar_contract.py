from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import cache

import cv2
import pytest

from wsstream.avatar.base import AvatarProvider
from wsstream.avatar.portrait import PortraitAvatar, shipped
from wsstream.avatar.testcard import TestcardAvatar

from .avatar_contract import HEIGHT, WIDTH, AvatarContract


@cache
def photograph() -> bytes:
    """The shipped face as a user would have it."""
    return cv2.imencode(".jpg", shipped.rig("ada", 400, 480).still)[1].tobytes()


ADAPTERS: dict[str, tuple[Callable[[], AvatarProvider], Callable[[], bytes | None]]] = {
    "portrait": (lambda: PortraitAvatar(seed=1), lambda: None),
    "testcard": (TestcardAvatar, lambda: None),
    "portrait of a photograph": (lambda: PortraitAvatar(seed=1), photograph),
}


class TestAvatars(AvatarContract):
    @pytest.fixture(params=ADAPTERS)
    async def avatar(self, request: pytest.FixtureRequest) -> AsyncIterator[AvatarProvider]:
        make, picture = ADAPTERS[request.param]
        avatar = make()
        await avatar.start(picture(), width=WIDTH, height=HEIGHT)
        yield avatar
        await avatar.stop()
