"""An exchange as it may be shown: its texts without secrets."""

from __future__ import annotations

from typing import NamedTuple

from mockserver.proxy.masking import Masker
from mockserver.proxy.parsing import Content, Passed, decoded


class ShownBody(NamedTuple):
    """A body: its text, if it is text that is kept as a whole."""

    text: str | None
    size: int
    note: str = ""
    """Why there is no text although there was a body."""


class Shown(NamedTuple):
    """An exchange without secrets."""

    target: str
    request_headers: list[tuple[str, str]]
    request: ShownBody
    response_headers: list[tuple[str, str]]
    response: ShownBody


def shown(passed: Passed, masker: Masker) -> Shown:
    """The exchange masked: the request first, so that its secrets are known in the response."""
    request_headers = masker.headers(passed.request_headers)
    target = masker.url(passed.target)
    request = _body(passed.request, passed, masker, is_response=False)
    # What the body taught is masked in the target, too.
    target = masker.text(target)
    response_headers = masker.headers(passed.response_headers)
    response = _body(passed.response, passed, masker, is_response=True)
    return Shown(target, request_headers, request, response_headers, response)


def media_type(passed: Passed, *, response: bool) -> str:
    """The Content-Type without parameters, in lower case."""
    return passed.header(b"content-type", response=response).partition(";")[0].strip().lower()


def _body(content: Content, passed: Passed, masker: Masker, *, is_response: bool) -> ShownBody:
    if not content.size:
        return ShownBody("", 0)
    encoding = passed.header(b"content-encoding", response=is_response).lower()
    data = decoded(content, encoding)
    if data is None:
        why = "too large to be kept" if content.is_cut else f"in the encoding {encoding}"
        return ShownBody(None, content.size, why)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # Whether there is a secret in what is no text cannot be said.
        return ShownBody(None, content.size, "not UTF-8 text")
    kind = media_type(passed, response=is_response)
    return ShownBody(masker.body(text, kind, is_response=is_response), content.size)
