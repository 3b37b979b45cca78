"""The rules of an ordinary `bookEnrolment`, written by hand for the fair route.

An ordinary booking names a candidate and an event by id, costs nothing, and takes place in the
event's own room at the event's own time. Anything else is Unsupported.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import orjson
from uuid_utils.compat import uuid7

from resolvers.bookings.seats import Span, overlap, peak
from resolvers.identity import global_id

TAKES_A_SEAT: Final = frozenset({"PENDING", "CONFIRMED", "IN_PROGRESS"})
ATTEMPTED: Final = frozenset({"COMPLETED", "NO_SHOW"})
LASTS_WEEKS: Final = "AGENT_BOOKING"
"""The kind of booking whose time does not conflict with anything."""

SHORTEST: Final = timedelta(minutes=1)
ON_INPUT: Final = ("input",)


class Unsupported(Exception):
    """The request, or the data, needs a rule that the fair route does not have."""


class Event(NamedTuple):
    """An event that is locked, with its room, the room's centre, its test and its modules."""

    id: UUID | None
    title: str
    venue_id: UUID | None
    room_id: UUID | None
    test_id: UUID | None
    on_demand: bool
    start_at: datetime | None
    end_at: datetime | None
    duration_minutes: int | None
    capacity: int | None
    may_repeat: bool
    needs_code: bool
    registration_start: datetime | None
    registration_deadline: datetime | None
    registration_locked: datetime | None
    eligibility_configured: bool
    group_id: UUID | None
    cancelled_at: datetime | None
    centre_id: UUID
    room_name: str
    room_capacity: int
    centre_name: str
    time_zone: str
    subject_id: UUID | None
    max_attempts: int | None
    modules: Sequence[UUID]


class Candidate(NamedTuple):
    """A candidate who is locked."""

    id: UUID | None
    first_names: str
    last_name: str
    reference: str
    reference_generated: bool


class Settings(NamedTuple):
    """The organization's settings that rules of bookings depend on."""

    resit_after_pass: bool
    days_between_attempts: int
    conflict_policy: str


class Earlier(NamedTuple):
    """A booking that a candidate has."""

    id: UUID
    kind: str
    status: str
    test_id: UUID | None
    event_id: UUID | None
    start_at: datetime
    busy_until_at: datetime
    opens_at: datetime | None
    session_started_at: datetime | None
    created_at: datetime
    result: str | None

    @property
    def span(self) -> Span | None:
        """When the booking keeps its candidate busy."""
        start = self.start_at if self.opens_at is None else self.session_started_at
        return None if start is None else (start, self.busy_until_at)


class Refusal(NamedTuple):
    """Why a seat is not given."""

    code: str
    message: str
    path: tuple[str, ...] = ON_INPUT


CANDIDATE_NOT_FOUND: Final = Refusal("NOT_FOUND", "Candidate not found.", ("input", "candidate"))
EVENT_NOT_FOUND: Final = Refusal("EVENT_NOT_FOUND", "Event not found.", ("input", "event"))
DUPLICATE: Final = Refusal(
    "DUPLICATE_BOOKING", "The candidate already has a booking for this event."
)
RESULT_REQUIRED: Final = Refusal(
    "RESIT_RESULT_REQUIRED", "A resit can be booked only after the earlier attempt has a result."
)
EXHAUSTED: Final = Refusal(
    "ATTEMPTS_EXHAUSTED", "The candidate has no attempts left for this test."
)
PASSED: Final = Refusal(
    "RESIT_AFTER_PASS_DISABLED",
    "The candidate has passed this test. It cannot be taken again after a pass.",
)
TOO_EARLY: Final = Refusal("RESIT_TOO_EARLY", "The resit is too soon after the earlier attempt.")
CLOSED: Final = Refusal("REGISTRATION_CLOSED", "The event does not accept bookings at this time.")
CODE_REQUIRED: Final = Refusal(
    "PERSON_CODE_REQUIRED",
    "The event requires a person code. The candidate has only a generated reference.",
)
EVENT_FULL: Final = Refusal("EVENT_FULL", "Every seat at this event is taken.")
ROOM_FULL: Final = Refusal("ROOM_FULL", "Every seat in this room is taken at that time.")
CONFLICT: Final = Refusal(
    "CANDIDATE_TIME_CONFLICT", "The candidate has another booking at that time."
)


@dataclass(slots=True)
class Draft:
    """A seat as it is written: what its rows have of their own, beside the event's columns."""

    event: Event
    candidate: Candidate
    local_start: datetime
    local_end: datetime | None
    busy_until_at: datetime
    module_id: UUID | None
    attempt_number: int
    previous_attempt_id: UUID | None
    id: UUID = field(default_factory=uuid7)
    payment_id: UUID = field(default_factory=uuid7)
    payment_reference: UUID = field(default_factory=uuid4)
    change_id: UUID = field(default_factory=uuid7)
    number: int = 0

    @property
    def reference(self) -> str:
        return f"ENR-{self.number}"


