"""SQL and the Python function match the same changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from resolvers import change_reads
from resolvers.bookings.matching import CHANGING, Change, matcher_of
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from resolvers.storage.paging import MOST, PageRequest
from resolvers.storage.tables import TestSchedule
from resolvers.viewer import EVERYTHING, NOTHING, Scope, Viewer
from resolvers.vocabulary import BookingKind, BookingStatus, ChangeType, Role
from tests.resolvers.bookings.conftest import Maker
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

SEED = 20_261_130
FILTERS = 600
KEYS = [UUID(int=n) for n in range(1, 4)]
NAMES = ("Ada Lovelace", "ÉMILE du Châtelet", "İpek 100%", "Σίσυφος _x", "Zoë\\")
REFERENCES = ("ENRO-1", "enro-12", "AB%_\\", "\u03a39")
START = datetime(2027, 1, 11, 9, 30, 15, 250_000, tzinfo=UTC)
INSTANTS = [START + timedelta(microseconds=n) for n in (-250_001, -250_000, 0, 749_999, 750_000)]
STATUSES = [BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.DELETED]
KINDS = [BookingKind.ENROLMENT, BookingKind.TEST_SCHEDULE]
TYPES = [ChangeType.CREATED, ChangeType.UPDATED]


class Chance:
    """Generates random changes, filters and scopes."""

    def __init__(
        self, candidates: Sequence[UUID], users: Sequence[UUID], schedules: Sequence[UUID]
    ) -> None:
        self.random = Random(SEED)
        self.candidates, self.users, self.schedules = candidates, users, schedules

    def maybe(self, values: Sequence[Any]) -> Any:
        return self.random.choice([None, *values])

    def state(self) -> dict[str, Any]:
        values = {name: self.maybe(KEYS) for name in CHANGING if name.endswith("_id")}
        return {
            **values,
            "status": self.random.choice(STATUSES),
            "start_at": self.maybe(INSTANTS),
            "updated_at": self.random.choice(INSTANTS),
            "accommodation_count": self.random.choice([0, 0, 2]),
        }

    def change(self) -> dict[str, Any]:
        was = {f"was_{name}": value for name, value in self.state().items()}
        is_new = self.random.random() < 0.3
        return {
            "kind": self.random.choice(KINDS),
            "reference": self.random.choice(REFERENCES),
            "candidate_id": self.random.choice([*self.candidates, UUID(int=99)]),
            "created_at": self.random.choice(INSTANTS),
            "booking_type": self.random.choice(TYPES),
            "booking_id": self.random.choice([new_key(), *self.schedules]),
            **self.state(),
            **({} if is_new else was),
        }

    def filter(self, depth: int = 0) -> Filter:
        shape = self.random.random()
        if depth < 3 and shape < 0.45:
            parts = tuple(self.filter(depth + 1) for _ in range(self.random.randint(0, 3)))
            return AllOf(parts) if shape < 0.25 else AnyOf(parts)
        if depth < 3 and shape < 0.6:
            return Not(self.filter(depth + 1))
        return self.condition()

    def condition(self) -> Condition:
        choose = self.random.choice
        field = choose(["key", "kind", "status", "instant", "reference", "text", "accommodations"])
        match field:
            case "key":
                name = choose(["candidate_id", "centre_id", "room_id", "event_id", "test_id"])
                keys = self.candidates if name == "candidate_id" else KEYS
                return self._compared(name, [*keys, UUID(int=99)], ())
            case "kind":
                return Condition("kind", Operator.IN, tuple(self._some(KINDS)))
            case "status":
                return Condition("status", Operator.IN, tuple(self._some(STATUSES)))
            case "instant":
                ranges = (Operator.GTE, Operator.GT, Operator.LTE, Operator.LT)
                name = choose(["start", "created_at", "updated_at"])
                return self._compared(name, INSTANTS, ranges)
            case "reference":
                parts = (Operator.CONTAINS, Operator.STARTS_WITH)
                texts = [*REFERENCES, "enro", "%", "_", "\\", "\u03c3", "x"]
                return self._compared("reference", texts, parts)
            case "text":
                names = ["candidate_name", "candidate_email", "candidate_reference"]
                parts = (Operator.CONTAINS, Operator.STARTS_WITH)
                texts = [*NAMES, "ada", "É", "e", "%", "_", "\\", "c0", "C1", "i", "ς"]
                return self._compared(choose(names), texts, parts)
        return Condition("has_accommodations", Operator.EQ, choose([True, False]))

    def _some(self, values: Sequence[Any]) -> list[Any]:
        return [value for value in values if self.random.random() < 0.5]

    def _compared(self, name: str, values: Sequence[Any], more: tuple[Operator, ...]) -> Condition:
        operator = self.random.choice([Operator.EQ, Operator.IN, Operator.IS_NULL, *more])
        match operator:
            case Operator.IN:
                return Condition(name, operator, tuple(self._some(values)))
            case Operator.IS_NULL:
                return Condition(name, operator, self.random.choice([True, False]))
        return Condition(name, operator, self.random.choice(values))

    def scope(self) -> Scope:
        if self.random.random() < 0.3:
            return self.random.choice([EVERYTHING, NOTHING])
        subjects = self.maybe([frozenset(self._some(KEYS))])
        return Scope(
            centres=self.maybe([frozenset(self._some(KEYS))]),
            subjects=subjects,
            agent_offices=self.maybe([None, frozenset(self._some(KEYS))]),
            candidate=self.maybe([None, None, *self.candidates]),
            marker=None if subjects is None else self.maybe(self.users),
        )


@pytest.fixture
async def chance(world: World, a_booking: Maker, insert: Any) -> Chance:
    """Some candidates, and two test schedules with a marker and a moderator."""
    candidates = [
        await world.candidate(f"C{n}", last_name=name, email=None if n % 2 else f"e{n}@x.org")
        for n, name in enumerate(NAMES)
    ]
    users = [await a_marker(world, name) for name in ("U1", "U2")]
    schedules = []
    for marker, moderator in ((users[0], None), users):
        booking = await a_booking(kind=BookingKind.TEST_SCHEDULE, candidate_id=candidates[0])
        day, hour = START.date(), START.time().replace(microsecond=0)
        await insert(
            TestSchedule,
            id=booking.id,
            start_date=day,
            end_date=day,
            start_time=hour,
            end_time=hour.replace(hour=17),
            language="en",
            marker_user_id=marker,
            moderator_user_id=moderator,
        )
        schedules.append(booking.id)
    return Chance(candidates, users, schedules)


async def a_marker(world: World, name: str) -> UUID:
    command = UpsertUser(
        viewer=world.viewer,
        reference=name,
        name=name,
        role=Role.MARKER,
        may_mark=True,
        may_moderate=True,
    )
    return await world.made(upsert_users, command)


def record(work: UnitOfWork, commands: Sequence[tuple[UUID, dict[str, Any]]]) -> list[Outcome]:
    for organization_id, values in commands:
        what = {"id": new_key(), "at": work.now, "actor_name": "test", "changed_fields": []}
        work.record(organization_id, **what, version=1, **values)
    return [Outcome(organization_id) for organization_id, _ in commands]


async def test_both_forms_find_the_same_changes(
    chance: Chance, storage: Storage, viewer: Viewer
) -> None:
    """Both forms agree for generated filters, types and scopes; rows outside the log are supplied
    where required.
    """
    organization_id = viewer.organization_id
    commands = [(organization_id, chance.change()) for _ in range(MOST)]
    await storage.write(record, commands)
    rows = await storage.read(change_reads.slice_after(organization_id, 0, 10 * MOST))
    changes = [Change(row) for row in rows if row.booking_type is not None]
    texts = change_reads.candidate_texts_of(organization_id, chance.candidates)
    candidates = {row.id: row for row in await storage.read(texts)}
    marked = await storage.read(change_reads.markers_of(organization_id, chance.schedules))
    markers = {row.id: {row.marker_user_id, row.moderator_user_id} for row in marked}
    for change in changes:
        row = change.row
        change.add(candidates.get(row.candidate_id), markers.get(row.booking_id, ()))
    everything = PageRequest(IN_COMMIT_ORDER, 10 * MOST)

    found_some = 0
    for _ in range(FILTERS):
        filter, scope = chance.filter(), chance.scope()
        types = chance.maybe([chance._some(TYPES)])
        who = replace(viewer, scope=scope)
        read = change_reads.changes_page(who, everything, filter, types)
        by_sql = {row.position for row in await storage.read(read)}
        matcher = matcher_of(who, filter, types)
        matching = [change for change in changes if matcher.matches(change)]
        assert {change.row.position for change in matching} == by_sql, (filter, scope, types)
        if matcher.key is not None:
            field, values = matcher.key
            for change in matching:
                assert {change.before[field], change.after[field]} & values, (filter, scope)
        found_some += 0 < len(by_sql) < len(changes)
    assert found_some > FILTERS / 4
