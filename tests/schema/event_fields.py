"""The 62 fields of a Shift iQ event [003]: their paths and two values for each.

The two values are in sort order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REFUSED: Final = "a null is refused"


@dataclass(frozen=True)
class Field:
    """A field by its name in the source.

    `given` is its path in the input of an update, and `created` its path in the input of a new
    event if that differs. Both are None for fields that the gateway sets itself. `shown` is its
    path in an event, `criterion` its name in a filter, and `empty` its value after a null.
    """

    source: str
    shown: str
    first: Any
    second: Any
    given: str | None = None
    created: str | None = None
    criterion: str | None = None
    empty: Any = None

    @property
    def made_by(self) -> str | None:
        return self.created or self.given


def uuid(n: int) -> str:
    return f"00000000-0000-0000-0000-{n:012}"


def _own(name: str) -> str:
    """Return the gateway's name, which differs from the source's only at the start."""
    for beginning in ("EventScheduled", "ExamMaterialR", "Event"):
        if name.startswith(beginning) and name not in KEPT_BEGINNING:
            name = name.removeprefix(beginning)
            name = f"r{name}" if beginning == "ExamMaterialR" else name
            break
    return name[0].lower() + name[1:]


KEPT_BEGINNING: Final = {"EventType"}

IDENTIFIERS: Final = (
    *("AchievementIdentifier", "LearnerRegistrationGroupIdentifier"),
    *("MandatorySurveyFormIdentifier", "VenueCoordinatorIdentifier", "VenueOfficeIdentifier"),
)
FLAGS: Final = (
    *("AllowMultipleRegistrations", "AllowRegistrationWithLink", "BillingCodeEnabled"),
    *("IntegrationWithholdDistribution", "IntegrationWithholdGrades", "PersonCodeIsRequired"),
    "WaitlistEnabled",
)
TEXTS: Final = (
    *("AppointmentType", "Content", "DistributionCode", "DistributionErrors"),
    *("DistributionProcess", "DistributionStatus", "EventBillingType", "EventCalendarColor"),
    *("EventClassCode", "EventDescription", "EventPublicationStatus"),
    *("EventRequisitionStatus", "EventSchedulingStatus", "EventSource", "EventSummary"),
    *("EventType", "ExamMaterialReturnShipmentCode", "ExamMaterialReturnShipmentCondition"),
    *("ExamScoreWarnings", "ExamType", "PublicationErrors", "RegistrationFields", "VenueRoom"),
)
NUMBERS: Final = (
    *("CapacityMinimum", "DurationQuantity", "EventNumber", "ExamDurationInMinutes"),
    "InvigilatorMinimum",
)
INSTANTS: Final = (
    *("DistributionExpected", "DistributionOrdered", "DistributionShipped", "DistributionTracked"),
    *("ExamMaterialReturnShipmentReceived", "ExamStarted", "RegistrationDeadline"),
    *("RegistrationLocked", "RegistrationStart"),
)
IN_INPUT: Final = {
    *("allowMultipleRegistrations", "personCodeIsRequired", "waitlistEnabled", "examType"),
    *("capacityMinimum", "examDurationInMinutes", "invigilatorMinimum"),
    *("registrationDeadline", "registrationStart"),
}
"""Fields of the input itself; the others are in its `details`."""


def _field(name: str, first: Any, second: Any, **values: Any) -> Field:
    own, place = _own(name), ""
    if own.startswith("distribution"):
        place, short = "distribution.", own.removeprefix("distribution")
        shown = f"{place}{short[0].lower()}{short[1:]}"
    elif own.startswith("returnShipment"):
        shown = f"distribution.{own}"
    else:
        shown = own
    given = shown if own in IN_INPUT else f"details.{shown}"
    return Field(name, shown, first, second, given=given, criterion=own, **values)


AT: Final = ("2027-04-01T09:00:00.250000Z", "2027-05-01T09:00:00Z")

FIELDS: Final = (
    Field(
        "EventIdentifier",
        "identifier",
        uuid(1),
        uuid(2),
        created="identifier",
        criterion="identifier",
        empty=REFUSED,
    ),
    Field("OrganizationIdentifier", "organization.id", None, None, empty=REFUSED),
    Field(
        "VenueLocationIdentifier",
        "centre.reference",
        "V1",
        "V2",
        given="centre.reference",
        criterion="venueIdentifier",
    ),
    *(_field(name, uuid(n + 10), uuid(n + 20)) for n, name in enumerate(IDENTIFIERS)),
    *(_field(name, True, False, empty=REFUSED) for name in FLAGS),
    *(_field(name, "Alpha 100%", "beta_Ünï") for name in TEXTS),
    Field(
        "EventFormat", "examFormat", "Online", "Paper", given="examFormat", criterion="examFormat"
    ),
    Field("EventTitle", "title", "Alpha", "Beta", given="title", criterion="title", empty=REFUSED),
    _field("DurationUnit", "HOUR", "MINUTE"),
    *(_field(name, 3, 5) for name in NUMBERS),
    Field(
        "CapacityMaximum",
        "capacityMaximum",
        3,
        5,
        given="capacityMaximum",
        created="capacityMaximum",
        criterion="capacityMaximum",
    ),
    _field("CreditHours", 1.5, 2.25),
    *(_field(name, *AT) for name in INSTANTS),
    Field("EventScheduledStart", "times.start", *AT, given="start", criterion="start"),
    Field("EventScheduledEnd", "times.end", *AT, given="end", criterion="end"),
    Field("LastChangeTime", "lastChangeTime", *AT, criterion="lastChangeTime", empty=REFUSED),
    Field("LastChangeType", "lastChangeType", "Created", "Updated", criterion="lastChangeType"),
    Field("LastChangeUser", "lastChangeUser", "admin", "Cleo", criterion="lastChangeUser"),
)
BY_SOURCE: Final = {field.source: field for field in FIELDS}


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return an input with a value at a path."""
    *outer, last = path.split(".")
    found: dict[str, Any] = {last: value}
    for name in reversed(outer):
        found = {name: found}
    return found


def at(path: str, shown: Mapping[str, Any]) -> Any:
    """Return the value at a path of a result; None if a parent is null."""
    found: Any = shown
    for name in path.split("."):
        found = None if found is None else found[name]
    return found
