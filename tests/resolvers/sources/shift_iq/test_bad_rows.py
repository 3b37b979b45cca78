"""What is wrong in a document is reported with its place and its reason, and stops nothing else."""

from typing import Any
from uuid import UUID

import pytest

from tests.resolvers.sources.conftest import Snapshot, fates, reasons
from tests.resolvers.sources.shift_iq.conftest import ImportShift, document, event

INVALID, RANGE, LENGTH = "INVALID_VALUE", "OUT_OF_RANGE", "STRING_LENGTH"

BAD_EVENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"EventIdentifier": None}, "EventIdentifier", "REQUIRED"),
    ({"EventIdentifier": str(UUID(int=0))}, "EventIdentifier", "REQUIRED"),
    ({"EventIdentifier": "x"}, "EventIdentifier", INVALID),
    ({"EventIdentifier": 7}, "EventIdentifier", INVALID),
    ({"VenueLocationIdentifier": "here"}, "VenueLocationIdentifier", INVALID),
    ({"AchievementIdentifier": []}, "AchievementIdentifier", INVALID),
    ({"WaitlistEnabled": "true"}, "WaitlistEnabled", INVALID),
    ({"EventTitle": "x" * 201}, "EventTitle", LENGTH),
    ({"EventTitle": 1}, "EventTitle", INVALID),
    ({"EventSummary": "x" * 4001}, "EventSummary", LENGTH),
    ({"EventSummary": "\0"}, "EventSummary", INVALID),
    ({"Content": "x" * 20001}, "Content", LENGTH),
    ({"EventType": "x" * 4001}, "EventType", LENGTH),
    ({"DurationUnit": "x" * 4001}, "DurationUnit", LENGTH),
    ({"ExamMaterialReturnShipmentCode": 5}, "ExamMaterialReturnShipmentCode", INVALID),
    ({"CapacityMaximum": 0}, "CapacityMaximum", RANGE),
    ({"CapacityMaximum": "24"}, "CapacityMaximum", INVALID),
    ({"CapacityMinimum": -1}, "CapacityMinimum", RANGE),
    ({"InvigilatorMinimum": -1}, "InvigilatorMinimum", RANGE),
    ({"EventNumber": 2**31}, "EventNumber", RANGE),
    ({"EventNumber": 1.5}, "EventNumber", INVALID),
    ({"ExamDurationInMinutes": True}, "ExamDurationInMinutes", INVALID),
    ({"DurationQuantity": 0}, "DurationQuantity", RANGE),
    ({"DurationQuantity": 100000, "DurationUnit": "hours"}, "DurationQuantity", RANGE),
    ({"CreditHours": -0.5}, "CreditHours", RANGE),
    ({"CreditHours": 10**400}, "CreditHours", RANGE),
    ({"CreditHours": "1"}, "CreditHours", INVALID),
    ({"EventScheduledStart": "2027-02-01T13:00:00"}, "EventScheduledStart", INVALID),
    ({"EventScheduledStart": "2027-02-01"}, "EventScheduledStart", INVALID),
    ({"EventScheduledStart": "2027-02-30T13:00:00Z"}, "EventScheduledStart", INVALID),
    ({"EventScheduledStart": "0001-01-01T00:00:00+05:00"}, "EventScheduledStart", RANGE),
    ({"EventScheduledStart": 1801483200}, "EventScheduledStart", INVALID),
    ({"EventScheduledEnd": "2027-02-01T12:59:59Z"}, "EventScheduledEnd", RANGE),
    ({"CapacityMaximum": 3, "CapacityMinimum": 4}, "CapacityMinimum", RANGE),
    (
        {
            "RegistrationStart": "2026-12-02T00:00:00Z",
            "RegistrationDeadline": "2026-12-01T00:00:00Z",
        },
        "RegistrationDeadline",
        RANGE,
    ),
    ({"RegistrationStart": "2030-01-01T00:00:00Z"}, "RegistrationStart", RANGE),
    ({"DistributionShipped": "soon"}, "DistributionShipped", INVALID),
    ({"ExamMaterialReturnShipmentReceived": "-"}, "ExamMaterialReturnShipmentReceived", INVALID),
    ({"LastChangeTime": "yesterday"}, "LastChangeTime", INVALID),
    ({"LastChangeUser": 7}, "LastChangeUser", INVALID),
    ({"EventColour": "blue"}, "EventColour", INVALID),
    ({"eventTitle": "lower"}, "eventTitle", INVALID),
    ({"EventBillingCode": "of version 1"}, "EventBillingCode", INVALID),
]


