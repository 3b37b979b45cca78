"""Agent offices, products and what schools offer: found by code, limited, and changed in part."""

from dataclasses import replace
from datetime import date

import pytest

from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.organizations.users import UpsertUser, agent_offices_of_users, upsert_users
from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.products.reads import (
    AGENT_OFFICES_BY_NAME,
    PRODUCTS_BY_NAME,
    agent_offices_by_id,
    agent_offices_count,
    agent_offices_page,
    dates_of_offers,
    dates_of_products,
    offers_by_id,
    offers_of_schools,
    products_by_id,
    products_count,
    products_of_schools,
    products_page,
)
from resolvers.references import ByKey, ByReference
from resolvers.storage.paging import page_request
from resolvers.viewer import NOTHING, Scope
from resolvers.vocabulary import ProductKind, Role
from tests.resolvers.asking import Statements
from tests.resolvers.world import World

YEAR = (date(2027, 1, 1), date(2027, 12, 31))
MONDAYS = (date(2027, 3, 1), date(2027, 3, 8), date(2027, 3, 15))


@pytest.fixture
def office(viewer):
    return UpsertAgentOffice(viewer=viewer, code="2983", name="Madrid", agency="Study Abroad")


@pytest.fixture
def course(viewer):
    return UpsertProduct(viewer=viewer, code="C92", kind=ProductKind.COURSE, name="General English")


@pytest.fixture
async def school(viewer, make):
    command = UpsertCentre(
        viewer=viewer, reference="S333", name="Brighton", time_zone="Europe/London", is_school=True
    )
    return await make(upsert_centres, command)


@pytest.fixture
async def offer(viewer, make, course, school):
    """Return a command for an offer of the course at the school."""
    product = await make(upsert_products, course)
    return OfferProduct(viewer=viewer, product=ByKey(product), centre=ByKey(school))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"code": ""}, ("STRING_LENGTH", "code")),
        ({"code": "x" * 51}, ("STRING_LENGTH", "code")),
        ({"name": "x" * 201}, ("STRING_LENGTH", "name")),
        ({"agency": " "}, ("STRING_LENGTH", "agency")),
    ],
)
async def test_office_refused(office, refusals, values, expected):
    """Each field of an office has its limits, and its refusal names it."""
    code, path = expected

    command = replace(office, **values)
    assert await refusals(upsert_agent_offices, command) == [(code, path)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"code": ""}, ("STRING_LENGTH", "code")),
        ({"name": ""}, ("STRING_LENGTH", "name")),
        ({"min_weeks": 0}, ("OUT_OF_RANGE", "min_weeks")),
        ({"max_weeks": 1001}, ("OUT_OF_RANGE", "max_weeks")),
        ({"min_weeks": 3, "max_weeks": 2}, ("OUT_OF_RANGE", "min_weeks")),
    ],
)
async def test_product_refused(course, refusals, values, expected):
    """Each field of a product has its limits, and the fewest weeks are at most the most."""
    code, path = expected

    command = replace(course, **values)
    assert await refusals(upsert_products, command) == [(code, path)]


async def test_weeks_that_were_said_before_count(course, make, refusals):
    """The limits of weeks are checked together, even if they are set separately."""
    await make(upsert_products, replace(course, min_weeks=4))

    above = replace(course, max_weeks=3)
    assert await refusals(upsert_products, above) == [("OUT_OF_RANGE", "max_weeks")]
    await make(upsert_products, replace(course, max_weeks=4))


async def test_known_by_its_code(storage, viewer, make, office, course):
    """The same code again updates; omitted fields, `active` among them, keep their values."""
    key = await make(upsert_agent_offices, replace(office, active=False))
    product = await make(upsert_products, replace(course, min_weeks=2, max_weeks=40, active=False))

    assert await make(upsert_agent_offices, replace(office, name="Madrid II")) == key
    assert await make(upsert_products, replace(course, max_weeks=50)) == product

    [row] = await storage.read(agent_offices_by_id(viewer, [key]))
    assert (row.name, row.agency, row.active) == ("Madrid II", "Study Abroad", False)
    [row] = await storage.read(products_by_id(viewer, [product]))
    assert (row.min_weeks, row.max_weeks, row.active) == (2, 50, False)


