"""Every error of a control request has its status and names its field."""

from __future__ import annotations

from mockserver.control.errors import answer
from mockserver.domain import outbox
from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.deliveries import DeliveryNotFound, DeliveryNotReady
from mockserver.domain.subscriptions import SubscriptionNotFound, SubscriptionRefused
from mockserver.domain.upstream_schema import BadInput
from tests.projects import CHANGED, make_project, the_calendar


def test_every_error_of_the_domain_has_a_status_and_names_its_field() -> None:
    delivery = make_project("http://127.0.0.1:1/")
    (made,) = outbox.enqueue(delivery, CHANGED, the_calendar(delivery))
    told = {
        CalendarNotFound(): (404, "calendar"),
        SubscriptionNotFound(): (404, "id"),
        DeliveryNotFound(): (404, "key"),
        DeliveryNotReady(made, "the delivery is pending", "wait"): (409, "key"),
        BadInput("event.id", "is taken", "take another"): (400, "event.id"),
        SubscriptionRefused("url", "URL already subscribed", "change it", conflict=True): (409, "url"),
        SubscriptionRefused("url", "webhook URL must start with https://", "use https"): (400, "url"),
    }
    for problem, (status, field) in told.items():
        reply = answer(problem)
        assert (reply.status, reply.body["field"]) == (status, field)
        assert reply.body["error"]
