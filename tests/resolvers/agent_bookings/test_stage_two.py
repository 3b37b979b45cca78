"""Stage 2: all unavailable parts are reported at once. These rules need no database."""

from dataclasses import replace
from datetime import date

import pytest

from resolvers.agent_bookings.stage_two import Catalogue, OfferAvailability, age, check
from resolvers.agent_bookings.submission import RequestedProduct, content_of, tidied
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import AgentOffice, Centre, Product, ProductOffer
from resolvers.vocabulary import ProductKind
from tests.resolvers.agent_bookings.conftest import MONDAYS, SAMPLE, student

OFFICE = new_row(AgentOffice, id=new_key(), code="2983", name="Madrid", agency="Study Abroad")
SCHOOL = new_row(
    Centre, id=new_key(), reference="S333", name="Brighton", is_school=True, minimum_age=16
)


def product(code: str, kind: ProductKind, name: str, **values: object) -> Product:
    return new_row(Product, id=new_key(), code=code, kind=kind, name=name, **values)


ENGLISH = product("C92", ProductKind.COURSE, "General English", min_weeks=2, max_weeks=4)
HOMESTAY = product("A78", ProductKind.LODGING, "Homestay", max_weeks=12)
TEXTBOOK = product("E33", ProductKind.OPTIONAL_EXTRA, "Textbook")
GATWICK = product("TRN88", ProductKind.AIRPORT_TRANSFER, "Gatwick")
PRODUCTS = {each.code: each for each in (ENGLISH, HOMESTAY, TEXTBOOK, GATWICK)}


def offered(free: int | None = None) -> OfferAvailability:
    return OfferAvailability(
        new_row(ProductOffer, id=new_key()), frozenset(MONDAYS), lambda _: free
    )


KNOWN = Catalogue(
    OFFICE, SCHOOL, PRODUCTS, {code: offered() for code in PRODUCTS if code != "TRN88"}
)

COURSE, LODGING = SAMPLE.courses[0], SAMPLE.lodging[0]


def told(submission=SAMPLE, known=KNOWN):
    messages = check(content_of(tidied(submission)), known)
    return [(m.message, m.rule, ".".join(m.path).removeprefix("input.")) for m in messages]


def with_product(changed):
    return replace(KNOWN, products={**PRODUCTS, changed.code: changed})


def course(**values):
    return replace(SAMPLE, courses=(replace(COURSE, **values),), lodging=())


def lodging(**values):
    return replace(SAMPLE, lodging=(replace(LODGING, **values),))


def without(*codes):
    """Return a school without these offers."""
    return replace(
        KNOWN, offers={code: each for code, each in KNOWN.offers.items() if code not in codes}
    )


def inactive(row):
    return row._replace(active=False)


def test_possible():
    assert told() == []


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (
            replace(KNOWN, office=None),
            ("Agent office '2983' isn't known", "OFFICE", "agentOfficeCode"),
        ),
        (
            replace(KNOWN, office=inactive(OFFICE)),
            ("Agent office 'Madrid' isn't active", "OFFICE", "agentOfficeCode"),
        ),
        (
            replace(KNOWN, school=None, offers={}),
            ("School 'S333' isn't known", "SCHOOL", "schoolCode"),
        ),
        (
            replace(KNOWN, school=SCHOOL._replace(is_school=False)),
            ("'Brighton' isn't a school", "SCHOOL", "schoolCode"),
        ),
        (
            with_product(inactive(HOMESTAY)),
            (
                "Accommodation 'Homestay' can't be booked any more",
                "PRODUCT",
                "lodging.0.code",
            ),
        ),
        (
            with_product(GATWICK._replace(kind=ProductKind.COURSE)),
            ("Transfer 'TRN88' isn't known", "PRODUCT", "airportTransfers.0.code"),
        ),
        (
            without("C92"),
            ("'General English' isn't offered in 'Brighton'", "OFFER", "courses.0.code"),
        ),
        (
            without("A78"),
            ("'Homestay' isn't offered in 'Brighton'", "OFFER", "lodging.0.code"),
        ),
        (
            without("E33"),
            (
                "'Textbook' isn't offered in 'Brighton'",
                "OFFER",
                "optionalExtras.0.code",
            ),
        ),
        (
            replace(KNOWN, offers={**KNOWN.offers, "C92": offered(free=0)}),
            (
                "'General English' in 'Brighton' has no place left from 2027-03-15",
                "COURSE_FULL",
                "courses.0.dateFrom",
            ),
        ),
        (replace(KNOWN, offers={**KNOWN.offers, "C92": offered(free=1)}), None),
    ],
)
def test_what_is_there(known, expected):
    """Offices, schools, products and offers must exist, be active, and have places left."""
    assert told(known=known) == ([] if expected is None else [expected])


