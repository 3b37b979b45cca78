"""One value in several forms: texts, UUIDs, whole numbers, offsets, the last instant."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from resolvers.storage.tables import Centre, Event
from tests.resolvers.sources.conftest import fates, reasons
from tests.resolvers.sources.shift_iq.conftest import EVENT, VENUE, FindShift, ImportShift, event


@pytest.mark.parametrize("form", [EVENT.upper(), EVENT.replace("-", ""), f"{{{EVENT}}}"])
async def test_a_uuid_names_the_same_event(
    imports: ImportShift, find: FindShift, form: str
) -> None:
    """In any case, without hyphens or in braces: a second import finds the event and its centre."""
    await imports(event())

    report = await imports(event(EventIdentifier=form, VenueLocationIdentifier=VENUE.upper()))

    assert fates(report) == ["unchanged"]
    assert (await find(Event, "event", form)).identifier == UUID(EVENT)
    assert (await find(Centre, "venue", f"{{{VENUE.upper()}}}")) is not None


async def test_texts_are_in_their_normal_form(imports: ImportShift, find: FindShift) -> None:
    """Composed, without blanks around; an empty optional text is none."""
    await imports(event(EventTitle="\u00a0Zoe\u0308 ", EventSummary="", ExamType="\u200b"))

    row = await find(Event, "event", EVENT)
    assert (row.title, row.summary, row.exam_type) == ("Zo\u00eb", None, None)


async def test_numbers_and_instants(imports: ImportShift, find: FindShift) -> None:
    """10.0 is a whole number, +01 an offset, and the last instant of the calendar is one."""
    report = await imports(
        event(
            CapacityMaximum=10.0,
            EventScheduledStart="2027-02-01T14:00:00+01",
            EventScheduledEnd="9999-12-31T23:59:59Z",
            RegistrationDeadline="",
        )
    )

    assert reasons(report) == []
    row = await find(Event, "event", EVENT)
    assert row.capacity_maximum == 10
    assert row.start_at == datetime(2027, 2, 1, 13, tzinfo=UTC)
    assert row.end_at == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
