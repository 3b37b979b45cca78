"""A centre, a subject, a test and a candidate that are associated with each other."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

import pytest

from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference, Ref
from resolvers.refusals import Refused
from resolvers.storage import Storage
from resolvers.storage.tables import Accommodation, TestSchedule
from resolvers.test_schedules.booking import book
from resolvers.test_schedules.commands import (
    BookTestSchedule,
    DeleteTestSchedule,
    MoveTestSchedule,
    RecordSession,
)
from resolvers.test_schedules.deleting import delete
from resolvers.test_schedules.moving import move
from resolvers.test_schedules.sessions import record_sessions
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.viewer import Viewer
from resolvers.vocabulary import SessionState
from tests.resolvers.world import World

NOT_MADE = UUID(int=0)
DATES = {
    "start_date": date(2027, 2, 1),
    "end_date": date(2027, 2, 3),
    "start_time": time(9),
    "end_time": time(17),
}


@dataclass
class Schedules(World):
    """A world in which `candidate` can be scheduled for `maths` at `centre_key`."""

    centre_key: UUID = NOT_MADE
    subject_key: UUID = NOT_MADE
    maths: UUID = NOT_MADE
    candidate_key: UUID = NOT_MADE

    def booking_of(self, **values: Any) -> BookTestSchedule:
        given: dict[str, Any] = {
            "viewer": self.viewer,
            "test": self.maths,
            "centre": self.centre_key,
            "candidate": self.candidate_key,
            **DATES,
            **values,
        }
        return BookTestSchedule(**_named(given))

    async def schedule(self, **values: Any) -> Outcome | Refused:
        return await self.one(book, self.booking_of(**values))

    async def scheduled(self, **values: Any) -> UUID:
        return await self.made(book, self.booking_of(**values))

    async def move(self, schedule: UUID, **values: Any) -> Outcome | Refused:
        given = _named({"viewer": self.viewer, **values})
        return await self.one(move, MoveTestSchedule(test_schedule=ByKey(schedule), **given))

    async def delete(self, schedule: UUID | str, **values: Any) -> Outcome | Refused:
        given = {"viewer": self.viewer, **values}
        return await self.one(delete, DeleteTestSchedule(test_schedule=_ref(schedule), **given))

    async def record(
        self, schedule: UUID | str, state: SessionState, **values: Any
    ) -> Outcome | Refused:
        given = {"viewer": self.viewer, "state": state, **values}
        return await self.one(record_sessions, RecordSession(test_schedule=_ref(schedule), **given))

    async def started(self, schedule: UUID, **values: Any) -> Outcome | Refused:
        return await self.record(schedule, SessionState.STARTED, **values)

    async def completed(self, schedule: UUID, **values: Any) -> Outcome | Refused:
        return await self.record(schedule, SessionState.COMPLETED, **values)

    async def detail(self, key: UUID) -> TestSchedule:
        return (await self.rows(TestSchedule, "id", key))[0]

    async def granted(self, key: UUID) -> dict[str, Accommodation]:
        rows = await self.rows(Accommodation, "booking_id", key)
        return {row.type: row for row in rows}

    async def set(self, **values: Any) -> None:
        await self.made(update_settings, UpdateSettings(viewer=self.viewer, **values))

    async def associated(self, reference: str) -> UUID:
        """Another candidate of the centre and the subject."""
        return await self.candidate(
            reference,
            centre_ids=(ByKey(self.centre_key),),
            subject_ids=(ByKey(self.subject_key),),
        )


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: ByKey(value) if isinstance(value, UUID) else value for name, value in values.items()
    }


def _ref(schedule: UUID | str) -> Ref:
    return ByKey(schedule) if isinstance(schedule, UUID) else ByReference(schedule)


@pytest.fixture
async def world(storage: Storage, viewer: Viewer) -> Schedules:
    world = Schedules(storage, viewer)
    world.centre_key = await world.centre()
    subject = UpsertSubject(
        viewer=viewer, reference="SUM", name="Sums", centre_ids=(ByKey(world.centre_key),)
    )
    world.subject_key = await world.made(upsert_subjects, subject)
    world.maths = await world.test(
        "MATHS", duration_minutes=100, break_minutes=30, subject=ByKey(world.subject_key)
    )
    world.candidate_key = await world.associated("C1")
    return world
