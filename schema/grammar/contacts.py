"""Contact data: addresses and emergency contacts."""

from collections.abc import Mapping
from typing import Any

from resolvers import contacts
from schema.grammar.declaring import CommandNames, input_type, object_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import given, values_given
from schema.grammar.scalars import CountryCode


@object_type(description="A postal address.")
class Address:
    line1: str | None = attribute(description="First line; null where unknown.")
    line2: str | None = attribute(description="Second line; null where there is none.")
    city: str | None = attribute(description="Town or city; null where unknown.")
    state_province: str | None = attribute(description="State or province; null where unknown.")
    postal_code: str | None = attribute(description="Postal code; null where unknown.")
    country: CountryCode = attribute(description="The country.")


@object_type(description="Whom to call when something happens.")
class EmergencyContact:
    name: str | None = attribute(description="Who it is; null where unknown.")
    phone: str = attribute(description="The number to call.")
    relationship: str | None = attribute(
        description="What they are to the candidate; null where unknown."
    )


@input_type(description="A postal address.", command=CommandNames({"country_iso_code": "country"}))
class AddressInput:
    line1: str | None = described("First line.")
    line2: str | None = described("Second line.")
    city: str | None = described("Town or city.")
    state_province: str | None = described("State or province.")
    postal_code: str | None = described("Postal code.")
    country: str | None = described("ISO 3166-1 alpha-2; required.")

    def to_domain(self) -> contacts.Address:
        return contacts.Address(
            country_iso_code=given(self.country), **values_given(self, "country")
        )


@input_type(description="Whom to call when something happens.")
class EmergencyContactInput:
    name: str | None = described("Who it is.")
    phone: str | None = described("The number to call; required.")
    relationship: str | None = described("What they are to the candidate.")

    def to_domain(self) -> contacts.EmergencyContact:
        return contacts.EmergencyContact(**{"phone": None, **values_given(self)})


def address_of(kept: Mapping[str, Any]) -> Address:
    """An address in the form that the database stores."""
    return Address(
        line1=kept["line1"],
        line2=kept["line2"],
        city=kept["city"],
        state_province=kept["stateProvince"],
        postal_code=kept["postalCode"],
        country=kept["country"],
    )


def emergency_contact_of(kept: Mapping[str, Any]) -> EmergencyContact:
    """An emergency contact in the form that the database stores."""
    return EmergencyContact(
        name=kept["name"], phone=kept["phone"], relationship=kept["relationship"]
    )


def given_address(value: AddressInput | None) -> contacts.Address | None:
    """An optional address; None if it was omitted."""
    return value.to_domain() if isinstance(value, AddressInput) else None


def given_emergency_contact(
    value: EmergencyContactInput | None,
) -> contacts.EmergencyContact | None:
    """An optional emergency contact; None if it was omitted."""
    return value.to_domain() if isinstance(value, EmergencyContactInput) else None
