"""Imports of the bodies of PutBookingRequest; domain.md, sections 5.3, 5.4 and 8.12."""

from datetime import date
from pathlib import Path

import pytest

from resolvers.every_kind.cancelling import cancel
from resolvers.outcomes import Outcome
from resolvers.sources.json_text import Unreadable
from resolvers.storage.tables import (
    AgentBooking,
    AgentBookingItem,
    AgentBookingRevision,
    Booking,
    Candidate,
)
from resolvers.vocabulary import BookingStatus, ProductKind
from tests.resolvers.asking import cancelling
from tests.resolvers.sources.conftest import Snapshot, fates, reasons
from tests.resolvers.sources.ec_english.conftest import (
    DOCUMENTS,
    ImportBookings,
    body,
    changed,
    text_of,
)
from tests.resolvers.world import World

JSON, XML = text_of("booking.json"), text_of("booking.xml")
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


async def bookings(world: World) -> list[AgentBooking]:
    return await world.rows(AgentBooking, "organization_id", world.viewer.organization_id)


def test_the_sample_of_the_source_is_here() -> None:
    """As [004] prints it, and the same in XML."""
    assert {Path(file).name for file in DOCUMENTS.iterdir()} == {"booking.json", "booking.xml"}


async def test_the_sample_is_a_booking(world: World, imports: ImportBookings) -> None:
    """Received as revision 1, with all that it says; 2016 is no mistake, and nobody is asked."""
    report = await imports(JSON)

    assert (fates(report), reasons(report)) == (["made"], [])
    [detail] = await bookings(world)
    row = await world.row(detail.id)
    assert (row.reference, row.status) == ("X8347848", BookingStatus.PENDING)
    assert row.created_by_name == "import ec-english"
    assert (detail.revision, detail.content["agentOfficeCode"]) == (1, "2983")
    assert detail.content["student"]["address"]["stateProvince"] is None
    assert detail.content["specialRequirements"]["allergies"] == "Allergic to nuts"
    [candidate] = await world.rows(Candidate, "id", row.candidate_id)
    assert (candidate.last_name, candidate.date_of_birth) == ("Smith", date(1993, 2, 20))
    items = await world.rows(AgentBookingItem, "booking_id", detail.id)
    assert {(item.kind, item.code, item.number_of_weeks, item.quantity) for item in items} == {
        (ProductKind.COURSE, "C92", 3, None),
        (ProductKind.LODGING, "A78", 3, None),
        (ProductKind.OPTIONAL_EXTRA, "E33", None, 1),
        (ProductKind.AIRPORT_TRANSFER, "TRN88", None, None),
    }


@pytest.mark.parametrize(
    "other",
    [
        XML,
        "\ufeff" + XML,
        XML.replace(" xmlns=", " xmlns:other="),
        XML.replace("BookingCourse>", "anyType>").replace("BookingTransfer>", "Transfers>"),
        XML.replace("BookingAccommodation>", "Accommodation>"),
        JSON.replace('"Quantity": "1"', '"Quantity": 1'),
        JSON.replace('"StateProvince": ""', '"StateProvince": null'),
    ],
)
async def test_the_same_in_another_form_is_the_same(
    world: World, imports: ImportBookings, snapshot: Snapshot, other: str
) -> None:
    """XML with or without its namespace, a quantity as a number, a blank text: nothing changes."""
    await imports(JSON)
    once = await snapshot()

    report = await imports(other)

    assert (fates(report), reasons(report)) == (["unchanged"], [])
    assert await snapshot() == once


@pytest.mark.parametrize("text", [JSON, XML])
async def test_twice_is_the_same_as_once(
    imports: ImportBookings, snapshot: Snapshot, text: str
) -> None:
    """Not one row of any table differs."""
    first = await imports(text)
    once = await snapshot()

    again = await imports(text)

    assert (fates(first), fates(again)) == (["made"], ["unchanged"])
    assert await snapshot() == once


async def test_other_content_is_a_revision(world: World, imports: ImportBookings) -> None:
    """Of a file with both the second replaces the first; all of it again changes nothing."""
    both = f"[{JSON}, {changed(Booking__LanguageLevel='Advanced')}]"

    report = await imports(both)
    again = await imports(both)

    assert (fates(report), fates(again)) == (["made", "changed"], ["unchanged", "unchanged"])
    [detail] = await bookings(world)
    assert (detail.revision, detail.content["languageLevel"]) == (2, "Advanced")
    assert len(await world.rows(AgentBookingRevision, "booking_id", detail.id)) == 2


