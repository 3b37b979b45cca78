"""The agent bookings of the demo. Each one follows the sample of [004].

Most are confirmed. Some are corrected or cancelled, and some stay invalid.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import Any, Final

from demo.imports import demo_document, import_all
from demo.people import EVERYBODY, NAMES, Person, people
from demo.plan import CANDIDATES, FIRST_DAY
from demo.schools import (
    ARRIVAL,
    BOOKS,
    BOSTON,
    BRIGHTON,
    BUSINESS,
    DEPARTURE,
    EXAM,
    FIRST_WEEK,
    GENERAL,
    HOMESTAY,
    INSURANCE,
    MALTA,
    OFFICES,
    RESIDENCE,
    WARES,
    Office,
    School,
    Ware,
    monday,
)
from demo.storage import carry_out
from demo.term import LEARNERS
from gateway.validating import validate_waiting
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.reading import rows_by
from resolvers.references import ByKey
from resolvers.storage import Storage
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.tables import AgentBooking
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import CancellationReason

Document = dict[str, Any]

SAMPLE: Final = "agent-booking"
STUDENTS: Final = 24
FIRST_NUMBER: Final = 8347848
"""The number of the sample, X8347848. The other bookings have the numbers after it."""

LEVELS: Final = ("Elementary", "Intermediate", "Upper Intermediate", "Advanced")
HOST: Final = {
    "Smoking": "NonSmoking",
    "Pets": "NoPreference",
    "Children": "NoPreference",
    "VegetarianMeals": False,
}
NEEDS: Final = (None, {"Allergies": "Allergic to nuts"}, None, {"General": "Arrives after 22:00"})


class TripOutcome(Enum):
    """What happens to an agent booking after it is submitted."""

    NONE = auto()
    CORRECTED = auto()
    CANCELLED = auto()
    STARTS_BETWEEN = auto()
    TOO_LONG = auto()
    NOT_SOLD = auto()


TURNS: Final = {
    3: TripOutcome.CORRECTED,
    5: TripOutcome.STARTS_BETWEEN,
    9: TripOutcome.CANCELLED,
    11: TripOutcome.TOO_LONG,
    14: TripOutcome.CORRECTED,
    18: TripOutcome.NOT_SOLD,
    20: TripOutcome.STARTS_BETWEEN,
}
"""By student. The bookings of all other students do not change."""

IMPOSSIBLE: Final = frozenset(
    {TripOutcome.STARTS_BETWEEN, TripOutcome.TOO_LONG, TripOutcome.NOT_SOLD}
)

PLACES: Final = (
    (BRIGHTON, GENERAL, 4, HOMESTAY),
    (MALTA, GENERAL, 2, RESIDENCE),
    (BRIGHTON, EXAM, 8, RESIDENCE),
    (BOSTON, GENERAL, 12, RESIDENCE),
    (MALTA, EXAM, 4, HOMESTAY),
    (BRIGHTON, GENERAL, 3, None),
    (BOSTON, BUSINESS, 2, RESIDENCE),
)
"""School, course, weeks and lodging, used in turn."""

WRONG_PLACES: Final = {
    TripOutcome.TOO_LONG: (BRIGHTON, GENERAL, 30, RESIDENCE),
    TripOutcome.NOT_SOLD: (MALTA, BUSINESS, 2, RESIDENCE),
}


@frozen
class Trip:
    """One student's stay at a school, and the day on which it is booked."""

    number: int
    student: Person
    office: Office
    school: School
    course: Ware
    starts_on: date
    weeks: int
    lodging: str | None
    day: int
    turn: TripOutcome
    turns_on: int

    @property
    def agent_booking_id(self) -> str:
        return f"X{FIRST_NUMBER + 1 + self.number}"


def trips(now: datetime) -> list[Trip]:
    """The trips around `now`."""
    random = Random(4)  # noqa: S311 - the same trips every time, no secret
    others = people(EVERYBODY, Random(2024))[CANDIDATES + LEARNERS :]  # noqa: S311
    at_home = {
        office.code: iter([one for one in others if one.country == office.country])
        for office in OFFICES[1:]
    }
    made = []
    for number in range(STUDENTS):
        office = OFFICES[1 + number % len(at_home)]
        student = next(at_home[office.code])
        made.append(_trip(number, student, office, now, random))
    return made


