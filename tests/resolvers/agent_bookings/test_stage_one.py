"""Stage 1: all errors at once, in the source's words [004]."""

from dataclasses import replace
from datetime import date

import pytest

from resolvers.agent_bookings.stage_one import check
from resolvers.agent_bookings.submission import (
    AgentContact,
    HomestayPreferences,
    RequestedProduct,
    SpecialRequirements,
    Submission,
    tidied,
)
from resolvers.contacts import Address, EmergencyContact
from resolvers.vocabulary import ChildrenPreference, PetsPreference
from tests.resolvers.agent_bookings.conftest import SAMPLE, student

CONTACT = SAMPLE.agent_contact
COURSE = SAMPLE.courses[0]
TODAY = date(2026, 11, 12)


def told(submission):
    """Return the code, source field, path and message of each error."""
    return [
        (
            mistake.code.value,
            mistake.field_name,
            ".".join(mistake.path),
            mistake.message,
        )
        for mistake in check(tidied(submission), today=TODAY)
    ]


def contact(**values):
    return replace(SAMPLE, agent_contact=replace(CONTACT, **values))


def course(**values):
    return replace(SAMPLE, courses=(COURSE, replace(COURSE, **values)))


def test_the_sample_is_in_order():
    """The sample is valid, with empty texts too."""
    assert told(SAMPLE) == []
    assert tidied(SAMPLE).student.address.state_province is None


def test_exact_words():
    """The messages match the source's sample, in one result; domain.md, example 9."""
    assert told(student(first_names="x" * 101, date_of_birth=None)) == [
        (
            "STRING_LENGTH",
            "FirstNames",
            "student.first_names",
            "'FirstNames' must be between 0 and 100 characters",
        ),
        ("REQUIRED", "DateOfBirth", "student.date_of_birth", "'DateOfBirth' is required"),
    ]


REQUIRED = [
    (replace(SAMPLE, agent_booking_id=""), "AgentBookingId", "agent_booking_id"),
    (replace(SAMPLE, agent_office_code=None), "AgentOfficeCode", "agent_office_code"),
    (replace(SAMPLE, agent_contact=None), "AgentContact", "agent_contact"),
    (contact(first_names=" "), "FirstNames", "agent_contact.first_names"),
    (contact(last_name=None), "LastName", "agent_contact.last_name"),
    (contact(email=""), "Email", "agent_contact.email"),
    (replace(SAMPLE, school_code=None), "SchoolCode", "school_code"),
    (replace(SAMPLE, student=None), "Student", "student"),
    (student(first_names=None), "FirstNames", "student.first_names"),
    (student(last_name=""), "LastName", "student.last_name"),
    (
        student(passport_issuing_country=None),
        "PassportIssuingCountryIsoCode",
        "student.passport_issuing_country",
    ),
    (student(date_of_birth=None), "DateOfBirth", "student.date_of_birth"),
    (student(gender=None), "Gender", "student.gender"),
    (student(country_of_birth=""), "CountryOfBirthIsoCode", "student.country_of_birth"),
    (student(nationality=None), "NationalityIsoCode", "student.nationality"),
    (student(address=None), "Address", "student.address"),
    (
        student(address=Address(country_iso_code=None)),
        "CountryIsoCode",
        "student.address.country_iso_code",
    ),
    (
        student(emergency_contact=EmergencyContact(phone=" ")),
        "Phone",
        "student.emergency_contact.phone",
    ),
    (replace(SAMPLE, courses=()), "Courses", "courses"),
    (course(code=None), "CourseCode", "courses.1.code"),
    (course(date_from=None), "DateFrom", "courses.1.date_from"),
    (course(number_of_weeks=None), "NumberOfWeeks", "courses.1.number_of_weeks"),
    (
        replace(SAMPLE, lodging=(replace(COURSE, code=""),)),
        "AccommodationCode",
        "lodging.0.code",
    ),
    (
        replace(SAMPLE, optional_extras=(RequestedProduct(quantity=1),)),
        "OptionalExtraCode",
        "optional_extras.0.code",
    ),
    (
        replace(SAMPLE, optional_extras=(RequestedProduct(code="E33"),)),
        "Quantity",
        "optional_extras.0.quantity",
    ),
    (
        replace(SAMPLE, airport_transfers=(RequestedProduct(),)),
        "TransferCode",
        "airport_transfers.0.code",
    ),
]


@pytest.mark.parametrize(("submission", "name", "path"), REQUIRED, ids=[r[2] for r in REQUIRED])
def test_required(submission, name, path):
    """A missing or blank field is named as in the source."""
    assert told(submission) == [("REQUIRED", name, path, f"'{name}' is required")]


def text_of(place, most):
    """Return the sample with a text of this length at a path."""
    *parents, last = place.split(".")
    value = "x" * most
    match parents:
        case []:
            return replace(SAMPLE, **{last: value})
        case ["agent_contact"]:
            return contact(**{last: value})
        case ["student"]:
            return student(**{last: value})
        case ["address"]:
            return student(address=replace(SAMPLE.student.address, **{last: value}))
        case ["emergency"]:
            known = SAMPLE.student.emergency_contact
            return student(emergency_contact=replace(known, **{last: value}))
        case ["special"]:
            return replace(SAMPLE, special_requirements=SpecialRequirements(**{last: value}))
        case ["courses"]:
            return replace(SAMPLE, courses=(replace(COURSE, code=value),))
        case ["lodging"]:
            return replace(SAMPLE, lodging=(replace(COURSE, code=value),))
        case ["extras"]:
            return replace(SAMPLE, optional_extras=(RequestedProduct(code=value, quantity=1),))
        case ["transfers"]:
            return replace(SAMPLE, airport_transfers=(RequestedProduct(code=value),))
    raise ValueError(place)


