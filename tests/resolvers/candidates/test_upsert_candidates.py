"""Candidates: fields, associations and permissions."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from resolvers.candidates.commands import upsert_candidates
from resolvers.candidates.reads import (
    candidates_by_id,
    centres_of_candidates,
    departments_of_candidates,
    groups_of_candidates,
    modules_of_candidates,
    subjects_of_candidates,
)
from resolvers.contacts import Address, EmergencyContact
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey
from resolvers.refusals import Refused
from resolvers.storage.tables import AgentOffice, Booking
from resolvers.viewer import NOTHING, Scope
from resolvers.vocabulary import AccessScope, BookingKind, BookingStatus, Gender, SourceSystem

EVERYTHING_KNOWN = {
    "email": "ada@example.org",
    "telephone": "1",
    "mobile": "2",
    "date_of_birth": date(1993, 2, 20),
    "gender": Gender.FEMALE,
    "passport_number": "X1",
    "passport_issuing_country": "GB",
    "country_of_birth": "ES",
    "nationality": "FR",
    "address": Address(line1="1 High St", country_iso_code="ES"),
    "emergency_contact": EmergencyContact(phone="3", name="Ann"),
    "image_url": "https://example.org/ada.png",
}


async def row_of(storage, viewer, key):
    [row] = await storage.read(candidates_by_id(viewer, [key]))
    return row


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference": ""}, ("STRING_LENGTH", "reference")),
        ({"reference": "x" * 51}, ("STRING_LENGTH", "reference")),
        ({"reference": "a\0b"}, ("INVALID_VALUE", "reference")),
        ({"first_names": " "}, ("STRING_LENGTH", "first_names")),
        ({"last_name": "x" * 201}, ("STRING_LENGTH", "last_name")),
        ({"email": "nobody"}, ("INVALID_EMAIL", "email")),
        ({"email": "x" * 250 + "@example.org"}, ("STRING_LENGTH", "email")),
        ({"telephone": "1" * 51}, ("STRING_LENGTH", "telephone")),
        ({"mobile": "1" * 51}, ("STRING_LENGTH", "mobile")),
        ({"passport_number": "1" * 51}, ("STRING_LENGTH", "passport_number")),
        ({"passport_issuing_country": "XX"}, ("INVALID_COUNTRY_CODE", "passport_issuing_country")),
        ({"country_of_birth": ""}, ("INVALID_COUNTRY_CODE", "country_of_birth")),
        ({"nationality": "GBR"}, ("INVALID_COUNTRY_CODE", "nationality")),
        ({"date_of_birth": date(1899, 12, 31)}, ("OUT_OF_RANGE", "date_of_birth")),
        ({"image_url": "ada.png"}, ("INVALID_VALUE", "image_url")),
        ({"address": Address(country_iso_code=None)}, ("REQUIRED", "address.country_iso_code")),
        (
            {"address": Address(country_iso_code="ES", line1="x" * 101)},
            ("STRING_LENGTH", "address.line1"),
        ),
        (
            {"emergency_contact": EmergencyContact(phone=None)},
            ("REQUIRED", "emergency_contact.phone"),
        ),
        ({"centre_ids": (ByKey(UUID(int=1)),)}, ("NOT_FOUND", "centre_ids.0")),
        (
            {"centre_ids": tuple(ByKey(UUID(int=n)) for n in range(501))},
            ("OUT_OF_RANGE", "centre_ids"),
        ),
    ],
)
async def test_refused(candidate, refusals, values, expected):
    """Each field has limits, and the refusal names the field."""
    code, path = expected

    found = await refusals(upsert_candidates, candidate(**values))

    assert found[0] == (code, path)


async def test_a_date_of_birth_is_not_in_the_future(clock, make, candidate, refusals):
    """A date of birth is at most the current date of the transaction's clock."""
    command = candidate(date_of_birth=clock.now.date() + timedelta(days=1))

    assert await refusals(upsert_candidates, command) == [("OUT_OF_RANGE", "date_of_birth")]

    clock.now += timedelta(days=1)
    assert await make(upsert_candidates, command)


async def test_all_fields_are_kept(storage, viewer, make, candidate):
    """All given values are stored; addresses use the schema's field names."""
    key = await make(upsert_candidates, candidate(**EVERYTHING_KNOWN))

    row = await row_of(storage, viewer, key)
    kept = {name: getattr(row, name) for name in EVERYTHING_KNOWN}
    assert kept == EVERYTHING_KNOWN | {
        "address": {
            "line1": "1 High St",
            "line2": None,
            "city": None,
            "stateProvince": None,
            "postalCode": None,
            "country": "ES",
        },
        "emergency_contact": {"name": "Ann", "phone": "3", "relationship": None},
    }


