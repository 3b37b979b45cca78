"""The test centres, tests and users of the demo."""

from typing import Final

from resolvers.values import frozen
from resolvers.vocabulary import Role


@frozen
class Place:
    """A centre with three rooms: two for scheduled events, and one for events on demand."""

    reference: str
    name: str
    city: str
    country: str
    time_zone: str
    subjects: tuple[str, ...]


@frozen
class Paper:
    """A test and its price."""

    reference: str
    name: str
    subject: str
    minutes: int
    cost: int


@frozen
class Worker:
    """A user. The role determines the scope."""

    role: Role
    name: str
    centres: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    candidate: str | None = None

    @property
    def reference(self) -> str:
        return self.role.lower().replace("_", "-")


SUBJECTS: Final = {"LANGUAGES": "Languages", "NUMBERS": "Numbers", "CARE": "Health and care"}

PLACES: Final = (
    Place("LONDON", "Kingsway Test Centre", "London", "GB", "Europe/London", tuple(SUBJECTS)),
    Place("NEW-YORK", "Hudson Test Centre", "New York", "US", "America/New_York", tuple(SUBJECTS)),
    Place("SINGAPORE", "Marina Test Centre", "Singapore", "SG", "Asia/Singapore", tuple(SUBJECTS)),
    Place("LAGOS", "Ikeja Test Centre", "Lagos", "NG", "Africa/Lagos", tuple(SUBJECTS)),
)

HALL, ROOM, DROP_IN = "Hall", "Room 2", "Drop-in room"
ROOMS: Final = {HALL: 40, ROOM: 24, DROP_IN: 12}

PAPERS: Final = (
    Paper("ENG-1", "English, Level 1", "LANGUAGES", 90, 45),
    Paper("MAT-1", "Mathematics, Level 1", "NUMBERS", 120, 60),
    Paper("ENG-2", "English, Level 2", "LANGUAGES", 120, 60),
    Paper("ACC-1", "Bookkeeping", "NUMBERS", 100, 85),
    Paper("MAT-2", "Mathematics, Level 2", "NUMBERS", 150, 75),
    Paper("CARE-1", "Safe Handling of Medicines", "CARE", 60, 40),
)
WALK_IN: Final = Paper("DIG-1", "Digital Skills Check", "NUMBERS", 45, 15)
ONLINE: Final = Paper("CARE-2", "Safeguarding, Online", "CARE", 45, 20)

WORKERS: Final = (
    Worker(Role.ADMIN, "Grace Okonkwo"),
    Worker(Role.SCHEDULER, "Tom Hargreaves", ("LONDON", "NEW-YORK"), tuple(SUBJECTS)),
    Worker(Role.CENTRE_STAFF, "Priya Nair", ("LONDON",)),
    Worker(Role.INVIGILATOR, "Marcus Teo", ("SINGAPORE",)),
    Worker(Role.MARKER, "Elena Petrova", (), ("NUMBERS",)),
    Worker(Role.AGENT, "Luis Ferreira", offices=("2983", "2991")),
    Worker(Role.CANDIDATE, "Demo Candidate", candidate="demo-candidate-1"),
)
