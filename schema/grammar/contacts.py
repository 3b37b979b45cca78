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
    line1: str | None = attribute(
        description="First line of the address, such as the building and street."
    )
    line2: str | None = attribute(description="Second line of the address.")
    city: str | None = attribute(description="Town or city of the address.")
    state_province: str | None = attribute(description="State or province of the address.")
    postal_code: str | None = attribute(description='Postal code, e.g. "SW1A 1AA".')
    country: CountryCode = attribute(description="Country of the address.")


@object_type(description="A person to contact in an emergency.")
class EmergencyContact:
    name: str | None = attribute(description="Name of the emergency contact.")
    phone: str = attribute(description="Phone number of the emergency contact.")
    relationship: str | None = attribute(
        description='Relationship to the candidate, e.g. "mother".'
    )


@input_type(
    description="A postal address to store. `country` is required.",
    command=CommandNames({"country_iso_code": "country"}),
)
class AddressInput:
    line1: str | None = described("First line of the address, such as the building and street.")
    line2: str | None = described("Second line of the address.")
    city: str | None = described("Town or city of the address.")
    state_province: str | None = described("State or province of the address.")
    postal_code: str | None = described('Postal code, e.g. "SW1A 1AA".')
    country: str | None = described('Country as an ISO 3166-1 alpha-2 code, e.g. "GB". Required.')

    def to_domain(self) -> contacts.Address:
        return contacts.Address(
            country_iso_code=given(self.country), **values_given(self, "country")
        )


@input_type(description="A person to contact in an emergency. `phone` is required.")
class EmergencyContactInput:
    name: str | None = described("Name of the emergency contact.")
    phone: str | None = described("Phone number of the emergency contact. Required.")
    relationship: str | None = described('Relationship to the candidate, e.g. "mother".')

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