async def test_left_out_stays(storage, viewer, make, candidate):
    """Fields omitted from a later upsert do not change."""
    key = await make(upsert_candidates, candidate(**EVERYTHING_KNOWN))
    before = await row_of(storage, viewer, key)

    [outcome] = await storage.write(upsert_candidates, [candidate()])

    assert outcome == Outcome(key, changed=False)
    assert await row_of(storage, viewer, key) == before


async def test_lists_replace(storage, viewer, make, candidate, around):
    """A list replaces the previous one without duplicates; an omitted list changes nothing."""
    group = UUID(int=7)
    lists = {
        "centre_ids": (ByKey(around.centre), ByKey(around.centre)),
        "subject_ids": (ByKey(around.subject),),
        "department_ids": (ByKey(around.department),),
        "module_ids": (ByKey(around.module),),
        "group_identifiers": (group, group),
    }
    reads = [
        centres_of_candidates,
        subjects_of_candidates,
        departments_of_candidates,
        modules_of_candidates,
    ]

    async def listed(key):
        found = [[row.id for row in await storage.read(read(viewer, [key]))] for read in reads]
        groups = await storage.read(groups_of_candidates(viewer, [key]))
        return [*found, [row.group_id for row in groups]]

    key = await make(upsert_candidates, candidate(**lists))
    everything = [[around.centre], [around.subject], [around.department], [around.module], [group]]
    assert await listed(key) == everything

    [same] = await storage.write(upsert_candidates, [candidate(**lists)])
    [left_out] = await storage.write(upsert_candidates, [candidate()])
    assert not same.changed
    assert not left_out.changed
    assert await listed(key) == everything

    other = candidate(centre_ids=(ByKey(around.other_centre),), group_identifiers=())
    [replaced] = await storage.write(upsert_candidates, [other])
    assert replaced.changed
    assert await listed(key) == [[around.other_centre], *everything[1:4], []]


def places(result):
    assert isinstance(result, Refused), result
    return [(refusal.code.value, ".".join(refusal.path)) for refusal in result.refusals]


@pytest.mark.parametrize(
    ("scope", "missing"),
    [
        (Scope(centres=frozenset(), subjects=frozenset()), AccessScope.CENTRE),
        (Scope(subjects=frozenset({UUID(int=1)})), AccessScope.SUBJECT),
        (Scope(agent_offices=frozenset({UUID(int=1)})), AccessScope.AGENT_OFFICE),
        (Scope(candidate=UUID(int=1)), AccessScope.OWN),
        (NOTHING, AccessScope.OWN),
    ],
)
async def test_where_nothing_can_be_made(storage, viewer, make, candidate, scope, missing):
    """A viewer without a centre cannot create a candidate, since it would be hidden; a hidden
    candidate is refused alike.
    """
    await make(upsert_candidates, candidate())
    scheduler = replace(viewer, scope=scope)

    commands = [candidate(reference, viewer=scheduler) for reference in ("P1", "P2")]
    hidden, new = await storage.write(upsert_candidates, commands)

    assert places(hidden) == places(new) == [("FORBIDDEN", "")]
    assert hidden.refusals[0].missing_scope == new.refusals[0].missing_scope == missing


async def test_a_scheduler_makes_candidates_at_its_own_centres(
    storage, viewer, make, candidate, around
):
    """A scheduler's centres are the default, another centre is unknown, and the call can be
    repeated.
    """
    scheduler = replace(viewer, scope=Scope(centres=frozenset({around.centre})))
    there, nowhere = (ByKey(around.other_centre),), (ByKey(UUID(int=9)),)

    [made] = await storage.write(upsert_candidates, [candidate(viewer=scheduler)])
    again, none, elsewhere, unknown = await storage.write(
        upsert_candidates,
        [
            candidate(viewer=scheduler),
            candidate(viewer=scheduler, centre_ids=()),
            candidate("P2", viewer=scheduler, centre_ids=there),
            candidate("P2", viewer=scheduler, centre_ids=nowhere),
        ],
    )

    assert made.created
    assert again == none == Outcome(made.subject, changed=False)
    assert places(elsewhere) == places(unknown) == [("NOT_FOUND", "centre_ids.0")]
    rows = await storage.read(centres_of_candidates(viewer, [made.subject]))
    assert [row.id for row in rows] == [around.centre]


