"""The filter and the sort order of events."""

from datetime import date
from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers.storage.filters import Filter
from resolvers.vocabulary import EventKind, EventSortField, EventStatus, SortDirection
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.filters import (
    DateTimeFilter,
    FloatFilter,
    IdFilter,
    IntFilter,
    StringFilter,
    UuidFilter,
    filter_of,
)

EVENT_IDS: dict[str, tuple[str, ...]] = {"centre_id": ("Centre",)}
"""The types of the ids that each criterion accepts."""


def _on(field: str) -> str:
    return f"On the event's {field}."


@input_type(
    description="Criteria for events, including every criterion of Shift iQ v2. If you "
    "give several, all must match; null is the same as omitted. A filter has "
    "at most 100 conditions and 100 `and`, `or` and `not` terms, nested at "
    "most 5 deep."
)
class EventFilter:
    and_: list["EventFilter"] | None = attribute(
        name="and", default=UNSET, description="All of these filters must match."
    )
    or_: list["EventFilter"] | None = attribute(
        name="or",
        default=UNSET,
        description="At least one of these filters must match. An empty list matches nothing.",
    )
    not_: "EventFilter | None" = attribute(
        name="not", default=UNSET, description="This filter must not match."
    )
    identifier: UuidFilter | None = described(_on("identifier"))
    achievement_identifier: UuidFilter | None = described(_on("achievement"))
    learner_registration_group_identifier: UuidFilter | None = described(_on("learner group"))
    mandatory_survey_form_identifier: UuidFilter | None = described(_on("mandatory survey"))
    organization_identifier: UuidFilter | None = described(
        "Conditions on the organization: its UUID here or in Shift iQ."
    )
    venue_coordinator_identifier: UuidFilter | None = described(_on("centre's coordinator"))
    venue_identifier: UuidFilter | None = described(
        "Conditions on the centre: its UUID here or in Shift iQ (venue)."
    )
    venue_office_identifier: UuidFilter | None = described(_on("centre's office"))
    allow_multiple_registrations: bool | None = described(
        "True finds events that a candidate can book several times, false the others."
    )
    allow_registration_with_link: bool | None = described(
        "True finds events with registration by link, false the others."
    )
    integration_withhold_distribution: bool | None = described(
        "True finds events whose integrations withhold the distribution, false the others."
    )
    integration_withhold_grades: bool | None = described(
        "True finds events whose integrations withhold the grades, false the others."
    )
    person_code_is_required: bool | None = described(
        "True finds events that require a person code, false the others."
    )
    waitlist_enabled: bool | None = described(
        "True finds events with a waiting list, false the others."
    )
    appointment_type: StringFilter | None = described(_on("type of appointment"))
    content: StringFilter | None = described(_on("content"))
    duration_unit: StringFilter | None = described(_on("unit of duration, as the source has it"))
    billing_type: StringFilter | None = described(_on("type of billing"))
    calendar_color: StringFilter | None = described(_on("colour in calendars"))
    class_code: StringFilter | None = described(_on("class code"))
    description: StringFilter | None = described(_on("description"))
    exam_format: StringFilter | None = described(_on("exam format"))
    publication_status: StringFilter | None = described(_on("status of publication"))
    requisition_status: StringFilter | None = described(_on("status of requisition"))
    scheduling_status: StringFilter | None = described(_on("status of scheduling"))
    source: StringFilter | None = described(_on("source"))
    summary: StringFilter | None = described(_on("summary"))
    title: StringFilter | None = described(_on("title"))
    event_type: StringFilter | None = described(_on("type, as the source has it"))
    exam_type: StringFilter | None = described(_on("exam type"))
    exam_score_warnings: StringFilter | None = described(_on("warnings about scores"))
    last_change_type: StringFilter | None = described(_on("kind of last change"))
    last_change_user: StringFilter | None = described(
        "Conditions on the user who made the last change. For agents and candidates, "
        "this is always null."
    )
    publication_errors: StringFilter | None = described(_on("errors of publication"))
    registration_fields: StringFilter | None = described(_on("registration fields"))
    venue_room: StringFilter | None = described(_on("room at the centre, as the source has it"))
    distribution_code: StringFilter | None = described(_on("code of distribution"))
    distribution_errors: StringFilter | None = described(_on("errors of distribution"))
    distribution_process: StringFilter | None = described(_on("process of distribution"))
    distribution_status: StringFilter | None = described(_on("status of distribution"))
    return_shipment_code: StringFilter | None = described(_on("return shipment's code"))
    return_shipment_condition: StringFilter | None = described(_on("return shipment's condition"))
    capacity_maximum: IntFilter | None = described(_on("number of seats; null is unlimited"))
    capacity_minimum: IntFilter | None = described(_on("number of candidates wanted"))
    duration_quantity: IntFilter | None = described(_on("duration, in its unit"))
    number: IntFilter | None = described(_on("number"))
    exam_duration_in_minutes: IntFilter | None = described(_on("minutes of work"))
    invigilator_minimum: IntFilter | None = described(_on("number of invigilators wanted"))
    credit_hours: FloatFilter | None = described(_on("credit hours"))
    start: DateTimeFilter | None = described(_on("start"))
    end: DateTimeFilter | None = described(_on("end"))
    exam_started: DateTimeFilter | None = described("Conditions on the time when the exam started.")
    last_change_time: DateTimeFilter | None = described(
        "Conditions on the time of the last change."
    )
    registration_start: DateTimeFilter | None = described(
        "Conditions on the time when registration opens."
    )
    registration_deadline: DateTimeFilter | None = described(
        "Conditions on the time when registration ends."
    )
    registration_locked: DateTimeFilter | None = described(
        "Conditions on the time when registration was locked."
    )
    distribution_expected: DateTimeFilter | None = described(
        "Conditions on the time when the material is expected."
    )
    distribution_ordered: DateTimeFilter | None = described(
        "Conditions on the time when the material was ordered."
    )
    distribution_shipped: DateTimeFilter | None = described(
        "Conditions on the time when the material was shipped."
    )
    distribution_tracked: DateTimeFilter | None = described(
        "Conditions on the time of the last tracking information."
    )
    return_shipment_received: DateTimeFilter | None = described(
        "Conditions on the time when the returned material arrived."
    )
    status: list[EventStatus] | None = described("Events with one of these statuses.")
    kind: list[EventKind] | None = described("Events of one of these kinds.")
    local_date: date | None = described(
        "Events that start on this date, in the centre's local time."
    )
    centre_id: IdFilter | None = described("Conditions on the id of the centre.")
    has_free_seats: bool | None = described(
        "True finds events with a free seat, whether or not registration is open; false "
        "finds full events."
    )


@input_type(description="A field to sort events by, with a direction.")
class EventSort:
    field: EventSortField = attribute(description="Field to sort by.")
    direction: SortDirection = attribute(
        default=SortDirection.ASC, description="Direction of the sort order."
    )


EVENT_FILTER = Annotated[
    EventFilter | None,
    strawberry.argument(
        description="Criteria that the events must match. Without a filter, all events."
    ),
]
EVENT_SORT = Annotated[
    list[EventSort] | None,
    strawberry.argument(
        description="Sort order, by the first field, then by the next. Defaults to the "
        "start, ascending."
    ),
]


def event_filter(filter: EventFilter | None) -> Filter:
    """Return the conditions of an event filter.

    Raises: OutOfRange, Invalid.
    """
    return filter_of(filter, EVENT_IDS, "filter")
