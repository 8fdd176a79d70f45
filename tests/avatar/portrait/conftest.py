from __future__ import annotations

import cv2
import pytest

from wsstream.avatar.portrait import shipped
from wsstream.avatar.portrait.puppet import Puppet
from wsstream.avatar.portrait.rig import Rig
from wsstream.media.types import Pixels


@pytest.fixture(scope="session")
def ada() -> Rig:
    return shipped.rig("ada", 320, 320)


@pytest.fixture
def puppet(ada: Rig) -> Puppet:
    return Puppet(ada, seed=5, motion=1.0)


@pytest.fixture(scope="session")
def picture() -> Pixels:
    """The shipped face flattened, as a photograph of 600 x 750."""
    still = shipped.rig("ada", 600, 750).still
    return cv2.resize(still, (600, 750), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def photograph(picture: Pixels) -> bytes:
    return cv2.imencode(".jpg", picture)[1].tobytes()
