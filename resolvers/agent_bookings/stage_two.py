"""Stage 2 `[004]`: checks whether a submission is possible, with messages for business users. Pure.

Messages use names that people know; `rule` and `path` are for programs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from resolvers.agent_bookings.dates import end_of
from resolvers.agent_bookings.submission import Content, Stay, stays_in
from resolvers.storage.tables import AgentOffice, Centre, Product, ProductOffer
from resolvers.values import frozen
from resolvers.vocabulary import ProductKind

NIGHTS_AROUND = timedelta(days=2)
"""How much earlier than the first course lodging may start, and how much later than the last
end."""

WORDS = {
    ProductKind.COURSE: "Course",
    ProductKind.LODGING: "Accommodation",
    ProductKind.OPTIONAL_EXTRA: "Optional extra",
    ProductKind.AIRPORT_TRANSFER: "Transfer",
}
"""The source's names of the kinds of product."""

LISTS = {
    ProductKind.COURSE: "courses",
    ProductKind.LODGING: "lodging",
    ProductKind.OPTIONAL_EXTRA: "optionalExtras",
    ProductKind.AIRPORT_TRANSFER: "airportTransfers",
}
"""The member of a submission for each kind."""

AT_SCHOOLS = frozenset({ProductKind.COURSE, ProductKind.LODGING, ProductKind.OPTIONAL_EXTRA})
"""The kinds that the school must offer."""


@frozen
class Message:
    """A reason why a booking is not possible."""

    message: str
    rule: str
    path: tuple[str, ...]

    def as_kept(self) -> dict[str, Any]:
        return {"message": self.message, "rule": self.rule, "path": list(self.path)}


@frozen
class OfferAvailability:
    """A product at a school: the requested dates on which it starts, and the places left on each
    for this booking; None means unlimited."""

    offer: ProductOffer
    starts_on: frozenset[date]
    free: Callable[[date], int | None]


@frozen
class Catalogue:
    """The reference data of a booking; offers by the product's code."""

    office: AgentOffice | None
    school: Centre | None
    products: Mapping[str, Product]
    offers: Mapping[str, OfferAvailability]


def check(content: Content, known: Catalogue) -> list[Message]:
    """All reasons why a valid submission is not possible, in its order.

    Rules: OFFICE, SCHOOL, PRODUCT, OFFER, START_DATE, WEEKS, COURSES_OVERLAP, LODGING_DATES,
    MINIMUM_AGE, COURSE_FULL.
    """
    courses = stays_in(content, "courses")
    return [
        *_office(content, known),
        *_school(content, known),
        *_age(content, courses, known),
        *_products(content, known),
        *_overlaps(courses, known),
        *_lodging(stays_in(content, "lodging"), courses, known),
    ]


def _office(content: Content, known: Catalogue) -> Iterator[Message]:
    code, path = content["agentOfficeCode"], ("input", "agentOfficeCode")
    if known.office is None:
        yield Message(f"Agent office '{code}' isn't known", "OFFICE", path)
    elif not known.office.active:
        yield Message(f"Agent office '{known.office.name}' isn't active", "OFFICE", path)


def _school(content: Content, known: Catalogue) -> Iterator[Message]:
    code, path = content["schoolCode"], ("input", "schoolCode")
    if known.school is None:
        yield Message(f"School '{code}' isn't known", "SCHOOL", path)
    elif not known.school.is_school:
        yield Message(f"'{known.school.name}' isn't a school", "SCHOOL", path)


def _age(content: Content, courses: Sequence[Stay], known: Catalogue) -> Iterator[Message]:
    least = None if known.school is None else known.school.minimum_age
    if known.school is None or least is None:
        return
    born = date.fromisoformat(content["student"]["dateOfBirth"])
    first = min(course.date_from for course in courses)
    if age(born, first) < least:
        yield Message(
            f"The student must be at least {least} years old on {first} for '{known.school.name}'",
            "MINIMUM_AGE",
            ("input", "student", "dateOfBirth"),
        )


