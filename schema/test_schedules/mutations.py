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
from schema.grammar.fields import attribute
from schema.grammar.payloads import (
    CommandPayload,
    DeletePayload,
    payload_type,
    result_of,
    written_booking,
)
from schema.test_schedules.inputs import (
    BookTestScheduleInput,
    DeleteTestScheduleInput,
    MoveTestScheduleInput,
    RecordSessionInput,
)
from schema.test_schedules.types import TestSchedule


@payload_type(description="Result of bookTestSchedule.")
class BookTestSchedulePayload(CommandPayload):
    test_schedule: TestSchedule | None = attribute(
        description="The new test schedule, with its keycode and PIN. Null if there are errors."
    )


@payload_type(description="Result of moveTestSchedule.")
class MoveTestSchedulePayload(CommandPayload):
    test_schedule: TestSchedule | None = attribute(
        description="The moved test schedule. Null if there are errors."
    )


@payload_type(description="Result of recordSession.")
class RecordSessionPayload(CommandPayload):
    test_schedule: TestSchedule | None = attribute(
        description="The test schedule with the session's progress. Null if there are errors."
    )


async def _schedule(info: Info, answer: Answer) -> Any:
    row = await written_booking(info, answer)
    return None if row is None else TestSchedule(row=row)


@object_type
class TestScheduleMutations:
    @strawberry.mutation(
        description="Schedules a test for a candidate at a centre. Needs SCHEDULE_TEST, "
        "and associations with the centre and the subject."
    )
    async def book_test_schedule(
        self, info: Info, input: BookTestScheduleInput
    ) -> BookTestSchedulePayload | None:
        answer = await submit(info, book, input)
        return BookTestSchedulePayload(
            test_schedule=await _schedule(info, answer),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Moves a test schedule to other dates, times or another centre. The "
        "rules of booking apply. Needs MOVE."
    )
    async def move_test_schedule(
        self, info: Info, input: MoveTestScheduleInput
    ) -> MoveTestSchedulePayload | None:
        answer = await submit(info, move, input)
        return MoveTestSchedulePayload(
            test_schedule=await _schedule(info, answer),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Deletes a test schedule before its session has started. Deleting it "
        "again changes nothing. Needs DELETE."
    )
    async def delete_test_schedule(
        self, info: Info, input: DeleteTestScheduleInput
    ) -> DeletePayload | None:
        answer = await submit(info, delete, input)
        return DeletePayload.of("TestSchedule", answer)

    @strawberry.mutation(
        description="Records that the session of a test schedule has started or ended. "
        "Needs RECORD_SESSION."
    )
    async def record_session(
        self, info: Info, input: RecordSessionInput
    ) -> RecordSessionPayload | None:
        answer = await submit(info, record_sessions, input)
        return RecordSessionPayload(
            test_schedule=await _schedule(info, answer),
            **result_of(answer),
        )
