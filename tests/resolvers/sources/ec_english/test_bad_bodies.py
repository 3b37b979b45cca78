"""What is wrong in a body, at its own members and in the words of [004]; domain.md, 5.3 and 5.4."""

from typing import Any

import pytest

from resolvers.checks import PLAIN_LIST
from tests.resolvers.sources.conftest import Snapshot, fates
from tests.resolvers.sources.ec_english.conftest import (
    LEFT_OUT,
    ImportBookings,
    body,
    changed,
    text_of,
)

Told = list[tuple[str, str, str]]

BORN = "must be from 1900-01-01 to today"
STUDENT, CONTACT = "Booking__Student__", "Booking__AgentContact__"
HOMESTAY = {
    "Smoking": "NonSmoking",
    "Pets": "NoPreference",
    "Children": "Children",
    "VegetarianMeals": True,
}


async def told(imports: ImportBookings, given: Any) -> Told:
    """Where, which code, which words."""
    report = await imports(given)
    return [(r.path, r.code, r.message) for row in report.refused for r in row.reasons]


async def test_the_mistakes_of_the_source(imports: ImportBookings, snapshot: Snapshot) -> None:
    """Its sample answer, word for word and both at once; nothing is stored."""
    empty = await snapshot()

    found = await told(
        imports,
        body(Booking__Student__FirstNames="B" * 101, Booking__Student__DateOfBirth=LEFT_OUT),
    )

    assert found == [
        (
            "$.Booking.Student.FirstNames",
            "STRING_LENGTH",
            "'FirstNames' must be between 0 and 100 characters",
        ),
        ("$.Booking.Student.DateOfBirth", "REQUIRED", "'DateOfBirth' is required"),
    ]
    assert await snapshot() == empty


@pytest.mark.parametrize(
    ("path", "value", "code", "words"),
    [
        (STUDENT + "DateOfBirth", "31/02/1993", "INVALID_DATE", "is not a valid date"),
        (STUDENT + "DateOfBirth", "1993-02-30", "INVALID_DATE", "is not a valid date"),
        (STUDENT + "DateOfBirth", "19930220", "INVALID_DATE", "is not a valid date"),
        (STUDENT + "DateOfBirth", 1993, "INVALID_DATE", "is not a valid date"),
        (STUDENT + "DateOfBirth", "", "REQUIRED", "is required"),
        (STUDENT + "DateOfBirth", "1899-12-31", "OUT_OF_RANGE", BORN),
        (STUDENT + "DateOfBirth", "2999-01-01", "OUT_OF_RANGE", BORN),
        (STUDENT + "Gender", "male", "INVALID_VALUE", "must be one of Male, Female"),
        (STUDENT + "Gender", None, "REQUIRED", "is required"),
        (STUDENT + "Email", "bobby", "INVALID_EMAIL", "is not a valid email address"),
        (CONTACT + "Email", LEFT_OUT, "REQUIRED", "is required"),
        (CONTACT + "Telephone", "0" * 21, "STRING_LENGTH", "must be between 0 and 20 characters"),
        (CONTACT + "FirstNames", 5, "INVALID_VALUE", "must be a text"),
        (
            STUDENT + "NationalityIsoCode",
            "es",
            "INVALID_COUNTRY_CODE",
            "is not a valid country code",
        ),
        (STUDENT + "Address__CountryIsoCode", " ", "REQUIRED", "is required"),
        (STUDENT + "EmergencyContact__Phone", None, "REQUIRED", "is required"),
        (STUDENT + "ShoeSize", 44, "INVALID_VALUE", "is not a member of this document"),
        ("Nonsense", "", "INVALID_VALUE", "is not a member of this document"),
        ("Booking__AgentOfficeCode", 2983, "INVALID_VALUE", "must be a text"),
        (
            "Booking__SchoolCode",
            "S" * 11,
            "STRING_LENGTH",
            "must be between 0 and 10 characters",
        ),
        ("Booking__Student", None, "REQUIRED", "is required"),
        ("Booking", None, "REQUIRED", "is required"),
        ("Booking__Courses", [], "REQUIRED", "is required"),
        ("Booking__Courses", "C92", "INVALID_VALUE", "must be an array"),
        (
            "Booking__Transfers",
            [{"TransferCode": "T"}] * (PLAIN_LIST + 1),
            "OUT_OF_RANGE",
            f"must have from 0 to {PLAIN_LIST} elements",
        ),
        ("Booking__Courses__0__NumberOfWeeks", "3", "INVALID_VALUE", "must be a whole number"),
        ("Booking__Courses__0__NumberOfWeeks", 0, "OUT_OF_RANGE", "must be from 1 to 1000"),
        (
            "Booking__Courses__0__DateFrom",
            "2016-03-14T00:00:00",
            "INVALID_DATE",
            "is not a valid date",
        ),
        ("Booking__Accommodation__0__AccommodationCode", LEFT_OUT, "REQUIRED", "is required"),
        ("Booking__OptionalExtras__0__Quantity", "one", "INVALID_VALUE", "must be a whole number"),
        ("Booking__OptionalExtras__0__Quantity", "1.0", "INVALID_VALUE", "must be a whole number"),
        ("Booking__OptionalExtras__0__Quantity", True, "INVALID_VALUE", "must be a whole number"),
        ("Booking__OptionalExtras__0__Quantity", "0", "OUT_OF_RANGE", "must be from 1 to 100000"),
        ("Booking__OptionalExtras__0__Quantity", "-1", "OUT_OF_RANGE", "must be from 1 to 100000"),
        (
            "Booking__SpecialRequirements__Allergies",
            "n" * 501,
            "STRING_LENGTH",
            "must be between 0 and 500 characters",
        ),
    ],
)
async def test_each_mistake_is_told_once(
    imports: ImportBookings, path: str, value: Any, code: str, words: str
) -> None:
    """At its member; what cannot be read is not missing as well."""
    found = await told(imports, body(**{path: value}))

    names = path.split("__")
    place = "$" + "".join(f"[{name}]" if name.isdigit() else f".{name}" for name in names)
    assert found == [(place, code, f"'{names[-1]}' {words}")]


