"""What tests of subscriptions have in common: documents, a place to book at, and the log."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
