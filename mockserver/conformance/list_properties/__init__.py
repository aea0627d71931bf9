"""Laws of lists that hold whatever the data: read-only, so that they can be held against any deployment."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.list_properties import combined, edges, exact, pages, same, tenants, times
from mockserver.conformance.list_properties.rules import RULES

CHECKS: tuple[Check, ...] = (
    pages.all_calendars,
    pages.all_events,
    tenants.separate_lists,
    tenants.strangers,
    pages.orders,
    same.filtered_are_listed,
    same.list_is_detail,
    same.lists_repeat,
    times.time_filters,
    times.times_in_other_words,
    times.old_name,
    *exact.CHECKS,
    edges.calendars_both_ways,
    edges.events_both_ways,
    combined.combinations_of_filters,
    combined.filters_with_orders,
    combined.cursors_elsewhere,
    same.events_have_calendars,
)

__all__ = ["CHECKS", "RULES"]
