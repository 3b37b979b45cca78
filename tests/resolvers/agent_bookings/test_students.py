"""Matching a student to a candidate; domain.md, section 5.5."""

from dataclasses import replace
from datetime import date

import pytest

from resolvers.agent_bookings.dates import midnight
from resolvers.searching import search_text
from resolvers.storage.tables import Candidate
from tests.resolvers.agent_bookings.conftest import SAMPLE, student

PERSON = {"date_of_birth": date(1993, 2, 20), "nationality": "ES"}
PASSPORT = {"passport_number": "4823 909 9838", "passport_issuing_country": "ES"}


async def booked_for(world, submission=SAMPLE):
    """Return the candidate of a submission's student."""
    row = await world.row(await world.booked(submission))
    [candidate] = await world.rows(Candidate, "id", row.candidate_id)
    return candidate


@pytest.fixture
def agencys(world, office, insert):
    """Insert a candidate created by the sample's agency."""

    async def inserted(**values):
        names = {"first_names": "Bobby", "last_name": "Smith", "search_text": "smith"}
        given = {"reference": "P1", "agency_key": "agency:Study Abroad", **names, **values}
        return (await insert(Candidate, **given)).id

    return inserted


async def test_made(world):
    """An unknown student becomes a candidate with a generated reference and all submitted
    values.
    """
    made = await booked_for(world)

    assert made.reference.startswith("STU-")
    assert made.reference_generated
    assert (made.first_names, made.last_name) == ("Bobby", "Smith")
    assert made.search_text == search_text("Bobby Smith", made.reference)
    assert (made.date_of_birth, made.gender, made.email) == (
        date(1993, 2, 20),
        "MALE",
        "bobby@example.com",
    )
    assert (made.passport_number, made.passport_issuing_country) == tuple(PASSPORT.values())
    assert (made.address["city"], made.address["country"]) == ("Madrid", "ES")
    assert made.emergency_contact["phone"] == "+34 09 123 233"


@pytest.mark.parametrize(
    ("known", "matches"),
    [
        ({"first_names": "Other", **PASSPORT}, True),
        ({"first_names": "Other", "last_name": "SMITH", **PASSPORT}, True),
        ({"last_name": "Smyth", **PASSPORT}, False),
        ({"first_names": "Other", **PASSPORT, "passport_issuing_country": "FR"}, False),
        ({"first_names": "BOBBY", "last_name": "SMITH", **PERSON}, True),
        ({**PERSON, "passport_number": "another", "passport_issuing_country": "FR"}, True),
        ({**PERSON, "nationality": "FR"}, False),
        ({**PERSON, "nationality": None}, False),
        ({**PERSON, "date_of_birth": date(1993, 2, 21)}, False),
        ({"first_names": "Bob", **PERSON}, False),
    ],
)
async def test_matched(world, known, matches):
    """A match is by passport and last name, else by names in any case, date of birth and
    nationality.
    """
    values = {"first_names": "Bobby", "last_name": "Smith", **known}
    values = {name: value for name, value in values.items() if value is not None}
    existing = await world.candidate("P1", **values)

    assert ((await booked_for(world)).id == existing) == matches


async def test_the_passport_wins(world):
    """A passport match precedes a match by name; of several matches, the oldest is used."""
    await world.candidate("P1", first_names="Bobby", last_name="Smith", **PERSON)
    owner = await world.candidate("P2", first_names="Robert", last_name="Smith", **PASSPORT)
    await world.candidate("P3", first_names="Bob", last_name="Smith", **PASSPORT)

    assert (await booked_for(world)).id == owner


async def test_only_what_is_empty_is_filled(world, agencys):
    """A match that the agency created has only its empty fields filled."""
    known = {
        "reference": "P1",
        "first_names": "Robert",
        "email": "robert@example.org",
        "address": {"country": "GB"},
        **PASSPORT,
    }
    existing = await agencys(**known)

    found = await booked_for(world)

    assert found.id == existing
    assert (found.reference, found.reference_generated) == ("P1", False)
    assert (found.first_names, found.email) == ("Robert", "robert@example.org")
    assert found.address["country"] == "GB"
    assert (found.mobile, found.nationality) == ("+34 09 456 888", "ES")
    assert found.date_of_birth == date(1993, 2, 20)


@pytest.mark.parametrize(
    ("known", "filled"),
    [
        ((None, None), ("4823 909 9838", "ES")),
        ((None, "ES"), ("4823 909 9838", "ES")),
        (("4823 909 9838", None), ("4823 909 9838", "ES")),
        ((None, "FR"), (None, "FR")),
        (("another", None), ("another", None)),
    ],
)
async def test_a_passport_is_filled_whole(world, agencys, known, filled):
    """A passport is filled completely, or not at all if the candidate has part of another."""
    names = ("passport_number", "passport_issuing_country")
    some = {name: value for name, value in zip(names, known, strict=True) if value is not None}
    existing = await agencys(**PERSON, **some)

    found = await booked_for(world)

    assert found.id == existing
    assert tuple(getattr(found, name) for name in names) == filled


async def test_corrected_student(world):
    """A revision with a different student is a booking of a different candidate."""
    key = await world.booked()
    first = (await world.row(key)).candidate_id
    other = {"passport_number": None, "first_names": "Zoë", "last_name": "Ångström"}

    await world.booked(student(**other))
    second = (await world.row(key)).candidate_id
    shouting = {**other, "first_names": "ZOË", "last_name": "ÅNGSTRÖM"}
    await world.booked(replace(student(**shouting), agent_booking_id="X2"))

    assert first != second
    assert len(await world.rows(Candidate, "reference_generated", True)) == 2


def test_days_begin_at_midnight():
    """A day without midnight starts at its first valid time."""
    assert midnight(date(2027, 3, 14), "Europe/London").isoformat() == "2027-03-14T00:00:00+00:00"
    # in Beirut the clock went from 00:00 to 01:00
    assert midnight(date(2021, 3, 28), "Asia/Beirut").isoformat() == "2021-03-27T22:00:00+00:00"
