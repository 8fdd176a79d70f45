"""The page and its modules, as a browser asks for them."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from .bundle import bundle

_PACKAGE = Path(__file__).resolve().parent.parent
STATIC = next(path for path in (_PACKAGE / "static", _PACKAGE.parent / "static") if path.is_dir())
"""The page's files: inside an installed package, beside it in a checkout."""

ENTRIES = ("wsstream.js", "audio/worklet.js")
"""What is answered with all that it imports: what a page loads, and what an audio thread loads."""

_HEADERS = {
    # The names hold no version: a browser has to ask whether they are still what it has.
    "cache-control": "no-cache",
    "access-control-allow-origin": "*",  # modules, for pages of other origins
}


def page_routes() -> list[BaseRoute]:
    """``/`` and ``/static``. Changes to the modules are seen after a restart."""
    return [Route("/", _index), Mount("/static", _Static())]


async def _index(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


class _Static(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=STATIC)
        self._entries: dict[tuple[str, bool], bytes] = {}
        """By path, and whether it is compressed."""
        for name in ENTRIES:
            whole = bundle(STATIC, name).encode()
            self._entries[name, False] = whole
            # No time in it: the same bytes from every server and after every start.
            self._entries[name, True] = gzip.compress(whole, mtime=0)
        self._etags = {key: _etag(body) for key, body in self._entries.items()}

    async def get_response(self, path: str, scope: Scope) -> Response:
        asked = Headers(scope=scope)
        which = path.replace(os.sep, "/"), _takes_gzip(",".join(asked.getlist("accept-encoding")))
        if which not in self._entries or scope["method"] not in ("GET", "HEAD"):
            return await super().get_response(path, scope)
        response = Response(self._entries[which], media_type="text/javascript", headers=_HEADERS)
        response.headers.update({"etag": self._etags[which], "vary": "accept-encoding"})
        if which[1]:
            response.headers["content-encoding"] = "gzip"
        if self.is_not_modified(response.headers, asked):
            response = NotModifiedResponse(response.headers)
            response.headers.update(_HEADERS)
        return response

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_HEADERS)
        return response


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _takes_gzip(accepted: str) -> bool:
    """RFC 9110 section 12.5.3."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" if weight else True
    return False
