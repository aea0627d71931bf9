"""A project's webhook subscriptions, deliveries and faults, as objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from mockserver.domain.subscriptions import TRIGGERS
from mockserver.testing.controls import Controls

__all__ = ["TRIGGERS", "Deliveries", "Faults", "Subscriptions"]

_MOST = 1000


class Subscriptions:
    """The webhook subscriptions of a project: at most two, each with a URL of its own."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each subscription: `id`, `url`, `triggers`, `active`."""
        return iter(self._controls.ask("GET", "subscriptions")["subscriptions"])

    def add(self, url: str, triggers: Iterable[str] = TRIGGERS) -> str:
        """Adds a subscription, to both triggers if none are given; gives its id. Raises ControlError."""
        return str(self._controls.ask("POST", "subscriptions", body={"url": url, "triggers": list(triggers)})["id"])

    def switch(self, subscription_id: str, *, active: bool) -> None:
        """Switches a subscription on or off. Raises ControlError for an unknown id."""
        self._controls.ask("PATCH", "subscriptions", subscription_id, body={"active": active})

    def remove(self, subscription_id: str) -> None:
        """Removes a subscription. Raises ControlError for an unknown id."""
        self._controls.ask("DELETE", "subscriptions", subscription_id)


class Deliveries(Sequence[dict[str, Any]]):
    """The latest 1,000 deliveries of a project, the oldest first; each look at them asks the mock.

    A delivery has `key`, `number`, `trigger`, `calendar`, `state` (pending, held, sending, success, failure, dropped),
    `tried`, `status`, `error`, `due`.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.find()[index]

    def __len__(self) -> int:
        return len(self.find())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.find())

    def find(
        self, trigger: str | None = None, *, calendar: str | None = None, state: str | None = None
    ) -> list[dict[str, Any]]:
        """Those with a trigger, of a calendar (its id or deduplication key), or in a state.

        The state `finished` means success, failure and dropped. Raises ControlError for an unknown one.
        """
        answer = self._controls.ask("GET", "deliveries", trigger=trigger, calendar=calendar, state=state, limit=_MOST)
        found: list[dict[str, Any]] = answer["deliveries"]
        return found

    def attempts(self, key: str) -> list[dict[str, Any]]:
        """Every POST of a delivery as it was sent: `headers`, `body`, `signed`, and the receiver's answer."""
        found: list[dict[str, Any]] = self._controls.ask("GET", "deliveries", key)["attempts"]
        return found

    def hold(self, key: str | None = None) -> None:
        """Puts one delivery on hold, or all waiting and future ones."""
        self._do(key, "hold")

    def release(self, key: str | None = None) -> None:
        """Sends one delivery that is on hold, or all, and waits for them."""
        self._do(key, "release")
        self._controls.ask("POST", "settle")

    def drop(self, key: str) -> None:
        """Never sends the delivery."""
        self._do(key, "drop")

    def resend(self, key: str) -> None:
        """Sends a finished delivery once more with the same idempotency key, and waits for it."""
        self._do(key, "resend")
        self._controls.ask("POST", "settle")

    def _do(self, key: str | None, what: str) -> None:
        self._controls.ask("POST", "deliveries", *([] if key is None else [key]), what)


class Faults:
    """The faults of a project: named rules that make responses or deliveries fail (docs/faults.md)."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each fault with its fields, and how often it was matched (`seen`) and applied (`hits`)."""
        return iter(self._controls.ask("GET", "faults")["faults"])

    def add(self, *, kind: str, **fields: Any) -> str:
        """Adds a fault, e.g. `add(kind="status", status=503, operation="listCalendars", first=1)`; gives its name.

        `from_` is the field `from`. Raises ControlError for an unknown kind, field or value, with those that exist.
        """
        body = {name.removesuffix("_"): value for name, value in fields.items()}
        return str(self._controls.ask("POST", "faults", body={"kind": kind, **body})["name"])

    def remove(self, name: str) -> None:
        """Removes one fault by its name. Raises ControlError for an unknown one."""
        self._controls.ask("DELETE", "faults", name)

    def clear(self) -> None:
        """Removes all faults of the project."""
        self._controls.ask("DELETE", "faults")
