"""Agents and candidates do not see who changed an event, or other agent offices."""

from uuid import UUID

import pytest

from resolvers.vocabulary import Role
from tests.schema.conftest import Client

pytestmark = pytest.mark.both_databases

LAST_CHANGE = """query ($filter: EventFilter) { events(filter: $filter) {
  totalCount nodes { lastChangeUser lastChangeType }
} }"""
OFFICES = "{ agentOffices { totalCount nodes { code } } }"
OFFICES_OF_USERS = "{ users { nodes { agentOffices { code } } } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"


@pytest.fixture
async def outsiders(client: Client, made, key_of) -> list[Client]:
    """An agent of one of two offices, and a candidate."""
    offices = [
        await made(
            "upsertAgentOffice", "agentOffice", code=code, name=code, agency=f"Agency {code}"
        )
        for code in ("A1", "A2")
    ]
    person = await made(
        "upsertCandidate", "candidate", reference="P1", firstNames="Ada", lastName="Ng"
    )
    await made(
        *("upsertUser", "user"),
        reference="U1",
        name="Uma",
        role="AGENT",
        agentOfficeIds=offices,
    )
    return [
        client.confined_to(Role.AGENT, agent_offices={key_of(offices[0])}),
        client.confined_to(Role.CANDIDATE, candidate=key_of(person)),
    ]


@pytest.fixture
async def event(made) -> str:
    return str(await made("createEvent", "event", title="Sitting", start="2027-03-01T09:00:00Z"))


async def test_who_changed_an_event_is_shown_to_staff_only(
    client: Client, event: str, outsiders: list[Client]
):
    """For other viewers, filters treat the user as null, so they cannot reveal the value."""
    filters = {
        "equal": {"lastChangeUser": {"eq": "admin"}},
        "part": {"lastChangeUser": {"startsWith": "a"}},
        "known": {"lastChangeUser": {"isNull": False}},
        "unknown": {"lastChangeUser": {"isNull": True}},
        "other": {"not": {"lastChangeUser": {"eq": "admin"}}},
    }

    async def found(client: Client) -> dict[str, int]:
        return {
            name: (await client.of(LAST_CHANGE, filter=filter))["totalCount"]
            for name, filter in filters.items()
        }

    [shown] = (await client.of(LAST_CHANGE))["nodes"]
    assert shown == {"lastChangeUser": "admin", "lastChangeType": "Created"}
    assert await found(client) == {"equal": 1, "part": 1, "known": 1, "unknown": 0, "other": 0}
    for outsider in outsiders:
        [hidden] = (await outsider.of(LAST_CHANGE))["nodes"]
        assert hidden == {"lastChangeUser": None, "lastChangeType": "Created"}
        assert await found(outsider) == {
            "equal": 0,
            "part": 0,
            "known": 0,
            "unknown": 1,
            "other": 1,
        }


async def test_offices_are_shown_to_their_agents_and_to_who_sees_the_organization(
    client: Client, outsiders: list[Client]
):
    """Hidden offices are not found by id or through users."""
    agent, candidate = outsiders
    confined = client.confined_to(Role.SCHEDULER, centres={UUID(int=7)}, subjects=set())

    async def codes(client: Client) -> list[str]:
        page = await client.of(OFFICES)
        assert page["totalCount"] == len(page["nodes"])
        return [node["code"] for node in page["nodes"]]

    assert [await codes(each) for each in (client, agent, candidate, confined)] == [
        ["A1", "A2"],
        ["A1"],
        [],
        [],
    ]
    [user] = (await client.of(OFFICES_OF_USERS))["nodes"]
    assert [office["code"] for office in user["agentOffices"]] == ["A1", "A2"]
    assert (await confined.of(OFFICES_OF_USERS))["nodes"] == [{"agentOffices": []}]
    [_, other] = (await client.of("{ agentOffices { nodes { id } } }"))["nodes"]
    assert (await client.of(NODE, id=other["id"])) == other
    for each in (*outsiders, confined):
        assert await each.of(NODE, id=other["id"]) is None
