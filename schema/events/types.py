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


@object_type(description="Seats of an event: how many it has, and how many are taken.")
class Seats(OverRow):
    row: strawberry.Private[Any]

    capacity: int | None = column(
        description="Total number of seats: the lower of the event's and its room's "
        "limit. Null means unlimited."
    )
    taken: int = column(description="Number of seats at the event that are taken.")
    free: int | None = column(
        description="Seats still available, limited by the event and its room. Null "
        "means unlimited."
    )
    state: SeatState = column(
        description="Availability in one word, e.g. for a traffic light in a list."
    )
    below_minimum: bool = column(
        description="True if fewer seats are taken than `capacityMinimum`."
    )


@object_type(
    description="An exam, class or appointment that candidates can book: a test in "
    "Surpass Scheduler, an event in Shift iQ."
)
class Event(Node, Sourced):
    identifier: UUID = column(
        description="UUID of the event: your own, or one that the gateway created."
    )
    number: int | None = column(description="Number of the event for people to use.")
    kind: EventKind = column(description="Kind of the event.")
    event_type: str | None = column(description="Type of the event, as text of Shift iQ.")
    status: EventStatus = computed(
        *CLOCK,
        by=lambda row, context: status(row, context.now),
        description="Status of the event at the time of the query.",
    )
    title: str = column(description="Title of the event.")
    summary: str | None = column(description="Summary of the event in one or two sentences.")
    description: str | None = column(description="Description of the event.")
    content: str | None = column(description="Content of the event, such as the topics of a class.")
    class_code: str | None = column(
        description="Code of the class that the event belongs to. `eventClasses` lists the codes."
    )
    calendar_color: str | None = column(description="Color of the event in calendars.")
    appointment_type: str | None = column(description="Type of the appointment.")
    source: str | None = column(description="System or form from which the event comes.")
    credit_hours: float | None = column(description="Credit hours that a candidate earns.")
    organization: Organization = relation(
        "organization_by_id", key="organization_id", description="Organization that owns the event."
    )
    centre: Centre | None = relation(
        "centre_by_id",
        key="venue_id",
        description="Centre where the event takes place. Null if it has no place.",
    )
    room: Room | None = relation(
        "room_by_id", key="room_id", description="Room where the event takes place."
    )
    venue_room: str | None = column(
        description="Room, as text of Shift iQ. May differ from `room`."
    )
    venue_office_identifier: UUID | None = column(
        description="UUID of the centre's office in Shift iQ."
    )
    venue_coordinator_identifier: UUID | None = column(
        description="UUID of the centre's coordinator in Shift iQ."
    )
    achievement_identifier: UUID | None = column(
        description="UUID of the achievement in Shift iQ that the event leads to."
    )
    learner_registration_group_identifier: UUID | None = column(
        description="UUID of the group in Shift iQ that may register (learner group). "
        "Null if everybody may."
    )
    mandatory_survey_form_identifier: UUID | None = column(
        description="UUID of the survey in Shift iQ that candidates must answer."
    )
    test: Test | None = relation(
        "test_by_id", key="test_id", description="The test that candidates take at the event."
    )
    modules: list[Module] = relation(
        "modules_of_event",
        description="Modules of the event, sorted by name. If it has none, the modules "
        "of its test.",
    )
    times: BookingTimes = event_times(
        description="When the event takes place. An on-demand event has no start and end."
    )
    on_demand: bool = column(description="True if each booking chooses its own time.")
    duration_quantity: int | None = column(description="Duration of the event, in `durationUnit`.")
    duration_unit: DurationUnit | None = column(
        description="Unit of `durationQuantity`. Null if there is no duration, or an unknown unit."
    )
    exam_duration_in_minutes: int | None = column(
        description="Working time in minutes. Null means that of the test."
    )
    exam_type: str | None = column(
        description="Type of the exam, one of the organization's exam types."
    )
    exam_format: str | None = column(
        description="Format of the exam, one of the organization's exam formats."
    )
    exam_started: datetime | None = column(description="Time when the exam started.")
    exam_score_warnings: str | None = column(description="Warnings about the scores of the exam.")
    billing_code: str | None = column(description="Billing code of the event.")
    billing_type: str | None = column(description="Type of billing, as text of Shift iQ.")
    billing_code_enabled: bool = column(description="True if registering requires a billing code.")
    capacity_minimum: int | None = column(
        description="Number of bookings that the event needs to take place."
    )
    capacity_maximum: int | None = column(
        description="Number of seats at the event. Null means unlimited. `seats` also "
        "considers the room."
    )
    invigilator_minimum: int | None = column(
        description="Number of invigilators that the event needs."
    )
    seats: Seats = relation(
        "seats_of_event",
        description="Seats of the event, counted at the time of the query. Counts all "
        "bookings, also those that you may not see.",
    )
    changes_cursor: str = changes_cursor()
    room_conflicts: list[RoomConflict] | None = relation(
        "room_conflicts_of_event",
        shown_to=sees_conflicts,
        description="Periods in which the rooms of the event's bookings have more "
        "bookings than seats, sorted by start. Empty if there is no "
        "conflict. Null for agents and candidates.",
    )
    waitlist_enabled: bool = column(
        description="True if the event has a waiting list. Reserved for future use."
    )
    allow_multiple_registrations: bool = column(
        description="True if a candidate can have several bookings for the event."
    )
    allow_registration_with_link: bool = column(
        description="True if candidates can register with a link."
    )
    person_code_is_required: bool = column(
        description="True if candidates need a person code of Shift iQ."
    )
    registration_fields: str | None = column(
        description="Fields that candidates fill in to register, as text of Shift iQ."
    )
    registration_start: datetime | None = column(
        description="Time when registration opens. Null if it is open at once."
    )
    registration_deadline: datetime | None = column(
        description="Last moment of registration. Null means the start of the event."
    )
    registration_locked: datetime | None = column(
        description="Time from which registration is locked. Null if it is not locked."
    )
    registration_open: bool = computed(
        *CLOCK,
        "registration_start",
        "registration_deadline",
        by=lambda row, context: registration_open(row, context.now),
        description="True if the event accepts bookings at the time of the query. Use it "
        'to enable a "Book" button.',
    )
    eligibility_configured: bool = column(
        description="True if only candidates with one of the event's modules may book."
    )
    publication_status: str | None = column(
        description="Status of the publication, as text of Shift iQ."
    )
    publication_errors: str | None = column(description="Errors of the publication.")
    requisition_status: str | None = column(
        description="Status of the requisition, as text of Shift iQ."
    )
    scheduling_status: str | None = column(
        description="Status of the scheduling, as text of Shift iQ."
    )
    integration_withhold_distribution: bool = column(
        description="True if integrations withhold the distribution."
    )
    integration_withhold_grades: bool = column(
        description="True if integrations withhold the grades."
    )
    distribution: Distribution = embedded(
        description="Shipment of the exam material to the event, and back."
    )
    last_change_time: datetime = column(description="Time of the last change to the event.")
    last_change_type: str | None = column(description='Type of the last change, e.g. "Updated".')
    last_change_user: str | None = computed(
        "last_change_user",
        by=lambda row, context: row.last_change_user if context.viewer.is_staff else None,
        description="Name of the user who made the last change. Null for agents and candidates.",
    )
    created_automatically: bool = column(
        description="True if a registration or transfer with a `lax` target created the event."
    )
    cancellation: Cancellation | None = cancellation(
        description="Details of the cancellation. Null unless the event was cancelled."
    )
    version: int = column(
        description="Increases by one with every change. Send it back as `expectedVersion` "
        "to make sure nobody changed the event in between."
    )

    @part(
        description="Candidates who booked the event, and those who could (students of a "
        "test in Surpass)."
    )
    def candidates(
        self,
        include_eligible: INCLUDE_ELIGIBLE = False,
        module_ids: MODULE_IDS = UNSET,
    ) -> EventCandidates:
        return candidates_of(self.row, include_eligible, module_ids)

    @listed(
        "id", description="Bookings of every kind for the event that you may see, sorted by start."
    )
    def bookings(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
    ) -> Connection[Annotated["Booking", strawberry.lazy("schema.bookings.types")]]:
        return bookings_of("event_id", page, filter=filter)

    @listed("id", description="Enrolments at the event that you may see, sorted by start.")
    def enrolments(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
    ) -> Connection[Annotated["Enrolment", strawberry.lazy("schema.enrolments.types")]]:
        return enrolments_of("event_id", page, filter=filter)
