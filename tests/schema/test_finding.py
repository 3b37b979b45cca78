"""Objects are found by reference, global id and external key."""

from uuid import uuid4

import pytest

from resolvers.identity import global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.vocabulary import Role

pytestmark = pytest.mark.both_databases

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
CANDIDATE = "query ($ref: RefInput!) { candidate(ref: $ref) { id } }"
TEST = "query ($ref: RefInput!) { test(ref: $ref) { id } }"
EVENT = "query ($ref: RefInput!) { event(ref: $ref) { id } }"


async def test_every_node(client, world):
    """Each object is returned by its global id, with its type, in the requested order."""
    ids = list(vars(world).values())

    found = await client.of(NODES, ids=[*ids, ids[0]])

    assert [node["id"] for node in found] == [*ids, ids[0]]
    assert [node["__typename"] for node in found] == [
        "Centre",
        "Room",
        "Subject",
        "Module",
        "Test",
        "Department",
        "Candidate",
        "User",
        "Event",
        "Centre",
    ]


async def test_organization_node(client):
    """The viewer's organization is a node; another organization is not found."""
    own = await client.of("{ viewer { organization { id } } }")

    assert (await client.of(NODE, id=own["organization"]["id"]))["__typename"] == "Organization"
    assert await client.of(NODE, id=global_id("Organization", uuid4())) is None


async def test_nodes_that_are_not_there(client, world):
    """An unknown type or key returns null; other nodes are returned."""
    unknown = [global_id("Candidate", uuid4()), global_id("Unicorn", uuid4())]

    found = await client.of(NODES, ids=[*unknown, world.room])

    assert found == [None, None, {"__typename": "Room", "id": world.room}]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["nonsense"], ("INVALID_VALUE", "ids.0")),
        ([], ("OUT_OF_RANGE", "ids")),
        ([global_id("Room", uuid4()) for _ in range(101)], ("OUT_OF_RANGE", "ids")),
    ],
)
async def test_nodes_refused(client, ids, told):
    """An invalid id, an empty list and more than 100 ids are refused."""
    assert await client.errors(NODES, ids=ids) == [told]


async def test_repeated_ids_count_once(client, world):
    """The limit of 100 applies to distinct ids."""
    assert len(await client.of(NODES, ids=[world.room] * 150)) == 150


async def test_malformed_node(client):
    """A malformed id is reported as such."""
    assert await client.errors(NODE, id="nonsense") == [("INVALID_VALUE", "id")]


async def test_candidate_by_reference(client, world):
    """A candidate is found by reference, in any case, and by global id."""
    for ref in ({"reference": "P1"}, {"reference": "p1"}, {"id": world.candidate}):
        assert await client.of(CANDIDATE, ref=ref) == {"id": world.candidate}
    external = {"system": "EC_ENGLISH", "kind": "student", "value": "1"}
    for ref in ({"reference": "P"}, {"external": external}, {"reference": "?" * 5_000}):
        assert await client.of(CANDIDATE, ref=ref) is None


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        ({"id": "nonsense"}, "ref"),
        ({"id": global_id("Room", uuid4())}, "ref"),
        ({"reference": "a\0"}, "ref.reference"),
        ({"external": {"system": "GATEWAY", "kind": "a\0", "value": "1"}}, "ref.kind"),
        ({"external": {"system": "GATEWAY", "kind": "a", "value": "\ud800"}}, "ref.value"),
    ],
)
async def test_names_that_cannot_be(client, ref, path):
    """A malformed id, an id of another type and a text that no database can store are refused."""
    assert await client.errors(CANDIDATE, ref=ref) == [("INVALID_VALUE", path)]


async def test_ambiguous_test(client, made):
    """A reference shared by several tests is refused; each test is found by its id."""
    keys = []
    for subject in ("S1", "S2"):
        await made("upsertSubject", "subject", reference=subject, name=subject)
        given = {"reference": "T1", "name": "T", "durationMinutes": 1}
        keys.append(await made("upsertTest", "test", **given, subject={"reference": subject}))

    assert await client.errors(TEST, ref={"reference": "T1"}) == [("AMBIGUOUS_REFERENCE", "ref")]
    for key in keys:
        assert await client.of(TEST, ref={"id": key}) == {"id": key}


async def test_event_by_identifier(client, world):
    """An event is found by its identifier, in any case."""
    identifier = "11111111-1111-1111-1111-111111111111"

    assert await client.of(EVENT, ref={"reference": identifier}) == {"id": world.event}
    assert await client.of(EVENT, ref={"reference": "not a UUID"}) is None


async def test_candidate_out_of_scope(client, world, made, key_of):
    """A candidate outside the viewer's scope is not found, directly or through relations."""
    other = await made("upsertCentre", "centre", reference="C2", name="X", timeZone="Asia/Tokyo")
    stranger = client.confined_to(Role.CENTRE_STAFF, centres={key_of(other)})

    assert await stranger.of(CANDIDATE, ref={"reference": "P1"}) is None
    assert await stranger.of(NODE, id=world.candidate) is None
    users = await stranger.of("{ users { nodes { candidate { id } } } }")
    assert users["nodes"] == [{"candidate": None}]
    assert (await stranger.of("{ candidates { nodes { id } totalCount } }"))["totalCount"] == 0


async def test_other_organizations_are_not_there(client, world, storage):
    """Objects of another organization are not found."""
    made = MakeOrganization(name="Southfield", time_zone="Europe/London", currency="GBP")
    [outcome] = await storage.write(make_organization, [made])
    stranger = client.seeing(organization_id=outcome.subject)

    ids = list(vars(world).values())
    assert await stranger.of(NODES, ids=ids) == [None] * len(ids)
    assert await stranger.of(CANDIDATE, ref={"reference": "P1"}) is None
    assert (await stranger.of("{ events { totalCount } }"))["totalCount"] == 0
