"""What tests of subscriptions have in common: documents, a place to book at, and the log."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from resolvers.change_reads import IN_COMMIT_ORDER
from tests.end_to_end.clients import Client
from tests.resolvers.world import World

BOOKING_CHANGED = """
    subscription ($filter: BookingFilter, $types: [ChangeType!], $after: String) {
        bookingChanged(filter: $filter, types: $types, after: $after) {
            cursor type version booking { id event { id } }
        }
    }
"""
CURSORS = """
    subscription ($after: String) { bookingChanged(after: $after) { cursor } }
"""
SEATS_CHANGED = """
    subscription ($events: [ID!]!) {
        seatsChanged(eventIds: $events) { event { id } seats { taken } }
    }
"""
EVENT_CHANGED = """
    subscription ($filter: EventFilter, $after: String) {
        eventChanged(filter: $filter, after: $after) {
            cursor type changedFields actor { name }
            event { id title version status centre { name } seats { taken } }
        }
    }
"""
EVENT_CURSORS = "subscription ($after: String) { eventChanged(after: $after) { cursor } }"
BOOKING_CHANGES = """
    query ($after: String) {
        bookingChanges(first: 100, after: $after) {
            nodes { cursor }
            pageInfo { hasNextPage endCursor }
        }
    }
"""
NEWEST = "{ bookingChanges(last: 1) { nodes { cursor } } }"
BOOK = """
    mutation ($candidate: ID!, $event: ID!) {
        bookEnrolment(input: {candidate: {id: $candidate}, event: {id: $event}}) {
            enrolment { id }
            errors { code }
        }
    }
"""
MOVE = """
    mutation ($booking: ID!, $event: ID!) {
        moveEnrolment(input: {enrolmentId: $booking, toEvent: {id: $event}}) { errors { code } }
    }
"""
CANCEL = """
    mutation ($booking: ID!) {
        cancelBooking(input: {bookingId: $booking, reason: ILLNESS}) { errors { code } }
    }
"""
UPDATE = """
    mutation ($event: ID!, $title: String!, $seats: Int) {
        updateEvent(input: { eventId: $event, title: $title, capacityMaximum: $seats }) {
            errors { code }
        }
    }
"""


@dataclass(frozen=True)
class Place:
    """Two events at one centre, and candidates who can book at both."""

    world: World
    centre: UUID
    events: list[str]
    people: list[str]


async def booked(client: Client, candidate: str, event: str) -> str:
    answer = await client.ask(BOOK, candidate=candidate, event=event)
    assert answer["errors"] == []
    return str(answer["enrolment"]["id"])


async def done(client: Client, document: str, **variables: Any) -> None:
    assert (await client.ask(document, **variables))["errors"] == []


async def newest(client: Client) -> str:
    [change] = (await client.ask(NEWEST))["nodes"]
    return str(change["cursor"])


async def logged(client: Client, after: str) -> list[str]:
    """The cursors of all changes after one, as bookingChanges has them."""
    found: list[str] = []
    more: str | None = after
    while more is not None:
        page = await client.ask(BOOKING_CHANGES, after=more)
        found += [change["cursor"] for change in page["nodes"]]
        more = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    return found


async def renamed(client: Client, event: str, title: str) -> None:
    await done(client, UPDATE, event=event, title=title)


async def events_logged(place: Place, after: str | None = None) -> list[str]:
    """The cursors of all changes of events after one, as they are in the log."""
    position = 0 if after is None else IN_COMMIT_ORDER.place(after, "after")[0]
    changes = await place.world.changes()
    return [
        IN_COMMIT_ORDER.cursor(row) for row in changes if row.event_type and row.position > position
    ]


async def end_of_log(place: Place) -> str:
    """The cursor of the log's last change, of whatever it is."""
    return IN_COMMIT_ORDER.cursor((await place.world.changes())[-1])
