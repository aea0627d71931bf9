"""The parts of the judge, in the order in which they go: what finds most with fewest requests first.

Rules and checks stand by subject in `checks`; a part is what is tested in one way, and says what of it goes when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from mockserver.conformance.checks import (
    Check,
    auth,
    bodies,
    bots,
    cases,
    cursors,
    every_response,
    fields,
    filter_combinations,
    filters,
    fuzz,
    ids,
    invalid_http,
    lifecycle,
    methods,
    negotiation,
    odd_bodies,
    orderings,
    pages,
    parameters,
    races,
    sameness,
    stored_values,
    tenants,
    text_filters,
    time_filters,
)
from mockserver.conformance.checks.fields.refusals import refused_writes
from mockserver.conformance.rules import Part as Name
from mockserver.conformance.rules import Rule
from mockserver.conformance.runner import Part


class _Subject(Protocol):
    RULES: tuple[Rule, ...]


class _Part:
    """The rules of a part, in the order of their subjects, and the checks that test them, in the order of a run."""

    def __init__(self, name: Name, subjects: Sequence[_Subject], checks: Sequence[Check]) -> None:
        self.RULES = tuple(rule for subject in subjects for rule in subject.RULES if rule.part == name)
        self.CHECKS = tuple(checks)


LAWS: Final[Part] = _Part(
    "laws",
    (pages, cursors, orderings, filters, time_filters, text_filters, filter_combinations, sameness, tenants),
    (
        pages.all_calendars,
        pages.all_events,
        tenants.separate_lists,
        tenants.strangers,
        tenants.keys_of_the_other,
        orderings.orders,
        sameness.filtered_are_listed,
        sameness.list_is_detail,
        sameness.lists_repeat,
        time_filters.time_filters,
        time_filters.times_in_other_words,
        time_filters.old_name,
        text_filters.deduplication_keys,
        text_filters.calendar_ids,
        text_filters.event_ids,
        text_filters.keys_of_events,
        orderings.calendars_both_ways,
        orderings.events_both_ways,
        filter_combinations.combinations_of_filters,
        filter_combinations.filters_with_orders,
        filter_combinations.filters_on_later_pages,
        cursors.cursors_elsewhere,
        sameness.events_have_calendars,
    ),
)
"""What holds of lists whatever the data: these checks only read."""
HOSTILE: Final[Part] = _Part(
    "hostile",
    (parameters, time_filters, ids, negotiation, cursors, cases, invalid_http, odd_bodies),
    (
        parameters.odd_parameters,
        time_filters.odd_times,
        cursors.forged_cursors,
        cursors.spellings,
        ids.odd_ids,
        negotiation.odd_headers,
        invalid_http.send_broken,
        *odd_bodies.CHECKS,
    ),
)
"""Input that crashes services of this kind: it has to be refused in the service's own words, or handled right."""
PROBES: Final[Part] = _Part(
    "probes",
    (auth, methods, negotiation, ids, time_filters, orderings, cursors, parameters, text_filters, bodies, fields),
    (
        negotiation.representations,
        negotiation.formats,
        negotiation.ignored_headers,
        negotiation.nowhere,
        time_filters.written_times,
        orderings.unknown_orderings,
        orderings.known_orderings,
        cursors.invalid_cursors,
        parameters.order_of_errors,
        parameters.empty_filters,
        parameters.repeated_parameters,
        parameters.unknown_parameters,
        parameters.parameters_of_writes,
        text_filters.exact_keys,
        auth.doors,
        auth.doors_to_write,
        auth.shapes_of_keys,
        auth.spelt_keys,
        auth.keys_elsewhere,
        auth.schemes,
        auth.keys_before_all,
        auth.keys_before_bodies,
        methods.options,
        methods.heads,
        methods.bodies_of_head,
        methods.undeclared_methods,
        methods.overrides,
        ids.unknown_ids,
        ids.exact_ids,
        ids.gone_ids,
        bodies.unreadable_bodies,
        bodies.bodies_without_object,
        bodies.other_types,
        bodies.empty_bodies,
        bodies.taken_types,
        bodies.blank_forms,
        bodies.repeated_names,
        bodies.bodies_of_delete,
        *fields.REFUSED.values(),
        fields.nothing_given,
        fields.order_of_refusals,
        fields.taken_keys,
        fields.taken_fields,
        refused_writes,
    ),
)
"""Requests with the answers that the service was recorded to give: nothing is drawn."""
DETAILS: Final[Part] = _Part(
    "details",
    (negotiation, sameness, filter_combinations, stored_values, fields, tenants),
    (
        negotiation.html_of_reads,
        negotiation.html_of_changes,
        sameness.later_pages,
        filter_combinations.walks_with_a_filter,
        filter_combinations.filters_in_every_order,
        filter_combinations.pairs_of_filters,
        tenants.foreign_ids,
        tenants.foreign_404s,
        stored_values.times,
        stored_values.large_values,
        stored_values.large_filters,
        stored_values.limits,
        stored_values.name_order,
        stored_values.changed_to_the_same,
        stored_values.freed_keys,
        tenants.foreign_calendars,
        pages.full_pages,
        pages.full_lists,
        pages.kept_parameters,
        filter_combinations.walks_with_other_filters,
        fields.error_order,
    ),
)
"""What only shows off the usual path: in HTML, on later pages, with large values, and between two projects."""

PARTS: Final[Mapping[str, Part]] = {
    "always": every_response,
    "laws": LAWS,
    "hostile": HOSTILE,
    "probes": PROBES,
    "details": DETAILS,
    "bots": bots,
    "races": races,
    "fuzz": fuzz,
    "journeys": lifecycle,
}


def all_rules() -> list[Rule]:
    """Every rule, in the order of the parts."""
    return [rule for part in PARTS.values() for rule in part.RULES]
