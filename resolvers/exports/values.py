"""How single values look in a file."""

import re
from datetime import UTC, datetime
from uuid import UUID

SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""The characters that begin a formula, in any width."""

BEGINNINGS = SIGNS | frozenset("\t\r\n")
"""What makes a spreadsheet take a text that begins with it for a formula."""

SEPARATORS = frozenset(",;|\t\r\n")
"""What some spreadsheet takes for the end of a field, whatever the file's own separator is."""

SKIPPED = frozenset('"\ufeff\u200b')
"""What, like a blank, does not keep the sign after it from beginning a formula."""

_SIGN = re.compile(f"[{re.escape(''.join(sorted(SIGNS)))}]")
_BLANKS_AND_SIGN = re.compile(rf"[\s{''.join(sorted(SKIPPED))}]*+{_SIGN.pattern}")
_LINE_END = re.compile("\r\n?")


def instant(value: datetime) -> str:
    """In UTC with a Z and the source's three decimals [003]; what is finer is cut off."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def wall_time(value: datetime) -> str:
    """A local time without a zone, in whole seconds."""
    return value.isoformat(timespec="seconds")


def identifier(value: UUID | str) -> str:
    """A UUID in its canonical form; a source's key that is none as it is."""
    try:
        return str(UUID(value) if isinstance(value, str) else value)
    except ValueError:
        return str(value)


def flag(value: bool) -> str:
    return "true" if value else "false"


def with_line_feeds(text: str) -> str:
    """A text whose line breaks are single line feeds."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def harmless(text: str) -> str:
    """A text that does not begin a formula, also after blanks."""
    begins = text[:1] in BEGINNINGS or _BLANKS_AND_SIGN.match(text)
    return f"'{text}" if begins else text


def harmless_in_fields(text: str) -> str:
    """A text no part of which begins a formula, whatever separator a spreadsheet splits it at."""
    return harmless(_SIGN.sub(_harmless_sign, text))


def _harmless_sign(found: re.Match[str]) -> str:
    """The sign, behind an apostrophe if it is the first of a field but not of the text."""
    text, sign, before = found.string, found[0], found.start() - 1
    while before >= 0:
        character = text[before]
        if character in SEPARATORS:
            return f"'{sign}"
        if not (character in SKIPPED or character.isspace()):
            return sign
        before -= 1
    return sign