@pytest.mark.parametrize(("values", "member", "code"), BAD_EVENTS)
async def test_every_wrong_value_is_reported(
    imports: ImportShift, snapshot: Snapshot, values: dict[str, Any], member: str, code: str
) -> None:
    """An event with one wrong value is refused with its path and reason, and nothing stays."""
    before = await snapshot()

    report = await imports(event(**values))

    assert reasons(report) == [(f"$.{member}", code)]
    assert await snapshot() == before


async def test_a_wrong_value_is_no_update_either(imports: ImportShift, snapshot: Snapshot) -> None:
    """What would not be made is not changed to: the event stays as it was."""
    await imports(event())
    before = await snapshot()

    report = await imports(event(EventScheduledEnd="2027-01-01T00:00:00Z", EventSummary="new"))

    assert reasons(report) == [("$.EventScheduledEnd", RANGE)]
    assert await snapshot() == before


async def test_a_bad_row_does_not_stop_the_others(imports: ImportShift) -> None:
    """Of three events the one in the middle is reported, and the other two are imported."""
    three = [event(EventIdentifier=str(UUID(int=n)), EventNumber=n or "x") for n in (1, 0, 2)]

    report = await imports(three)

    assert fates(report) == ["made", "refused", "made"]
    assert [path for path, _ in reasons(report)] == [
        "$[1].EventIdentifier",
        "$[1].EventNumber",
    ]


async def test_the_centre_of_a_refused_event_is_not_made(
    imports: ImportShift, snapshot: Snapshot
) -> None:
    """A rule that is found to be broken late leaves no centre behind either."""
    before = await snapshot()

    report = await imports(
        event(DurationQuantity=99999, DurationUnit="Hour", EventTitle="Too long")
    )

    assert reasons(report) == [("$.DurationQuantity", RANGE)]
    assert await snapshot() == before


BAD_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"Identifier": "x"}, "$.Identifier"),
    ({"Origin": []}, "$.Origin"),
    ({"Origin": {"When": "today"}}, "$.Origin.When"),
    ({"Origin": {"User": 1}}, "$.Origin.User"),
    ({"Origin": {"Reason": 1}}, "$.Origin.Reason"),
    ({"Origin": {"Who": "me"}}, "$.Origin.Who"),
    ({"Filter": {"Page": "1"}}, "$.Filter.Page"),
    ({"Filter": {"Sort": ["EventTitle"]}}, "$.Filter.Sort"),
    ({"Filter": {"Skip": 1}}, "$.Filter.Skip"),
    ({"Texts": {"Purpose": 1}}, "$.Texts.Purpose"),
    ({"WaitlistEnabled": 1}, "$.WaitlistEnabled"),
    ({"EventTitle": 1}, "$.EventTitle"),
    ({"CapacityMaximum": "1"}, "$.CapacityMaximum"),
    ({"EventScheduledStart": "1"}, "$.EventScheduledStart"),
    ({"BillingCodeEnabled": True}, "$.BillingCodeEnabled"),
    ({"EventIdentifier": str(UUID(int=1))}, "$.EventIdentifier"),
    ({"Colour": "blue"}, "$.Colour"),
]


@pytest.mark.parametrize(("values", "path"), BAD_REQUESTS)
async def test_a_wrong_request_is_reported(
    imports: ImportShift, values: dict[str, Any], path: str
) -> None:
    """It leaves nothing, and yet is read strictly: [003] has 60 criteria, and no others."""
    report = await imports({**document("request"), **values})

    assert reasons(report) == [(path, INVALID)]


@pytest.mark.parametrize("given", [7, None, {}, {"eventIdentifier": "x"}, ["text"], [[7]]])
async def test_what_is_no_document_is_reported(imports: ImportShift, given: Any) -> None:
    """It is none of the documents of the two sources."""
    report = await imports(given)

    assert fates(report) == ["refused"]
    assert [code for _, code in reasons(report)] == [INVALID]
    assert report.refused[0].reasons[0].message.startswith("This is none of the documents")
