"""The language schools of the demo, their products and start dates, and the agencies.

The codes of the sample of [004] are among them: its booking is possible.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from demo.storage import carry_out
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.references import ByReference
from resolvers.storage import Storage
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind

SAMPLE_STARTS_ON: Final = date(2016, 3, 14)
FIRST_WEEK, LAST_WEEK = -6, 40
"""The first week with course starts, and the week after the last, counted from this week."""


@frozen
class School:
    """A language school."""

    reference: str
    name: str
    city: str
    country: str
    time_zone: str
    minimum_age: int
    sells: tuple[str, ...]


@frozen
class Ware:
    """A product. A course starts every `every_weeks` weeks, with `places` places each time."""

    code: str
    kind: ProductKind
    name: str
    min_weeks: int | None = None
    max_weeks: int | None = None
    every_weeks: int | None = None
    places: int | None = None


@frozen
class Office:
    """An office of an agency, its contact person, and the country of its students."""

    code: str
    agency: str
    city: str
    country: str
    contact: tuple[str, str, str]
    street: str
    postal_code: str
    calls: str


COURSE, LODGING = ProductKind.COURSE, ProductKind.LODGING
EXTRA, TRANSFER = ProductKind.OPTIONAL_EXTRA, ProductKind.AIRPORT_TRANSFER

GENERAL, EXAM, BUSINESS = "C92", "C45", "C71"
HOMESTAY, RESIDENCE = "A78", "A81"
BOOKS, INSURANCE = "E33", "E40"
ARRIVAL, DEPARTURE = "TRN88", "TRN89"

WARES: Final = (
    Ware(GENERAL, COURSE, "General English", 1, 24, every_weeks=1, places=15),
    Ware(EXAM, COURSE, "Exam Preparation", 4, 12, every_weeks=4, places=8),
    Ware(BUSINESS, COURSE, "English for Business", 1, 4, every_weeks=2, places=6),
    Ware(HOMESTAY, LODGING, "Homestay, Half Board", 1, 24),
    Ware(RESIDENCE, LODGING, "Student Residence", 1, 50),
    Ware(BOOKS, EXTRA, "Course Books"),
    Ware(INSURANCE, EXTRA, "Travel Insurance"),
    Ware(ARRIVAL, TRANSFER, "Airport to School"),
    Ware(DEPARTURE, TRANSFER, "School to Airport"),
)

EVERYWHERE: Final = (GENERAL, RESIDENCE, BOOKS, INSURANCE, ARRIVAL)
BRIGHTON: Final = School(
    reference="S333",
    name="Brighton",
    city="Brighton",
    country="GB",
    time_zone="Europe/London",
    minimum_age=16,
    sells=(*EVERYWHERE, EXAM, HOMESTAY, DEPARTURE),
)
"""The school in the sample of [004]."""

MALTA: Final = School(
    reference="S350",
    name="Malta",
    city="St Julian's",
    country="MT",
    time_zone="Europe/Malta",
    minimum_age=16,
    sells=(*EVERYWHERE, EXAM, HOMESTAY),
)
BOSTON: Final = School(
    reference="S361",
    name="Boston",
    city="Boston",
    country="US",
    time_zone="America/New_York",
    minimum_age=18,
    sells=(*EVERYWHERE, BUSINESS),
)
SCHOOLS: Final = (BRIGHTON, MALTA, BOSTON)

OFFICES: Final = (
    Office(
        "2983",
        "Agent Company",
        "Madrid",
        "ES",
        ("Anna", "Polishchuk", "anna.polishchuk@agentcompany.com"),
        "Calle de Alcalá",
        "28014",
        "+34 91 555 01",
    ),
    Office(
        "2991",
        "Agent Company",
        "São Paulo",
        "BR",
        ("Luis", "Ferreira", "agent@example.com"),
        "Rua Augusta",
        "01305-000",
        "+55 11 5550 01",
    ),
    Office(
        "3105",
        "Sakura Study Abroad",
        "Tokyo",
        "JP",
        ("Emi", "Hayashi", "emi.hayashi@example.com"),
        "Jingūmae",
        "150-0001",
        "+81 3 5550 01",
    ),
    Office(
        "3240",
        "Köprü Language Travel",
        "Istanbul",
        "TR",
        ("Deniz", "Aksoy", "deniz.aksoy@example.com"),
        "İstiklal Caddesi",
        "34430",
        "+90 212 555 01",
    ),
)


async def make_schools(storage: Storage, viewer: Viewer, now: datetime) -> None:
    """Create the schools, the agent offices, the products and the offers."""
    await carry_out(storage, upsert_centres, _centres(viewer))
    await carry_out(storage, upsert_agent_offices, _offices(viewer))
    await carry_out(storage, upsert_products, _products(viewer))
    await carry_out(storage, offer_products, list(_offers(viewer, now)))


def monday(now: datetime, week: int) -> date:
    """The Monday of a week, counted from this week."""
    today = now.date()
    return today - timedelta(days=today.weekday()) + timedelta(weeks=week)


def start_dates(ware: Ware, school: School, now: datetime) -> tuple[date, ...]:
    """The start dates of a course at a school; empty for other products."""
    if ware.every_weeks is None:
        return ()
    weeks = range(FIRST_WEEK, LAST_WEEK, ware.every_weeks)
    dates = tuple(monday(now, week) for week in weeks)
    is_of_sample = (school, ware.code) == (BRIGHTON, GENERAL)
    return (SAMPLE_STARTS_ON, *dates) if is_of_sample else dates


def _centres(viewer: Viewer) -> list[UpsertCentre]:
    return [
        UpsertCentre(
            viewer=viewer,
            reference=school.reference,
            name=school.name,
            time_zone=school.time_zone,
            city=school.city,
            country=school.country,
            is_school=True,
            minimum_age=school.minimum_age,
        )
        for school in SCHOOLS
    ]


def _offices(viewer: Viewer) -> list[UpsertAgentOffice]:
    return [
        UpsertAgentOffice(
            viewer=viewer,
            code=office.code,
            name=f"{office.agency}, {office.city}",
            agency=office.agency,
        )
        for office in OFFICES
    ]


def _products(viewer: Viewer) -> list[UpsertProduct]:
    return [
        UpsertProduct(
            viewer=viewer,
            code=ware.code,
            kind=ware.kind,
            name=ware.name,
            min_weeks=ware.min_weeks,
            max_weeks=ware.max_weeks,
        )
        for ware in WARES
    ]


def _offers(viewer: Viewer, now: datetime) -> Iterator[OfferProduct]:
    for school in SCHOOLS:
        for ware in WARES:
            if ware.code in school.sells:
                yield OfferProduct(
                    viewer=viewer,
                    product=ByReference(ware.code),
                    centre=ByReference(school.reference),
                    start_dates=start_dates(ware, school, now),
                    capacity=ware.places,
                )
