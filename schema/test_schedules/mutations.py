"""The mutations of test schedules, and their payloads."""

from typing import Any

import strawberry

from resolvers.test_schedules.booking import book
from resolvers.test_schedules.deleting import delete
from resolvers.test_schedules.moving import move
from resolvers.test_schedules.sessions import record_sessions
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.inputs import Input
from schema.grammar.payloads import DeletePayload, written_booking
from schema.grammar.warnings import Warning
from schema.test_schedules.inputs import (
    BookTestScheduleInput,
    DeleteTestScheduleInput,
    MoveTestScheduleInput,
    RecordSessionInput,
)
from schema.test_schedules.types import TestSchedule


@object_type(description="The test that was scheduled, or why it was not.")
class BookTestSchedulePayload:
    test_schedule: TestSchedule | None = attribute(description="The booking; null with errors.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[UserError] = attribute(description="Why it was not done.")


@object_type(description="The test schedule as it is now, or why it did not move.")
class MoveTestSchedulePayload:
    test_schedule: TestSchedule | None = attribute(description="The booking; null with errors.")
    changed: bool = attribute(description="False when it was there already.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[UserError] = attribute(description="Why it was not done.")


@object_type(description="The test schedule as it is now, or why nothing was recorded.")
class RecordSessionPayload:
    test_schedule: TestSchedule | None = attribute(description="The booking; null with errors.")
    changed: bool = attribute(description="False when that was known already.")
    errors: list[UserError] = attribute(description="Why it was not done.")


async def _schedule(info: Info, answer: Answer) -> Any:
    row = await written_booking(info, answer)
    return None if row is None else TestSchedule(row=row)


@object_type
class TestScheduleMutations:
    @strawberry.mutation(
        description="Schedule a candidate for a test. Needs SCHEDULE_TEST, and that you are "
        "associated with the centre and the subject."
    )
    async def book_test_schedule(
        self, info: Info, input: Input[BookTestScheduleInput]
    ) -> BookTestSchedulePayload | None:
        answer = await submit(info, book, input)
        return BookTestSchedulePayload(
            test_schedule=await _schedule(info, answer),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Move a test schedule to another window or centre, by the rules of booking. "
        "Needs MOVE."
    )
    async def move_test_schedule(
        self, info: Info, input: Input[MoveTestScheduleInput]
    ) -> MoveTestSchedulePayload | None:
        answer = await submit(info, move, input)
        return MoveTestSchedulePayload(
            test_schedule=await _schedule(info, answer),
            changed=answer.changed,
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Take a test schedule back before its session has started; again changes "
        "nothing. Needs DELETE."
    )
    async def delete_test_schedule(
        self, info: Info, input: Input[DeleteTestScheduleInput]
    ) -> DeletePayload | None:
        answer = await submit(info, delete, input)
        return DeletePayload.of("TestSchedule", answer)

    @strawberry.mutation(
        description="Record that the session of a test schedule has started or was completed. "
        "Needs RECORD_SESSION."
    )
    async def record_session(
        self, info: Info, input: Input[RecordSessionInput]
    ) -> RecordSessionPayload | None:
        answer = await submit(info, record_sessions, input)
        return RecordSessionPayload(
            test_schedule=await _schedule(info, answer),
            changed=answer.changed,
            errors=answer.errors,
        )