async def test_permission(viewer, refusals, office, course, offer):
    """All commands require MANAGE_PRODUCTS, and without it they reveal nothing."""
    nobody = replace(viewer, role=Role.AGENT, permissions=frozenset())
    for run, command in [
        (upsert_agent_offices, office),
        (upsert_products, course),
        (offer_products, replace(offer, product=ByReference("?"))),
    ]:
        assert await refusals(run, replace(command, viewer=nobody)) == [("FORBIDDEN", "")]


async def test_offer_refused(viewer, refusals, offer):
    """What is offered where must be there; a date is added or removed; capacity is limited."""
    for values, expected in [
        ({"product": ByReference("?")}, [("NOT_FOUND", "product")]),
        ({"centre": ByReference("?")}, [("NOT_FOUND", "centre")]),
        ({"capacity": 0}, [("OUT_OF_RANGE", "capacity")]),
        (
            {"start_dates": MONDAYS, "remove_start_dates": (MONDAYS[1],)},
            [("INVALID_VALUE", "remove_start_dates.0")],
        ),
    ]:
        assert await refusals(offer_products, replace(offer, **values)) == expected


async def test_start_dates_are_added_and_removed(storage, viewer, make, offer):
    """Dates come and go one by one; capacity left out stays; the same again changes nothing."""
    first = replace(offer, start_dates=MONDAYS[:2], capacity=12)
    key = await make(offer_products, first)
    [same] = await storage.write(offer_products, [first])
    second = replace(offer, start_dates=MONDAYS[2:], remove_start_dates=MONDAYS[:1])
    [changed] = await storage.write(offer_products, [second])

    assert (same.changed, changed.changed, changed.subject) == (False, True, key)
    [row] = await storage.read(offers_by_id(viewer, [key]))
    assert row.capacity == 12
    dates = await storage.read(dates_of_offers(viewer, [key], *YEAR))
    assert [d.starts_on for d in dates] == list(MONDAYS[1:])
    only = await storage.read(dates_of_offers(viewer, [key], MONDAYS[1], MONDAYS[1]))
    assert [d.starts_on for d in only] == [MONDAYS[1]]


async def test_withdrawn_is_not_offered(storage, viewer, make, offer, school):
    """A withdrawn offer keeps its dates, and neither the school nor the product lists it."""
    key = await make(offer_products, replace(offer, start_dates=MONDAYS))
    product = offer.product.key

    async def shown():
        offers = await storage.read(offers_of_schools(viewer, [school]))
        products = await storage.read(products_of_schools(viewer, [school]))
        dates = await storage.read(dates_of_products(viewer, [product], *YEAR, school))
        return [o.id for o in offers], [p.id for p in products], len(dates)

    assert await shown() == ([key], [product], 3)
    await make(offer_products, replace(offer, offered=False))
    assert await shown() == ([], [], 0)
    await make(offer_products, offer)
    assert await shown() == ([], [], 0)
    await make(offer_products, replace(offer, offered=True))
    assert await shown() == ([key], [product], 3)


async def test_dates_of_a_product_at_any_school(storage, viewer, make, offer):
    """A product's dates are those of all its schools, each once, or those of one of them."""
    elsewhere = await make(
        upsert_centres,
        UpsertCentre(viewer=viewer, reference="S2", name="Malta", time_zone="Europe/Malta"),
    )
    await make(offer_products, replace(offer, start_dates=MONDAYS[:2]))
    await make(offer_products, replace(offer, centre=ByKey(elsewhere), start_dates=MONDAYS[1:]))
    product = offer.product.key

    everywhere = await storage.read(dates_of_products(viewer, [product], *YEAR))
    there = await storage.read(dates_of_products(viewer, [product], *YEAR, elsewhere))

    assert [row.starts_on for row in everywhere] == list(MONDAYS)
    assert [row.starts_on for row in there] == list(MONDAYS[1:])
    assert {row.parent_id for row in everywhere} == {product}


