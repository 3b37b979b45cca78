"""The parts of an agent booking: student, contact and requested products `[004]`.

Personal data is null without VIEW_PII. A field that the contract makes non-null returns an error
instead, so callers without the permission must not select it.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import strawberry

from resolvers.agent_bookings.dates import last_day
from resolvers.vocabulary import (
    ChildrenPreference,
    Gender,
    Permission,
    PetsPreference,
    SmokingPreference,
)
from schema.grammar.contacts import Address, EmergencyContact, address_of, emergency_contact_of
from schema.grammar.context import Context
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, attribute, column, computed, derived, relation
from schema.grammar.scalars import CountryCode, EmailAddress
from schema.products.types import Product

PII = Permission.VIEW_PII


def personal(name: str, *, description: str, convert: Callable[[Any], Any] = str) -> Any:
    """A non-null value that requires VIEW_PII."""

    def read(row: Any, context: Context) -> Any:
        context.viewer.require(PII, name)
        return convert(getattr(row, name))

    return computed(name, by=read, description=f"{description} Needs VIEW_PII.")


@object_type(description="The person at the agency to contact about the booking.")
class AgentContact(OverRow):
    row: strawberry.Private[Any]

    first_names: str = column("firstNames", description="First names of the contact.")
    last_name: str = column("lastName", description="Last name of the contact.")
    telephone: str | None = column(
        mask=PII, description="Telephone number, as submitted. Null without VIEW_PII."
    )
    mobile: str | None = column(
        mask=PII, description="Mobile number, as submitted. Null without VIEW_PII."
    )
    email: EmailAddress = personal("email", description="Email address of the contact.")


@object_type(
    description="The student as submitted with a revision. The candidate may have newer details."
)
class StudentDetails(OverRow):
    row: strawberry.Private[Any]

    first_names: str = column("firstNames", description="First names of the student.")
    last_name: str = column("lastName", description="Last name of the student.")
    passport_number: str | None = column(
        "passportNumber",
        mask=PII,
        description="Passport number of the student. Null without VIEW_PII.",
    )
    passport_issuing_country: CountryCode = personal(
        "passportIssuingCountry", description="Country that issued the passport."
    )
    date_of_birth: dt.date = personal(
        "dateOfBirth", convert=dt.date.fromisoformat, description="Date of birth of the student."
    )
    gender: Gender = column(convert=Gender, description="Gender of the student.")
    country_of_birth: CountryCode = column(
        "countryOfBirth", description="Country where the student was born."
    )
    nationality: CountryCode = column(description="Nationality of the student.")
    email: EmailAddress | None = column(
        mask=PII, description="Email address of the student. Null without VIEW_PII."
    )
    telephone: str | None = column(
        mask=PII, description="Telephone number, as submitted. Null without VIEW_PII."
    )
    mobile: str | None = column(
        mask=PII, description="Mobile number, as submitted. Null without VIEW_PII."
    )
    address: Address = personal(
        "address", convert=address_of, description="Where the student lives."
    )
    emergency_contact: EmergencyContact | None = column(
        "emergencyContact",
        mask=PII,
        convert=emergency_contact_of,
        description="Person to contact in an emergency. Null without VIEW_PII.",
    )


@object_type(description="A course of an agent booking.")
class CourseBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "course_by_code",
        key="code",
        description="The course in the catalogue. Null if the code is unknown.",
    )
    code: str = column(description="Code of the course, as submitted.")
    date_from: dt.date = column(description="First day of the course.")
    date_to: dt.date = derived(
        "date_from", "number_of_weeks", by=last_day, description="Last day of the course."
    )
    number_of_weeks: int = column(description="Number of weeks of the course.")


@object_type(description="Lodging of an agent booking.")
class LodgingBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "lodging_by_code",
        key="code",
        description="The lodging in the catalogue. Null if the code is unknown.",
    )
    code: str = column(description="Code of the lodging, as submitted.")
    date_from: dt.date = column(description="First day of the lodging.")
    date_to: dt.date = derived(
        "date_from", "number_of_weeks", by=last_day, description="Last day of the lodging."
    )
    number_of_weeks: int = column(description="Number of weeks of the lodging.")


@object_type(description="An optional extra of an agent booking.")
class OptionalExtraBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "extra_by_code",
        key="code",
        description="The extra in the catalogue. Null if the code is unknown.",
    )
    code: str = column(description="Code of the extra, as submitted.")
    quantity: int = column(description="Quantity of the extra.")


@object_type(description="An airport transfer of an agent booking.")
class AirportTransferBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "airport_transfer_by_code",
        key="code",
        description="The transfer in the catalogue. Null if the code is unknown.",
    )
    code: str = column(description="Code of the transfer, as submitted.")


@object_type(description="Information about the student that the school needs.")
class SpecialRequirements(OverRow):
    row: strawberry.Private[Any]

    medical_condition: str | None = column(
        "medicalCondition",
        mask=PII,
        description="Medical conditions except allergies. Null without VIEW_PII.",
    )
    allergies: str | None = column(
        mask=PII, description="Allergies of the student. Null without VIEW_PII."
    )
    general: str | None = column(description="Other requirements of the student.")


@object_type(description="The student's preferences for a homestay.")
class HomestayPreferences(OverRow):
    row: strawberry.Private[Any]

    smoking: SmokingPreference = column(
        convert=SmokingPreference, description="Whether the student accepts smokers."
    )
    pets: PetsPreference = column(
        convert=PetsPreference, description="Whether the student accepts pets."
    )
    children: ChildrenPreference = column(
        convert=ChildrenPreference, description="Whether the student accepts children."
    )
    vegetarian_meals: bool = column(
        "vegetarianMeals", description="True if the student needs vegetarian meals."
    )


@object_type(description="A reason why a revision failed validation. Show it to the agency.")
class ValidationMessage:
    message: str = attribute(description="The reason in English.")
    rule: str = attribute(description="Machine-readable name of the rule that failed.")
    path: list[str] = attribute(description="Path to the value in the submission.")
