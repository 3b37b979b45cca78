"""The queries of test schedules."""

from typing import Any

from strawberry import UNSET

from resolvers import checks
from resolvers.references import ByKey
from resolvers.refusals import Invalid
from resolvers.vocabulary import BookingKind
from schema.bookings.lists import BOOKING_FILTER, BOOKING_SORT, bookings_list
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import ObjectKey, found
from schema.grammar.lists import PageArguments, listed
from schema.grammar.references import TEST_SCHEDULE_REF, ref_of
from schema.test_schedules.types import TestSchedule


@object_type
class TestScheduleQueries:
    @found(description="A test schedule. Null if it does not exist or you may not see it.")
    async def test_schedule(self, info: Info, ref: TEST_SCHEDULE_REF) -> TestSchedule | None:
        if ref.keycode is UNSET or ref.keycode is None:
            named = ref_of(str(ref.id), "TestSchedule")
            if not isinstance(named, ByKey):
                raise Invalid("ref", "id", rule="is not the global id of a test schedule")
            return ObjectKey.typed("TestSchedule", named.key)
        checks.text(ref.keycode, "ref", "keycode", most=len(ref.keycode))
        row = await info.context.loaders.load("test_schedule_by_keycode", ref.keycode)
        return None if row is None else ObjectKey.typed("TestSchedule", row.id)

    @listed(
        name="testSchedules", description="Test schedules, sorted by start unless you give `sort`."
    )
    def all_test_schedules(
        self,
        info: Info,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[TestSchedule] | None:
        listing: Any = bookings_list(
            page,
            filter=filter,
            sort=sort,
            kind=BookingKind.TEST_SCHEDULE,
            now=info.context.now,
        )
        return listing
