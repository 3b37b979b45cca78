"""How single values look in a file."""

from datetime import UTC, datetime
from uuid import UUID

FORMULAS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet take a text for a formula when it begins with it, in any width."""


def instant(value: datetime) -> str:
    """In UTC with a Z and milliseconds [003]; microseconds only where there are any."""
    precision = "microseconds" if value.microsecond % 1000 else "milliseconds"
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def identifier(value: UUID | str) -> str:
    """A UUID in its canonical form; a source's key that is none as it is."""
    try:
        return str(UUID(value) if isinstance(value, str) else value)
    except ValueError:
        return str(value)


def flag(value: bool) -> str:
    return "true" if value else "false"


def harmless(text: str) -> str:
    """A text that no spreadsheet carries out; whoever wrote the text may be anybody."""
    return f"'{text}" if text[:1] in FORMULAS else text


def harmless_identifier(value: UUID | str) -> str:
    return harmless(identifier(value))
