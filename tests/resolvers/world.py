"""A small world for tests of bookings: a centre with rooms, a test, events and candidates in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.changes import THE_CLOCK
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import BookEnrolment
from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import Read, Storage
from resolvers.storage.tables import Booking, ChangeLog, Enrolment, Payment, table
from resolvers.tests.commands import UpsertTest, upsert_tests
from resolvers.viewer import Viewer

assert THE_CLOCK.viewer is None


@dataclass
class World:
    """Makes what bookings need, by the same commands that users have."""

    storage: Storage
    viewer: Viewer

    async def one(self, run: Any, command: Any) -> Outcome | Refused:
        [result] = await self.storage.write(run, [command])
        assert isinstance(result, Outcome | Refused)
        return result

    async def made(self, run: Any, command: Any) -> UUID:
        result = await self.one(run, command)
        assert isinstance(result, Outcome), result
        return result.subject

    async def centre(self, reference: str = "LON", time_zone: str = "Europe/London") -> UUID:
        command = UpsertCentre(
            viewer=self.viewer, reference=reference, name=f"{reference} centre", time_zone=time_zone
        )
        return await self.made(upsert_centres, command)

    async def room(self, centre: UUID, name: str = "Room 1", capacity: int = 20) -> UUID:
        command = UpsertRoom(viewer=self.viewer, centre=ByKey(centre), name=name, capacity=capacity)
        return await self.made(upsert_rooms, command)

    async def test(self, reference: str = "MATHS", **values: Any) -> UUID:
        values = {"duration_minutes": 60, "name": reference, **values}
        command = UpsertTest(viewer=self.viewer, reference=reference, **values)
        return await self.made(upsert_tests, command)

    async def event(self, **values: Any) -> UUID:
        """An event tomorrow at ten for an hour, unless said otherwise; keys are given as such."""
        start = values.pop("start_at", self.tomorrow(10))
        values = {
            "start_at": None if values.get("on_demand") else start,
            "exam_duration_in_minutes": 60,
            **values,
        }
        for name in ("centre", "room", "test"):
            if name in values:
                values[name] = ByKey(values[name])
        if "modules" in values:
            values["modules"] = [ByKey(key) for key in values["modules"]]
        return await self.made(create_events, CreateEvent(self.viewer, values))

    async def candidate(self, reference: str = "C1", **values: Any) -> UUID:
        values = {"first_names": "Ada", "last_name": "Lovelace", **values}
        command = UpsertCandidate(viewer=self.viewer, reference=reference, **values)
        return await self.made(upsert_candidates, command)

    async def candidates(self, count: int) -> list[UUID]:
        commands = [
            UpsertCandidate(
                viewer=self.viewer, reference=f"N{n}", first_names="Candidate", last_name=str(n)
            )
            for n in range(count)
        ]
        results = await self.storage.write(upsert_candidates, commands)
        return [result.subject for result in results if isinstance(result, Outcome)]

    def tomorrow(self, hour: int) -> datetime:
        day = self.storage.clock() + timedelta(days=1)
        return day.replace(hour=hour, minute=0, second=0, microsecond=0)

    def booking(self, candidate: UUID, event: UUID, **values: Any) -> BookEnrolment:
        for name in ("room", "module"):
            if name in values:
                values[name] = ByKey(values[name])
        values = {"viewer": self.viewer, **values}
        return BookEnrolment(candidate=ByKey(candidate), event=ByKey(event), **values)

    async def book(self, candidate: UUID, event: UUID, **values: Any) -> Outcome | Refused:
        return await self.one(book, self.booking(candidate, event, **values))

    async def booked(self, candidate: UUID, event: UUID, **values: Any) -> UUID:
        result = await self.book(candidate, event, **values)
        assert isinstance(result, Outcome), result
        return result.subject

    async def row(self, key: UUID) -> Booking:
        return (await self.rows(Booking, "id", key))[0]

    async def enrolment(self, key: UUID) -> Enrolment:
        return (await self.rows(Enrolment, "id", key))[0]

    async def payment(self, key: UUID) -> Payment:
        return (await self.rows(Payment, "booking_id", key))[0]

    async def rows(self, model: Any, column: str, key: Any) -> list[Any]:
        c = table(model).c
        return await self.storage.read(
            Read(
                ("test rows", model, column),
                lambda _: sa.select(table(model)).where(
                    c[column] == sa.bindparam("key", type_=c[column].type)
                ),
                {"key": key},
            )
        )

    async def changes(self) -> list[ChangeLog]:
        """The organization's log, in commit order."""
        rows = await self.rows(ChangeLog, "organization_id", self.viewer.organization_id)
        return sorted(rows, key=lambda row: row.position)

    async def booking_changes(self) -> list[str]:
        return [row.booking_type.value for row in await self.changes() if row.booking_type]


def codes(result: Outcome | Refused) -> list[str]:
    """The codes that a result was refused with; none if it was not."""
    if isinstance(result, Outcome):
        return []
    return [refusal.code.value for refusal in result.refusals]


def all_codes(results: Sequence[Outcome | Refused]) -> list[str]:
    """The codes of several results, sorted."""
    return sorted(code for result in results for code in codes(result))
