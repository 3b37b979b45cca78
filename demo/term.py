"""A term at a college of trades, as Shift iQ has it: its sittings, and who registers for them.

Pure: the same present gives the same term. Days count from today, so -3 is three days ago.
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
"""How many register for each sitting."""

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
"""What Shift iQ calls the college."""

DAYS: Final = (-23, -16, -9, -3, 4, 9, 13, 20)
"""When the sittings are, or on the Monday after."""

CALLED_OFF, FULL, LATER, EXTRA = 5, 6, 7, 8
"""Sittings: one that is cancelled, one without a free seat, one that some are transferred to, and
one more that nobody planned: it is made for who asks for that day."""

EXTRA_DAY: Final = 27
EXTRA_LEARNERS: Final = 3


@frozen
class Trade:
    """What is examined, in two forms."""

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


class Turn(Enum):
    """What becomes of a registration after it is made."""

    NONE = auto()
    CANCELLED = auto()
    TRANSFERRED = auto()
    REASSESSED = auto()
    GRANTED = auto()
    GRANTED_AND_REVOKED = auto()
    DELETED = auto()


TURNS: Final = (
    *[Turn.NONE] * 3,
    Turn.CANCELLED,
    Turn.GRANTED,
    Turn.NONE,
    Turn.REASSESSED,
    Turn.GRANTED_AND_REVOKED,
    Turn.NONE,
)
"""One after the other, so that no two sittings are alike."""


@frozen
class TermSitting:
    """A dated sitting at the college."""

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
    """Who registers for what on which day, and what becomes of it on a later one."""

    number: int
    identifier: UUID
    learner: int
    sitting: TermSitting
    day: int
    turn: Turn = Turn.NONE
    turns_on: int | None = None

    @property
    def is_accommodated(self) -> bool:
        """Whether extra time is asked for from the beginning."""
        return self.number % 6 == 1

    @property
    def is_lax(self) -> bool:
        """Whether the sitting is found by its place and time."""
        return not self.sitting.is_planned or self.number % 2 == 0


@frozen
class Term:
    """The sittings in their order, the registrations in theirs."""

    sittings: list[TermSitting]
    registrations: list[TermRegistration] = field(default_factory=list)


def term(now: datetime) -> Term:
    """The term of a present."""
    random = Random(1911)  # noqa: S311 - the same term every time, no secret
    made = Term([_sitting(n, day, now, random) for n, day in enumerate((*DAYS, EXTRA_DAY))])
    for sitting in made.sittings:
        for learner in _learners(sitting):
            made.registrations.append(_registration(made, sitting, learner, now, random))
    return made


def learner_identifier(learner: int) -> UUID:
    """What Shift iQ calls a learner."""
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
    """Each comes to one in four of the planned sittings."""
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
    turns_on = None if turn is Turn.NONE else random.randint(day + 1, min(starts - 2, -2))
    return TermRegistration(number, _uuid(random), learner, sitting, day, turn, turns_on)


def _turn(sitting: TermSitting, number: int) -> Turn:
    """Who is at the sitting that is cancelled stays; so does who is at the full one."""
    if sitting.number in {CALLED_OFF, FULL} or not sitting.is_planned:
        return Turn.NONE
    same_trade_later = sitting.number == LATER - len(TRADES)
    if same_trade_later and number % 3 == 0:
        return Turn.TRANSFERRED
    return Turn.DELETED if number == REGISTERED else TURNS[number % len(TURNS)]


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)
