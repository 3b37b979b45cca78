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
MASKED = "Null where not given, and without VIEW_PII."


def personal(name: str, *, description: str, convert: Callable[[Any], Any] = str) -> Any:
    """A non-null value that requires VIEW_PII."""

    def read(row: Any, context: Context) -> Any:
        context.viewer.require(PII, name)
        return convert(getattr(row, name))

    return computed(name, by=read, description=f"{description} Needs VIEW_PII.")


@object_type(description="Whom to ask at the agency.")
class AgentContact(OverRow):
    row: strawberry.Private[Any]

    first_names: str = column("firstNames", description="First names.")
    last_name: str = column("lastName", description="Last name.")
    telephone: str | None = column(mask=PII, description=MASKED)
    mobile: str | None = column(mask=PII, description=MASKED)
    email: EmailAddress = personal("email", description="The contact's email address.")


@object_type(description="The student as submitted with a revision.")
class StudentDetails(OverRow):
    row: strawberry.Private[Any]

    first_names: str = column("firstNames", description="First names.")
    last_name: str = column("lastName", description="Last name.")
    passport_number: str | None = column("passportNumber", mask=PII, description=MASKED)
    passport_issuing_country: CountryCode = personal(
        "passportIssuingCountry", description="Which country issued the passport."
    )
    date_of_birth: dt.date = personal(
        "dateOfBirth", convert=dt.date.fromisoformat, description="When the student was born."
    )
    gender: Gender = column(convert=Gender, description="The student's gender.")
    country_of_birth: CountryCode = column(
        "countryOfBirth", description="Where the student was born."
    )
    nationality: CountryCode = column(description="The student's nationality.")
    email: EmailAddress | None = column(mask=PII, description=MASKED)
    telephone: str | None = column(mask=PII, description=MASKED)
    mobile: str | None = column(mask=PII, description=MASKED)
    address: Address = personal(
        "address", convert=address_of, description="Where the student lives."
    )
    emergency_contact: EmergencyContact | None = column(
        "emergencyContact", mask=PII, convert=emergency_contact_of, description=MASKED
    )


@object_type(description="A course that is asked for.")
class CourseBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "course_by_code", key="code", description="The course; null where there is none."
    )
    code: str = column(description="The course's code, as submitted.")
    date_from: dt.date = column(description="The day it begins.")
    date_to: dt.date = derived(
        "date_from", "number_of_weeks", by=last_day, description="The day it ends."
    )
    number_of_weeks: int = column(description="For how many weeks.")


@object_type(description="Lodging that is asked for.")
class LodgingBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "lodging_by_code", key="code", description="The lodging; null where there is none."
    )
    code: str = column(description="The lodging's code, as submitted.")
    date_from: dt.date = column(description="The day it begins.")
    date_to: dt.date = derived(
        "date_from", "number_of_weeks", by=last_day, description="The day it ends."
    )
    number_of_weeks: int = column(description="For how many weeks.")


@object_type(description="An optional extra that is asked for.")
class OptionalExtraBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "extra_by_code", key="code", description="The extra; null where there is none."
    )
    code: str = column(description="The extra's code, as submitted.")
    quantity: int = column(description="How many of it.")


@object_type(description="An airport transfer that is asked for.")
class AirportTransferBooking(OverRow):
    row: strawberry.Private[Any]

    product: Product | None = relation(
        "airport_transfer_by_code",
        key="code",
        description="The transfer; null where there is none.",
    )
    code: str = column(description="The transfer's code, as submitted.")


@object_type(description="What the school has to know about the student.")
class SpecialRequirements(OverRow):
    row: strawberry.Private[Any]

    medical_condition: str | None = column("medicalCondition", mask=PII, description=MASKED)
    allergies: str | None = column(mask=PII, description=MASKED)
    general: str | None = column(description="Anything else; null where nothing was given.")


@object_type(description="With whom the student wishes to live.")
class HomestayPreferences(OverRow):
    row: strawberry.Private[Any]

    smoking: SmokingPreference = column(
        convert=SmokingPreference, description="Whether there may be smoking."
    )
    pets: PetsPreference = column(convert=PetsPreference, description="Whether there may be pets.")
    children: ChildrenPreference = column(
        convert=ChildrenPreference, description="Whether there may be children."
    )
    vegetarian_meals: bool = column(
        "vegetarianMeals", description="Whether vegetarian meals are required."
    )


@object_type(description="Why a revision is not possible, for the agency's staff.")
class ValidationMessage:
    message: str = attribute(description="What is wrong, in words.")
    rule: str = attribute(description="Which rule says so, for programs.")
    path: list[str] = attribute(description="Where in the submission.")