def age(born: date, on: date) -> int:
    """The age in years on a day. A birthday on 29 February counts on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _products(content: Content, known: Catalogue) -> Iterator[Message]:
    for kind, name in LISTS.items():
        for n, requested in enumerate(content[name]):
            at = ("input", name, str(n))
            product = known.products.get(requested["code"])
            if product is None or product.kind is not kind:
                text = f"{WORDS[kind]} '{requested['code']}' isn't known"
                yield Message(text, "PRODUCT", (*at, "code"))
            elif not product.active:
                text = f"{WORDS[kind]} '{product.name}' can't be booked any more"
                yield Message(text, "PRODUCT", (*at, "code"))
            else:
                yield from _at_school(kind, product, known, *at)
                if kind in {ProductKind.COURSE, ProductKind.LODGING}:
                    yield from _weeks(product, requested["numberOfWeeks"], *at)
                if kind is ProductKind.COURSE:
                    day = date.fromisoformat(requested["dateFrom"])
                    yield from _begins(product, day, known, *at)


def _at_school(
    kind: ProductKind, product: Product, known: Catalogue, *at: str
) -> Iterator[Message]:
    if known.school is None or kind not in AT_SCHOOLS:
        return
    if product.code not in known.offers:
        text = f"'{product.name}' isn't offered in '{known.school.name}'"
        yield Message(text, "OFFER", (*at, "code"))


def _begins(product: Product, day: date, known: Catalogue, *at: str) -> Iterator[Message]:
    """The source's rule for start dates, in our wording (C-19), and the check for a place."""
    offered = known.offers.get(product.code)
    if offered is None or known.school is None:
        return
    course, school, path = product.name, known.school.name, (*at, "dateFrom")
    if day not in offered.starts_on:
        text = f"{day} isn't a valid start date for '{course}' in '{school}'"
        yield Message(text, "START_DATE", path)
    elif offered.free(day) == 0:
        text = f"'{course}' in '{school}' has no place left from {day}"
        yield Message(text, "COURSE_FULL", path)


def _weeks(product: Product, weeks: int, *at: str) -> Iterator[Message]:
    least, most = product.min_weeks, product.max_weeks
    path = (*at, "numberOfWeeks")
    if least is not None and weeks < least:
        text = f"'{product.name}' is for at least {_in_words(least)}, not {weeks}"
        yield Message(text, "WEEKS", path)
    if most is not None and weeks > most:
        text = f"'{product.name}' is for at most {_in_words(most)}, not {weeks}"
        yield Message(text, "WEEKS", path)


def _in_words(weeks: int) -> str:
    return "1 week" if weeks == 1 else f"{weeks} weeks"


def _overlaps(courses: Sequence[Stay], known: Catalogue) -> Iterator[Message]:
    """Each course that starts before an earlier one has ended."""
    in_time = sorted(enumerate(courses), key=lambda one: (one[1].date_from, one[0]))
    longest = in_time[0]
    for earlier, (n, course) in pairwise(in_time):
        longest = max(longest, earlier, key=lambda one: end_of(one[1]))
        if course.date_from < end_of(longest[1]):
            name, other = _name(course, known), _name(longest[1], known)
            yield Message(
                f"'{name}' from {course.date_from} begins before '{other}' has ended"
                f" on {end_of(longest[1])}",
                "COURSES_OVERLAP",
                ("input", "courses", str(n), "dateFrom"),
            )


def _lodging(
    lodging: Iterable[Stay], courses: Sequence[Stay], known: Catalogue
) -> Iterator[Message]:
    earliest = min(course.date_from for course in courses) - NIGHTS_AROUND
    latest = max(end_of(course) for course in courses) + NIGHTS_AROUND
    for n, stay in enumerate(lodging):
        if stay.date_from < earliest or end_of(stay) > latest:
            yield Message(
                f"'{_name(stay, known)}' from {stay.date_from} to {end_of(stay)} isn't within the"
                f" nights from {earliest} to {latest} around the courses",
                "LODGING_DATES",
                ("input", "lodging", str(n), "dateFrom"),
            )


def _name(stay: Stay, known: Catalogue) -> str:
    product = known.products.get(stay.code)
    return stay.code if product is None else product.name
