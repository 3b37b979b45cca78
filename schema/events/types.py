"""Events: sittings that candidates book into."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.events.rules import registration_open, status
from resolvers.vocabulary import DurationUnit, EventKind, EventStatus, SeatState
from schema.bookings.lists import BOOKING_FILTER, bookings_of, enrolments_of
from schema.bookings.room_conflicts import RoomConflict, sees_conflicts
from schema.bookings.times import BookingTimes, Cancellation, cancellation, event_times
from schema.centres.types import Centre, Room
from schema.events.candidates import INCLUDE_ELIGIBLE, MODULE_IDS, EventCandidates, candidates_of
from schema.events.distribution import Distribution
from schema.grammar.connections import Connection
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, computed, embedded, relation
from schema.grammar.lists import PageArguments, listed, part
from schema.grammar.log_cursors import changes_cursor
from schema.grammar.node import Node, Sourced
from schema.organizations.types import Organization
from schema.tests.types import Module, Test

if TYPE_CHECKING:
    from schema.bookings.types import Booking
    from schema.enrolments.types import Enrolment


CLOCK = ("cancelled_at", "start_at", "end_at", "on_demand", "exam_started", "registration_locked")
"""The columns that the status depends on."""


@object_type(description="How many seats an event has, and how many are taken.")
class Seats(OverRow):
    row: strawberry.Private[Any]

    capacity: int | None = column(
        description="The smaller of the event's and its room's; null: unlimited."
    )
    taken: int = column(description="How many of the event's are taken.")
    free: int | None = column(
        description="What is left, at the event and in its room at that time; null: unlimited."
    )
    state: SeatState = column(description="How full it is.")
    below_minimum: bool = column(description="Whether fewer are taken than the event wants.")


@object_type(
    description="A sitting that candidates book into: Surpass Scheduler's test (event) and Shift "
    "iQ's event in one type."
)
class Event(Node, Sourced):
    identifier: UUID = column(description="The client's own UUID of it, or ours.")
    number: int | None = column(description="A number for people; null without one.")
    kind: EventKind = column(description="What it is.")
    event_type: str | None = column(
        description="The source's own text for the kind; null without one."
    )
    status: EventStatus = computed(
        *CLOCK, by=lambda row, context: status(row, context.now), description="Where it stands."
    )
    title: str = column(description="What it is called.")
    summary: str | None = column(description="In a few words; null without one.")
    description: str | None = column(description="In more words; null without one.")
    content: str | None = column(description="What it is about; null where unknown.")
    class_code: str | None = column(description="The class that it belongs to; null without one.")
    calendar_color: str | None = column(description="Its colour in calendars; null without one.")
    appointment_type: str | None = column(description="Which appointment; null for others.")
    source: str | None = column(description="Where it comes from; null where unknown.")
    credit_hours: float | None = column(description="What it counts for; null for nothing.")
    organization: Organization = relation(
        "organization_by_id", key="organization_id", description="Whose it is."
    )
    centre: Centre | None = relation(
        "centre_by_id", key="venue_id", description="Where it takes place; null without a place."
    )
    room: Room | None = relation(
        "room_by_id", key="room_id", description="In which room; null without one."
    )
    venue_room: str | None = column(description="The source's own text for the room, or null.")
    venue_office_identifier: UUID | None = column(description="The centre's office, or null.")
    venue_coordinator_identifier: UUID | None = column(
        description="The centre's coordinator, or null."
    )
    achievement_identifier: UUID | None = column(description="What is achieved by it, or null.")
    learner_registration_group_identifier: UUID | None = column(
        description="The learner group that it is for; null: for everybody."
    )
    mandatory_survey_form_identifier: UUID | None = column(
        description="The survey that goes with it, or null."
    )
    test: Test | None = relation(
        "test_by_id", key="test_id", description="What is sat; null where that is not known."
    )
    modules: list[Module] = relation(
        "modules_of_event", description="Its modules by name; without its own those of its test."
    )
    times: BookingTimes = event_times(
        description="When it takes place; without start and end when on demand."
    )
    on_demand: bool = column(description="Whether each booking chooses its own time.")
    duration_quantity: int | None = column(description="Its duration in its unit, or null.")
    duration_unit: DurationUnit | None = column(
        description="The unit of the duration; null without one, or for another text."
    )
    exam_duration_in_minutes: int | None = column(
        description="Minutes of work; null: those of the test."
    )
    exam_type: str | None = column(description="The type of the exam; null where unknown.")
    exam_format: str | None = column(description="The format of the exam; null where unknown.")
    exam_started: datetime | None = column(description="When it was started; null before.")
    exam_score_warnings: str | None = column(description="Warnings about the scores, or null.")
    billing_code: str | None = column(description="What it is billed under; null where unknown.")
    billing_type: str | None = column(description="How it is billed; null where unknown.")
    billing_code_enabled: bool = column(description="Whether a billing code is asked for.")
    capacity_minimum: int | None = column(description="How many candidates it wants, or null.")
    capacity_maximum: int | None = column(
        description="v1 RegistrationLimit and v2 CapacityMaximum; null: unlimited."
    )
    invigilator_minimum: int | None = column(description="How many invigilators it wants, or null.")
    seats: Seats = relation("seats_of_event", description="Its seats, as everybody may see them.")
    changes_cursor: str = changes_cursor()
    room_conflicts: list[RoomConflict] | None = relation(
        "room_conflicts_of_event",
        shown_to=sees_conflicts,
        description="The times at which the rooms of its bookings have more bookings than seats, "
        "sorted by start. Empty without a conflict. Null for agents and candidates.",
    )
    waitlist_enabled: bool = column(description="Whether it is to have a waiting list.")
    allow_multiple_registrations: bool = column(
        description="Whether a candidate may have several bookings."
    )
    allow_registration_with_link: bool = column(description="Whether a link lets one register.")
    person_code_is_required: bool = column(description="Whether candidates need a person code.")
    registration_fields: str | None = column(description="What is asked of candidates, or null.")
    registration_start: datetime | None = column(
        description="When registration opens; null: at once."
    )
    registration_deadline: datetime | None = column(
        description="Until when, inclusive, it takes bookings; null: until the start."
    )
    registration_locked: datetime | None = column(
        description="From when on it takes no bookings; null: not locked."
    )
    registration_open: bool = computed(
        *CLOCK,
        "registration_start",
        "registration_deadline",
        by=lambda row, context: registration_open(row, context.now),
        description="Whether it takes bookings now.",
    )
    eligibility_configured: bool = column(description="Whether candidates need one of its modules.")
    publication_status: str | None = column(description="Where its publication stands, or null.")
    publication_errors: str | None = column(description="What went wrong in publishing, or null.")
    requisition_status: str | None = column(description="Where its requisition stands, or null.")
    scheduling_status: str | None = column(description="Where its scheduling stands, or null.")
    integration_withhold_distribution: bool = column(
        description="Whether integrations withhold the distribution."
    )
    integration_withhold_grades: bool = column(
        description="Whether integrations withhold the grades."
    )
    distribution: Distribution = embedded(description="Where its material is.")
    last_change_time: datetime = column(description="When it was last changed.")
    last_change_type: str | None = column(description="How it was last changed; null if unknown.")
    last_change_user: str | None = computed(
        "last_change_user",
        by=lambda row, context: row.last_change_user if context.viewer.is_staff else None,
        description="Who changed it last; null if unknown, and for agents and candidates.",
    )
    created_automatically: bool = column(description="Made by a lax registration or transfer.")
    cancellation: Cancellation | None = cancellation(
        description="How it was called off; null where it was not."
    )
    version: int = column(description="Goes up by one with every change: the optimistic lock.")

    @part(description="Surpass: students of the event.")
    def candidates(
        self,
        include_eligible: INCLUDE_ELIGIBLE = False,
        module_ids: MODULE_IDS = UNSET,
    ) -> EventCandidates:
        return candidates_of(self.row, include_eligible, module_ids)

    @listed("id", description="Its bookings that you may see, by start.")
    def bookings(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
    ) -> Connection[Annotated["Booking", strawberry.lazy("schema.bookings.types")]]:
        return bookings_of("event_id", page, filter=filter)

    @listed("id", description="Its enrolments that you may see, by start.")
    def enrolments(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
    ) -> Connection[Annotated["Enrolment", strawberry.lazy("schema.enrolments.types")]]:
        return enrolments_of("event_id", page, filter=filter)
