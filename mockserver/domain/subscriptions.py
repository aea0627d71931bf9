"""Webhook subscriptions of a project, and the rules for creating one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

TRIGGERS: Final = ("calendar.events_update", "calendar.state_change")
MOST_SUBSCRIPTIONS: Final = 2
_BLANK: Final = re.compile(r"[\s\0-\x1f\x7f]")


class Subscription(NamedTuple):
    """A URL that gets a webhook for each of its triggers."""

    id: str
    url: str
    triggers: tuple[str, ...]
    active: bool = True


class UrlRules(NamedTuple):
    """What the service asks of a subscription's URL and a mock on a developer's machine does not."""

    https_only: bool = False
    """Checked when a subscription is made."""
    public_only: bool = False
    """Checked when a delivery is made: every address of the host must be one of the public internet."""


class SubscriptionRefused(Exception):
    """A subscription that cannot be made: `field` is what is wrong with it, `fix` what to do.

    `conflict` is whether it could be made if the project's other subscriptions were different.
    """

    def __init__(self, field: str, problem: str, fix: str, *, conflict: bool = False) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem
        self.fix = fix
        self.conflict = conflict


class SubscriptionNotFound(Exception):
    """The project has no subscription of this id."""


def subscribe(
    subscriptions: list[Subscription], new_id: str, url: str, triggers: Sequence[str], rules: UrlRules
) -> Subscription:
    """Adds a subscription to those of a project.

    Raises SubscriptionRefused, with the service's words where it has some (webhooks.json, url_rules).
    """
    if not is_web_url(url):
        raise SubscriptionRefused("url", "webhook URL must be an http or https URL", "write it as https://HOST/PATH")
    if rules.https_only and not url.lower().startswith("https://"):
        fix = "use https, or serve without --https-webhooks"
        raise SubscriptionRefused("url", "webhook URL must start with https://", fix)
    _check_triggers(triggers)
    if any(other.url == url for other in subscriptions):
        fix = "change the subscription that has it"
        raise SubscriptionRefused("url", "URL already subscribed", fix, conflict=True)
    if len(subscriptions) >= MOST_SUBSCRIPTIONS:
        problem = "You have reached the maximum number of webhooks"
        fix = f"delete one: a project has at most {MOST_SUBSCRIPTIONS}"
        raise SubscriptionRefused("url", problem, fix, conflict=True)
    made = Subscription(new_id, url, tuple(dict.fromkeys(triggers)))
    subscriptions.append(made)
    return made


def set_active(subscriptions: list[Subscription], subscription_id: str, *, active: bool) -> Subscription:
    """Switches a subscription on or off; what is under way to it when it is switched off fails.

    Raises SubscriptionNotFound.
    """
    at = _place(subscriptions, subscription_id)
    subscriptions[at] = subscriptions[at]._replace(active=active)
    return subscriptions[at]


def unsubscribe(subscriptions: list[Subscription], subscription_id: str) -> None:
    """Takes a subscription away.

    Raises SubscriptionNotFound.
    """
    del subscriptions[_place(subscriptions, subscription_id)]


def is_web_url(text: str) -> bool:
    """Whether the text is an http or https URL that can be asked for: with a host, without blanks."""
    try:
        parts = urlsplit(text)
        text.encode()
        (parts.hostname or "").encode("idna")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and not _BLANK.search(text)


def public_addresses(url: str, resolve: Callable[[str], Iterable[str]]) -> list[str]:
    """The addresses of the URL's host; none unless all are of the public internet (webhooks.json, url_is_public).

    Whoever sends must use one of these: to look the host up again may give others.
    `resolve` gives the addresses of a host's name as text, and raises OSError where there are none.
    """
    if not is_web_url(url):
        return []
    host = urlsplit(url).hostname or ""
    try:
        addresses = [host] if _is_address(host) else list(dict.fromkeys(resolve(host)))
    except (OSError, UnicodeError):
        return []
    return addresses if all(_is_global(address) for address in addresses) else []


def _check_triggers(triggers: Sequence[str]) -> None:
    known = f"the triggers are {' and '.join(TRIGGERS)}"
    if not triggers:
        raise SubscriptionRefused("triggers", "a subscription needs at least one trigger", known)
    for trigger in triggers:
        if trigger not in TRIGGERS:
            raise SubscriptionRefused("triggers", f"there is no trigger {trigger[:100]!r}", known)


def _place(subscriptions: list[Subscription], subscription_id: str) -> int:
    for at, subscription in enumerate(subscriptions):
        if subscription.id == subscription_id:
            return at
    raise SubscriptionNotFound


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_global(text: str) -> bool:
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_global
    return address.is_global
