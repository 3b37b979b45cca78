"""SQL and Python agree on the bookings that a viewer sees; domain.md, section 8.3."""

import asyncio
from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.bookings.actions import may_touch
from resolvers.bookings.reads import (
    accommodations_by_id,
    bookings_by_id,
    bookings_count,
    bookings_order,
    bookings_page,
    payments_by_id,
)
from resolvers.storage import Storage
from resolvers.storage.paging import PageRequest
from resolvers.storage.tables import Accommodation, AgentOffice, Payment, Subject
from resolvers.viewer import EVERYTHING, Scope, Viewer
from resolvers.vocabulary import (
    AccommodationScope,
    BookingKind,
    PaymentResponsibility,
    PaymentStatus,
    Role,
)
from tests.resolvers.asking import in_role
from tests.resolvers.bookings.conftest import Maker
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

ALL = PageRequest(bookings_order(None), 100)


@pytest.fixture
async def everywhere(world: World, a_booking: Maker, insert: Any) -> list[Any]:
    """A booking for each combination of centre, subject, agent office (or none) and candidate."""
    centres = [None, *[await world.centre(name) for name in ("LON", "PAR")]]
    candidates = await world.candidates(2)
    subjects = [None]
    for name in ("S1", "S2"):
        subjects.append((await insert(Subject, reference=name, name=name, search_text="")).id)
    office = {"name": "Madrid", "search_text": "", "agency": "A"}
    offices = [None, *[(await insert(AgentOffice, code=c, **office)).id for c in ("1", "2")]]
    return [
        await a_booking(
            centre_id=centre, subject_id=subject, candidate_id=candidate, agent_office_id=office
        )
        for centre, subject, candidate, office in product(centres, subjects, candidates, offices)
    ]


def scopes_around(bookings: list[Any]) -> st.SearchStrategy[Scope]:
    """Return scopes of the bookings' centres, subjects and candidates, and of others."""

    def some(column: str) -> st.SearchStrategy[frozenset[UUID] | None]:
        keys = sorted({key for b in bookings if (key := getattr(b, column)) is not None})
        return st.none() | st.frozensets(st.sampled_from([*keys, UUID(int=7)]))

    candidates = sorted({b.candidate_id for b in bookings})
    return st.builds(
        Scope,
        centres=some("centre_id"),
        subjects=some("subject_id"),
        agent_offices=some("agent_office_id"),
        candidate=st.none() | st.sampled_from([*candidates, UUID(int=7)]),
        nothing=st.sampled_from([False] * 9 + [True]),
    )


async def test_lists_show_what_may_be_touched(
    world: World, storage: Storage, everywhere: list[Any]
) -> None:
    """For every scope, a booking is in the list, in the count and found by id exactly if `Scope`
    allows it.
    """
    loop = asyncio.get_running_loop()
    keys = [booking.id for booking in everywhere]

    def read(statement: Any) -> list[Any]:
        return asyncio.run_coroutine_threadsafe(storage.read(statement), loop).result(10)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(scope=scopes_around(everywhere))
    def agree(scope: Scope) -> None:
        viewer = in_role(world, Role.SCHEDULER, scope)
        expected = {booking.id for booking in everywhere if may_touch(viewer, booking)}

        assert {row.id for row in read(bookings_page(viewer, ALL))} == expected
        assert {row.id for row in read(bookings_by_id(viewer, keys))} == expected
        assert read(bookings_count(viewer))[0].total == len(expected)

    await asyncio.to_thread(agree)


@pytest.mark.parametrize(
    ("scope", "sees"),
    [
        (EVERYTHING, {"plain", "subject", "online"}),
        (Scope(centres=frozenset({1})), {"plain", "subject"}),
        (Scope(subjects=frozenset({2})), {"subject"}),
        (Scope(centres=frozenset({1}), subjects=frozenset({2})), {"plain", "subject"}),
        (Scope(centres=frozenset({1}), subjects=frozenset()), {"plain"}),
        (Scope(centres=frozenset()), set()),
        (Scope(candidate=3), {"plain", "subject", "online"}),  # type: ignore[arg-type]
        (Scope(nothing=True), set()),
    ],
)
async def test_what_each_scope_sees(
    world: World, a_booking: Maker, insert: Any, scope: Scope, sees: set[str]
) -> None:
    """A scope of centres includes bookings without a subject; a scope of subjects only does not."""
    subject = (await insert(Subject, reference="S", name="S", search_text="")).id
    centre, candidate = await world.centre(), await world.candidate()
    keys = {1: centre, 2: subject, 3: candidate}
    made = {
        "plain": await a_booking(centre_id=centre, candidate_id=candidate),
        "subject": await a_booking(centre_id=centre, subject_id=subject, candidate_id=candidate),
        "online": await a_booking(candidate_id=candidate),
    }
    own = replace(
        scope,
        centres=None if scope.centres is None else frozenset(keys[n] for n in scope.centres),  # type: ignore[index]
        subjects=None if scope.subjects is None else frozenset(keys[n] for n in scope.subjects),  # type: ignore[index]
        candidate=None if scope.candidate is None else keys[scope.candidate],  # type: ignore[index]
    )

    rows = await world.storage.read(bookings_page(in_role(world, Role.ADMIN, own), ALL))

    assert {name for name, row in made.items() if row.id in {r.id for r in rows}} == sees


async def test_another_organization_sees_nothing(
    world: World, viewer: Viewer, everywhere: list[Any]
) -> None:
    """Pages, counts and keys of another organization are empty."""
    stranger = replace(viewer, organization_id=UUID(int=7))
    keys = [booking.id for booking in everywhere]

    assert await world.storage.read(bookings_page(stranger, ALL)) == []
    assert await world.storage.read(bookings_by_id(stranger, keys)) == []
    assert (await world.storage.read(bookings_count(stranger)))[0].total == 0


async def test_what_hangs_on_a_booking_is_seen_with_it(
    world: World, a_booking: Maker, insert: Any
) -> None:
    """Payments and accommodations are readable by id only for visible bookings."""
    centre, candidate = await world.centre(), await world.candidate()
    booking = await a_booking(centre_id=centre, candidate_id=candidate)
    payment = await insert(
        Payment,
        booking_id=booking.id,
        reference=UUID(int=9),
        status=PaymentStatus.NOT_REQUIRED,
        responsibility=PaymentResponsibility.CENTRE,
    )
    granted = await insert(
        Accommodation,
        booking_id=booking.id,
        type="reader",
        scope=AccommodationScope.OTHER,
        granted_by_name="admin",
        granted_at=world.storage.clock(),
    )
    here = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({centre})))
    there = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({UUID(int=7)})))

    seen = [
        (
            len(await world.storage.read(payments_by_id(viewer, [payment.id]))),
            len(await world.storage.read(accommodations_by_id(viewer, [granted.id]))),
        )
        for viewer in (world.viewer, here, there)
    ]

    assert seen == [(1, 1), (1, 1), (0, 0)]


async def test_a_kind_confines_a_list(world: World, a_booking: Maker) -> None:
    """A list of one kind contains no other kind."""
    candidate = await world.candidate()
    made = {
        kind: await a_booking(kind=kind, candidate_id=candidate, reference=kind.value)
        for kind in BookingKind
    }

    for kind, booking in made.items():
        rows = await world.storage.read(bookings_page(world.viewer, ALL, kind=kind))
        assert [row.id for row in rows] == [booking.id]
