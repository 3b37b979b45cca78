"""The back-end's own numbers of bookings and of students, counted up for each organization."""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from resolvers.bookings import loading
from resolvers.storage.rows import new_row
from resolvers.storage.tables import AgentBooking, Booking, ExternalId
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import SourceSystem

BOOKINGS: Final = "EC booking"
STUDENTS: Final = "EC student"

GIVEN_BY_US: Final = re.compile("[1-9][0-9]{0,8}")
"""What a number of ours looks like; an id that somebody else has given may be any text."""


class BackendNumbers:
    """Gives each booking and each student one number, and keeps it as an external id.

    The students are locked: one of two bookings of a student finds the other's number.
    """

    def __init__(self, work: UnitOfWork, students: Iterable[tuple[UUID, UUID]]) -> None:
        self._work = work
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
        [number] = self._work.numbers(organization_id, series, 1)
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
