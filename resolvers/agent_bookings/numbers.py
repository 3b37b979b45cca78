"""The back-end's numbers of bookings and students, a series for each organization."""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import AgentBooking, Booking, ExternalId, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import SourceSystem

BOOKINGS: Final = "EC booking"
STUDENTS: Final = "EC student"

GIVEN_BY_US: Final = re.compile("[1-9][0-9]{0,8}")
"""The form of our numbers. An id from another system may be any text."""


class BackendNumbers:
    """Gives each booking and each student a number, and stores it as an external id.

    The students are locked, so the second booking of a student finds the number of the first. A
    number that is already used as an id is skipped.
    """

    def __init__(self, work: UnitOfWork, students: Sequence[tuple[UUID, UUID]]) -> None:
        self._work = work
        self._at_once = max(1, len(students))
        self._free: dict[tuple[UUID, str], deque[int]] = {}
        self._of_students = {
            row.object_id: int(row.value)
            for row in loading.of_keys(work, ExternalId, "object_id", students)
            if (row.system, row.kind) == (SourceSystem.EC_ENGLISH, "student")
            and GIVEN_BY_US.fullmatch(row.value)
        }

    def of_booking(self, detail: AgentBooking) -> int:
        if detail.backend_booking_id is not None:
            return detail.backend_booking_id
        return self._next(detail.organization_id, BOOKINGS, "booking", "AgentBooking", detail.id)

    def of_student(self, booking: Booking) -> int:
        key = booking.candidate_id
        if key not in self._of_students:
            self._of_students[key] = self._next(
                booking.organization_id, STUDENTS, "student", "Candidate", key
            )
        return self._of_students[key]

    def _next(
        self, organization_id: UUID, series: str, kind: str, object_type: str, key: UUID
    ) -> int:
        number = self._unused(organization_id, series, kind)
        self._work.insert(
            ExternalId,
            [
                new_row(
                    ExternalId,
                    organization_id=organization_id,
                    system=SourceSystem.EC_ENGLISH,
                    kind=kind,
                    value=str(number),
                    object_type=object_type,
                    object_id=key,
                )
            ],
        )
        return number

    def _unused(self, organization_id: UUID, series: str, kind: str) -> int:
        """The next unused number. The numbers that a batch needs are checked together."""
        free = self._free.setdefault((organization_id, series), deque())
        count = self._at_once
        while not free:
            numbers = self._work.numbers(organization_id, series, count)
            ids = self._work.rows(_ids(organization_id, kind, numbers))
            used = {row.value for row in ids}
            free.extend(number for number in numbers if str(number) not in used)
            count *= 2
        return free.popleft()


def _ids(organization_id: UUID, kind: str, numbers: Iterable[int]) -> Read[Any]:
    """The numbers that are already ids of a kind."""
    c = columns(ExternalId)
    return Read(
        "back-end numbers that are used",
        lambda _: sa.select(c.value).where(
            c.organization_id == sa.bindparam("of", type_=c.organization_id.type),
            c.system == sa.literal_column(f"'{SourceSystem.EC_ENGLISH}'"),
            c.kind == sa.bindparam("kind"),
            one_of(c.value, "numbers"),
        ),
        {"of": organization_id, "kind": kind, "numbers": [str(number) for number in numbers]},
    )
