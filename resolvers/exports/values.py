"""The form of single values in a file."""

import re
from datetime import UTC, datetime
from uuid import UUID

SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""The characters that start a formula, in any width."""

BEGINNINGS = SIGNS | frozenset("\t\r\n")
"""A text that starts with one of these is a formula to a spreadsheet."""

SEPARATORS = frozenset(",;|\t\r\n")
"""Characters that some spreadsheets treat as the end of a field, regardless of the separator."""

SKIPPED = frozenset('"\ufeff\u200b')
"""Characters that, like a blank, may precede the sign that starts a formula."""

_SIGN = re.compile(f"[{re.escape(''.join(sorted(SIGNS)))}]")
_BLANKS_AND_SIGN = re.compile(rf"[\s{''.join(sorted(SKIPPED))}]*+{_SIGN.pattern}")
_LINE_END = re.compile("\r\n?")


def instant(value: datetime) -> str:
    """An instant in UTC with a Z and the source's three decimals [003], truncated."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def wall_time(value: datetime) -> str:
    """A local time without a zone, in whole seconds."""
    return value.isoformat(timespec="seconds")


def identifier(value: UUID | str) -> str:
    """A UUID in its canonical form; other keys are unchanged."""
    try:
        return str(UUID(value) if isinstance(value, str) else value)
    except ValueError:
        return str(value)


def flag(value: bool) -> str:
    return "true" if value else "false"


def with_line_feeds(text: str) -> str:
    """A text with line feeds as line breaks."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def harmless(text: str) -> str:
    """A text that does not start a formula, not even after blanks."""
    begins = text[:1] in BEGINNINGS or _BLANKS_AND_SIGN.match(text)
    return f"'{text}" if begins else text


def harmless_in_fields(text: str) -> str:
    """A text in which no part starts a formula, for all separators."""
    return harmless(_SIGN.sub(_harmless_sign, text))


def _harmless_sign(found: re.Match[str]) -> str:
    """The sign, after an apostrophe if it starts a field inside the text."""
    text, sign, before = found.string, found[0], found.start() - 1
    while before >= 0:
        character = text[before]
        if character in SEPARATORS:
            return f"'{sign}"
        if not (character in SKIPPED or character.isspace()):
            return sign
        before -= 1
    return sign