LENGTHS = [
    ("agent_booking_id", 50, "AgentBookingId"),
    ("agent_office_code", 10, "AgentOfficeCode"),
    ("agent_contact.first_names", 100, "FirstNames"),
    ("agent_contact.last_name", 100, "LastName"),
    ("agent_contact.telephone", 20, "Telephone"),
    ("agent_contact.mobile", 20, "Mobile"),
    ("school_code", 10, "SchoolCode"),
    ("language_level", 20, "LanguageLevel"),
    ("student.first_names", 100, "FirstNames"),
    ("student.last_name", 100, "LastName"),
    ("student.passport_number", 50, "PassportNumber"),
    ("student.telephone", 20, "Telephone"),
    ("student.mobile", 20, "Mobile"),
    ("address.line1", 100, "Line1"),
    ("address.line2", 100, "Line2"),
    ("address.city", 100, "City"),
    ("address.state_province", 100, "StateProvince"),
    ("address.postal_code", 20, "PostalCode"),
    ("emergency.name", 100, "Name"),
    ("emergency.phone", 20, "Phone"),
    ("emergency.relationship", 50, "Relationship"),
    ("courses.code", 10, "CourseCode"),
    ("lodging.code", 10, "AccommodationCode"),
    ("extras.code", 10, "OptionalExtraCode"),
    ("transfers.code", 10, "TransferCode"),
    ("special.medical_condition", 500, "MedicalCondition"),
    ("special.allergies", 500, "Allergies"),
    ("special.general", 500, "General"),
]


@pytest.mark.parametrize(("place", "most", "name"), LENGTHS, ids=[row[0] for row in LENGTHS])
def test_lengths(place, most, name):
    """A text can have as many characters as the source allows, and no more."""
    assert told(text_of(place, most)) == []
    [(code, field, _, message)] = told(text_of(place, most + 1))

    assert (code, field) == ("STRING_LENGTH", name)
    assert message == f"'{name}' must be between 0 and {most} characters"


@pytest.mark.parametrize(
    ("submission", "code", "name", "path"),
    [
        (contact(email="nobody"), "INVALID_EMAIL", "Email", "agent_contact.email"),
        (student(email="@"), "INVALID_EMAIL", "Email", "student.email"),
        (
            student(nationality="XX"),
            "INVALID_COUNTRY_CODE",
            "NationalityIsoCode",
            "student.nationality",
        ),
        (
            student(address=Address(country_iso_code="Spain")),
            "INVALID_COUNTRY_CODE",
            "CountryIsoCode",
            "student.address.country_iso_code",
        ),
        (course(number_of_weeks=0), "OUT_OF_RANGE", "NumberOfWeeks", "courses.1.number_of_weeks"),
        (
            course(number_of_weeks=1001),
            "OUT_OF_RANGE",
            "NumberOfWeeks",
            "courses.1.number_of_weeks",
        ),
        (course(date_from=date(1, 1, 1)), "OUT_OF_RANGE", "DateFrom", "courses.1.date_from"),
        (course(date_from=date.max), "OUT_OF_RANGE", "DateFrom", "courses.1.date_from"),
        (
            replace(SAMPLE, optional_extras=(RequestedProduct(code="E33", quantity=0),)),
            "OUT_OF_RANGE",
            "Quantity",
            "optional_extras.0.quantity",
        ),
        (replace(SAMPLE, courses=(COURSE,) * 501), "OUT_OF_RANGE", "Courses", "courses"),
        (replace(SAMPLE, lodging=(COURSE,) * 501), "OUT_OF_RANGE", "Accommodation", "lodging"),
        (
            replace(SAMPLE, airport_transfers=(RequestedProduct(code="T"),) * 501),
            "OUT_OF_RANGE",
            "Transfers",
            "airport_transfers",
        ),
        (student(last_name="a\0b"), "INVALID_VALUE", "LastName", "student.last_name"),
    ],
)
def test_values(submission, code, name, path):
    """Each invalid value has its own error."""
    [mistake] = told(submission)

    assert mistake[:3] == (code, name, path)
    assert mistake[3].startswith(f"'{name}' ")


def test_country_words():
    """Countries have the source's messages; domain.md, section 5.4."""
    [(*_, message)] = told(student(nationality="XX"))

    assert message == "'NationalityIsoCode' is not a valid country code"


def test_homestay_needs_all_four():
    """A homestay requires all four values; False is a value."""
    some = HomestayPreferences(pets=PetsPreference.PETS, vegetarian_meals=False)
    assert [m[1:3] for m in told(replace(SAMPLE, homestay_preferences=some))] == [
        ("Smoking", "homestay_preferences.smoking"),
        ("Children", "homestay_preferences.children"),
    ]
    children = replace(some, children=ChildrenPreference.CHILDREN)
    assert len(told(replace(SAMPLE, homestay_preferences=children))) == 1


def test_everything_at_once_in_the_sources_order():
    """The errors of an empty submission are in the source's order."""
    empty = Submission(agent_booking_id=None, agent_contact=AgentContact())

    assert [mistake[1] for mistake in told(empty)] == [
        "AgentBookingId",
        "AgentOfficeCode",
        "FirstNames",
        "LastName",
        "Email",
        "SchoolCode",
        "Student",
        "Courses",
    ]
