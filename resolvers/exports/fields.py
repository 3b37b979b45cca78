"""The 62 fields of an event in Shift iQ v2's names and order [003], and two of our own."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from resolvers import checks
from resolvers.refusals import Invalid, ValidationErrors
from resolvers.values import frozen

MOST_NAMES = 100


class ValueKind(StrEnum):
    """The kind of a field's values."""

    IDENTIFIER = "IDENTIFIER"
    FLAG = "FLAG"
    TEXT = "TEXT"
    NUMBER = "NUMBER"
    INSTANT = "INSTANT"
    WALL_TIME = "WALL_TIME"


@frozen
class ExportField:
    """A field with the source's name, the name in `EventFilter`, and the name of its column."""

    name: str
    contract_name: str
    kind: ValueKind
    column: str


_NAMES: Mapping[ValueKind, str] = {
    ValueKind.IDENTIFIER: """
        AchievementIdentifier EventIdentifier LearnerRegistrationGroupIdentifier
        MandatorySurveyFormIdentifier OrganizationIdentifier VenueCoordinatorIdentifier
        VenueLocationIdentifier VenueOfficeIdentifier
    """,
    ValueKind.FLAG: """
        AllowMultipleRegistrations AllowRegistrationWithLink BillingCodeEnabled
        IntegrationWithholdDistribution IntegrationWithholdGrades PersonCodeIsRequired
        WaitlistEnabled
    """,
    ValueKind.TEXT: """
        AppointmentType Content DistributionCode DistributionErrors DistributionProcess
        DistributionStatus DurationUnit EventBillingType EventCalendarColor EventClassCode
        EventDescription EventFormat EventPublicationStatus EventRequisitionStatus
        EventSchedulingStatus EventSource EventSummary EventTitle EventType
        ExamMaterialReturnShipmentCode ExamMaterialReturnShipmentCondition ExamScoreWarnings
        ExamType LastChangeType LastChangeUser PublicationErrors RegistrationFields VenueRoom
    """,
    ValueKind.NUMBER: """
        CapacityMaximum CapacityMinimum DurationQuantity EventNumber ExamDurationInMinutes
        InvigilatorMinimum CreditHours
    """,
    ValueKind.INSTANT: """
        DistributionExpected DistributionOrdered DistributionShipped DistributionTracked
        EventScheduledEnd EventScheduledStart ExamMaterialReturnShipmentReceived ExamStarted
        LastChangeTime RegistrationDeadline RegistrationLocked RegistrationStart
    """,
}
_RENAMED: Mapping[str, str] = {
    "EventIdentifier": "identifier",
    "VenueLocationIdentifier": "venueIdentifier",
    "EventBillingType": "billingType",
    "EventCalendarColor": "calendarColor",
    "EventClassCode": "classCode",
    "EventDescription": "description",
    "EventFormat": "examFormat",
    "EventPublicationStatus": "publicationStatus",
    "EventRequisitionStatus": "requisitionStatus",
    "EventSchedulingStatus": "schedulingStatus",
    "EventSource": "source",
    "EventSummary": "summary",
    "EventTitle": "title",
    "ExamMaterialReturnShipmentCode": "returnShipmentCode",
    "ExamMaterialReturnShipmentCondition": "returnShipmentCondition",
    "ExamMaterialReturnShipmentReceived": "returnShipmentReceived",
    "EventNumber": "number",
    "EventScheduledEnd": "end",
    "EventScheduledStart": "start",
}
"""The fields whose name in `EventFilter` is not the source's in camel case."""

_COLUMNS: Mapping[str, str] = {"start": "start_at", "end": "end_at"}


def _fields() -> Iterator[ExportField]:
    for kind, names in _NAMES.items():
        for name in names.split():
            contract_name = _RENAMED.get(name, name[0].lower() + name[1:])
            column = _COLUMNS.get(contract_name, _snake(contract_name))
            yield ExportField(name, contract_name, kind, column)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


FIELDS: tuple[ExportField, ...] = tuple(_fields())
"""The default fields of a file."""

LOCAL_FIELDS = (
    ExportField("EventScheduledStartLocal", "localStart", ValueKind.WALL_TIME, "local_start"),
    ExportField("VenueTimeZone", "timeZone", ValueKind.TEXT, "time_zone"),
)
"""Fields that a file has only if requested: the local start at the centre, and its time zone."""

BY_NAME: Mapping[str, ExportField] = {field.name: field for field in (*FIELDS, *LOCAL_FIELDS)}
_KNOWN: Mapping[str, ExportField] = {
    name.lower(): field for field in BY_NAME.values() for name in (field.name, field.contract_name)
}


def chosen(
    includes: Sequence[str] | None, excludes: Sequence[str] | None
) -> tuple[ExportField, ...]:
    """The fields of a file: `includes` in that order, without `excludes`.

    A name is the source's, that of `EventFilter` or one of `LOCAL_FIELDS`, in any case. Without
    `includes`, the file has the source's fields in its order. Raises: Refused (each unknown name),
    Invalid (no field is left), OutOfRange (too many names).
    """
    stage = ValidationErrors()
    included = _named(stage, "includes", includes or ()) or FIELDS
    excluded = set(_named(stage, "excludes", excludes or ()))
    stage.settle()
    left = tuple(field for field in dict.fromkeys(included) if field not in excluded)
    if not left:
        raise Invalid("excludes", rule="leaves no field to export")
    return left


def _named(stage: ValidationErrors, argument: str, names: Sequence[str]) -> list[ExportField]:
    checks.size(names, argument, least=0, most=MOST_NAMES)
    found = []
    for index, name in enumerate(names):
        field = _KNOWN.get(name.lower())
        if field is None:
            stage.add(Invalid(argument, str(index), rule=_unknown(name, index)))
        else:
            found.append(field)
    return found


def _unknown(name: str, index: int) -> str:
    meant = difflib.get_close_matches(name.lower(), _KNOWN, n=1)
    hint = f"did you mean {_KNOWN[meant[0]].name}?" if meant else "there is EventTitle, for example"
    return (
        f"has {name[: checks.CODE]!r} at index {index}, which must be the name of an event's field "
        f"in Shift iQ v2 or in EventFilter, in any case; {hint}"
    )