async def test_what_was_cancelled_stays_so(world: World, imports: ImportBookings) -> None:
    """The same again does not reopen it; what the agency put afterwards does, long ago or not."""
    await imports(JSON)
    [detail] = await bookings(world)
    cancelled = await world.one(cancel, cancelling(world, detail.id))
    assert isinstance(cancelled, Outcome), cancelled

    again = await imports(JSON)
    stays = await world.row(detail.id)
    put = await imports(changed(Booking__LanguageLevel="Advanced"))
    reopened = await world.row(detail.id)

    assert (fates(again), fates(put)) == (["unchanged"], ["changed"])
    assert (stays.status, reopened.status) == (BookingStatus.CANCELLED, BookingStatus.PENDING)


@pytest.mark.parametrize(
    "text",
    [
        f"[{JSON}, {changed(AgentBookingId='')}, {changed(AgentBookingId='X2')}]",
        "<ArrayOfPutBookingRequest>"
        + XML.removeprefix(DECLARATION)
        + XML.removeprefix(DECLARATION).replace("X8347848", "")
        + XML.removeprefix(DECLARATION).replace("X8347848", "X2")
        + "</ArrayOfPutBookingRequest>",
    ],
)
async def test_several_bodies_are_a_row_each(
    world: World, imports: ImportBookings, text: str
) -> None:
    """A refused one does not stop the others."""
    report = await imports(text)

    assert fates(report) == ["made", "refused", "made"]
    assert reasons(report) == [("$[1].AgentBookingId", "REQUIRED")]
    assert {detail.agent_booking_id for detail in await bookings(world)} == {"X8347848", "X2"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, None),
        ({"Booking__AgentBookingId": "X8347848"}, None),
        ({"Booking__AgentBookingId": None}, None),
        ({"AgentBookingId": None, "Booking__AgentBookingId": "X8347848"}, None),
        ({"AgentBookingId": " ", "Booking__AgentBookingId": "X8347848"}, None),
        (
            {"Booking__AgentBookingId": "X2"},
            ("$.Booking.AgentBookingId", "is not the AgentBookingId beside the Booking"),
        ),
        ({"AgentBookingId": None}, ("$.AgentBookingId", "is required")),
        (
            {"AgentBookingId": None, "Booking__AgentBookingId": "X" * 51},
            ("$.Booking.AgentBookingId", "must be between 0 and 50 characters"),
        ),
    ],
)
async def test_where_the_id_stands(
    world: World, imports: ImportBookings, values: dict[str, str], told: tuple[str, str] | None
) -> None:
    """Beside the booking, inside it, or both and the same; which of two counts is no guess."""
    report = await imports(changed(**values))

    if told is None:
        assert [detail.agent_booking_id for detail in await bookings(world)] == ["X8347848"]
        return
    path, words = told
    [[reason]] = [row.reasons for row in report.refused]
    assert (reason.path, reason.message) == (path, f"'AgentBookingId' {words}")
    assert await bookings(world) == []


@pytest.mark.parametrize("value", ["1", '"x"', "{}", "[[]]", '{"Other": 1}', "[null]"])
async def test_what_is_no_body_is_refused(imports: ImportBookings, value: str) -> None:
    """Each such element is a refused row."""
    report = await imports(value)

    assert (fates(report), [code for _, code in reasons(report)]) == (
        ["refused"],
        ["INVALID_VALUE"],
    )


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><PutBookingRequest>&b;</PutBookingRequest>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><PutBookingRequest/>',
        "<PutBookingRequest><Booking></PutBookingRequest>",
        "<PutBookingRequest><Booking/><Booking/></PutBookingRequest>",
        XML.replace("<Courses>", "<Courses>C92"),
        XML.replace("<Student>", "<Student>Bobby"),
        "<TestSchedule><Test><id>1</id></Test></TestSchedule>",
        "<PutBookingRequest>" + "<a>" * 8 + "</a>" * 8 + "</PutBookingRequest>",
    ],
)
async def test_a_file_that_is_not_safe_or_not_whole_is_not_read(
    imports: ImportBookings, text: str
) -> None:
    """Entities, what is external, depth without end, texts that would be dropped."""
    with pytest.raises(Unreadable):
        await imports(text)


async def test_an_import_has_the_whole_of_a_large_file(
    world: World, imports: ImportBookings
) -> None:
    """As many students as bookings, each a row."""
    several = [
        body(AgentBookingId=f"X{n}", Booking__Student__PassportNumber=f"P{n}") for n in range(50)
    ]

    report = await imports(several)

    assert fates(report) == ["made"] * 50
    rows = await world.rows(Booking, "organization_id", world.viewer.organization_id)
    assert len({row.candidate_id for row in rows}) == 1
