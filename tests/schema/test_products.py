"""Agent offices, products and offers in the API."""

import pytest

from resolvers.viewer import Scope
from resolvers.vocabulary import Role

OFFER = """mutation ($input: OfferProductInput!) { offerProduct(input: $input) {
  offer { product { code } centre { reference } capacity offered
    startDates(from: "2027-01-01", to: "2027-12-31") }
  changed errors { code path }
} }"""

SCHOOL = """query ($kind: ProductKind) { centre(ref: {reference: "C1"}) {
  products(kind: $kind) { code name kind minWeeks maxWeeks active
    startDates(from: "2027-03-02", to: "2027-12-31") }
  offers(kind: $kind) { product { code } capacity
    startDates(from: "2027-01-01", to: "2027-03-07") }
} }"""

LISTS = """{
  products(kind: COURSE) { totalCount nodes { code externalIds { value } } }
  agentOffices(search: "study") { totalCount nodes { id code name agency active } }
}"""

DATES = """query ($centre: ID) { products(kind: COURSE) { nodes {
  startDates(from: "2027-01-01", to: "2027-12-31", centreId: $centre)
} } }"""

VIEWER = "{ viewer { agentOffices { code } } }"


@pytest.fixture
async def school(made, world):
    """The world's centre offers a course and a homestay; an agency has one office."""
    known = [{"system": "EC_ENGLISH", "kind": "product", "value": "92"}]
    course = {"code": "C92", "kind": "COURSE", "name": "General English", "minWeeks": 2}
    await made("upsertProduct", "product", **course, maxWeeks=40, externalIds=known)
    await made("upsertProduct", "product", code="A78", kind="LODGING", name="Homestay")
    return await made(
        "upsertAgentOffice", "agentOffice", code="2983", name="Madrid", agency="Study Abroad"
    )


def offered(code, **given):
    return {"product": {"reference": code}, "centre": {"reference": "C1"}, **given}


async def test_what_a_school_offers(client, school):
    """A school's products and offers are listed by kind and by a range of start dates."""
    dates = ["2027-03-01", "2027-03-08"]
    made = await client.of(OFFER, input=offered("C92", startDates=dates, capacity=12))
    again = await client.of(OFFER, input=offered("C92", startDates=dates))
    await client.of(OFFER, input=offered("A78"))

    assert (
        made["offer"]
        == again["offer"]
        == {
            "product": {"code": "C92"},
            "centre": {"reference": "C1"},
            "capacity": 12,
            "offered": True,
            "startDates": dates,
        }
    )
    assert (made["changed"], again["changed"]) == (True, False)
    found = await client.of(SCHOOL)
    assert [product["code"] for product in found["products"]] == ["A78", "C92"]
    assert [offer["product"]["code"] for offer in found["offers"]] == ["A78", "C92"]
    assert await client.of(SCHOOL, kind="COURSE") == {
        "products": [
            {
                "code": "C92",
                "name": "General English",
                "kind": "COURSE",
                "minWeeks": 2,
                "maxWeeks": 40,
                "active": True,
                "startDates": dates[1:],
            }
        ],
        "offers": [{"product": {"code": "C92"}, "capacity": 12, "startDates": dates[:1]}],
    }


async def test_withdrawn(client, school):
    """A withdrawn offer is in the payload, and no longer at the school."""
    await client.of(OFFER, input=offered("C92"))

    payload = await client.of(OFFER, input=offered("C92", offered=False))

    assert payload["changed"]
    assert not payload["offer"]["offered"]
    assert await client.of(SCHOOL) == {"products": [], "offers": []}


async def test_refused(client, school):
    """A refusal is data, and its object is null."""
    payload = await client.of(OFFER, input=offered("?", capacity=0))

    assert payload == {
        "offer": None,
        "changed": False,
        "errors": [
            {"code": "OUT_OF_RANGE", "path": ["input", "capacity"]},
            {"code": "NOT_FOUND", "path": ["input", "product"]},
        ],
    }


async def test_dates_at_one_school(client, school, world):
    """A product's dates are limited to one school; an id that is not a centre's is refused."""
    await client.of(OFFER, input=offered("C92", startDates=["2027-03-01"]))

    for centre, expected in [(None, ["2027-03-01"]), (world.centre, ["2027-03-01"])]:
        found = await client.of(DATES, centre=centre)
        assert found["nodes"] == [{"startDates": expected}]
    assert await client.errors(DATES, centre=world.room) == [("INVALID_VALUE", "centreId")]


async def test_lists(client, school):
    """Products are listed by kind, and offices by agency."""
    result = await client.run(LISTS)

    assert result.errors is None
    assert result.data["products"] == {
        "totalCount": 1,
        "nodes": [{"code": "C92", "externalIds": [{"value": "92"}]}],
    }
    office = {"code": "2983", "name": "Madrid", "agency": "Study Abroad", "active": True}
    assert result.data["agentOffices"]["nodes"] == [{"id": school, **office}]


async def test_an_agent_is_told_its_offices(client, school, made, key_of):
    """An agent's scope is its offices, and it sees no others."""
    other = await made("upsertAgentOffice", "agentOffice", code="1", name="X", agency="Other")
    agent = client.as_role(Role.AGENT).seeing(scope=Scope(agent_offices=frozenset({key_of(other)})))

    assert await agent.of(VIEWER) == {"agentOffices": [{"code": "1"}]}
    result = await agent.run(LISTS)
    assert result.data["agentOffices"] == {"totalCount": 0, "nodes": []}
    assert await agent.of("query ($id: ID!) { node(id: $id) { id } }", id=school) is None
