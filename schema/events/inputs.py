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
from schema.grammar.inputs import ORIGIN, OriginInput, given, given_tuple, origin_of
from schema.grammar.references import RefInput, ref_of

TIMES = {"start_at": "start", "given_end_at": "end"}
"""The names that the commands use for the given start and end."""


@input_type(
    description="The rest of the source's fields. In an update, what is left out stays as it is "
    "and a null clears.",
    command=CommandNames({"duration_unit_text": "duration_unit"}, inlines=["distribution"]),
)
class EventDetailsInput:
    number: int | None = described("A number for people.")
    event_type: str | None = described("The source's own text for the kind.")
    summary: str | None = described("In a few words.")
    description: str | None = described("In more words.")
    content: str | None = described("What it is about.")
    class_code: str | None = described("The class that it belongs to.")
    calendar_color: str | None = described("Its colour in calendars.")
    appointment_type: str | None = described("Which appointment.")
    source: str | None = described("Where it comes from.")
    credit_hours: float | None = described("What it counts for.")
    venue_room: str | None = described("The source's own text for the room.")
    venue_office_identifier: UUID | None = described("The centre's office.")
    venue_coordinator_identifier: UUID | None = described("The centre's coordinator.")
    achievement_identifier: UUID | None = described("What is achieved by it.")
    learner_registration_group_identifier: UUID | None = described(
        "The learner group that it is for."
    )
    mandatory_survey_form_identifier: UUID | None = described("The survey that goes with it.")
    duration_quantity: int | None = described("Its duration in its unit.")
    duration_unit: DurationUnit | None = described("The unit of the duration.")
    exam_started: datetime | None = described("When it was started.")
    exam_score_warnings: str | None = described("Warnings about the scores.")
    billing_type: str | None = described("How it is billed.")
    billing_code_enabled: bool | None = described("Whether a billing code is asked for.")
    allow_registration_with_link: bool | None = described("Whether a link lets one register.")
    registration_fields: str | None = described("What is asked of candidates.")
    registration_locked: datetime | None = described("From when on it takes no bookings.")
    publication_status: str | None = described("Where its publication stands.")
    publication_errors: str | None = described("What went wrong in publishing.")
    requisition_status: str | None = described("Where its requisition stands.")
    scheduling_status: str | None = described("Where its scheduling stands.")
    integration_withhold_distribution: bool | None = described(
        "Whether integrations withhold the distribution."
    )
    integration_withhold_grades: bool | None = described(
        "Whether integrations withhold the grades."
    )
    distribution: DistributionInput | None = described(
        "Where its material is; a null clears all of it."
    )


@input_type(
    description="A new event; what is left out has its default.",
    command=CommandNames(TIMES, inlines=["details"]),
)
class CreateEventInput:
    identifier: UUID | None = described("Your own UUID of it; ours unless given.")
    centre: RefInput | None = described("Where it takes place.")
    start: datetime | None = described("When it starts; without a start it is a draft.")
    end: datetime | None = described("When it ends; after its duration unless given.")
    title: str | None = described("What it is called; made of its type and centre unless given.")
    kind: EventKind = attribute(default=EventKind.EXAM, description="What it is.")
    exam_type: str | None = described("The type of the exam.")
    exam_format: str | None = described("The format of the exam.")
    billing_code: str | None = described("What it is billed under.")
    capacity_maximum: int | None = described("How many seats it has; unlimited if not given.")
    capacity_minimum: int | None = described("How many candidates it wants.")
    invigilator_minimum: int | None = described("How many invigilators it wants.")
    room: RefInput | None = described("In which room of the centre.")
    test: RefInput | None = described("What is sat.")
    modules: list[RefInput] | None = described("Its own modules; those of its test unless given.")
    on_demand: bool = attribute(
        default=False, description="Whether each booking chooses its own time."
    )
    waitlist_enabled: bool = attribute(
        default=False, description="Whether it is to have a waiting list."
    )
    allow_multiple_registrations: bool = attribute(
        default=False, description="Whether a candidate may have several bookings."
    )
    person_code_is_required: bool = attribute(
        default=False, description="Whether candidates need a person code."
    )
    eligibility_configured: bool = attribute(
        default=False, description="Whether candidates need one of its modules."
    )
    registration_start: datetime | None = described("When registration opens.")
    registration_deadline: datetime | None = described("Until when, inclusive, it takes bookings.")
    exam_duration_in_minutes: int | None = described("Minutes of work.")
    details: EventDetailsInput | None = described("The rest of the source's fields.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> CreateEvent:
        return CreateEvent(
            viewer=viewer,
            values=_values(self, "identifier"),
            identifier=given(self.identifier),
            origin=origin_of(self.origin),
        )


@input_type(
    description="What is left out stays as it is; an explicit null clears what may be null.",
    command=CommandNames(TIMES, inlines=["details"]),
)
class UpdateEventInput:
    event_id: strawberry.ID = attribute(description="Which event.")
    expected_version: int | None = described("Refused as stale at any other version.")
    title: str | None = described("What it is called.")
    start: datetime | None = described("When it starts; its bookings move with it.")
    end: datetime | None = described("When it ends; null: after its duration.")
    capacity_maximum: int | None = described("How many seats it has; null: unlimited.")
    capacity_minimum: int | None = described("How many candidates it wants.")
    invigilator_minimum: int | None = described("How many invigilators it wants.")
    waitlist_enabled: bool | None = described("Whether it is to have a waiting list.")
    registration_start: datetime | None = described("When registration opens; null: at once.")
    registration_deadline: datetime | None = described("Until when it takes bookings.")
    room: RefInput | None = described("In which room of the centre; its bookings move with it.")
    exam_type: str | None = described("The type of the exam.")
    exam_format: str | None = described("The format of the exam.")
    billing_code: str | None = described("What it is billed under.")
    kind: EventKind | None = described("What it is.")
    centre: RefInput | None = described("Where it takes place; its bookings move with it.")
    test: RefInput | None = described("What is sat.")
    modules: list[RefInput] | None = described("Its own modules; null: those of its test.")
    on_demand: bool | None = described("Whether each booking chooses its own time.")
    allow_multiple_registrations: bool | None = described(
        "Whether a candidate may have several bookings."
    )
    person_code_is_required: bool | None = described("Whether candidates need a person code.")
    eligibility_configured: bool | None = described("Whether candidates need one of its modules.")
    exam_duration_in_minutes: int | None = described("Minutes of work; null: those of the test.")
    overrides: list[RuleOverride] | None = described(
        "Rules to set aside on purpose, each with its permission; recorded."
    )
    details: EventDetailsInput | None = described(
        "The rest of the source's fields; a null is as good as left out."
    )
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
    description="Which event to call off, and why.", command=CommandNames({"reason": "message"})
)
class CancelEventInput:
    event_id: strawberry.ID = attribute(description="Which event.")
    expected_version: int | None = described("Refused as stale at any other version.")
    message: str = attribute(description="Why.")
    cancel_bookings: bool = attribute(
        default=True, description="Whether its bookings are cancelled too."
    )
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