TOO_EARLY = "'Homestay' from {} to {} isn't within the nights from 2027-03-13 to 2027-04-07"


@pytest.mark.parametrize(
    ("submission", "expected"),
    [
        # the source's message in our wording
        (
            course(date_from=date(2027, 3, 16)),
            (
                "2027-03-16 isn't a valid start date for 'General English' in 'Brighton'",
                "START_DATE",
                "courses.0.dateFrom",
            ),
        ),
        (
            course(number_of_weeks=1),
            (
                "'General English' is for at least 2 weeks, not 1",
                "WEEKS",
                "courses.0.numberOfWeeks",
            ),
        ),
        (course(number_of_weeks=2), None),
        (course(number_of_weeks=4), None),
        (
            course(number_of_weeks=5),
            ("'General English' is for at most 4 weeks, not 5", "WEEKS", "courses.0.numberOfWeeks"),
        ),
        # the course is from 15 March to 5 April
        (lodging(date_from=date(2027, 3, 13)), None),
        (
            lodging(date_from=date(2027, 3, 12)),
            (
                f"{TOO_EARLY.format('2027-03-12', '2027-04-02')} around the courses",
                "LODGING_DATES",
                "lodging.0.dateFrom",
            ),
        ),
        (lodging(date_from=date(2027, 3, 17)), None),
        (
            lodging(date_from=date(2027, 3, 18)),
            (
                f"{TOO_EARLY.format('2027-03-18', '2027-04-08')} around the courses",
                "LODGING_DATES",
                "lodging.0.dateFrom",
            ),
        ),
        (student(date_of_birth=date(2011, 3, 15)), None),
        (
            student(date_of_birth=date(2011, 3, 16)),
            (
                "The student must be at least 16 years old on 2027-03-15 for 'Brighton'",
                "MINIMUM_AGE",
                "student.dateOfBirth",
            ),
        ),
        # one ends on the day on which the other begins
        (replace(SAMPLE, courses=(COURSE, replace(COURSE, date_from=MONDAYS[2]))), None),
        (
            replace(SAMPLE, courses=(COURSE, replace(COURSE, date_from=MONDAYS[1]))),
            (
                "'General English' from 2027-03-22 begins before 'General English' has ended on"
                " 2027-04-05",
                "COURSES_OVERLAP",
                "courses.1.dateFrom",
            ),
        ),
    ],
)
def test_what_is_asked_for(submission, expected):
    assert told(submission) == ([] if expected is None else [expected])


def test_a_long_course_overlaps_whatever_follows():
    """A long course conflicts with every later course that it overlaps, not only the next."""
    four = replace(COURSE, number_of_weeks=4)
    two = replace(COURSE, date_from=MONDAYS[1], number_of_weeks=2)
    third = replace(COURSE, date_from=MONDAYS[2], number_of_weeks=2)

    messages = told(replace(SAMPLE, courses=(third, two, four), lodging=()))

    assert [(rule, path) for _, rule, path in messages] == [
        ("COURSES_OVERLAP", "courses.1.dateFrom"),
        ("COURSES_OVERLAP", "courses.0.dateFrom"),
    ]


def test_everything_at_once():
    """Errors are in the submission's order, without parts that cannot be checked."""
    submission = replace(
        course(date_from=date(2027, 3, 16), number_of_weeks=9),
        optional_extras=(RequestedProduct(code="?", quantity=1),),
    )

    messages = told(submission, replace(KNOWN, office=None))

    assert [rule for _, rule, _ in messages] == ["OFFICE", "WEEKS", "START_DATE", "PRODUCT"]


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 3, 2), date(2026, 3, 1), 17),
        (date(2008, 3, 1), date(2026, 3, 1), 18),
    ],
)
def test_age(born, on, years):
    assert age(born, on) == years
