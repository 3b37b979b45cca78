"""Stage 1 `[004]`: validates each field by itself, in the source's order and words. Pure.

Stage 2 checks whether codes exist.
"""

from collections.abc import Callable, Sequence
from datetime import date

from resolvers import checks
from resolvers.agent_bookings.submission import (
    AgentContact,
    HomestayPreferences,
    RequestedProduct,
    SpecialRequirements,
    Student,
    Submission,
)
from resolvers.contacts import Address, EmergencyContact, email
from resolvers.refusals import InputRefusal, OutOfRange, Refusal, Required, ValidationErrors

ID, CODE, LEVEL, NAME, PHONE, PASSPORT = 50, 10, 20, 100, 20, 50
LINE, POSTAL_CODE, RELATIONSHIP, REQUIREMENT = 100, 20, 50, 500

WEEKS = 1_000
QUANTITY = 100_000
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2999, 12, 31)
"""The range for the start of a stay. Dates outside it are typing errors."""

OWN_NAMES = {
    "lodging": "Accommodation",
    "airport_transfers": "Transfers",
    "passport_issuing_country": "PassportIssuingCountryIsoCode",
    "country_of_birth": "CountryOfBirthIsoCode",
    "nationality": "NationalityIsoCode",
}
"""What the source calls fields that have another name here; all others are alike."""

CODES = {
    "courses": "CourseCode",
    "lodging": "AccommodationCode",
    "optional_extras": "OptionalExtraCode",
    "airport_transfers": "TransferCode",
}
"""What the source calls the code of an element of each list."""


def check(submission: Submission, *, today: date | None) -> list[Refusal]:
    """All errors in the fields of a submission, in the source's order.

    Without `today`, a date of birth may be in the future.

    Refusals: Required, WrongLength, Invalid (a text that cannot be stored), InvalidEmail,
    InvalidCountryCode, OutOfRange (weeks, quantities, dates, long lists).
    """
    stage = ValidationErrors()
    _code(stage, submission.agent_booking_id, "agent_booking_id", most=ID)
    _code(stage, submission.agent_office_code, "agent_office_code", most=CODE)
    _contact(stage, submission.agent_contact)
    _code(stage, submission.school_code, "school_code", most=CODE)
    _code(stage, submission.language_level, "language_level", most=LEVEL, required=False)
    _student(stage, submission.student, today)
    if not submission.courses:
        stage.add(Required("courses"))
    _wishes(stage, submission.courses, "courses", _stay)
    _wishes(stage, submission.lodging, "lodging", _stay)
    _wishes(stage, submission.optional_extras, "optional_extras", _quantity)
    _wishes(stage, submission.airport_transfers, "airport_transfers")
    _requirements(stage, submission.special_requirements)
    _homestay(stage, submission.homestay_preferences)
    for refusal in stage.refusals:
        if isinstance(refusal, InputRefusal):
            refusal.source_name = next(
                (name for name in reversed(source_path(refusal.path)) if not name.isdigit()), None
            )
    return stage.refusals


def source_path(path: Sequence[str]) -> tuple[str, ...]:
    """Where the source has what a submission has at a path."""
    return tuple(
        CODES[path[0]] if name == "code" else OWN_NAMES.get(name) or _pascal_case(name)
        for name in path
    )


def _pascal_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _contact(stage: ValidationErrors, contact: AgentContact | None) -> None:
    at = ("agent_contact",)
    if contact is None:
        stage.add(Required(*at))
        return
    _text(stage, contact.first_names, *at, "first_names", most=NAME, required=True)
    _text(stage, contact.last_name, *at, "last_name", most=NAME, required=True)
    _text(stage, contact.telephone, *at, "telephone", most=PHONE)
    _text(stage, contact.mobile, *at, "mobile", most=PHONE)
    _email(stage, contact.email, *at, "email", required=True)


def _student(stage: ValidationErrors, student: Student | None, today: date | None) -> None:
    at = ("student",)
    if student is None:
        stage.add(Required(*at))
        return
    _text(stage, student.first_names, *at, "first_names", most=NAME, required=True)
    _text(stage, student.last_name, *at, "last_name", most=NAME, required=True)
    _code(stage, student.passport_number, *at, "passport_number", most=PASSPORT, required=False)
    _country(stage, student.passport_issuing_country, *at, "passport_issuing_country")
    _required(stage, student.date_of_birth, *at, "date_of_birth")
    stage.of(checks.birth, student.date_of_birth, *at, "date_of_birth", today=today)
    _required(stage, student.gender, *at, "gender")
    _country(stage, student.country_of_birth, *at, "country_of_birth")
    _country(stage, student.nationality, *at, "nationality")
    _email(stage, student.email, *at, "email")
    _text(stage, student.telephone, *at, "telephone", most=PHONE)
    _text(stage, student.mobile, *at, "mobile", most=PHONE)
    _address(stage, student.address, *at, "address")
    _emergency_contact(stage, student.emergency_contact, *at, "emergency_contact")


