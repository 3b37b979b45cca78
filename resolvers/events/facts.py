"""An event's values in the log: JSON by the names of its fields."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from resolvers.bookings.facts import instant, reference, wall_time
from resolvers.storage.tables import Event
from resolvers.times import wall_time_of

AS_THEY_ARE = {
    "number": "number",
    "kind": "kind",
    "eventType": "event_type",
    "title": "title",
    "summary": "summary",
    "description": "description",
    "content": "content",
    "classCode": "class_code",
    "calendarColor": "calendar_color",
    "appointmentType": "appointment_type",
    "source": "source",
    "creditHours": "credit_hours",
    "venueRoom": "venue_room",
    "onDemand": "on_demand",
    "durationQuantity": "duration_quantity",
    "durationUnit": "duration_unit",
    "examDurationInMinutes": "exam_duration_in_minutes",
    "examType": "exam_type",
    "examFormat": "exam_format",
    "examScoreWarnings": "exam_score_warnings",
    "billingCode": "billing_code",
    "billingType": "billing_type",
    "billingCodeEnabled": "billing_code_enabled",
    "capacityMinimum": "capacity_minimum",
    "capacityMaximum": "capacity_maximum",
    "invigilatorMinimum": "invigilator_minimum",
    "waitlistEnabled": "waitlist_enabled",
    "allowMultipleRegistrations": "allow_multiple_registrations",
    "allowRegistrationWithLink": "allow_registration_with_link",
    "personCodeIsRequired": "person_code_is_required",
    "registrationFields": "registration_fields",
    "eligibilityConfigured": "eligibility_configured",
    "publicationStatus": "publication_status",
    "publicationErrors": "publication_errors",
    "requisitionStatus": "requisition_status",
    "schedulingStatus": "scheduling_status",
    "integrationWithholdDistribution": "integration_withhold_distribution",
    "integrationWithholdGrades": "integration_withhold_grades",
    "createdAutomatically": "created_automatically",
}
IDENTIFIERS = {
    "identifier": "identifier",
    "venueOfficeIdentifier": "venue_office_identifier",
    "venueCoordinatorIdentifier": "venue_coordinator_identifier",
    "achievementIdentifier": "achievement_identifier",
    "learnerRegistrationGroupIdentifier": "learner_registration_group_identifier",
    "mandatorySurveyFormIdentifier": "mandatory_survey_form_identifier",
}
INSTANTS = {
    "examStarted": "exam_started",
    "registrationStart": "registration_start",
    "registrationDeadline": "registration_deadline",
    "registrationLocked": "registration_locked",
}


def event_facts(event: Event, modules: Iterable[UUID]) -> dict[str, Any]:
    """Return the values of the event's fields, except those that depend on the clock; `modules` are
    its own.
    """
    identifiers = {name: getattr(event, column) for name, column in IDENTIFIERS.items()}
    return {
        **{name: getattr(event, column) for name, column in AS_THEY_ARE.items()},
        **{name: None if key is None else str(key) for name, key in identifiers.items()},
        **{name: instant(getattr(event, column)) for name, column in INSTANTS.items()},
        "centre": reference("Centre", event.venue_id),
        "room": reference("Room", event.room_id),
        "test": reference("Test", event.test_id),
        "modules": [reference("Module", key) for key in sorted(modules)],
        "times": _times(event),
        "distribution": _distribution(event),
        "cancellation": _cancellation(event),
    }


def _times(event: Event) -> dict[str, Any]:
    ends = None if event.end_at is None else wall_time_of(event.end_at, event.time_zone)
    return {
        "timeZone": event.time_zone,
        "localStart": wall_time(event.local_start),
        "localEnd": wall_time(ends),
        "start": instant(event.start_at),
        "end": instant(event.end_at),
        "durationMinutes": event.duration_minutes,
    }


def _distribution(event: Event) -> dict[str, Any]:
    return {
        "code": event.distribution_code,
        "process": event.distribution_process,
        "status": event.distribution_status,
        "errors": event.distribution_errors,
        "ordered": instant(event.distribution_ordered),
        "expected": instant(event.distribution_expected),
        "shipped": instant(event.distribution_shipped),
        "tracked": instant(event.distribution_tracked),
        "returnShipmentCode": event.return_shipment_code,
        "returnShipmentCondition": event.return_shipment_condition,
        "returnShipmentReceived": instant(event.return_shipment_received),
    }


def _cancellation(event: Event) -> dict[str, Any] | None:
    if event.cancel_reason is None:
        return None
    return {
        "reason": event.cancel_reason,
        "message": event.cancel_message,
        "cancelledAt": instant(event.cancelled_at),
        "onBehalf": event.cancelled_on_behalf,
    }
