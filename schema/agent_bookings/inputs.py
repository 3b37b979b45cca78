"""Inputs of the mutations of agent bookings."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from resolvers.agent_bookings import submission as submitted
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChildrenPreference, Gender, PetsPreference, SmokingPreference
from schema.grammar.contacts import (
    AddressInput,
    EmergencyContactInput,
    given_address,
    given_emergency_contact,
)
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    given,
    origin_of,
    values_given,
)


@input_type(description="A person at the agency to contact about the booking.")
class AgentContactInput:
    first_names: str | None = described(
        "First names of the contact, at most 100 characters. Required."
    )
    last_name: str | None = described("Last name of the contact, at most 100 characters. Required.")
    telephone: str | None = described("Telephone number of the contact, at most 20 characters.")
    mobile: str | None = described("Mobile number of the contact, at most 20 characters.")
    email: str | None = described("Email address of the contact. Required.")

    def to_domain(self) -> submitted.AgentContact:
        return submitted.AgentContact(**values_given(self))


@input_type(
    description="The student that the agency books for. Kept as submitted with the revision."
)
class StudentInput:
    first_names: str | None = described(
        "First names of the student, at most 100 characters. Required."
    )
    last_name: str | None = described("Last name of the student, at most 100 characters. Required.")
    passport_number: str | None = described(
        "Passport number of the student, at most 50 characters."
    )
    passport_issuing_country: str | None = described(
        'Country that issued the passport, as an ISO 3166-1 alpha-2 code, e.g. "GB". Required.'
    )
    date_of_birth: date | None = described("Date of birth of the student. Required.")
    gender: Gender | None = described("Gender of the student. Required.")
    country_of_birth: str | None = described(
        'Country where the student was born, as an ISO 3166-1 alpha-2 code, e.g. "GB". Required.'
    )
    nationality: str | None = described(
        'Nationality of the student, as an ISO 3166-1 alpha-2 code, e.g. "GB". Required.'
    )
    email: str | None = described("Email address of the student.")
    telephone: str | None = described("Telephone number of the student, at most 20 characters.")
    mobile: str | None = described("Mobile number of the student, at most 20 characters.")
    address: AddressInput | None = described("Postal address of the student. Required.")
    emergency_contact: EmergencyContactInput | None = described(
        "Person to contact in an emergency."
    )

    def to_domain(self) -> submitted.Student:
        return submitted.Student(
            **values_given(self, "address", "emergency_contact"),
            address=given_address(self.address),
            emergency_contact=given_emergency_contact(self.emergency_contact),
        )


@input_type(description="A course to book.")
class CourseInput:
    code: str | None = described(
        "Code of the course in EC English, at most 10 characters. Required."
    )
    date_from: date | None = described("First day of the course. Required.")
    number_of_weeks: int | None = described("Number of weeks of the course, 1 to 1,000. Required.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), **values_given(self, "code"))


@input_type(description="Lodging to book, called accommodation in EC English.")
class LodgingInput:
    code: str | None = described(
        "Code of the lodging in EC English, at most 10 characters. Required."
    )
    date_from: date | None = described("First day of the lodging. Required.")
    number_of_weeks: int | None = described("Number of weeks of the lodging, 1 to 1,000. Required.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), **values_given(self, "code"))


@input_type(description="An optional extra to book.")
class OptionalExtraInput:
    code: str | None = described(
        "Code of the extra in EC English, at most 10 characters. Required."
    )
    quantity: int | None = described("Quantity of the extra, 1 to 100,000. Required.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), quantity=given(self.quantity))


@input_type(description="An airport transfer to book.")
class AirportTransferInput:
    code: str | None = described(
        "Code of the transfer in EC English, at most 10 characters. Required."
    )

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code))


@input_type(description="Information about the student that the school needs.")
class SpecialRequirementsInput:
    medical_condition: str | None = described(
        "Medical conditions except allergies, at most 500 characters."
    )
    allergies: str | None = described("Allergies of the student, at most 500 characters.")
    general: str | None = described("Other requirements, at most 500 characters.")

    def to_domain(self) -> submitted.SpecialRequirements:
        return submitted.SpecialRequirements(**values_given(self))


@input_type(description="The student's preferences for a homestay. All four are required.")
class HomestayPreferencesInput:
    smoking: SmokingPreference | None = described("Whether the student accepts smokers.")
    pets: PetsPreference | None = described("Whether the student accepts pets.")
    children: ChildrenPreference | None = described("Whether the student accepts children.")
    vegetarian_meals: bool | None = described("True if the student needs vegetarian meals.")

    def to_domain(self) -> submitted.HomestayPreferences:
        return submitted.HomestayPreferences(**values_given(self))


def _part(value: Any) -> Any:
    """Return an optional object as plain values; None if it was omitted."""
    return None if given(value) is None else value.to_domain()


def _parts(values: Iterable[Any] | None) -> tuple[submitted.RequestedProduct, ...]:
    return tuple(value.to_domain() for value in given(values) or ())


@input_type(
    description="The agent booking to submit. If the agency has one with this "
    "`agentBookingId`, the submission becomes its new revision."
)
class BookAgentBookingInput:
    agent_booking_id: str = attribute(
        description="The agency's own id for the booking, at most 50 characters. Send "
        "the same id again to change the booking."
    )
    agent_office_code: str | None = described(
        "Code of the agency's office in EC English, at most 10 characters. Required."
    )
    agent_contact: AgentContactInput | None = described(
        "Person at the agency to contact. Required."
    )
    school_code: str | None = described(
        "Code of the school in EC English, at most 10 characters. Required."
    )
    language_level: str | None = described(
        'Language level of the student, at most 20 characters, e.g. "B2".'
    )
    student: StudentInput | None = described("The student who takes the courses. Required.")
    courses: list[CourseInput] | None = described("Courses to book, at least one. Required.")
    lodging: list[LodgingInput] | None = described("Lodging to book.")
    optional_extras: list[OptionalExtraInput] | None = described("Optional extras to book.")
    airport_transfers: list[AirportTransferInput] | None = described("Airport transfers to book.")
    special_requirements: SpecialRequirementsInput | None = described(
        "Information about the student that the school needs."
    )
    homestay_preferences: HomestayPreferencesInput | None = described(
        "The student's preferences for a homestay."
    )
    expected_revision: int | None = described(
        "Revision that you expect to replace: 0 if the booking must be new. Omit it to "
        "skip the check."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> BookAgentBooking:
        return BookAgentBooking(
            viewer=viewer,
            submission=submitted.Submission(
                agent_booking_id=self.agent_booking_id,
                agent_office_code=given(self.agent_office_code),
                agent_contact=_part(self.agent_contact),
                school_code=given(self.school_code),
                language_level=given(self.language_level),
                student=_part(self.student),
                courses=_parts(self.courses),
                lodging=_parts(self.lodging),
                optional_extras=_parts(self.optional_extras),
                airport_transfers=_parts(self.airport_transfers),
                special_requirements=_part(self.special_requirements),
                homestay_preferences=_part(self.homestay_preferences),
            ),
            expected_revision=given(self.expected_revision),
            origin=origin_of(self.origin),
        )
