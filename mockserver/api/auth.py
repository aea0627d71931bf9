"""Authenticates API keys (`Authorization: Token KEY`), and limits the POSTs of a project."""

from __future__ import annotations

from math import ceil

from mockserver.api import errors
from mockserver.domain.store import Project, Store
from mockserver.domain.timestamps import SECOND
from mockserver.settings import Rate


class TokenSecurity:
    """Finds the project behind an Authorization header."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def authenticate(self, header: str | None) -> Project:
        """The project of the key in the header's text; None is no header, an empty text is a malformed one.

        The word Token takes any case and any blanks around it (auth-odd-headers). Raises ApiError with status 401.
        """
        if header is None:
            raise errors.missing_authorization()
        parts = header.split()
        if len(parts) != 2 or parts[0].lower() != "token":
            raise errors.malformed_authorization()
        project = self._store.by_key.get(parts[1])
        if project is None:
            raise errors.unknown_key()
        return project


class Throttle:
    """Lets a project make so many POSTs in a sliding window, whatever becomes of them (throttle-*)."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate

    def admit(self, project: Project) -> None:
        """Counts one POST.

        Raises ApiError with status 429 when there are none left; that POST does not count.
        """
        now = project.clock.now()
        window = self._rate.seconds * SECOND
        posts = project.posts
        while posts and posts[0] <= now - window:
            posts.popleft()
        if len(posts) >= self._rate.number:
            oldest = posts[0] if posts else now
            raise errors.throttled(ceil((window - (now - oldest)) / SECOND))
        posts.append(now)
