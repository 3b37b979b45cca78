"""Scalars: the rules for input values, and their format in responses.

A refused value is a GraphQL error that names the argument or the input's field and the rule.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from resolvers import checks, money
from resolvers.refusals import Refusal
from resolvers.texts import normalized

LocalDateTime = NewType("LocalDateTime", datetime)
TimeZone = NewType("TimeZone", str)
CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)
LanguageTag = NewType("LanguageTag", str)
URL = NewType("URL", str)
EmailAddress = NewType("EmailAddress", str)

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d(:?\d\d)?)", re.ASCII
)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
_INSTANT_RANGE = "must be from 1900-01-01T00:00:00Z to 9999-12-31T23:59:59Z"
_LOCAL_RANGE = "must be from 1900-01-01T00:00:00 to 9998-12-31T23:59:59"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)


def instant_text(value: datetime) -> str:
    """Format an instant as RFC 3339 in UTC with a Z; fractions of a second only if not zero."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _reads(
    pattern: re.Pattern[str], parse: Callable[[str], Any], rule: str
) -> Callable[[Any], Any]:
    def parse_value(value: Any) -> Any:
        text = normalized(value) if isinstance(value, str) else None
        if text is not None and pattern.fullmatch(text):
            try:
                return parse(text)
            except (ValueError, ArithmeticError):
                pass
        raise GraphQLError(rule)

    return parse_value


def _checked(
    check: Callable[[str], object], rule: str, *, may_be_empty: bool = False
) -> Callable[[Any], Any]:
    """Return the parser of a text. An empty text is null in an optional field
    (`schema.grammar.texts`).

    With `may_be_empty`, the parser accepts empty texts, and the domain refuses them elsewhere.
    """

    def parse_value(value: Any) -> Any:
        text = normalized(value) if isinstance(value, str) else None
        if text is not None and (check(text) if text else may_be_empty):
            return text
        raise GraphQLError(rule)

    return parse_value


def _instant(value: str) -> datetime:
    whole, dot, rest = value.upper().replace(" ", "T").partition(".")
    if dot:  # truncate a fraction to the six digits that are stored
        digits = re.match(r"\d+", rest)
        assert digits is not None
        rest = digits[0][:6] + rest[digits.end() :]
    given = datetime.fromisoformat(whole + dot + rest)
    try:
        instant = given.astimezone(UTC)
    except OverflowError:  # the UTC time is before the year 1 or after the year 9999
        raise GraphQLError(_INSTANT_RANGE) from None
    if instant.year < 1900:
        raise GraphQLError(_INSTANT_RANGE)
    return instant


def _local(value: str) -> datetime:
    local = datetime.fromisoformat(value)
    if local.year < 1900 or local.year > 9998:
        raise GraphQLError(_LOCAL_RANGE)
    return local


def _uuid(value: Any) -> UUID:
    text = normalized(value) if isinstance(value, str) else ""
    try:
        if len(text) == len("00000000-0000-0000-0000-000000000000"):
            return UUID(text)
    except ValueError:
        pass
    raise GraphQLError("must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000")


_SPECIFICATIONS = {
    "DateTime": "https://www.rfc-editor.org/rfc/rfc3339",
    "Date": "https://www.rfc-editor.org/rfc/rfc3339",
    "Time": "https://www.rfc-editor.org/rfc/rfc3339",
    "LocalDateTime": "https://www.rfc-editor.org/rfc/rfc3339",
    "TimeZone": "https://www.iana.org/time-zones",
    "CountryCode": "https://www.iso.org/iso-3166-country-codes.html",
    "CurrencyCode": "https://www.iso.org/iso-4217-currency-codes.html",
    "LanguageTag": "https://www.rfc-editor.org/info/bcp47",
    "Decimal": "https://www.w3.org/TR/xmlschema-2/#decimal",
    "UUID": "https://www.rfc-editor.org/rfc/rfc9562",
    "URL": "https://www.rfc-editor.org/rfc/rfc3986",
    "EmailAddress": "https://www.rfc-editor.org/rfc/rfc5322",
    "JSON": "https://www.rfc-editor.org/rfc/rfc8259",
}
"""The specification of each scalar, for `@specifiedBy`."""