def _address(stage: ValidationErrors, address: Address | None, *at: str) -> None:
    if address is None:
        stage.add(Required(*at))
        return
    _text(stage, address.line1, *at, "line1", most=LINE)
    _text(stage, address.line2, *at, "line2", most=LINE)
    _text(stage, address.city, *at, "city", most=LINE)
    _text(stage, address.state_province, *at, "state_province", most=LINE)
    _text(stage, address.postal_code, *at, "postal_code", most=POSTAL_CODE)
    _country(stage, address.country_iso_code, *at, "country_iso_code")


def _emergency_contact(stage: ValidationErrors, contact: EmergencyContact | None, *at: str) -> None:
    if contact is None:
        return
    _text(stage, contact.name, *at, "name", most=LINE)
    _text(stage, contact.phone, *at, "phone", most=PHONE, required=True)
    _text(stage, contact.relationship, *at, "relationship", most=RELATIONSHIP)


def _wishes(
    stage: ValidationErrors,
    requested_products: Sequence[RequestedProduct],
    name: str,
    more: Callable[..., None] | None = None,
) -> None:
    stage.of(checks.size, requested_products, name, most=checks.PLAIN_LIST)
    for n, requested in enumerate(requested_products[: checks.PLAIN_LIST]):
        _code(stage, requested.code, name, str(n), "code", most=CODE)
        if more is not None:
            more(stage, requested, name, str(n))


def _stay(stage: ValidationErrors, requested: RequestedProduct, *at: str) -> None:
    path = (*at, "date_from")
    if requested.date_from is None:
        stage.add(Required(*path))
    elif not FIRST_DATE <= requested.date_from <= LAST_DATE:
        stage.add(OutOfRange(*path, rule=f"must be from {FIRST_DATE} to {LAST_DATE}"))
    _number(stage, requested.number_of_weeks, *at, "number_of_weeks", most=WEEKS)


def _quantity(stage: ValidationErrors, requested: RequestedProduct, *at: str) -> None:
    _number(stage, requested.quantity, *at, "quantity", most=QUANTITY)


def _requirements(stage: ValidationErrors, given: SpecialRequirements | None) -> None:
    if given is None:
        return
    at = ("special_requirements",)
    _text(stage, given.medical_condition, *at, "medical_condition", most=REQUIREMENT)
    _text(stage, given.allergies, *at, "allergies", most=REQUIREMENT)
    _text(stage, given.general, *at, "general", most=REQUIREMENT)


def _homestay(stage: ValidationErrors, given: HomestayPreferences | None) -> None:
    if given is None:
        return
    at = ("homestay_preferences",)
    _required(stage, given.smoking, *at, "smoking")
    _required(stage, given.pets, *at, "pets")
    _required(stage, given.children, *at, "children")
    _required(stage, given.vegetarian_meals, *at, "vegetarian_meals")


# ---------------------------------------------------------------- one value


def _required(stage: ValidationErrors, value: object, *at: str) -> None:
    if value is None:
        stage.add(Required(*at))


def _text(
    stage: ValidationErrors, value: str | None, *at: str, most: int, required: bool = False
) -> None:
    stage.of(checks.text, value, *at, most=most, required=required)


def _code(
    stage: ValidationErrors, value: str | None, *at: str, most: int, required: bool = True
) -> None:
    stage.of(checks.code, value, *at, least=0, most=most, required=required)


def _email(stage: ValidationErrors, value: str | None, *at: str, required: bool = False) -> None:
    if value is None and required:
        stage.add(Required(*at))
    stage.of(email, value, *at)


def _country(stage: ValidationErrors, value: str | None, *at: str) -> None:
    _required(stage, value, *at)
    stage.of(checks.country, value, *at)


def _number(stage: ValidationErrors, value: int | None, *at: str, most: int) -> None:
    _required(stage, value, *at)
    stage.of(checks.number, value, *at, least=1, most=most)
