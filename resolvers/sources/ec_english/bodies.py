"""Reads the body of PutBookingRequest `[004]`: every field of its tables, in their order."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolvers import checks
from resolvers.agent_bookings import stage_one
from resolvers.agent_bookings.submission import (
    AgentContact,
    HomestayPreferences,
    RequestedProduct,
    SpecialRequirements,
    Student,
    Submission,
)
from resolvers.contacts import Address, EmergencyContact
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.values import frozen
from resolvers.vocabulary import ChildrenPreference, Gender, PetsPreference, SmokingPreference

BOOKING, ID = "Booking", "AgentBookingId"

GENDERS: Final = {"Male": Gender.MALE, "Female": Gender.FEMALE}
SMOKING: Final = {
    "NonSmoking": SmokingPreference.NON_SMOKING,
    "Smoking": SmokingPreference.SMOKING,
    "NoPreference": SmokingPreference.NO_PREFERENCE,
}
PETS: Final = {
    "NoPets": PetsPreference.NO_PETS,
    "Pets": PetsPreference.PETS,
    "NoPreference": PetsPreference.NO_PREFERENCE,
}
CHILDREN: Final = {
    "NoChildren": ChildrenPreference.NO_CHILDREN,
    "Children": ChildrenPreference.CHILDREN,
    "NoPreference": ChildrenPreference.NO_PREFERENCE,
}


@frozen
class Body:
    """What a body says, in order as far as stage 1 can tell; and where its id stands."""

    submission: Submission
    id_path: tuple[str, ...]

    def at_source(self, path: Sequence[str]) -> tuple[str, ...]:
        """Where the body has what its submission has at a path."""
        return _at_source(path, self.id_path)


def read_body(value: Mapping[str, Any]) -> Body:
    """The submission of a body; a blank text is none.

    Raises: Refused, with all that cannot be read (what GraphQL's types refuse) and all that stage 1
    finds in the rest, at the source's own members and in its words.
    """
    validation = ValidationErrors()
    members = Members(value, validation, tidy=True)
    outer = members.free_text(ID)
    booking = members.members(BOOKING, required=True)
    inner = None if booking is None else booking.free_text(ID)
    if booking is not None and None not in {outer, inner} and outer != inner:
        booking.refuse(ID, f"is not the {ID} beside the {BOOKING}")
    members.close()
    id_path = (BOOKING, ID) if outer is None and inner is not None else (ID,)
    submission = Submission(agent_booking_id=outer or inner, **_booking(booking))
    _add_stage_one(validation, submission, id_path)
    validation.settle()
    return Body(submission, id_path)


def _add_stage_one(
    validation: ValidationErrors, submission: Submission, id_path: tuple[str, ...]
) -> None:
    """What stage 1 says of all that could be read; what could not was told already."""
    told = {refusal.path for refusal in validation.refusals}
    for refusal in stage_one.check(submission, today=None):
        refusal.path = path = _at_source(refusal.path, id_path)
        if not any(path[:n] in told for n in range(1, len(path) + 1)):
            validation.add(refusal)


def _at_source(path: Sequence[str], id_path: tuple[str, ...]) -> tuple[str, ...]:
    if tuple(path) == ("agent_booking_id",):
        return id_path
    return (BOOKING, *stage_one.source_path(path)) if path else ()


def _booking(members: Members | None) -> dict[str, Any]:
    """The fields of the table "Booking", without the id."""
    if members is None:
        return {}
    fields = {
        "agent_office_code": members.free_text("AgentOfficeCode"),
        "agent_contact": _contact(members.members("AgentContact")),
        "school_code": members.free_text("SchoolCode"),
        "language_level": members.free_text("LanguageLevel"),
        "student": _student(members.members("Student")),
        "courses": _stays(members, "Courses", "CourseCode"),
        "lodging": _stays(members, "Accommodation", "AccommodationCode"),
        "optional_extras": _extras(members),
        "airport_transfers": _transfers(members),
        "special_requirements": _requirements(members.members("SpecialRequirements")),
        "homestay_preferences": _homestay(members.members("HomestayPreferences")),
    }
    members.close()
    return fields


def _contact(members: Members | None) -> AgentContact | None:
    if members is None:
        return None
    contact = AgentContact(
        first_names=members.free_text("FirstNames"),
        last_name=members.free_text("LastName"),
        telephone=members.free_text("Telephone"),
        mobile=members.free_text("Mobile"),
        email=members.free_text("Email"),
    )
    members.close()
    return contact


def _student(members: Members | None) -> Student | None:
    if members is None:
        return None
    student = Student(
        first_names=members.free_text("FirstNames"),
        last_name=members.free_text("LastName"),
        passport_number=members.free_text("PassportNumber"),
        passport_issuing_country=members.free_text("PassportIssuingCountryIsoCode"),
        date_of_birth=members.day("DateOfBirth"),
        gender=members.word("Gender", GENDERS),
        country_of_birth=members.free_text("CountryOfBirthIsoCode"),
        nationality=members.free_text("NationalityIsoCode"),
        email=members.free_text("Email"),
        telephone=members.free_text("Telephone"),
        mobile=members.free_text("Mobile"),
        address=_address(members.members("Address")),
        emergency_contact=_emergency_contact(members.members("EmergencyContact")),
    )
    members.close()
    return student


def _address(members: Members | None) -> Address | None:
    if members is None:
        return None
    address = Address(
        line1=members.free_text("Line1"),
        line2=members.free_text("Line2"),
        city=members.free_text("City"),
        state_province=members.free_text("StateProvince"),
        postal_code=members.free_text("PostalCode"),
        country_iso_code=members.free_text("CountryIsoCode"),
    )
    members.close()
    return address


def _emergency_contact(members: Members | None) -> EmergencyContact | None:
    if members is None:
        return None
    contact = EmergencyContact(
        name=members.free_text("Name"),
        phone=members.free_text("Phone"),
        relationship=members.free_text("Relationship"),
    )
    members.close()
    return contact


def _stays(booking: Members, name: str, code_name: str) -> tuple[RequestedProduct, ...]:
    requested_products = []
    for members in _elements(booking, name):
        code, day = members.free_text(code_name), members.day("DateFrom")
        weeks = members.integer("NumberOfWeeks")
        members.close()
        requested_products.append(RequestedProduct(code=code, date_from=day, number_of_weeks=weeks))
    return tuple(requested_products)


def _extras(booking: Members) -> tuple[RequestedProduct, ...]:
    requested_products = []
    for members in _elements(booking, "OptionalExtras"):
        code = members.free_text("OptionalExtraCode")
        quantity = members.integer("Quantity", digits=True)  # the sample has it as a text
        members.close()
        requested_products.append(RequestedProduct(code=code, quantity=quantity))
    return tuple(requested_products)


def _transfers(booking: Members) -> tuple[RequestedProduct, ...]:
    requested_products = []
    for members in _elements(booking, "Transfers"):
        requested_products.append(RequestedProduct(code=members.free_text("TransferCode")))
        members.close()
    return tuple(requested_products)


def _elements(booking: Members, name: str) -> Sequence[Members]:
    return booking.several(name, most=checks.PLAIN_LIST) or ()


def _requirements(members: Members | None) -> SpecialRequirements | None:
    if members is None:
        return None
    requirements = SpecialRequirements(
        medical_condition=members.free_text("MedicalCondition"),
        allergies=members.free_text("Allergies"),
        general=members.free_text("General"),
    )
    members.close()
    return requirements


def _homestay(members: Members | None) -> HomestayPreferences | None:
    if members is None:
        return None
    preferences = HomestayPreferences(
        smoking=members.word("Smoking", SMOKING),
        pets=members.word("Pets", PETS),
        children=members.word("Children", CHILDREN),
        vegetarian_meals=members.flag("VegetarianMeals"),
    )
    members.close()
    return preferences
