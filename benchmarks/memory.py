"""What the mock's memory does under load: GET, PATCH, pages, and calendars that are made and deleted again."""

from __future__ import annotations

import json
from collections import deque
from itertools import cycle

from benchmarks import paced
from benchmarks.load import GET, PAGE, PATCH
from benchmarks.servers import AUTHORIZATION, mock, started

STEPS = (0, 1_000, 10_000, 100_000, 200_000)
_NEW = json.dumps({"platform": "google", "client_id": "c", "client_secret": "s", "refresh_token": "r"}).encode()


class Mix:
    """The requests in turns; what was made is deleted again, so that there is never more than a few."""

    def __init__(self, url: str) -> None:
        """`url` is the mock's."""
        self._url = f"{url}/api/v1/calendars"
        self._headers = {"Authorization": AUTHORIZATION}
        make = paced.request("POST", self._url, {**self._headers, "Content-Type": "application/json"}, _NEW)
        self._next = cycle([*(case.bytes_for(url) for case in (GET, PATCH, GET, PAGE, PATCH)), make, None])
        self._made: deque[str] = deque()

    def next(self) -> bytes:
        """The next request: a DELETE at its turn, if there is something to delete."""
        for request in self._next:
            if request is not None:
                return request
            if self._made:
                return paced.request("DELETE", f"{self._url}/{self._made.popleft()}", self._headers)
        raise AssertionError("a cycle has no end")

    def told(self, status: int, body: bytes) -> None:
        """Notes what was made."""
        if status == 201:
            self._made.append(json.loads(body)["id"])


def measure(python: str) -> dict[int, int]:
    """Resident bytes of a mock that this Python runs, after so many requests."""
    found = {}
    # POSTs are counted while the time that the limit is for has not passed: a second, so that little of it is counting.
    with started(mock("--post-rate", "1000000000/sec", python=python)) as running:
        mix = Mix(running.url)
        done = 0
        for step in STEPS:
            if step > done:
                outcome = paced.drive(running.url, mix, count=step - done)
                assert not outcome.refused, f"{outcome.refused} requests were refused"
                done = step
            found[step] = running.resident
    return found
