"""Organizations: made with a log at position 0, or refused without a trace."""

from uuid import UUID

import pytest

from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Storage, one_row


def make(name: str, time_zone: str = "Europe/London", currency: str = "GBP") -> MakeOrganization:
    return MakeOrganization(name=name, time_zone=time_zone, currency=currency)


async def test_an_organization_begins_with_an_empty_log(storage: Storage, organization_id: UUID):
    row = one_row(await storage.read(reads.organization_named("Northfield Exams")))
    assert row is not None
    assert (row.id, row.time_zone, row.currency) == (organization_id, "Europe/London", "GBP")
    assert row.window_buffer_hours == 12
    assert row.exam_types == []

    [position] = await storage.read(reads.log_positions([organization_id]))
    assert position.position == 0


@pytest.mark.parametrize(
    ("command", "refusals"),
    [
        (make(""), ["'name' must be between 1 and 200 characters"]),
        (make("  "), ["'name' must be between 1 and 200 characters"]),
        (make("x" * 201), ["'name' must be between 1 and 200 characters"]),
        (make("a\0b"), ["'name' must not contain the NUL character or half a surrogate pair"]),
        (
            make("A", "Europe/Nowhere", "£"),
            [
                "'time_zone' must be an IANA time zone, such as Europe/London",
                "'currency' must be the ISO 4217 code of a currency, such as GBP",
            ],
        ),
    ],
)
async def test_what_is_wrong_is_said_together(
    storage: Storage, command: MakeOrganization, refusals: list[str]
):
    [refused, made] = await storage.write(make_organization, [command, make("Another")])

    assert isinstance(refused, Refused)
    assert [refusal.message for refusal in refused.refusals] == refusals
    assert isinstance(made, Outcome)
    assert len(await storage.read(reads.only_organization())) == 1


async def test_a_name_is_one_organizations(storage: Storage, organization_id: UUID):
    """Also among the commands of a batch."""
    commands = [make("Northfield Exams"), make("Southfield"), make("Southfield")]

    [first, second, third] = await storage.write(make_organization, commands)

    assert isinstance(first, Refused)
    assert first.refusals[0].path == ("name",)
    assert isinstance(second, Outcome)
    assert isinstance(third, Refused)
