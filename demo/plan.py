"""The plan of the demo: forty events and six hundred bookings around today.

Pure: the same time gives the same plan. Days count from today, so -3 is three days ago.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import Enum, auto
from random import Random
from typing import Final
from uuid import UUID

from demo.places import DROP_IN, HALL, ONLINE, PAPERS, PLACES, ROOM, WALK_IN, Paper, Place
from resolvers.times import instant_of, wall_time_of
from resolvers.vocabulary import CancellationReason

CANDIDATES: Final = 300
EVENTS: Final = 40
BOOKINGS: Final = 600
RESITS: Final = 12
FIRST_DAY: Final = -30
"""The first day of the demo."""

FREE_CANDIDATES: Final = 2
"""The number of candidates without bookings. The examples of README and the page book for them."""

APART: Final = timedelta(hours=20)
"""The shortest time between two bookings of a candidate."""

SATURDAY: Final = 5


class BookingOutcome(Enum):
    """What happens to a booking."""

    BOOKED = auto()
    PENDING_PAYMENT = auto()
    PASSED = auto()
    FAILED = auto()
    ABSENT = auto()
    CANCELLED = auto()
    EXPIRED = auto()


PAST: Final = (
    *[BookingOutcome.PASSED] * 9,
    *[BookingOutcome.FAILED] * 4,
    *[BookingOutcome.ABSENT] * 2,
    *[BookingOutcome.CANCELLED] * 3,
    *[BookingOutcome.EXPIRED] * 1,
)
AHEAD: Final = (
    *[BookingOutcome.BOOKED] * 14,
    *[BookingOutcome.PENDING_PAYMENT] * 2,
    *[BookingOutcome.CANCELLED] * 2,
    *[BookingOutcome.EXPIRED] * 1,
)
"""The frequency of each outcome for bookings in the future. `PAST` has those in the past."""

REASONS: Final = (
    CancellationReason.ILLNESS,
    CancellationReason.WITHDRAWN,
    CancellationReason.BOOKED_IN_ERROR,
    CancellationReason.OTHER,
    CancellationReason.PAYMENT_NOT_RECEIVED,
    CancellationReason.PARTIALLY_COMPLETED,
)


@dataclass(slots=True)
class Sitting:
    """An event. An event on demand has no start. A full event has as many seats as bookings."""

    number: int
    place: Place | None
    room: str | None
    paper: Paper
    start_at: datetime | None = None
    capacity: int | None = None
    full: bool = False
    cancelled: bool = False

    @property
    def reference(self) -> str:
        return f"demo-event-{self.number}"

    @property
    def title(self) -> str:
        where = "online" if self.place is None else self.place.city
        how = " on demand" if self.start_at is None else ""
        return f"Demo {self.paper.name}{how}, {where}"

    @property
    def time_zone(self) -> str:
        return PLACES[0].time_zone if self.place is None else self.place.time_zone


@dataclass(slots=True)
class PlannedBooking:
    """A booking, its outcome, and the day of the outcome."""

    number: int
    candidate: int
    sitting: Sitting
    start_at: datetime
    day: int
    fate: BookingOutcome
    payment: UUID
    ends_on: int | None = None
    reason: CancellationReason | None = None


@dataclass(slots=True)
class Plan:
    """All events and bookings of the demo."""

    sittings: list[Sitting]
    claims: list[PlannedBooking] = field(default_factory=list)


def plan(now: datetime) -> Plan:
    """The plan of the demo around `now`."""
    planning = _Planning(now)
    for sitting in planning.plan.sittings:
        planning.fill(sitting, _wanted(sitting))
    planning.book_resits()
    planning.fill_up()
    return planning.plan


def _wanted(sitting: Sitting) -> int:
    if sitting.full:
        return 8
    return 18 if sitting.start_at is None else 14


def _sittings(now: datetime) -> Iterator[Sitting]:
    """The two events of the examples, then those of each place, then those on demand."""
    yield _fixed(1, PLACES[0], 0, PAPERS[0], 8, now)
    yield _fixed(2, PLACES[0], 1, PAPERS[0], 14, now)
    number = 2
    for n, place in enumerate(PLACES):
        days = (-14, -10, -6, -2, 4, 11) if n == 0 else tuple(range(-15, 18, 4))
        for k, day in enumerate(days):
            number += 1
            paper = PAPERS[(k + n + 1) % len(PAPERS)]
            made = _fixed(number, place, k, paper, day, now)
            made.full = day >= 5 and k % 4 == (n + 1) % 4
            made.cancelled = (n, day) == (1, 13)
            made.capacity = 20 if k % 2 else None
            yield made
    for place in PLACES:
        number += 1
        yield Sitting(number, place, DROP_IN, WALK_IN)
    yield Sitting(number + 1, None, None, ONLINE, capacity=60)


def _fixed(number: int, place: Place, k: int, paper: Paper, day: int, now: datetime) -> Sitting:
    """An event on a working day, at 9:00 or 14:00."""
    local = working_day(now, place.time_zone, day, 9 if k % 3 else 14)
    return Sitting(
        number, place, ROOM if k % 2 else HALL, paper, instant_of(local, place.time_zone)
    )


def working_day(now: datetime, time_zone: str, day: int, hour: int) -> datetime:
    """A local time on the day, or on the next Monday if the day is on a weekend."""
    date = wall_time_of(now, time_zone).date() + timedelta(days=day)
    while date.weekday() >= SATURDAY:
        date += timedelta(days=1)
    return datetime.combine(date, time(hour))


class _Planning:
    """Assigns seats: each candidate takes a test once, and bookings are far apart."""

    def __init__(self, now: datetime) -> None:
        self.plan = Plan(list(_sittings(now)))
        self._now = now
        self._random = Random(2024)  # noqa: S311 - the same demo every time, no secret
        self._turns: Counter[str] = Counter()
        self._papers: defaultdict[int, set[str]] = defaultdict(set)
        self._starts: defaultdict[int, list[datetime]] = defaultdict(list)

    def fill(self, sitting: Sitting, count: int) -> None:
        """Assign seats to the next candidates of the place."""
        before = len(self.plan.claims)
        for n in range(count):
            self._book_next(sitting, n)
        if sitting.full:
            sitting.capacity = len(self.plan.claims) - before

    def book_resits(self) -> None:
        """Book the same test again for candidates who failed, if there is a later event."""
        failed = [c for c in self.plan.claims if c.fate is BookingOutcome.FAILED]
        left = RESITS
        for claim in failed:
            again = next(self._resits(claim), None) if left else None
            if again is not None:
                sitting, start_at = again
                self._claim(claim.candidate, sitting, start_at, BookingOutcome.BOOKED, day=0)
                left -= 1

    def fill_up(self) -> None:
        """Add bookings to events on demand until there are exactly `BOOKINGS`."""
        on_demand = [s for s in self.plan.sittings if s.start_at is None]
        n = 0
        while len(self.plan.claims) < BOOKINGS:
            self._book_next(on_demand[n % len(on_demand)], 18 + n // len(on_demand))
            n += 1

    def _book_next(self, sitting: Sitting, n: int) -> None:
        start_at = sitting.start_at or self._own_start(sitting, n)
        candidate = self._next(sitting, start_at)
        if candidate is not None:
            self._claim(candidate, sitting, start_at, self._fate(sitting, start_at))

    def _own_start(self, sitting: Sitting, n: int) -> datetime:
        """The n-th start at an event on demand. Consecutive starts are days and hours apart."""
        day, hour = -12 + (n * 5) % 29, 9 + n % 8
        return instant_of(working_day(self._now, sitting.time_zone, day, hour), sitting.time_zone)

    def _next(self, sitting: Sitting, start_at: datetime) -> int | None:
        """The next candidate of the place who is free and has not taken this test."""
        here = [
            n for n in range(FREE_CANDIDATES, CANDIDATES) if sitting.place in {None, place_of(n)}
        ]
        turn = sitting.title if sitting.place is None else sitting.place.reference
        for _ in here:
            candidate = here[self._turns[turn] % len(here)]
            self._turns[turn] += 1
            new = sitting.paper.reference not in self._papers[candidate]
            if new and self._is_free(candidate, start_at):
                return candidate
        return None

    def _is_free(self, candidate: int, start_at: datetime) -> bool:
        return all(abs(start_at - other) >= APART for other in self._starts[candidate])

    def _resits(self, claim: PlannedBooking) -> Iterator[tuple[Sitting, datetime]]:
        """Later events at which a candidate could take the same test at the same place."""
        same = (claim.sitting.place, claim.sitting.paper)
        for sitting in self.plan.sittings:
            if (sitting.place, sitting.paper) != same or sitting.full or sitting.cancelled:
                continue
            own = (self._own_start(sitting, n) for n in range(29))
            for start_at in own if sitting.start_at is None else (sitting.start_at,):
                ahead = start_at - self._now > timedelta(days=2)
                if ahead and self._is_free(claim.candidate, start_at):
                    yield sitting, start_at

    def _fate(self, sitting: Sitting, start_at: datetime) -> BookingOutcome:
        """Bookings of the last days have no result yet; bookings of the next days stay booked."""
        day = self._day(start_at)
        if day <= -3:
            return self._random.choice(PAST)
        if day < 4 or sitting.full or sitting.cancelled:
            return BookingOutcome.BOOKED
        return self._random.choice(AHEAD)

    def _day(self, start_at: datetime) -> int:
        """Whole days from now; negative in the past."""
        return (start_at - self._now) // timedelta(days=1)

    def _claim(
        self,
        candidate: int,
        sitting: Sitting,
        start_at: datetime,
        fate: BookingOutcome,
        *,
        day: int | None = None,
    ) -> None:
        starts = self._day(start_at)
        self._papers[candidate].add(sitting.paper.reference)
        self._starts[candidate].append(start_at)
        booked_on = self._booked_on(fate, starts) if day is None else day
        claim = PlannedBooking(
            number=len(self.plan.claims),
            candidate=candidate,
            sitting=sitting,
            start_at=start_at,
            day=booked_on,
            fate=fate,
            payment=UUID(int=self._random.getrandbits(128), version=4),
        )
        self.plan.claims.append(claim)
        if fate in {BookingOutcome.PASSED, BookingOutcome.FAILED, BookingOutcome.ABSENT}:
            claim.ends_on = starts + 2
        elif fate is BookingOutcome.CANCELLED:
            self._cancel(claim, starts)

    def _booked_on(self, fate: BookingOutcome, starts: int) -> int:
        """A day before the start, early enough for the outcome to follow."""
        if fate is BookingOutcome.PENDING_PAYMENT:
            return self._random.choice((-1, 0))
        latest = min(starts - 3, -5)
        return self._random.randint(max(FIRST_DAY + 1, latest - 12), latest)

    def _cancel(self, claim: PlannedBooking, starts: int) -> None:
        """Use each reason in turn. PARTIALLY_COMPLETED requires a start in the past."""
        cancelled = sum(1 for c in self.plan.claims if c.reason is not None)
        claim.reason = REASONS[cancelled % len(REASONS)]
        if claim.reason is CancellationReason.PARTIALLY_COMPLETED and starts <= -3:
            claim.ends_on = starts + 2
            return
        if claim.reason is CancellationReason.PARTIALLY_COMPLETED:
            claim.reason = CancellationReason.ILLNESS
        claim.ends_on = self._random.randint(claim.day + 1, min(starts - 1, -1))


def place_of(candidate: int) -> Place:
    """The centre of a candidate."""
    return PLACES[candidate % len(PLACES)]
