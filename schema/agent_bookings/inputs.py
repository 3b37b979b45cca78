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


@input_type(description="Whom to ask at the agency.")
class AgentContactInput:
    first_names: str | None = described("Required; at most 100 characters.")
    last_name: str | None = described("Required; at most 100 characters.")
    telephone: str | None = described("At most 20 characters.")
    mobile: str | None = described("At most 20 characters.")
    email: str | None = described("Required; an email address.")

    def to_domain(self) -> submitted.AgentContact:
        return submitted.AgentContact(**values_given(self))


@input_type(description="Who is to be taught.")
class StudentInput:
    first_names: str | None = described("Required; at most 100 characters.")
    last_name: str | None = described("Required; at most 100 characters.")
    passport_number: str | None = described("At most 50 characters.")
    passport_issuing_country: str | None = described("Required; ISO 3166-1 alpha-2.")
    date_of_birth: date | None = described("Required.")
    gender: Gender | None = described("Required.")
    country_of_birth: str | None = described("Required; ISO 3166-1 alpha-2.")
    nationality: str | None = described("Required; ISO 3166-1 alpha-2.")
    email: str | None = described("An email address.")
    telephone: str | None = described("At most 20 characters.")
    mobile: str | None = described("At most 20 characters.")
    address: AddressInput | None = described("Required: where the student lives.")
    emergency_contact: EmergencyContactInput | None = described(
        "Whom to call when something happens."
    )

    def to_domain(self) -> submitted.Student:
        return submitted.Student(
            **values_given(self, "address", "emergency_contact"),
            address=given_address(self.address),
            emergency_contact=given_emergency_contact(self.emergency_contact),
        )


@input_type(description="A course that is asked for.")
class CourseInput:
    code: str | None = described("Required; EC's code, at most 10 characters.")
    date_from: date | None = described("Required: the day it begins.")
    number_of_weeks: int | None = described("Required; from 1 to 1,000.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), **values_given(self, "code"))


@input_type(description="Lodging that is asked for; the source calls it accommodation.")
class LodgingInput:
    code: str | None = described("Required; EC's code, at most 10 characters.")
    date_from: date | None = described("Required: the day it begins.")
    number_of_weeks: int | None = described("Required; from 1 to 1,000.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), **values_given(self, "code"))


@input_type(description="An optional extra that is asked for.")
class OptionalExtraInput:
    code: str | None = described("Required; EC's code, at most 10 characters.")
    quantity: int | None = described("Required; from 1 to 100,000.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code), quantity=given(self.quantity))


@input_type(description="An airport transfer that is asked for.")
class AirportTransferInput:
    code: str | None = described("Required; EC's code, at most 10 characters.")

    def to_domain(self) -> submitted.RequestedProduct:
        return submitted.RequestedProduct(code=given(self.code))


@input_type(description="What the school has to know about the student.")
class SpecialRequirementsInput:
    medical_condition: str | None = described("Except allergies; at most 500 characters.")
    allergies: str | None = described("At most 500 characters.")
    general: str | None = described("Anything else; at most 500 characters.")

    def to_domain(self) -> submitted.SpecialRequirements:
        return submitted.SpecialRequirements(**values_given(self))


@input_type(description="With whom the student wishes to live; all four are required.")
class HomestayPreferencesInput:
    smoking: SmokingPreference | None = described("Whether there may be smoking.")
    pets: PetsPreference | None = described("Whether there may be pets.")
    children: ChildrenPreference | None = described("Whether there may be children.")
    vegetarian_meals: bool | None = described("Whether vegetarian meals are required.")

    def to_domain(self) -> submitted.HomestayPreferences:
        return submitted.HomestayPreferences(**values_given(self))


def _part(value: Any) -> Any:
    """Return an optional object as plain values; None if it was omitted."""
    return None if given(value) is None else value.to_domain()


def _parts(values: Iterable[Any] | None) -> tuple[submitted.RequestedProduct, ...]:
    return tuple(value.to_domain() for value in given(values) or ())


@input_type(description="Creates, or replaces, the booking that has this agentBookingId.")
class BookAgentBookingInput:
    agent_booking_id: str = attribute(
        description="The agency's own id of the booking; at most 50 characters."
    )
    agent_office_code: str | None = described("Required; EC's code, at most 10 characters.")
    agent_contact: AgentContactInput | None = described("Required.")
    school_code: str | None = described("Required; EC's code, at most 10 characters.")
    language_level: str | None = described("At most 20 characters.")
    student: StudentInput | None = described("Required.")
    courses: list[CourseInput] | None = described("Required: at least one.")
    lodging: list[LodgingInput] | None = described("Where the student is to live.")
    optional_extras: list[OptionalExtraInput] | None = described("What else is asked for.")
    airport_transfers: list[AirportTransferInput] | None = described("The rides.")
    special_requirements: SpecialRequirementsInput | None = described(
        "What the school has to know."
    )
    homestay_preferences: HomestayPreferencesInput | None = described(
        "With whom the student wishes to live."
    )
    expected_revision: int | None = described(
        "null: no check; 0: must be new; n: must be at revision n."
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
