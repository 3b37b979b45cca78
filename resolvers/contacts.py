"""Contact data: addresses, emergency contacts, email. Limits are those of [004]."""

from typing import Any

from resolvers import checks
from resolvers.refusals import Refusal
from resolvers.values import frozen

EMAIL = 254
TELEPHONE = 50

_LINE = 100
_POSTAL_CODE = 20
_PHONE = 20
_RELATIONSHIP = 50


@frozen(kw_only=True)
class Address:
    """A postal address; only its country is required."""

    country_iso_code: str | None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state_province: str | None = None
    postal_code: str | None = None

    def refusals(self, *path: str) -> list[Refusal]:
        return checks.violations(
            (checks.text, self.line1, *path, "line1", {"most": _LINE}),
            (checks.text, self.line2, *path, "line2", {"most": _LINE}),
            (checks.text, self.city, *path, "city", {"most": _LINE}),
            (checks.text, self.state_province, *path, "state_province", {"most": _LINE}),
            (checks.text, self.postal_code, *path, "postal_code", {"most": _POSTAL_CODE}),
            (_required_country, self.country_iso_code, *path, "country_iso_code"),
        )

    def as_kept(self) -> dict[str, Any]:
        """Return the address as the database stores it, with the field names of the contract's
        Address.
        """
        return {
            "line1": self.line1,
            "line2": self.line2,
            "city": self.city,
            "stateProvince": self.state_province,
            "postalCode": self.postal_code,
            "country": self.country_iso_code,
        }


@frozen(kw_only=True)
class EmergencyContact:
    """An emergency contact; only its number is required."""

    phone: str | None
    name: str | None = None
    relationship: str | None = None

    def refusals(self, *path: str) -> list[Refusal]:
        number = {"most": _PHONE, "least": 1, "required": True}
        return checks.violations(
            (checks.text, self.name, *path, "name", {"most": _LINE}),
            (checks.text, self.phone, *path, "phone", number),
            (checks.text, self.relationship, *path, "relationship", {"most": _RELATIONSHIP}),
        )

    def as_kept(self) -> dict[str, Any]:
        """Return the contact as the database stores it, with the field names of the contract's
        EmergencyContact.
        """
        return {"name": self.name, "phone": self.phone, "relationship": self.relationship}


def email(value: str | None, *path: str) -> None:
    """Raises: WrongLength, Invalid, InvalidEmail."""
    checks.text(value, *path, most=EMAIL)
    checks.email(value, *path)


def _required_country(value: str | None, *path: str) -> None:
    checks.text(value, *path, most=checks.CODE, required=True)
    checks.country(value, *path)
