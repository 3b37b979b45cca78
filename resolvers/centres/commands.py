"""Commands on centres and rooms: create or update by reference."""

from collections.abc import Sequence
from typing import Any

from resolvers import checks
from resolvers.centres.in_use import RoomsOfCentre, SeatsTaken, ZoneInUse
from resolvers.contacts import Address
from resolvers.links import CENTRE_SUBJECTS
from resolvers.listed import listed
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Ref
from resolvers.refusals import Invalid, Refusal, Refused
from resolvers.searching import search_text
from resolvers.storage.tables import Centre, Room, Subject
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Upsert, UpsertDefinition, check_named, given, upsert
from resolvers.values import frozen
from resolvers.vocabulary import Permission

OLDEST_MINIMUM = 150


@frozen(kw_only=True)
class UpsertCentre(Upsert):
    """A centre with a time zone, identified by its reference."""

    reference: str
    name: str
    time_zone: str
    city: str | None = None
    country: str | None = None
    is_school: bool = False
    address: Address | None = None
    minimum_age: int | None = None
    subject_ids: tuple[Ref, ...] | None = None


@frozen(kw_only=True)
class UpsertRoom(Upsert):
    """A room with seats, identified by its centre and its name."""

    centre: Ref
    name: str
    capacity: int


@requires(Permission.MANAGE_CENTRES)
def upsert_centres(work: UnitOfWork, commands: Sequence[UpsertCentre]) -> list[Outcome | Refused]:
    """Create or update a centre for each command; the reference identifies the centre.

    Its time zone cannot change while it has events or bookings that are not over. Refusals:
    PermissionRefusal, WrongLength, Invalid (also the time zone), InvalidCountryCode, Required,
    OutOfRange, NotFoundRefusal, AlreadyExists.
    """
    return upsert(work, commands, CENTRE)


@requires(Permission.MANAGE_CENTRES)
def upsert_rooms(work: UnitOfWork, commands: Sequence[UpsertRoom]) -> list[Outcome | Refused]:
    """Create or update a room for each command; its centre and its name identify the room.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange (also a centre with the maximum
    number of rooms), NotFoundRefusal, AmbiguousReference, AlreadyExists, CapacityBelowTaken.
    """
    return upsert(work, commands, ROOM)


def _check_centre(command: UpsertCentre) -> list[Refusal]:
    age = {"least": 0, "most": OLDEST_MINIMUM}
    found = check_named(command) + checks.violations(
        (_time_zone, command.time_zone, "time_zone"),
        (checks.text, command.city, "city", {"most": checks.NAME}),
        (checks.country, command.country, "country"),
        (checks.number, command.minimum_age, "minimum_age", age),
    )
    if command.address is not None:
        found += command.address.refusals("address")
    return found


def _time_zone(value: str, *path: str) -> None:
    """Raises: Invalid."""
    if not checks.is_time_zone(value):
        raise Invalid(*path, rule="must be an IANA time zone, such as Europe/London")


def _centre_values(command: UpsertCentre, _: Centre | None) -> dict[str, Any]:
    return given(
        reference=command.reference,
        name=command.name,
        search_text=search_text(command.name, command.reference),
        time_zone=command.time_zone,
        city=command.city,
        country=command.country,
        is_school=command.is_school,
        address=command.address and command.address.as_kept(),
        minimum_age=command.minimum_age,
    )


def _check_room(command: UpsertRoom) -> list[Refusal]:
    capacity = {"least": 1, "most": checks.CAPACITY}
    return checks.violations(
        (checks.code, command.name, "name", {"most": checks.NAME}),
        (checks.number, command.capacity, "capacity", capacity),
    )


CENTRE: UpsertDefinition[UpsertCentre, Centre] = UpsertDefinition(
    model=Centre,
    identity=("reference",),
    check=_check_centre,
    values=_centre_values,
    many={"subject_ids": Subject},
    parts=(ZoneInUse, listed("subject_ids", CENTRE_SUBJECTS, listed_back=True)),
)

ROOM: UpsertDefinition[UpsertRoom, Room] = UpsertDefinition(
    model=Room,
    identity=("centre_id", "name"),
    check=_check_room,
    values=lambda command, _: {"name": command.name, "capacity": command.capacity},
    one={"centre": ("centre_id", Centre)},
    parts=(RoomsOfCentre, SeatsTaken),
)
