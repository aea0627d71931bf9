"""Writes the file that says where a mock answers, with which keys, for programs that start it and wait for it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mockserver import __version__
from mockserver.app import Mock

_OWNER_ONLY: Final = 0o600


class ReadyFileError(Exception):
    """The file cannot be written; the text names it and the reason."""


class ReadyFile:
    """A file that is there as long as the mock answers."""

    def __init__(self, path: Path, mock: Mock, url: str) -> None:
        """Prepares the file of a mock that will answer at `url`; one that an earlier run left behind is removed.

        Raises ReadyFileError.
        """
        self._path = path
        self._prepared = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.unlink(missing_ok=True)
            self._prepared.unlink(missing_ok=True)
            # The owner's alone from the beginning: the keys are in it.
            with open(os.open(self._prepared, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as stream:
                json.dump(ready_content(mock, url), stream, indent=2)
                stream.write("\n")
        except OSError as error:
            raise ReadyFileError(
                f"cannot write the ready file {path} ({(error.strerror or str(error)).lower()}); give --ready-file a "
                "file in a folder that exists and can be written to"
            ) from error

    def publish(self) -> None:
        """Makes the file appear, complete: who sees it can read it and use the mock. Raises OSError."""
        os.replace(self._prepared, self._path)

    def remove(self) -> None:
        """Removes the file, unless another mock has replaced it meanwhile."""
        self._prepared.unlink(missing_ok=True)
        with contextlib.suppress(OSError, ValueError):
            if json.loads(self._path.read_text("utf-8")).get("pid") == os.getpid():
                self._path.unlink()


def ready_content(mock: Mock, url: str) -> dict[str, Any]:
    """What the file says: URL, key and secret of the first project that has a key, then all projects."""
    projects = [
        {
            "name": project.name,
            "api_keys": list(project.api_keys),
            "webhook_secret": base64.b64encode(project.webhook_secret).decode("ascii"),
        }
        for project in mock.store.projects
    ]
    keyed: dict[str, Any] = next((project for project in projects if project["api_keys"]), {})
    return {
        "url": url,
        "api_key": keyed.get("api_keys", [None])[0],
        "webhook_secret": keyed.get("webhook_secret"),
        "control_token": mock.guard.token,
        "projects": projects,
        "pid": os.getpid(),
        "version": __version__,
    }


@contextlib.contextmanager
def ready_file(path: Path | None, mock: Mock, url: str) -> Iterator[ReadyFile | None]:
    """The prepared file for as long as the block lasts, None without a path.

    Raises ReadyFileError.
    """
    if path is None:
        yield None
        return
    file = ReadyFile(path, mock, url)
    try:
        yield file
    finally:
        file.remove()
