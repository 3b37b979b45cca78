"""A submission of an agency `[004]` as plain values; None means omitted."""

from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any, TypeVar

from resolvers.contacts import Address, EmergencyContact
from resolvers.texts import normalized
from resolvers.values import frozen
from resolvers.vocabulary import (
    ChildrenPreference,
    Gender,
    PetsPreference,
    ProductKind,
    SmokingPreference,
)

T = TypeVar("T")

Content = dict[str, Any]
"""A submission as it is stored, with the names of the contract's AgentBooking."""


@frozen(kw_only=True)
class AgentContact:
    """The contact person at the agency."""

    first_names: str | None = None
    last_name: str | None = None
    telephone: str | None = None
    mobile: str | None = None
    email: str | None = None


@frozen(kw_only=True)
class Student:
    """The student of a booking."""

    first_names: str | None = None
    last_name: str | None = None
    passport_number: str | None = None
    passport_issuing_country: str | None = None
    date_of_birth: date | None = None
    gender: Gender | None = None
    country_of_birth: str | None = None
    nationality: str | None = None
    email: str | None = None
    telephone: str | None = None
    mobile: str | None = None
    address: Address | None = None
    emergency_contact: EmergencyContact | None = None


@frozen(kw_only=True)
class RequestedProduct:
    """A requested product. A stay has a start and weeks; an extra has a quantity."""

    code: str | None = None
    date_from: date | None = None
    number_of_weeks: int | None = None
    quantity: int | None = None


@frozen(kw_only=True)
class SpecialRequirements:
    """The student's special requirements."""

    medical_condition: str | None = None
    allergies: str | None = None
    general: str | None = None


@frozen(kw_only=True)
class HomestayPreferences:
    """The student's preferences for a homestay."""

    smoking: SmokingPreference | None = None
    pets: PetsPreference | None = None
    children: ChildrenPreference | None = None
    vegetarian_meals: bool | None = None


@frozen(kw_only=True)
class Submission:
    """The content of one revision of a booking."""

    agent_booking_id: str | None
    agent_office_code: str | None = None
    agent_contact: AgentContact | None = None
    school_code: str | None = None
    language_level: str | None = None
    student: Student | None = None
    courses: tuple[RequestedProduct, ...] = ()
    lodging: tuple[RequestedProduct, ...] = ()
    optional_extras: tuple[RequestedProduct, ...] = ()
    airport_transfers: tuple[RequestedProduct, ...] = ()
    special_requirements: SpecialRequirements | None = None
    homestay_preferences: HomestayPreferences | None = None

    @property
    def requested_products(self) -> dict[ProductKind, tuple[RequestedProduct, ...]]:
        """The requested products by kind, in the order of the submission."""
        return {
            ProductKind.COURSE: self.courses,
            ProductKind.LODGING: self.lodging,
            ProductKind.OPTIONAL_EXTRA: self.optional_extras,
            ProductKind.AIRPORT_TRANSFER: self.airport_transfers,
        }


@frozen
class Stay:
    """A course or a lodging of a valid submission."""

    code: str
    date_from: date
    number_of_weeks: int


def stays_in(content: Content, *names: str) -> list[Stay]:
    """The stays of some kinds (`courses`, `lodging`) in stored content."""
    return [
        Stay(stay["code"], date.fromisoformat(stay["dateFrom"]), stay["numberOfWeeks"])
        for name in names
        for stay in content[name]
    ]


def tidied(value: T) -> T:
    """The submission with normalized texts, and None for texts without a visible character.

    The source's sample has blank optional texts.
    """
    tidy: Any = value
    if isinstance(value, str):
        tidy = normalized(value) or None
    elif isinstance(value, tuple):
        tidy = tuple(tidied(element) for element in value)
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: tidied(getattr(value, field.name)) for field in fields(value)}
        tidy = replace(value, **parts)
    return tidy  # type: ignore[no-any-return]


def content_of(submission: Submission) -> Content:
    """A valid submission as it is stored. Equal contents are equal submissions."""
    student, contact = submission.student, submission.agent_contact
    special, homestay = submission.special_requirements, submission.homestay_preferences
    assert student is not None
    assert contact is not None
    return {
        "agentOfficeCode": submission.agent_office_code,
        "agentContact": {
            "firstNames": contact.first_names,
            "lastName": contact.last_name,
            "telephone": contact.telephone,
            "mobile": contact.mobile,
            "email": contact.email,
        },
        "schoolCode": submission.school_code,
        "languageLevel": submission.language_level,
        "student": _student(student),
        "courses": [_stay(requested) for requested in submission.courses],
        "lodging": [_stay(requested) for requested in submission.lodging],
        "optionalExtras": [
            {"code": requested.code, "quantity": requested.quantity}
            for requested in submission.optional_extras
        ],
        "airportTransfers": [
            {"code": requested.code} for requested in submission.airport_transfers
        ],
        "specialRequirements": special
        and {
            "medicalCondition": special.medical_condition,
            "allergies": special.allergies,
            "general": special.general,
        },
        "homestayPreferences": homestay
        and {
            "smoking": homestay.smoking,
            "pets": homestay.pets,
            "children": homestay.children,
            "vegetarianMeals": homestay.vegetarian_meals,
        },
    }


def _student(student: Student) -> dict[str, Any]:
    address, contact = student.address, student.emergency_contact
    return {
        "firstNames": student.first_names,
        "lastName": student.last_name,
        "passportNumber": student.passport_number,
        "passportIssuingCountry": student.passport_issuing_country,
        "dateOfBirth": student.date_of_birth and student.date_of_birth.isoformat(),
        "gender": student.gender,
        "countryOfBirth": student.country_of_birth,
        "nationality": student.nationality,
        "email": student.email,
        "telephone": student.telephone,
        "mobile": student.mobile,
        "address": address and address.as_kept(),
        "emergencyContact": contact and contact.as_kept(),
    }


def _stay(requested: RequestedProduct) -> dict[str, Any]:
    return {
        "code": requested.code,
        "dateFrom": requested.date_from and requested.date_from.isoformat(),
        "numberOfWeeks": requested.number_of_weeks,
    }
