"""A project for code without pytest: as a context manager, sync or async, and as a decorator."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, TypeVar, cast

from mockserver.settings import Settings
from mockserver.testing.mock import AttendeeMock, Fixtures
from mockserver.testing.project import AttendeeProject

__all__ = ["attendee_project"]

_F = TypeVar("_F", bound=Callable[..., Any])


class attendee_project:  # noqa: N801 -- used like a function, and named as the fixture is
    """A new project: `with attendee_project() as project:`, `async with …`, or `@attendee_project()` on a function.

    A decorated function, sync or async, gets the project as the keyword argument `project`. In unittest:
    `self.project = self.enterContext(attendee_project())`.
    """

    def __init__(
        self,
        *,
        mock: AttendeeMock | None = None,
        settings: Settings | None = None,
        fixtures: Fixtures | None = None,
        sync: Literal["auto", "manual"] | None = None,
        now: str | datetime | None = None,
        frozen: bool = False,
        faults: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """In `mock`, which has been started, or in a mock of its own with `settings`; the rest as for new_project."""
        self._mock, self._settings = mock, settings
        self._options: dict[str, Any] = {
            "fixtures": fixtures,
            "sync": sync,
            "now": now,
            "frozen": frozen,
            "faults": tuple(faults),
        }
        self._stack = ExitStack()

    def __enter__(self) -> AttendeeProject:
        with ExitStack() as stack:
            mock = self._mock or stack.enter_context(AttendeeMock(self._settings))
            project = mock.new_project(**self._options)
            stack.callback(project.close)
            self._stack = stack.pop_all()
        return project

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def __aenter__(self) -> AttendeeProject:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stack.close)

    def __call__(self, function: _F) -> _F:
        """The function with a project of its own for each call."""
        again = functools.partial(attendee_project, mock=self._mock, settings=self._settings, **self._options)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapped_async(*arguments: Any, **named: Any) -> Any:
                async with again() as project:
                    return await function(*arguments, project=project, **named)

            return cast(_F, _without_project(wrapped_async, function))

        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            with again() as project:
                return function(*arguments, project=project, **named)

        return cast(_F, _without_project(wrapped, function))


def _without_project(wrapped: Callable[..., Any], function: Any) -> Any:
    """The wrapper with a signature that does not ask its caller, e.g. pytest, for a project."""
    signature = inspect.signature(function)
    kept = [parameter for name, parameter in signature.parameters.items() if name != "project"]
    wrapped.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return wrapped