class PreloadedBatch:
    """The facts about a batch, and the seats that it has given so far."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings = settings
        self._now = now
        self._taken: Counter[UUID] = Counter()
        self._in_room: dict[UUID, dict[Span, int]] = {}
        self._earlier: dict[UUID, list[Earlier]] = {}

    def seats_taken(self, event_id: UUID, number: int) -> None:
        self._taken[event_id] = number

    def busy_in_room(self, room_id: UUID, spans: Mapping[Span, int]) -> None:
        """How many seats bookings take in a room; two events may name the same span."""
        self._in_room.setdefault(room_id, {}).update(spans)

    def has(self, candidate_id: UUID, earlier: Earlier) -> None:
        self._earlier.setdefault(candidate_id, []).append(earlier)

    def book(self, event: Event, candidate: Candidate) -> Draft | list[Refusal]:
        """Give a seat if every rule allows it. Raises: Unsupported."""
        missing = _missing(event, candidate)
        if missing:
            return missing
        draft = self._draft(event, candidate)
        refusals = self._refusals(draft)
        if not refusals:
            self._take(draft)
        return refusals or draft

    def _draft(self, event: Event, candidate: Candidate) -> Draft:
        if event.room_id is None or event.start_at is None or event.on_demand:
            raise Unsupported("an event without a room or a start")
        if event.eligibility_configured or event.group_id or event.centre_id != event.venue_id:
            raise Unsupported("eligibility, or a room that is not at the event's centre")
        earlier = [e for e in self._of(candidate) if _is_attempt(e, event)]
        end = event.end_at
        return Draft(
            event,
            candidate,
            local_start=_local(event.start_at, event.time_zone),
            local_end=None if end is None else _local(end, event.time_zone),
            busy_until_at=max(end or event.start_at, event.start_at + SHORTEST),
            module_id=event.modules[0] if len(event.modules) == 1 else None,
            attempt_number=1 + len(earlier),
            previous_attempt_id=earlier[-1].id if earlier else None,
        )

    def _refusals(self, draft: Draft) -> list[Refusal]:
        """Those of the first stage that refuses: state, then capacity, then conflicts."""
        return (
            list(self._against_state(draft))
            or list(self._against_capacity(draft))
            or list(self._against_time(draft))
        )

    def _against_state(self, draft: Draft) -> Iterable[Refusal]:
        event, now = draft.event, self._now
        bookings = self._of(draft.candidate)
        awaiting = {e.id for e in bookings if _awaits_result(e, event, now)}
        if not event.may_repeat and any(
            e.status in TAKES_A_SEAT
            and e.id not in awaiting
            and (e.event_id == event.id or _same_test(e, event))
            for e in bookings
        ):
            yield DUPLICATE
        if awaiting:
            yield RESULT_REQUIRED
        else:
            yield from self._against_resit([e for e in bookings if _is_attempt(e, event)], event)
        if _is_closed(event, now):
            yield CLOSED
        if event.needs_code and draft.candidate.reference_generated:
            yield CODE_REQUIRED

    def _against_resit(self, earlier: Sequence[Earlier], event: Event) -> Iterable[Refusal]:
        """The first rule of resits that forbids another attempt."""
        days = self._settings.days_between_attempts
        if event.max_attempts is not None and len(earlier) >= event.max_attempts:
            yield EXHAUSTED
        elif not self._settings.resit_after_pass and any(e.result == "PASS" for e in earlier):
            yield PASSED
        elif days and earlier:
            assert event.start_at is not None
            if event.start_at < max(e.start_at for e in earlier) + timedelta(days=days):
                yield TOO_EARLY

    def _against_capacity(self, draft: Draft) -> Iterable[Refusal]:
        event, span = draft.event, _span(draft)
        assert event.id
        assert event.room_id
        if event.capacity is not None and self._taken[event.id] >= event.capacity:
            yield EVENT_FULL
            return
        spans = self._in_room.get(event.room_id)
        if spans is None:
            return
        at_most = sum(count for other, count in spans.items() if overlap(span, other))
        if at_most >= event.room_capacity and peak(spans.items(), span) >= event.room_capacity:
            yield ROOM_FULL

    def _against_time(self, draft: Draft) -> Iterable[Refusal]:
        if self._settings.conflict_policy != "REJECT":
            raise Unsupported("a policy that allows conflicts")
        event, span = draft.event, _span(draft)
        for other in self._of(draft.candidate):
            theirs = other.span
            if (
                theirs is not None
                and other.status in TAKES_A_SEAT
                and other.kind != LASTS_WEEKS
                and overlap(span, theirs)
                and not (event.may_repeat and other.event_id == event.id)
            ):
                yield CONFLICT
                return

    def _take(self, draft: Draft) -> None:
        event, candidate = draft.event, draft.candidate
        assert event.id
        assert event.room_id
        assert event.start_at
        assert candidate.id
        self._taken[event.id] += 1
        spans, span = self._in_room.setdefault(event.room_id, {}), _span(draft)
        spans[span] = spans.get(span, 0) + 1
        own = (event.start_at, draft.busy_until_at, None, None, self._now, None)
        new = Earlier(draft.id, "ENROLMENT", "CONFIRMED", event.test_id, event.id, *own)
        self.has(candidate.id, new)

    def _of(self, candidate: Candidate) -> list[Earlier]:
        """The candidate's bookings, oldest first."""
        assert candidate.id is not None
        return self._earlier.get(candidate.id, [])