def _scalar(
    name: str, description: str, parse: Callable[[Any], Any], serialize: Callable[[Any], Any]
) -> ScalarDefinition:
    definition: ScalarDefinition = strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=_SPECIFICATIONS[name],
        parse_value=parse,
        parse_literal=_literal(parse),
        serialize=serialize,
    )
    return definition


def _literal(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    """Parse a value in the document; an error has its location."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def _is_email(value: str) -> bool:
    try:
        checks.email(value)
    except Refusal:
        return False
    return True


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime",
        "Date and time with an offset (RFC 3339), e.g. 2027-03-01T09:00:00Z. Always "
        "returned in UTC. Input without an offset is rejected.",
        _reads(
            _INSTANT,
            _instant,
            "must be an RFC 3339 instant with an offset, such as 2026-11-20T09:00:00Z",
        ),
        instant_text,
    ),
    date: _scalar(
        "Date",
        "Calendar date, e.g. 2027-03-01.",
        _reads(_DATE, date.fromisoformat, "must be a date as YYYY-MM-DD"),
        date.isoformat,
    ),
    time: _scalar(
        "Time",
        "Time of day without a time zone, e.g. 09:30 or 09:30:00.",
        _reads(_TIME, time.fromisoformat, "must be a time of day as HH:MM or HH:MM:SS"),
        time.isoformat,
    ),
    LocalDateTime: _scalar(
        "LocalDateTime",
        "Date and time without an offset, e.g. 2027-03-01T09:00:00. Means the local time "
        "of the centre.",
        _reads(
            _LOCAL,
            _local,
            "must be a wall-clock date and time as YYYY-MM-DDTHH:MM:SS, without a zone",
        ),
        lambda value: value.isoformat(timespec="seconds"),
    ),
    TimeZone: _scalar(
        "TimeZone",
        "Name of an IANA time zone, e.g. Europe/London.",
        _checked(checks.is_time_zone, "must be an IANA zone name, such as Europe/London"),
        str,
    ),
    CountryCode: _scalar(
        "CountryCode",
        "ISO 3166-1 alpha-2 country code, e.g. GB.",
        _checked(
            checks.is_country,
            "must be a country code of ISO 3166-1 alpha-2, such as GB",
            may_be_empty=True,
        ),
        str,
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        "ISO 4217 currency code, e.g. GBP.",
        _checked(money.is_currency, money.CURRENCY_RULE),
        str,
    ),
    LanguageTag: _scalar(
        "LanguageTag",
        "BCP 47 language tag, e.g. en-GB.",
        _checked(
            _LANGUAGE.fullmatch,
            "must be a language tag of BCP 47, such as en-GB",
            may_be_empty=True,
        ),
        str,
    ),
    Decimal: _scalar(
        "Decimal",
        'Exact decimal number, sent as a string, e.g. "129.50".',
        _reads(
            _AMOUNT,
            Decimal,
            "must be a decimal in a string, with at most 12 digits before the point and 6 after it",
        ),
        lambda value: format(value, "f"),
    ),
    UUID: _scalar(
        "UUID", "UUID, e.g. 123e4567-e89b-12d3-a456-426614174000. Case is ignored.", _uuid, str
    ),
    URL: _scalar(
        "URL",
        "Absolute URL with http or https, e.g. https://example.org/hook.",
        _checked(checks.is_url, "must be an absolute http or https address", may_be_empty=True),
        str,
    ),
    EmailAddress: _scalar(
        "EmailAddress",
        "Email address, at most 254 characters, e.g. ada@example.org.",
        _checked(_is_email, "must be an email address", may_be_empty=True),
        str,
    ),
    JSON: _scalar(
        "JSON",
        'Any JSON value, e.g. {"status": "CONFIRMED"}.',
        lambda value: value,
        lambda value: value,
    ),
}
"""The scalar of each Python type."""

MAY_BE_EMPTY = frozenset({"URL", "EmailAddress", "CountryCode", "LanguageTag"})
"""The scalars that accept an empty text; in an optional field it is null."""

NATIVE = frozenset(
    {"String", "ID", "Boolean", "UUID", "DateTime", "Date", "JSON", "URL", "EmailAddress"}
    | {"TimeZone", "CountryCode", "CurrencyCode", "LanguageTag"}
)
"""The scalars whose Python values the JSON encoder writes in the same form as `serialize`."""
