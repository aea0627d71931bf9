"""The timeline page at /__mock__/: its files, which are in the package, and what a browser may do with them."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from mockserver.control.errors import Refused
from mockserver.control.routes import Call, Reply, Route

PAGE: Final = "/__mock__/"
FILES: Final = "/__mock__/page/"
_FOLDER: Final = "page"
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
)


class PageRoutes:
    """Answers with the page and its files; they hold nothing of any project, and so need no control token."""

    def routes(self) -> list[Route]:
        """The routes of this group; none needs a project."""
        return [
            Route("GET", PAGE, self._page, of_project=False),
            Route("GET", f"{FILES}{{file}}", self._file, of_project=False),
        ]

    async def _page(self, call: Call) -> Reply:
        return _answer("index.html")

    async def _file(self, call: Call) -> Reply:
        return _answer(call.names["file"])


def _answer(name: str) -> Reply:
    """A file of the page, by its name alone.

    Raises Refused, with 404, for any other name.
    """
    folder = files("mockserver.control") / _FOLDER
    there = {one.name for one in folder.iterdir()}
    kind = name.rpartition(".")[2]
    if name not in there or kind not in _TYPES:
        raise Refused("file", "the page has no such file", 404, f"open {PAGE}")
    return Reply(200, (folder / name).read_bytes(), _TYPES[kind], _HEADERS)
