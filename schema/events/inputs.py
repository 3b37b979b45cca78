"""The inputs of events. In an update, an omitted field is kept; a null clears it."""

import dataclasses
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.every_kind.cancelling_events import CancelEvent
from resolvers.viewer import Viewer
from resolvers.vocabulary import DurationUnit, EventKind, RuleOverride
from schema.events.distribution import COLUMNS, DistributionInput
from schema.grammar.declaring import CommandNames, command_names, input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.grammar.references import RefInput, ref_of

TIMES = {"start_at": "start", "given_end_at": "end"}
"""The names that the commands use for the given start and end."""


@input_type(
    description="Further fields of Shift iQ's events. In an update, an omitted field "
    "keeps its value and null clears it.",
    command=CommandNames({"duration_unit_text": "duration_unit"}, inlines=["distribution"]),
)
class EventDetailsInput:
    number: int | None = described("Number of the event for people to use.")
    event_type: str | None = described("Type of the event, as text of Shift iQ.")
    summary: str | None = described("Summary of the event in one or two sentences.")
    description: str | None = described("Description of the event.")
    content: str | None = described("Content of the event, such as the topics of a class.")
    class_code: str | None = described(
        "Code of the class that the event belongs to. `eventClasses` lists the codes."
    )
    calendar_color: str | None = described("Color of the event in calendars.")
    appointment_type: str | None = described("Type of the appointment.")
    source: str | None = described("System or form from which the event comes.")
    credit_hours: float | None = described("Credit hours that a candidate earns.")
    venue_room: str | None = described("Room, as text of Shift iQ. Does not change `room`.")
    venue_office_identifier: UUID | None = described("UUID of the centre's office in Shift iQ.")
    venue_coordinator_identifier: UUID | None = described(
        "UUID of the centre's coordinator in Shift iQ."
    )
    achievement_identifier: UUID | None = described(
        "UUID of the achievement in Shift iQ that the event leads to."
    )
    learner_registration_group_identifier: UUID | None = described(
        "UUID of the group in Shift iQ that may register (learner group)."
    )
    mandatory_survey_form_identifier: UUID | None = described(
        "UUID of the survey in Shift iQ that candidates must answer."
    )
    duration_quantity: int | None = described("Duration of the event, in `durationUnit`.")
    duration_unit: DurationUnit | None = described("Unit of `durationQuantity`.")
    exam_started: datetime | None = described("Time when the exam started.")
    exam_score_warnings: str | None = described("Warnings about the scores of the exam.")
    billing_type: str | None = described("Type of billing, as text of Shift iQ.")
    billing_code_enabled: bool | None = described("True if registering requires a billing code.")
    allow_registration_with_link: bool | None = described(
        "True if candidates can register with a link."
    )
    registration_fields: str | None = described(
        "Fields that candidates fill in to register, as text of Shift iQ."
    )
    registration_locked: datetime | None = described("Time from which registration is locked.")
    publication_status: str | None = described("Status of the publication, as text of Shift iQ.")
    publication_errors: str | None = described("Errors of the publication.")
    requisition_status: str | None = described("Status of the requisition, as text of Shift iQ.")
    scheduling_status: str | None = described("Status of the scheduling, as text of Shift iQ.")
    integration_withhold_distribution: bool | None = described(
        "True if integrations withhold the distribution."
    )
    integration_withhold_grades: bool | None = described(
        "True if integrations withhold the grades."
    )
    distribution: DistributionInput | None = described(
        "Shipment of the exam material. Null clears all of its fields."
    )


