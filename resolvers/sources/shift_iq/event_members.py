"""The members of an event, as printed in [003], and the columns that they are here; section 6.3."""

from collections.abc import Mapping
from typing import Final

from resolvers.sources.steps import Names

IDENTIFIER, ORGANIZATION, VENUE = (
    "EventIdentifier",
    "OrganizationIdentifier",
    "VenueLocationIdentifier",
)
TITLE, KIND, UNIT = "EventTitle", "EventType", "DurationUnit"

UUIDS: Final[Mapping[str, str]] = {
    "AchievementIdentifier": "achievement_identifier",
    "LearnerRegistrationGroupIdentifier": "learner_registration_group_identifier",
    "MandatorySurveyFormIdentifier": "mandatory_survey_form_identifier",
    "VenueCoordinatorIdentifier": "venue_coordinator_identifier",
    "VenueOfficeIdentifier": "venue_office_identifier",
}
FLAGS: Final[Mapping[str, str]] = {
    "AllowMultipleRegistrations": "allow_multiple_registrations",
    "AllowRegistrationWithLink": "allow_registration_with_link",
    "BillingCodeEnabled": "billing_code_enabled",
    "IntegrationWithholdDistribution": "integration_withhold_distribution",
    "IntegrationWithholdGrades": "integration_withhold_grades",
    "PersonCodeIsRequired": "person_code_is_required",
    "WaitlistEnabled": "waitlist_enabled",
}
TEXTS: Final[Mapping[str, str]] = {
    "AppointmentType": "appointment_type",
    "Content": "content",
    "DistributionCode": "distribution_code",
    "DistributionErrors": "distribution_errors",
    "DistributionProcess": "distribution_process",
    "DistributionStatus": "distribution_status",
    UNIT: "duration_unit_text",
    "EventBillingType": "billing_type",
    "EventCalendarColor": "calendar_color",
    "EventClassCode": "class_code",
    "EventDescription": "description",
    "EventFormat": "exam_format",
    "EventPublicationStatus": "publication_status",
    "EventRequisitionStatus": "requisition_status",
    "EventSchedulingStatus": "scheduling_status",
    "EventSource": "source",
    "EventSummary": "summary",
    TITLE: "title",
    KIND: "event_type",
    "ExamMaterialReturnShipmentCode": "return_shipment_code",
    "ExamMaterialReturnShipmentCondition": "return_shipment_condition",
    "ExamScoreWarnings": "exam_score_warnings",
    "ExamType": "exam_type",
    "PublicationErrors": "publication_errors",
    "RegistrationFields": "registration_fields",
    "VenueRoom": "venue_room",
}
INTEGERS: Final[Mapping[str, str]] = {
    "CapacityMaximum": "capacity_maximum",
    "CapacityMinimum": "capacity_minimum",
    "DurationQuantity": "duration_quantity",
    "EventNumber": "number",
    "ExamDurationInMinutes": "exam_duration_in_minutes",
    "InvigilatorMinimum": "invigilator_minimum",
}
NUMBERS: Final[Mapping[str, str]] = {"CreditHours": "credit_hours"}
INSTANTS: Final[Mapping[str, str]] = {
    "DistributionExpected": "distribution_expected",
    "DistributionOrdered": "distribution_ordered",
    "DistributionShipped": "distribution_shipped",
    "DistributionTracked": "distribution_tracked",
    "EventScheduledEnd": "given_end_at",
    "EventScheduledStart": "start_at",
    "ExamMaterialReturnShipmentReceived": "return_shipment_received",
    "ExamStarted": "exam_started",
    "RegistrationDeadline": "registration_deadline",
    "RegistrationLocked": "registration_locked",
    "RegistrationStart": "registration_start",
}
LAST_CHANGE_TEXTS: Final[Mapping[str, str]] = {
    "LastChangeType": "last_change_type",
    "LastChangeUser": "last_change_user",
}
LAST_CHANGE_TIME: Final = "LastChangeTime"
LOCAL_MEMBERS: Final = ("EventScheduledStartLocal", "VenueTimeZone")
"""What our own exports can have besides; it follows from the start and the centre."""

COLUMNS: Final[Mapping[str, str]] = {
    **UUIDS,
    **FLAGS,
    **TEXTS,
    **INTEGERS,
    **NUMBERS,
    **INSTANTS,
}
EVENT_MEMBERS: Final = frozenset(
    {*COLUMNS, IDENTIFIER, ORGANIZATION, VENUE, *LAST_CHANGE_TEXTS, LAST_CHANGE_TIME}
)
"""All 62."""

OF_EVENT: Final[Names] = {
    "kind": (KIND,),
    "centre": (VENUE,),
    "identifier": (IDENTIFIER,),
    "external_ids": (IDENTIFIER,),
    "event": (IDENTIFIER,),
    **{column: (member,) for member, column in COLUMNS.items()},
}
"""Where an event has what the commands call so."""
