"""Commands on organizations."""

from collections.abc import Sequence

import sqlalchemy as sa

from resolvers import checks
from resolvers.money import check_currency
from resolvers.outcomes import Outcome
from resolvers.refusals import AlreadyExists, Invalid, Refusal, Refused, attempt
from resolvers.storage import Read, UnitOfWork
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.rows import new_row
from resolvers.storage.tables import LogPosition, Organization, columns, table
from resolvers.texts import normalized
from resolvers.values import frozen


@frozen
class MakeOrganization:
    """Create an organization with default settings."""

    name: str
    time_zone: str
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normalized(self.name))


def make_organization(
    work: UnitOfWork, commands: Sequence[MakeOrganization]
) -> list[Outcome | Refused]:
    """Create organizations, each with a log at position 0.

    Refusals: WrongLength, Invalid (an unknown time zone or currency), AlreadyExists.
    """
    refused = [_refusals(command) for command in commands]
    # a refused name may contain characters that PostgreSQL does not accept as a value
    taken = _names_taken(work, [c for c, no in zip(commands, refused, strict=True) if not no])
    return [
        Refused(no) if no else attempt(_make, work, command, taken)
        for command, no in zip(commands, refused, strict=True)
    ]


def _make(work: UnitOfWork, command: MakeOrganization, taken: set[str]) -> Outcome:
    """Raises: AlreadyExists."""
    if command.name in taken:
        raise AlreadyExists("name")
    taken.add(command.name)
    organization = new_row(
        Organization,
        id=new_key(),
        name=command.name,
        time_zone=command.time_zone,
        currency=command.currency,
        created_at=work.now,
    )
    work.insert(Organization, [organization])
    work.insert(LogPosition, [new_row(LogPosition, organization_id=organization.id)])
    return Outcome(organization.id, created=True)


def _refusals(command: MakeOrganization) -> list[Refusal]:
    return checks.violations(
        (checks.code, command.name, "name", {"most": checks.NAME}),
        (_time_zone, command.time_zone),
        (check_currency, command.currency, "currency"),
    )


def _time_zone(value: str) -> None:
    """Raises: Invalid."""
    if not checks.is_time_zone(value):
        raise Invalid("time_zone", rule="must be an IANA time zone, such as Europe/London")


def _names_taken(work: UnitOfWork, commands: Sequence[MakeOrganization]) -> set[str]:
    c = columns(Organization)
    read: Read[Organization] = Read(
        "organization names taken",
        lambda _: sa.select(table(Organization)).where(one_of(c.name, "names")),
        {"names": [command.name for command in commands]},
    )
    return {row.name for row in work.rows(read)}