@pytest.mark.parametrize("path", ["Booking", "Booking__Student", "Booking__Courses__0"])
async def test_what_is_no_object_is_told_once(imports: ImportBookings, path: str) -> None:
    """And not what is missing in it."""
    found = await told(imports, body(**{path: "x"}))

    assert [words for _, _, words in found] == ["An object is expected here."]


async def test_homestay_preferences_are_all_of_them(imports: ImportBookings) -> None:
    """Each is required once there are any, and is one of the source's words."""
    missing = await told(imports, body(Booking__HomestayPreferences={}))
    wrong = await told(
        imports,
        body(
            Booking__HomestayPreferences={
                **HOMESTAY,
                "Smoking": "Never",
                "Pets": 1,
                "VegetarianMeals": "yes",
            }
        ),
    )
    right = await imports(body(Booking__HomestayPreferences=HOMESTAY))

    assert [words for _, _, words in missing] == [f"'{name}' is required" for name in HOMESTAY]
    assert wrong == [
        (
            "$.Booking.HomestayPreferences.Smoking",
            "INVALID_VALUE",
            "'Smoking' must be one of NonSmoking, Smoking, NoPreference",
        ),
        (
            "$.Booking.HomestayPreferences.Pets",
            "INVALID_VALUE",
            "'Pets' must be one of NoPets, Pets, NoPreference",
        ),
        (
            "$.Booking.HomestayPreferences.VegetarianMeals",
            "INVALID_VALUE",
            "'VegetarianMeals' must be true or false",
        ),
    ]
    assert fates(right) == ["made"]


async def test_all_mistakes_are_told_at_once(imports: ImportBookings) -> None:
    """Types, members that nobody knows, and stage 1's own: one answer."""
    found = await told(
        imports,
        changed(
            AgentBookingId="X" * 51,
            Extra=1,
            Booking__AgentContact__FirstNames="A" * 101,
            Booking__Student__FirstNames="",
            Booking__Student__DateOfBirth="soon",
            Booking__Student__Gender="Other",
            Booking__Courses__0__CourseCode=None,
            Booking__OptionalExtras__0__Quantity="few",
        ),
    )

    assert sorted((path, code) for path, code, _ in found) == [
        ("$.AgentBookingId", "STRING_LENGTH"),
        ("$.Booking.AgentContact.FirstNames", "STRING_LENGTH"),
        ("$.Booking.Courses[0].CourseCode", "REQUIRED"),
        ("$.Booking.OptionalExtras[0].Quantity", "INVALID_VALUE"),
        ("$.Booking.Student.DateOfBirth", "INVALID_DATE"),
        ("$.Booking.Student.FirstNames", "REQUIRED"),
        ("$.Booking.Student.Gender", "INVALID_VALUE"),
        ("$.Extra", "INVALID_VALUE"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "values"),
    [
        ("<NumberOfWeeks>3<", "<NumberOfWeeks>x<", {"Booking__Courses__0__NumberOfWeeks": "x"}),
        ("<DateOfBirth>1993", "<DateOfBirth>93", {STUDENT + "DateOfBirth": "93-02-20"}),
        ("<Gender>Male</Gender>", "<Gender />", {STUDENT + "Gender": None}),
        ("<Quantity>1<", "<Quantity>0<", {"Booking__OptionalExtras__0__Quantity": 0}),
        ("<Student>", "<Student><Shoes>44</Shoes>", {STUDENT + "Shoes": "44"}),
        ("<CourseCode>C92</CourseCode>", "", {"Booking__Courses__0__CourseCode": LEFT_OUT}),
    ],
)
async def test_xml_is_refused_like_json(
    imports: ImportBookings, before: str, after: str, values: dict[str, Any]
) -> None:
    """The same mistake, told with the same words at the same place."""
    xml, course = text_of("booking.xml"), text_of("booking.xml").index("<Courses>")
    at = course if "Weeks" in before else 0
    xml = xml[:at] + xml[at:].replace(before, after, 1)

    assert await told(imports, xml) == await told(imports, body(**values)) != []


async def test_homestay_preferences_are_read_from_xml(imports: ImportBookings) -> None:
    """A flag is a word there."""
    words = {**HOMESTAY, "VegetarianMeals": "true"}
    inside = "".join(f"<{name}>{word}</{name}>" for name, word in words.items())
    xml = text_of("booking.xml").replace(
        '<HomestayPreferences i:nil="true" />',
        f"<HomestayPreferences>{inside}</HomestayPreferences>",
    )

    first = await imports(body(Booking__HomestayPreferences=HOMESTAY))
    again = await imports(xml)

    assert (fates(first), fates(again)) == (["made"], ["unchanged"])
