"""A term at a college of trades with data from Shift iQ: its events and registrations.

Pure: the same time gives the same term. Days count from today, so -3 is three days ago.
"""

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import Final
from uuid import UUID

from demo.places import Place
from demo.plan import FIRST_DAY, working_day
from resolvers.times import instant_of
from resolvers.values import frozen

LEARNERS: Final = 32
SEATS: Final = 12
REGISTERED: Final = 8
"""The number of registrations for each event."""

COLLEGE: Final = Place(
    "VANCOUVER",
    "False Creek College of Trades",
    "Vancouver",
    "CA",
    "America/Vancouver",
    ("TRADES",),
)
WORKSHOP: Final = "Workshop"
VENUE: Final = UUID("0d7c1f3a-8b52-4e64-9a17-2f6e5c0b4d01")
"""Shift iQ's identifier of the college."""

DAYS: Final = (-23, -16, -9, -3, 4, 9, 13, 20)
"""The days of the events. An event on a weekend moves to the next Monday."""

CALLED_OFF, FULL, LATER, EXTRA = 5, 6, 7, 8
"""Events by number: a cancelled one, a full one, the target of transfers, and an unplanned one that
the first lax registration for that day creates."""

EXTRA_DAY: Final = 27
EXTRA_LEARNERS: Final = 3


@frozen
class Trade:
    """A test with two forms."""

    code: str
    name: str
    minutes: int

    @property
    def forms(self) -> tuple[str, str]:
        return f"{self.code}-A", f"{self.code}-B"


TRADES: Final = (
    Trade("CARP-1", "Carpenter, Level 1", 150),
    Trade("ELEC-2", "Electrician, Level 2", 180),
    Trade("COOK-1", "Cook, Level 1", 120),
)


class RegistrationOutcome(Enum):
    """What happens to a registration after it is made."""

    NONE = auto()
    CANCELLED = auto()
    TRANSFERRED = auto()
    REASSESSED = auto()
    GRANTED = auto()
    GRANTED_AND_REVOKED = auto()
    DELETED = auto()


TURNS: Final = (
    *[RegistrationOutcome.NONE] * 3,
    RegistrationOutcome.CANCELLED,
    RegistrationOutcome.GRANTED,
    RegistrationOutcome.NONE,
    RegistrationOutcome.REASSESSED,
    RegistrationOutcome.GRANTED_AND_REVOKED,
    RegistrationOutcome.NONE,
)
"""Used in turn. Their number is odd, so each event has different outcomes."""


@frozen
class TermSitting:
    """An event at the college."""

    number: int
    identifier: UUID
    trade: Trade
    start_at: datetime
    capacity: int = SEATS

    @property
    def is_planned(self) -> bool:
        return self.number != EXTRA

    @property
    def title(self) -> str:
        return f"{self.trade.name}, sitting {self.number + 1}"


@frozen
class TermRegistration:
    """A registration, the day on which it is made, and its outcome on a later day."""

    number: int
    identifier: UUID
    learner: int
    sitting: TermSitting
    day: int
    turn: RegistrationOutcome = RegistrationOutcome.NONE
    turns_on: int | None = None

    @property
    def is_accommodated(self) -> bool:
        """Whether the registration requests extra time when it is made."""
        return self.number % 6 == 1

    @property
    def is_lax(self) -> bool:
        """Whether the registration finds its event by centre and start."""
        return not self.sitting.is_planned or self.number % 2 == 0


@frozen
class Term:
    """The events and registrations of a term."""

    sittings: list[TermSitting]
    registrations: list[TermRegistration] = field(default_factory=list)


def term(now: datetime) -> Term:
    """The term around `now`."""
    random = Random(1911)  # noqa: S311 - the same term every time, no secret
    made = Term([_sitting(n, day, now, random) for n, day in enumerate((*DAYS, EXTRA_DAY))])
    for sitting in made.sittings:
        for learner in _learners(sitting):
            made.registrations.append(_registration(made, sitting, learner, now, random))
    return made


def learner_identifier(learner: int) -> UUID:
    """Shift iQ's identifier of a learner."""
    return UUID(int=VENUE.int + 1 + learner)


def _sitting(number: int, day: int, now: datetime, random: Random) -> TermSitting:
    return TermSitting(
        number=number,
        identifier=_uuid(random),
        trade=TRADES[number % len(TRADES)],
        start_at=instant_of(working_day(now, COLLEGE.time_zone, day, 9), COLLEGE.time_zone),
        capacity=REGISTERED if number == FULL else SEATS,
    )


def _learners(sitting: TermSitting) -> Iterator[int]:
    """The learners of an event. Each learner registers for one in four planned events."""
    count = REGISTERED if sitting.is_planned else EXTRA_LEARNERS
    return ((sitting.number * REGISTERED + n) % LEARNERS for n in range(count))


def _registration(
    term: Term, sitting: TermSitting, learner: int, now: datetime, random: Random
) -> TermRegistration:
    number = len(term.registrations)
    starts = (sitting.start_at - now) // timedelta(days=1)
    latest = min(starts - 3, -4)
    day = random.randint(max(FIRST_DAY + 1, latest - 10), latest)
    turn = _turn(sitting, number)
    turns_on = (
        None if turn is RegistrationOutcome.NONE else random.randint(day + 1, min(starts - 2, -2))
    )
    return TermRegistration(number, _uuid(random), learner, sitting, day, turn, turns_on)


def _turn(sitting: TermSitting, number: int) -> RegistrationOutcome:
    """Registrations of the cancelled event and of the full event do not change."""
    if sitting.number in {CALLED_OFF, FULL} or not sitting.is_planned:
        return RegistrationOutcome.NONE
    same_trade_later = sitting.number == LATER - len(TRADES)
    if same_trade_later and number % 3 == 0:
        return RegistrationOutcome.TRANSFERRED
    return RegistrationOutcome.DELETED if number == REGISTERED else TURNS[number % len(TURNS)]


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)
