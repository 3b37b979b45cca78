"""Lists of the events of an organization or of a centre."""

from collections.abc import Sequence
from typing import Any

from resolvers.events.reads import (
    CENTRE,
    count_of_events_of_centres,
    events_count,
    events_of_centres,
    events_page,
    ordering_of,
)
from schema.events.filters import EVENT_FILTER, EVENT_SORT, EventFilter, EventSort, event_filter
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listing
from schema.grammar.node import shown_as

__all__ = ["EVENT_FILTER", "EVENT_SORT", "events_list", "events_of_centre"]


def events_list(
    info: Info,
    page: PageArguments,
    *,
    filter: EventFilter | None,
    sort: Sequence[EventSort] | None,
) -> Connection[Any]:
    """Return the events of the organization; sorted by start by default."""
    now, conditions = info.context.now, event_filter(filter)
    order = ordering_of([(term.field, term.direction) for term in given(sort) or ()])
    request = page.request(order)
    return listing(
        request,
        ("events", conditions),
        shown_as("Event"),
        lambda viewer, _: events_page(viewer, request, conditions, now=now),
        lambda viewer, _: events_count(viewer, conditions, now=now),
    )


def events_of_centre(
    info: Info,
    page: PageArguments,
    *,
    filter: EventFilter | None,
) -> Connection[Any]:
    """Return the events at centres, by start."""
    now, conditions = info.context.now, event_filter(filter)
    request = page.request(ordering_of(None))
    return listing(
        request,
        ("events of centre", conditions),
        shown_as("Event"),
        lambda viewer, keys: events_of_centres(viewer, keys, request, conditions, now=now),
        lambda viewer, keys: count_of_events_of_centres(viewer, keys, conditions, now=now),
        key=CENTRE,
    )
