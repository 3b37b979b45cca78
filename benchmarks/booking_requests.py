"""The mutation that every server of a booking benchmark receives, with its variables."""

from typing import Any, Final
from uuid import UUID

from benchmarks.queries import post
from resolvers.identity import global_id

BOOK: Final = """mutation Book($input: BookEnrolmentInput!) {
  bookEnrolment(input: $input) {
    enrolment {
      id reference status
      times { start end timeZone }
      candidate { id fullName reference }
      event { id title }
      room { name }
      centre { name }
    }
    refusals: errors { code message path }
  }
}"""


def booking_request(candidate: UUID, event: UUID, token: str) -> bytes:
    """The HTTP request that books a seat for a candidate."""
    return post({"query": BOOK, "variables": {"input": _input(candidate, event)}}, token)


def _input(candidate: UUID, event: UUID) -> dict[str, Any]:
    return {
        "candidate": {"id": global_id("Candidate", candidate)},
        "event": {"id": global_id("Event", event)},
    }
