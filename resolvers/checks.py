"""Checks of single values: lengths, ranges, codes; section 8.11 of the domain's rules.

The libraries for emails and countries are imported at their first use, so a start does not load
them.
"""

from collections.abc import Collection
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from resolvers.refusals import (
    Invalid,
    InvalidCountryCode,
    InvalidEmail,
    OutOfRange,
    Refusal,
    Required,
    ValidationErrors,
    WrongLength,
)
from resolvers.texts import has_controls, is_visible

CODE = 50
NAME = 200
REASON = 500
TEXT = 4_000
LONG_TEXT = 20_000
BATCH = 1_000
PLAIN_LIST = 500
CAPACITY = 100_000
MINUTES = 100_000
EXTRA_MINUTES = 999
NUL = "\0"
FIRST_BIRTH = date(1900, 1, 1)
NO_ZONE = "Factory"
"""The tzdata name of a zone that is not configured."""


def text(value: str | None, *path: str, most: int, least: int = 0, required: bool = False) -> None:
    """Raises: Required, WrongLength, Invalid (a NUL, which PostgreSQL cannot store)."""
    if value is None:
        if required:
            raise Required(*path)
        return
    if not least <= len(value) <= most:
        raise WrongLength(*path, min_length=least, max_length=most)
    if not can_be_kept(value):
        raise Invalid(*path, rule="must not contain the NUL character or half a surrogate pair")
    if least and not is_visible(value):
        raise WrongLength(*path, min_length=least, max_length=most)


def code(
    value: str | None, *path: str, most: int = CODE, least: int = 1, required: bool = False
) -> None:
    """Check an id, a code or a reference: a text without control characters and noncharacters.

    Raises: Required, WrongLength, Invalid.
    """
    if value is not None and len(value) <= most and can_be_kept(value) and has_controls(value):
        raise Invalid(*path, rule="must not contain control characters or noncharacters")
    text(value, *path, most=most, least=least, required=required)


def can_be_kept(value: str) -> bool:
    """Whether both databases can store a text.

    PostgreSQL cannot store a NUL, and neither can store an unpaired surrogate.
    """
    if NUL in value:
        return False
    return value.isascii() or not any(0xD800 <= ord(c) <= 0xDFFF for c in value)


def number(value: float | None, *path: str, least: int, most: int) -> None:
    """Raises: OutOfRange."""
    if value is not None and not least <= value <= most:
        raise OutOfRange(*path, rule=f"must be from {least} to {most}")


def size(values: Collection[Any] | None, *path: str, most: int, least: int = 0) -> None:
    """Raises: OutOfRange."""
    if values is not None and not least <= len(values) <= most:
        raise OutOfRange(*path, rule=f"must have from {least} to {most} elements")


def email(value: str | None, *path: str) -> None:
    """Raises: InvalidEmail."""
    if value is None:
        return
    import email_validator

    try:
        email_validator.validate_email(
            value, check_deliverability=False, test_environment=True, allow_domain_literal=False
        )
    except email_validator.EmailNotValidError:
        raise InvalidEmail(*path) from None


def country(value: str | None, *path: str) -> None:
    """Raises: InvalidCountryCode."""
    if value is not None and not is_country(value):
        raise InvalidCountryCode(*path)


def birth(value: date | None, *path: str, today: date | None) -> None:
    """Check a date of birth: from 1900 to today. `today` is None if the current day is not known
    yet.

    Raises: OutOfRange.
    """
    if value is None:
        return
    if value < FIRST_BIRTH or (today is not None and value > today):
        raise OutOfRange(*path, rule=f"must be from {FIRST_BIRTH} to today")


def url(value: str | None, *path: str) -> None:
    """Raises: Invalid."""
    if value is not None and not is_url(value):
        raise Invalid(*path, rule="must be an absolute http or https address")


@lru_cache(maxsize=1024)
def is_country(value: str) -> bool:
    import pycountry

    return (
        len(value) == 2 and value.isupper() and pycountry.countries.get(alpha_2=value) is not None
    )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    names = files("tzdata").joinpath("zones").read_text("ascii").split()
    return frozenset(names) - {NO_ZONE}


def is_time_zone(value: str) -> bool:
    """Whether a name is a zone of tzdata that a browser's `Intl` accepts, too.

    The machine's own directory of zones has more names (`localtime`, `posixrules`), whose meaning
    differs between machines.
    """
    return value in _zones()


def is_url(value: str) -> bool:
    if len(value) > 2000 or any(c.isspace() for c in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def violations(*checks: "tuple[Any, ...]") -> list[Refusal]:
    """Run checks given as (check, *arguments, {options}), and return their refusals in order."""
    found = ValidationErrors()
    for check, *given in checks:
        options = given.pop() if given and isinstance(given[-1], dict) else {}
        found.of(check, *given, **options)
    return found.refusals
