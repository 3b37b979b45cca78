"""A school with an agent office, and the sample of [004] as a submission."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.agent_bookings.submission import (
    AgentContact,
    RequestedProduct,
    SpecialRequirements,
    Student,
    Submission,
)
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.contacts import Address, EmergencyContact
from resolvers.outcomes import Outcome
from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import Storage
from resolvers.storage.tables import AgentBooking
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import Gender, ProductKind, Role
from tests.resolvers.asking import in_role
from tests.resolvers.world import World

SAMPLE = Submission(
    agent_booking_id="X8347848",
    agent_office_code="2983",
    agent_contact=AgentContact(
        first_names="Anna", last_name="Polishchuk", email="anna.polishchuk@agentcompany.com"
    ),
    school_code="S333",
    language_level="Intermediate",
    student=Student(
        first_names="Bobby",
        last_name="Smith",
        passport_number="4823 909 9838",
        passport_issuing_country="ES",
        date_of_birth=date(1993, 2, 20),
        gender=Gender.MALE,
        country_of_birth="ES",
        nationality="ES",
        email="bobby@example.com",
        telephone="+34 93 412 46 02",
        mobile="+34 09 456 888",
        address=Address(
            line1="Torre Espacio",
            line2="Paseo de la Castellana 259D",
            city="Madrid",
            state_province="",
            postal_code="28046",
            country_iso_code="ES",
        ),
        emergency_contact=EmergencyContact(
            name="Jane Smith", phone="+34 09 123 233", relationship="Mother"
        ),
    ),
    courses=(RequestedProduct(code="C92", date_from=date(2027, 3, 15), number_of_weeks=3),),
    lodging=(RequestedProduct(code="A78", date_from=date(2027, 3, 14), number_of_weeks=3),),
    optional_extras=(RequestedProduct(code="E33", quantity=1),),
    airport_transfers=(RequestedProduct(code="TRN88"),),
    special_requirements=SpecialRequirements(allergies="Allergic to nuts"),
)
"""The sample request, with dates in the future."""

MONDAYS = (date(2027, 3, 15), date(2027, 3, 22), date(2027, 4, 5))
"""The course's start."""


def student(**values: Any) -> Submission:
    """Return the sample with another student."""
    assert SAMPLE.student is not None
    return replace(SAMPLE, student=replace(SAMPLE.student, **values))


class School(World):
    """A world in which agencies book."""

    def asking(self, submission: Submission = SAMPLE, **values: Any) -> BookAgentBooking:
        return BookAgentBooking(**{"viewer": self.viewer, "submission": submission, **values})

    async def put(self, submission: Submission = SAMPLE, **values: Any) -> Outcome | Refused:
        return await self.one(book, self.asking(submission, **values))

    async def booked(self, submission: Submission = SAMPLE, **values: Any) -> UUID:  # type: ignore[override]
        return await self.made(book, self.asking(submission, **values))

    async def detail(self, key: UUID) -> AgentBooking:
        return (await self.rows(AgentBooking, "id", key))[0]

    async def office(self, code: str, agency: str) -> UUID:
        command = UpsertAgentOffice(viewer=self.viewer, code=code, name=code, agency=agency)
        return await self.made(upsert_agent_offices, command)

    async def school(self, reference: str, time_zone: str) -> UUID:
        command = UpsertCentre(
            viewer=self.viewer,
            reference=reference,
            name=reference,
            time_zone=time_zone,
            is_school=True,
        )
        return await self.made(upsert_centres, command)

    async def product(self, code: str, kind: ProductKind, name: str, **values: Any) -> UUID:
        command = UpsertProduct(viewer=self.viewer, code=code, kind=kind, name=name, **values)
        return await self.made(upsert_products, command)

    async def offer(self, product: UUID, school: UUID, *days: date, **values: Any) -> UUID:
        command = OfferProduct(
            viewer=self.viewer,
            product=ByKey(product),
            centre=ByKey(school),
            start_dates=days or None,
            **values,
        )
        return await self.made(offer_products, command)

    def agent(self, *offices: UUID) -> Viewer:
        return in_role(self, Role.AGENT, Scope(agent_offices=frozenset(offices)))


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> School:
    return School(storage, viewer)


@pytest.fixture
async def school(world: School) -> UUID:
    command = UpsertCentre(
        viewer=world.viewer,
        reference="S333",
        name="Brighton",
        time_zone="Europe/London",
        is_school=True,
    )
    return await world.made(upsert_centres, command)


@pytest.fixture
async def office(world: School) -> UUID:
    return await world.office("2983", "Study Abroad")


@pytest.fixture
async def course(world: School, school: UUID) -> UUID:
    """Offer General English on three Mondays; return its key."""
    product = await world.product(
        "C92", ProductKind.COURSE, "General English", min_weeks=1, max_weeks=48
    )
    await world.offer(product, school, *MONDAYS)
    return product


@pytest.fixture
async def possible(world: School, school: UUID, office: UUID, course: UUID) -> UUID:
    """Offer everything that the sample requests; return the school's key."""
    lodging = await world.product("A78", ProductKind.LODGING, "Homestay")
    extra = await world.product("E33", ProductKind.OPTIONAL_EXTRA, "Textbook")
    await world.product("TRN88", ProductKind.AIRPORT_TRANSFER, "Gatwick")
    await world.offer(lodging, school)
    await world.offer(extra, school)
    return school


Put = Callable[..., Any]