def _missing(event: Event, candidate: Candidate) -> list[Refusal]:
    missing = [] if candidate.id is not None else [CANDIDATE_NOT_FOUND]
    return missing if event.id is not None else [*missing, EVENT_NOT_FOUND]


def _span(draft: Draft) -> Span:
    assert draft.event.start_at is not None
    return draft.event.start_at, draft.busy_until_at


def _same_test(earlier: Earlier, event: Event) -> bool:
    if earlier.kind != "ENROLMENT":
        return False
    if event.test_id is not None:
        return earlier.test_id == event.test_id
    return earlier.event_id == event.id


def _is_attempt(earlier: Earlier, event: Event) -> bool:
    return earlier.status in ATTEMPTED and _same_test(earlier, event)


def _awaits_result(earlier: Earlier, event: Event, now: datetime) -> bool:
    return earlier.status == "CONFIRMED" and earlier.start_at <= now and _same_test(earlier, event)


def _is_closed(event: Event, now: datetime) -> bool:
    assert event.start_at is not None
    return (
        event.cancelled_at is not None
        or now >= event.start_at
        or (event.registration_locked is not None and now >= event.registration_locked)
        or (event.registration_deadline is not None and now > event.registration_deadline)
        or (event.registration_start is not None and now < event.registration_start)
    )


_zone = lru_cache(ZoneInfo)


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(_zone(zone)).replace(tzinfo=None)


# ---------------------------------------------------------------- what is shown and logged


def answer(result: Draft | list[Refusal]) -> bytes:
    """The response to `booking_requests.BOOK`."""
    enrolment, refusals = None, []
    if isinstance(result, Draft):
        enrolment = _shown(result)
    else:
        refusals = [{"code": r.code, "message": r.message, "path": r.path} for r in result]
    payload = {"enrolment": enrolment, "refusals": refusals}
    return orjson.dumps({"data": {"bookEnrolment": payload}}, option=orjson.OPT_UTC_Z)


def _shown(draft: Draft) -> dict[str, Any]:
    event, candidate = draft.event, draft.candidate
    assert event.id
    assert candidate.id
    return {
        "id": global_id("Enrolment", draft.id),
        "reference": draft.reference,
        "status": "CONFIRMED",
        "times": {"start": event.start_at, "end": event.end_at, "timeZone": event.time_zone},
        "candidate": {
            "id": global_id("Candidate", candidate.id),
            "fullName": f"{candidate.first_names} {candidate.last_name}",
            "reference": candidate.reference,
        },
        "event": {"id": global_id("Event", event.id), "title": event.title},
        "room": {"name": event.room_name},
        "centre": {"name": event.centre_name},
    }


def facts(draft: Draft) -> dict[str, Any]:
    """What the log keeps of a new enrolment: the values that are not null, by name."""
    event, candidate = draft.event, draft.candidate
    assert event.id
    assert event.room_id
    assert candidate.id
    kept = {
        "attemptNumber": draft.attempt_number,
        "candidate": global_id("Candidate", candidate.id),
        "centre": global_id("Centre", event.centre_id),
        "deliveryMode": "IN_PERSON",
        "enrolmentStatus": "BOOKED",
        "event": global_id("Event", event.id),
        "module": None if draft.module_id is None else global_id("Module", draft.module_id),
        "payment": {**NO_PAYMENT, "reference": str(draft.payment_reference)},
        "previousAttempt": None
        if draft.previous_attempt_id is None
        else global_id("Enrolment", draft.previous_attempt_id),
        "room": global_id("Room", event.room_id),
        "status": "CONFIRMED",
        "times": {
            "timeZone": event.time_zone,
            "localStart": draft.local_start,
            "localEnd": draft.local_end,
            "start": event.start_at,
            "end": event.end_at,
            "durationMinutes": event.duration_minutes,
            "extraTimeMinutes": 0,
            "extraBreakMinutes": 0,
        },
        "timing": "FIXED",
    }
    return {name: value for name, value in kept.items() if value is not None}


NO_PAYMENT: Final = {
    "method": None,
    "responsibility": "ORGANIZATION",
    "status": "NOT_REQUIRED",
    "cost": None,
    "dueBy": None,
    "provider": None,
    "providerReference": None,
    "refundReference": None,
    "purchaseOrder": None,
    "duplicates": [],
}


def document(value: Any) -> str:
    """A value as the log keeps it."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