async def test_a_scheduler_leaves_the_centres_of_others_alone(
    storage, viewer, make, candidate, around
):
    """A scheduler's list replaces only the centres in its scope."""
    both = (ByKey(around.centre), ByKey(around.other_centre))
    key = await make(upsert_candidates, candidate(centre_ids=both))
    scheduler = replace(viewer, scope=Scope(centres=frozenset({around.centre})))

    own = candidate(viewer=scheduler, centre_ids=(ByKey(around.centre),))
    [outcome] = await storage.write(upsert_candidates, [own])

    assert outcome == Outcome(key, changed=False)
    rows = await storage.read(centres_of_candidates(viewer, [key]))
    assert {row.id for row in rows} == {around.centre, around.other_centre}


async def test_a_reference_of_a_hidden_candidate_is_taken(storage, viewer, make, candidate, around):
    """A hidden candidate's reference or external id is refused as taken, and nothing else is
    revealed.
    """
    known = ByExternalId(SourceSystem.SHIFT_IQ_V1, "learner", "1")
    there = (ByKey(around.other_centre),)
    await make(upsert_candidates, candidate(centre_ids=there, external_ids=(known,)))
    scheduler = replace(viewer, scope=Scope(centres=frozenset({around.centre})))

    results = await storage.write(
        upsert_candidates,
        [
            candidate(viewer=scheduler),
            candidate("P2", viewer=scheduler, external_ids=(known,)),
            candidate(viewer=scheduler, centre_ids=there),
        ],
    )

    assert [places(result) for result in results] == [
        [("ALREADY_EXISTS", "reference")],
        [("ALREADY_EXISTS", "external_ids.0")],
        [("NOT_FOUND", "centre_ids.0")],
    ]
    assert results[0].refusals[0].message == results[1].refusals[0].message


async def test_a_reference_that_is_new_to_a_batch(storage, viewer, candidate, around):
    """The first command creates the candidate; a viewer who cannot see it gets a refusal that the
    reference is taken.
    """
    here = replace(viewer, key="here", scope=Scope(centres=frozenset({around.centre})))
    there = replace(viewer, key="there", scope=Scope(centres=frozenset({around.other_centre})))

    made, taken, seen = await storage.write(
        upsert_candidates, [candidate(viewer=who) for who in (here, there, viewer)]
    )

    assert made.created
    assert places(taken) == [("ALREADY_EXISTS", "reference")]
    assert seen == Outcome(made.subject, changed=False)


def seen_by(around, key, office):
    """Scopes, and whether each shows a candidate of `centre` who is booked for `subject`."""
    none = frozenset()
    return [
        (Scope(), True),
        (Scope(centres=frozenset({around.centre})), True),
        (Scope(centres=frozenset({around.other_centre})), False),
        (Scope(subjects=frozenset({around.subject})), True),
        (Scope(centres=none, subjects=none), False),
        (Scope(centres=frozenset({around.other_centre}), subjects={around.subject}), True),
        (Scope(centres=frozenset({around.centre}), subjects=none), True),
        (Scope(agent_offices=frozenset({office})), True),
        (Scope(agent_offices=frozenset({around.centre})), False),
        (Scope(candidate=key), True),
        (Scope(candidate=around.centre), False),
        (NOTHING, False),
    ]


async def test_visible(storage, viewer, make, insert, candidate, around):
    """A scope shows candidates with a booking, centre or subject in it."""
    office = {"code": "2983", "name": "Madrid", "search_text": "", "agency": "A"}
    office_id = (await insert(AgentOffice, **office)).id
    key = await make(upsert_candidates, candidate(centre_ids=(ByKey(around.centre),)))
    await insert(
        Booking,
        kind=BookingKind.ENROLMENT,
        reference="ENR-1",
        status=BookingStatus.CONFIRMED,
        candidate_id=key,
        subject_id=around.subject,
        agent_office_id=office_id,
        time_zone="Europe/London",
        start_at=storage.clock(),
        busy_until_at=storage.clock() + timedelta(hours=1),
        local_start=storage.clock().replace(tzinfo=None),
        created_at=storage.clock(),
        updated_at=storage.clock(),
        created_by_name="admin",
    )

    for scope, seen in seen_by(around, key, office_id):
        rows = await storage.read(candidates_by_id(replace(viewer, scope=scope), [key]))
        assert [row.id for row in rows] == [key] * seen, scope