def request_for(trip: Trip, *, first: bool = True) -> Document:
    """The request body for a trip: the sample of [004] with the values of this trip.

    `first`: one that is corrected later begins on a wrong day.
    """
    made: Document = demo_document(SAMPLE)
    made["AgentBookingId"] = trip.agent_booking_id
    names = ("FirstNames", "LastName", "Email")
    wrong = first and trip.turn is TripOutcome.CORRECTED
    starts_on = trip.starts_on + timedelta(days=2 if wrong else 0)
    made["Booking"] |= {
        "AgentOfficeCode": trip.office.code,
        "AgentContact": dict(zip(names, trip.office.contact, strict=True)),
        "SchoolCode": trip.school.reference,
        "LanguageLevel": LEVELS[trip.number % len(LEVELS)],
        "Student": _student(trip),
        "Courses": [_stay("CourseCode", trip.course.code, starts_on, trip.weeks)],
        "Accommodation": []
        if trip.lodging is None
        else [_stay("AccommodationCode", trip.lodging, starts_on - timedelta(days=1), trip.weeks)],
        "OptionalExtras": [
            {"Quantity": "1", "OptionalExtraCode": code}
            for code in (BOOKS, INSURANCE)[: 1 + trip.number % 2]
        ],
        "Transfers": [{"TransferCode": code} for code in _transfers(trip)],
        "SpecialRequirements": NEEDS[trip.number % len(NEEDS)],
        "HomestayPreferences": HOST if trip.lodging == HOMESTAY else None,
    }
    return made


class DemoAgents:
    """Submits the trips day by day."""

    def __init__(self, storage: Storage, viewer: Viewer, now: datetime) -> None:
        self._storage, self._viewer, self._trips = storage, viewer, trips(now)

    async def run_day(self, day: int) -> None:
        """Submit and validate the bookings of a day. Raises: DemoRefused."""
        put = [demo_document(SAMPLE)] if day == FIRST_DAY else []
        put += [request_for(trip) for trip in self._trips if trip.day == day]
        turning = [trip for trip in self._trips if trip.turns_on == day]
        put += [
            request_for(trip, first=False) for trip in turning if trip.turn is TripOutcome.CORRECTED
        ]
        if put:
            await import_all(self._storage, "ec-english", put, self._viewer.organization_id)
        await self._cancel([trip for trip in turning if trip.turn is TripOutcome.CANCELLED])
        await validate_waiting(self._storage, self._viewer.organization_id, lease_seconds=60)

    async def _cancel(self, cancelled: Sequence[Trip]) -> None:
        ids = [trip.agent_booking_id for trip in cancelled]
        found = rows_by(AgentBooking, "agent_booking_id", self._viewer, ids, UNRESTRICTED)
        commands = [
            CancelBooking(
                viewer=self._viewer,
                booking=ByKey(row.id),
                reason=CancellationReason.OTHER,
                message="The visa was refused",
            )
            for row in (await self._storage.read(found) if ids else ())
        ]
        await carry_out(self._storage, cancel, commands)


def _trip(number: int, student: Person, office: Office, now: datetime, random: Random) -> Trip:
    """Some trips have started already; most start in the next months."""
    turn = TURNS.get(number, TripOutcome.NONE)
    school, code, weeks, lodging = WRONG_PLACES.get(turn, PLACES[number % len(PLACES)])
    has_begun = number % 8 == 0
    week = -2 if has_begun else random.randint(2, 20)
    [course] = [ware for ware in WARES if ware.code == code]
    every = course.every_weeks or 1
    starts_on = monday(now, week - (week - FIRST_WEEK) % every)
    day = random.randint(FIRST_DAY + 1, -22 if has_begun else -4)
    return Trip(
        number=number,
        student=student,
        office=office,
        school=school,
        course=course,
        starts_on=starts_on + timedelta(days=2 if turn is TripOutcome.STARTS_BETWEEN else 0),
        weeks=weeks,
        lodging=lodging,
        day=day,
        turn=turn,
        turns_on=random.randint(day + 1, -1),
    )


def _student(trip: Trip) -> Document:
    person, office, n = trip.student, trip.office, trip.number
    firsts = NAMES[person.country][0].split()
    place = firsts.index(person.first_names)
    is_male, parent = place % 2 == 1, firsts[(place + 2) % len(firsts)]
    return {
        "FirstNames": person.first_names,
        "LastName": person.last_name,
        "PassportNumber": f"{person.country}{5_204_117 + 7_919 * n}",
        "PassportIssuingCountryIsoCode": person.country,
        "DateOfBirth": person.born_on.isoformat(),
        "Gender": "Male" if is_male else "Female",
        "CountryOfBirthIsoCode": person.country,
        "NationalityIsoCode": person.country,
        "Email": f"demo-student-{n + 1}@example.com",
        "Telephone": f"{office.calls}{n:02}",
        "Mobile": "",
        "Address": {
            "Line1": f"{office.street} {10 + 3 * n}",
            "Line2": "",
            "City": office.city,
            "StateProvince": "",
            "PostalCode": office.postal_code,
            "CountryIsoCode": office.country,
        },
        "EmergencyContact": {
            "Name": f"{parent} {person.last_name}",
            "Phone": f"{office.calls}{50 + n}",
            "Relationship": "Father" if is_male else "Mother",
        },
    }


def _stay(code_name: str, code: str, starts_on: date, weeks: int) -> Document:
    return {code_name: code, "DateFrom": starts_on.isoformat(), "NumberOfWeeks": weeks}


def _transfers(trip: Trip) -> tuple[str, ...]:
    if trip.number % 3 == 2:
        return ()
    return (ARRIVAL, DEPARTURE) if DEPARTURE in trip.school.sells else (ARRIVAL,)
