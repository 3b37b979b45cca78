"""Events: sittings that candidates book into."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from resolvers.storage.columns import choice, document, instant, key, sort_key, text, wall_time
from resolvers.storage.nulls import nulls_last_in
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    folded_statistics,
    index,
    of_organization,
    refers_to,
    unique,
)
from resolvers.vocabulary import CancellationReason, DurationUnit, EventKind

START, END = nulls_last_in("start_at", datetime), nulls_last_in("end_at", datetime)
NUMBER = nulls_last_in("number", int)


FOLDED_TEXTS = frozenset(
    {
        "appointment_type",
        "content",
        "duration_unit_text",
        "billing_type",
        "calendar_color",
        "class_code",
        "description",
        "exam_format",
        "publication_status",
        "requisition_status",
        "scheduling_status",
        "source",
        "summary",
        "title",
        "event_type",
        "exam_type",
        "exam_score_warnings",
        "last_change_type",
        "last_change_user",
        "publication_errors",
        "registration_fields",
        "venue_room",
        "distribution_code",
        "distribution_errors",
        "distribution_process",
        "distribution_status",
        "return_shipment_code",
        "return_shipment_condition",
    }
)
"""The texts that filters of events compare."""


class EventColumns(Keyed):
    """The columns of an event, as it is and as it was."""

    identifier: UUID = key()
    number: int | None = None
    kind: EventKind = choice(EventKind)
    event_type: str | None = text(4000)
    title: str = text(200)
    summary: str | None = text(4000)
    description: str | None = text(20000)
    content: str | None = text(20000)
    class_code: str | None = text(4000)
    calendar_color: str | None = text(4000)
    appointment_type: str | None = text(4000)
    source: str | None = text(4000)
    credit_hours: float | None = None
    venue_id: UUID | None = key()
    room_id: UUID | None = key()
    venue_room: str | None = text(4000)
    venue_office_identifier: UUID | None = key()
    venue_coordinator_identifier: UUID | None = key()
    achievement_identifier: UUID | None = key()
    learner_registration_group_identifier: UUID | None = key()
    mandatory_survey_form_identifier: UUID | None = key()
    test_id: UUID | None = key()
    on_demand: bool = False
    time_zone: str = text(64)
    start_at: datetime | None = instant()
    # kept by the commands, since filters and sort orders need them (`resolvers.events.rules`)
    local_start: datetime | None = wall_time()
    end_at: datetime | None = instant()  # the end that counts: as given, else from the duration
    given_end_at: datetime | None = instant()
    duration_minutes: int | None = None
    duration_quantity: int | None = None
    duration_unit: DurationUnit | None = choice(DurationUnit)
    duration_unit_text: str | None = text(4000)
    exam_duration_in_minutes: int | None = None
    exam_type: str | None = text(4000)
    exam_format: str | None = text(4000)
    exam_started: datetime | None = instant()
    exam_score_warnings: str | None = text(4000)
    billing_code: str | None = text(4000)
    billing_type: str | None = text(4000)
    billing_code_enabled: bool = False
    capacity_minimum: int | None = None
    capacity_maximum: int | None = None
    invigilator_minimum: int | None = None
    waitlist_enabled: bool = False
    allow_multiple_registrations: bool = False
    allow_registration_with_link: bool = False
    person_code_is_required: bool = False
    registration_fields: str | None = text(4000)
    registration_start: datetime | None = instant()
    registration_deadline: datetime | None = instant()
    registration_locked: datetime | None = instant()
    eligibility_configured: bool = False
    publication_status: str | None = text(4000)
    publication_errors: str | None = text(4000)
    requisition_status: str | None = text(4000)
    scheduling_status: str | None = text(4000)
    integration_withhold_distribution: bool = False
    integration_withhold_grades: bool = False
    distribution_code: str | None = text(4000)
    distribution_process: str | None = text(4000)
    distribution_status: str | None = text(4000)
    distribution_errors: str | None = text(4000)
    distribution_ordered: datetime | None = instant()
    distribution_expected: datetime | None = instant()
    distribution_shipped: datetime | None = instant()
    distribution_tracked: datetime | None = instant()
    return_shipment_code: str | None = text(4000)
    return_shipment_condition: str | None = text(4000)
    return_shipment_received: datetime | None = instant()
    last_change_time: datetime = instant()
    last_change_type: str | None = text(200)
    last_change_user: str | None = text(200)
    # the folded forms of FOLDED_TEXTS, of those that have another form than their own
    folded_texts: Any = document(default_factory=dict, nullable=False)
    sort_key: str = sort_key(default="")
    created_automatically: bool = False
    # what a lax call made it for, so that two of them make one; null once that no longer holds
    sitting_key: str | None = text(64)
    cancel_reason: CancellationReason | None = choice(CancellationReason)
    cancel_message: str | None = text(500)
    cancelled_at: datetime | None = instant()
    cancelled_by_user_id: UUID | None = key()
    cancelled_by_name: str | None = text(200)
    cancelled_on_behalf: bool = False
    version: int = 1


class Event(EventColumns, table=True):
    """A sitting. Its row is locked by whoever takes a seat at it.

    Only a cancellation is stored; DRAFT, SCHEDULED, LOCKED, IN_PROGRESS and COMPLETED follow from
    the times and the clock (`resolvers.events.rules.status`).
    """

    __table_args__ = (
        of_organization(),
        unique("identifier"),
        unique("sitting_key"),
        refers_to("centre", "venue_id"),
        refers_to("room"),
        refers_to("test"),
        check("capacity_maximum", "capacity_maximum between 1 and 100000"),
        check("capacity_minimum", "capacity_minimum between 1 and 100000"),
        check("exam_duration_in_minutes", "exam_duration_in_minutes between 1 and 100000"),
        check("ends_after_start", "end_at >= start_at"),
        check("on_demand_has_no_start", "not on_demand or (start_at is null and end_at is null)"),
        check("version", "version >= 1"),
        # The sort orders of `events`, each with its tie-breaker and, where it may be null, with its
        # nulls as a value. Chosen from EXPLAIN on 100,000 events: a page walks the index of its
        # order from its place on, and stops when it is full, whatever else is asked for. That
        # serves three criteria that one event in six meets in a millisecond or two on both
        # databases, and a range of starts is where the walk begins and ends. An index for a
        # criterion would have to be sorted by each order, too, and texts are compared in any case,
        # which on SQLite no index can answer (what PostgreSQL needs for them are the statistics
        # below); so only what finds a handful has one: the identifier and the number, and a centre,
        # of whose events there are pages, in the order that lists of them have.
        index("ix_event_start", START, "id"),
        index("ix_event_end", END, "id"),
        index("ix_event_number", NUMBER, "id"),
        index("ix_event_sort_key", "sort_key", "id"),
        index("ix_event_last_change_time", "last_change_time", "id"),
        index("ix_event_venue_start", "venue_id", START, "id"),
        # `eventClasses`: all of it is in the index (150 ms without it, 17 with it)
        index("ix_event_class_code", "class_code", where="class_code is not null"),
        index("ix_event_room", "room_id"),
        index("ix_event_test", "test_id"),
    )


# those of few words; what is written in prose is rare indeed
folded_statistics(
    Event,
    *("appointment_type", "billing_type", "calendar_color", "class_code", "distribution_code"),
    *("distribution_process", "distribution_status", "event_type", "exam_format", "exam_type"),
    *("last_change_type", "last_change_user", "publication_status", "requisition_status"),
    *("return_shipment_code", "return_shipment_condition", "scheduling_status", "source"),
    "venue_room",
)


class EventVersion(EventColumns, table=True):
    """An event as it was from one change to the next; written with each change, never changed.

    A filter that matches the version before a change or the one after it delivers the change,
    whenever it is asked.
    """

    __tablename__ = "event_version"
    __table_args__ = (refers_to("event", "id"),)

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class EventModule(TableModel, table=True):
    """A module of an event; an event without any has those of its test."""

    __tablename__ = "event_module"
    __table_args__ = (refers_to("event"), refers_to("module"))

    organization_id: UUID = key(primary_key=True)
    event_id: UUID = key(primary_key=True)
    module_id: UUID = key(primary_key=True)