async def test_no_more_than_500_dates(storage, make, refusals, offer):
    """An offer has at most 500 dates, existing ones included."""
    many = tuple(date.fromordinal(MONDAYS[0].toordinal() + n) for n in range(500))
    await make(offer_products, replace(offer, start_dates=many))

    one_more = replace(offer, start_dates=(date(2026, 1, 1),))
    assert await refusals(offer_products, one_more) == [("OUT_OF_RANGE", "start_dates")]
    await make(offer_products, replace(one_more, remove_start_dates=many[:1]))


async def test_no_more_than_500_offers(storage, viewer, make, refusals, course, offer):
    """A school has at most 500 offers; withdrawing one permits another."""
    products = [replace(course, code=f"P{n}") for n in range(501)]
    await storage.write(upsert_products, products)
    offers = [replace(offer, product=ByReference(p.code)) for p in products]
    await storage.write(offer_products, offers[:500])

    assert await refusals(offer_products, offers[500]) == [("OUT_OF_RANGE", "centre")]
    withdrawn, offered = await storage.write(
        offer_products, [replace(offers[0], offered=False), offers[500]]
    )
    assert withdrawn.changed
    assert offered.created


async def test_statements_do_not_grow(storage, viewer, make, course, offer):
    """Fifty offers take as many statements as one, up to writing them."""
    await storage.write(upsert_products, [replace(course, code=f"P{n}") for n in range(51)])
    offers = [replace(offer, product=ByReference(f"P{n}"), start_dates=MONDAYS) for n in range(51)]
    statements, world = Statements(), World(storage, viewer)

    one = await statements.needed(world, offer_products, offers[:1])
    many = await statements.needed(world, offer_products, offers[1:])

    assert one == many


async def test_pages(storage, viewer, make, office, course):
    """Offices are found by name, code or agency, products by name or code, or by kind alone."""
    await make(upsert_agent_offices, office)
    await make(upsert_agent_offices, replace(office, code="11", name="Zürich", agency="Alpen"))
    await make(upsert_products, course)
    lodging = replace(course, code="A78", kind=ProductKind.LODGING, name="Homestay")
    await make(upsert_products, lodging)

    page = page_request(AGENT_OFFICES_BY_NAME, first=9, after=None, last=None, before=None)
    for search, expected in [
        (None, ["Madrid", "Zürich"]),
        ("ALP", ["Zürich"]),
        ("298", ["Madrid"]),
    ]:
        rows = await storage.read(agent_offices_page(viewer, page, search))
        [count] = await storage.read(agent_offices_count(viewer, search))
        assert [row.name for row in rows] == expected
        assert count.total == len(expected)
    page = page_request(PRODUCTS_BY_NAME, first=9, after=None, last=None, before=None)
    for search, kind, expected in [
        (None, None, ["C92", "A78"]),
        ("home", None, ["A78"]),
        (None, ProductKind.COURSE, ["C92"]),
        ("home", ProductKind.COURSE, []),
    ]:
        rows = await storage.read(products_page(viewer, page, search, kind))
        [count] = await storage.read(products_count(viewer, search, kind))
        assert [row.code for row in rows] == expected
        assert count.total == len(expected)


async def test_an_agent_sees_its_own_offices(storage, viewer, make, office):
    """An agent sees only its own offices."""
    own = await make(upsert_agent_offices, office)
    other = await make(upsert_agent_offices, replace(office, code="11"))
    user = UpsertUser(
        viewer=viewer,
        reference="AGENT",
        name="Ann",
        role=Role.AGENT,
        agent_office_ids=(ByReference("2983"),),
    )
    key = await make(upsert_users, user)
    [of_user] = await storage.read(agent_offices_of_users(viewer, [key]))
    assert of_user.id == own

    for scope, expected in [
        (Scope(agent_offices=frozenset({own})), {own}),
        (NOTHING, set()),
        (viewer.scope, {own, other}),
    ]:
        agent = replace(viewer, scope=scope)
        rows = await storage.read(agent_offices_by_id(agent, [own, other]))
        assert {row.id for row in rows} == expected