@input_type(
    description="The event to create. Omitted fields get their defaults.",
    command=CommandNames(TIMES, inlines=["details"]),
)
class CreateEventInput:
    identifier: UUID | None = described(
        "Your own UUID for the event. By default, the gateway creates one."
    )
    centre: RefInput | None = described("The centre where the event takes place.")
    start: datetime | None = described(
        "Start of the event. Without a start, the event is a draft and takes no bookings."
    )
    end: datetime | None = described("End of the event. By default, the start plus the duration.")
    title: str | None = described("Title of the event. By default, made of its type and centre.")
    kind: EventKind = attribute(default=EventKind.EXAM, description="Kind of the event.")
    exam_type: str | None = described("Type of the exam, one of the organization's exam types.")
    exam_format: str | None = described(
        "Format of the exam, one of the organization's exam formats."
    )
    billing_code: str | None = described("Billing code, one of the organization's billing codes.")
    capacity_maximum: int | None = described(
        "Number of seats at the event. Unlimited if omitted; the seats of the room remain a limit."
    )
    capacity_minimum: int | None = described(
        "Number of bookings that the event needs to take place. For information; nothing is "
        "enforced."
    )
    invigilator_minimum: int | None = described(
        "Number of invigilators that the event needs. For information; nothing is enforced."
    )
    room: RefInput | None = described("The room of the centre where the event takes place.")
    test: RefInput | None = described("The test that candidates take at the event.")
    modules: list[RefInput] | None = described(
        "Modules of the event. Defaults to the modules of its test."
    )
    on_demand: bool = attribute(
        default=False, description="True if each booking chooses its own time."
    )
    waitlist_enabled: bool = attribute(
        default=False, description="True if the event has a waiting list. Reserved for future use."
    )
    allow_multiple_registrations: bool = attribute(
        default=False, description="True if a candidate can have several bookings for the event."
    )
    person_code_is_required: bool = attribute(
        default=False, description="True if candidates need a person code of Shift iQ."
    )
    eligibility_configured: bool = attribute(
        default=False,
        description="True if only candidates with one of the event's modules may book.",
    )
    registration_start: datetime | None = described(
        "Time when registration opens. Open at once if omitted."
    )
    registration_deadline: datetime | None = described(
        "Last moment of registration. Defaults to the start of the event."
    )
    exam_duration_in_minutes: int | None = described(
        "Working time in minutes. Defaults to that of the test."
    )
    details: EventDetailsInput | None = described("Further fields of Shift iQ's events.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> CreateEvent:
        return CreateEvent(
            viewer=viewer,
            values=_values(self, "identifier"),
            identifier=given(self.identifier),
            origin=origin_of(self.origin),
        )


@input_type(
    description="The fields to change. An omitted field keeps its value; null clears it.",
    command=CommandNames(TIMES, inlines=["details"]),
)
class UpdateEventInput:
    event_id: strawberry.ID = attribute(description="Global id of the event to change.")
    expected_version: int | None = described(
        "The `version` that you read. If the event has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
    title: str | None = described("Title of the event.")
    start: datetime | None = described("Start of the event. Its bookings move too.")
    end: datetime | None = described(
        "End of the event. Null restores the default: the start plus the duration."
    )
    capacity_maximum: int | None = described(
        "Number of seats at the event. Null means unlimited; the seats of the room remain a limit."
    )
    capacity_minimum: int | None = described(
        "Number of bookings that the event needs to take place. For information; nothing is "
        "enforced."
    )
    invigilator_minimum: int | None = described(
        "Number of invigilators that the event needs. For information; nothing is enforced."
    )
    waitlist_enabled: bool | None = described(
        "True if the event has a waiting list. Reserved for future use."
    )
    registration_start: datetime | None = described(
        "Time when registration opens. Null opens it at once."
    )
    registration_deadline: datetime | None = described(
        "Last moment of registration. Null means the start of the event."
    )
    room: RefInput | None = described(
        "The room of the centre where the event takes place. Its bookings move too."
    )
    exam_type: str | None = described("Type of the exam, one of the organization's exam types.")
    exam_format: str | None = described(
        "Format of the exam, one of the organization's exam formats."
    )
    billing_code: str | None = described("Billing code, one of the organization's billing codes.")
    kind: EventKind | None = described("Kind of the event.")
    centre: RefInput | None = described(
        "The centre where the event takes place. Its bookings move too."
    )
    test: RefInput | None = described("The test that candidates take at the event.")
    modules: list[RefInput] | None = described(
        "Modules of the event. Null restores the modules of its test."
    )
    on_demand: bool | None = described("True if each booking chooses its own time.")
    allow_multiple_registrations: bool | None = described(
        "True if a candidate can have several bookings for the event."
    )
    person_code_is_required: bool | None = described(
        "True if candidates need a person code of Shift iQ."
    )
    eligibility_configured: bool | None = described(
        "True if only candidates with one of the event's modules may book."
    )
    exam_duration_in_minutes: int | None = described(
        "Working time in minutes. Null restores that of the test."
    )
    overrides: list[RuleOverride] | None = described(
        "Rules to disable for this change. Each one needs its permission, is stored in "
        "the history and returns a warning."
    )
    details: EventDetailsInput | None = described(
        "Further fields of Shift iQ's events. Null changes nothing."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpdateEvent:
        return UpdateEvent(
            viewer=viewer,
            event=ref_of(self.event_id, "Event"),
            changes=_values(self, "event_id", "expected_version", "overrides"),
            expected_version=given(self.expected_version),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@input_type(
    description="The event to cancel, and the reason.", command=CommandNames({"reason": "message"})
)
class CancelEventInput:
    event_id: strawberry.ID = attribute(description="Global id of the event to cancel.")
    expected_version: int | None = described(
        "The `version` that you read. If the event has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
    message: str = attribute(
        description="Explanation for candidates and staff. Stored in the history."
    )
    cancel_bookings: bool = attribute(
        default=True, description="True also cancels the bookings of the event."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> CancelEvent:
        return CancelEvent(
            viewer=viewer,
            event=ref_of(self.event_id, "Event"),
            reason=self.message,
            cancel_bookings=self.cancel_bookings,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


REFERENCES = {"centre": "Centre", "room": "Room", "test": "Test"}


def _values(given_input: CreateEventInput | UpdateEventInput, *without: str) -> dict[str, Any]:
    """Return the given values, including nulls, under the field names of the commands."""
    values = _set(given_input, "details", "origin", *without)
    for name, kind in REFERENCES.items():
        if (ref := values.get(name)) is not None:
            values[name] = ref.to_ref(kind)
    if (modules := values.get("modules")) is not None:
        values["modules"] = tuple(ref.to_ref("Module") for ref in modules)
    columns = {name: column for column, name in command_names(type(given_input)).names.items()}
    named = {columns.get(name, name): value for name, value in values.items()}
    return {**named, **_details(given_input.details)}


def _details(details: EventDetailsInput | None) -> dict[str, Any]:
    if not isinstance(details, EventDetailsInput):
        return {}
    return {**_set(details, "distribution"), **_distribution(details.distribution)}


def _distribution(distribution: DistributionInput | None) -> dict[str, Any]:
    if distribution is UNSET:
        return {}
    if distribution is None:
        return dict.fromkeys(COLUMNS.values())
    return {COLUMNS[name]: value for name, value in _set(distribution).items()}


def _set(given_input: Any, *without: str) -> dict[str, Any]:
    values = {
        field.name: getattr(given_input, field.name)
        for field in dataclasses.fields(given_input)
        if field.name not in without
    }
    return {name: value for name, value in values.items() if value is not UNSET}
