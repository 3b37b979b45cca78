"""Texts: their normal form, how they are compared, and how lists for people are sorted.

Every text that enters the gateway passes `normalized`. Texts that are unique or searched are
compared by `folded`, and lists of names are sorted by `sort_key`. Both are computed here and
stored, so that SQLite and PostgreSQL compare and sort alike, whatever their versions of Unicode and
their collations.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space; `str.strip` alone would also remove U+001C to U+001F."""

INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point, and the Braille pattern without dots."""

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_LAST_OF_PLANES: Final = "".join(chr(n) + chr(n + 1) for n in range(0xFFFE, 0x110000, 0x10000))
_NONCHARACTERS: Final = re.compile(f"[\ufdd0-\ufdef{_LAST_OF_PLANES}]")

_DOTTED_I: Final = "i\u0307"
"""The full case folding of İ; NFC does not compose it again."""

_WITHOUT_DECOMPOSITION: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "ŋ": "n"}
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that people search under a base letter, and that Unicode does not decompose."""

_BETWEEN: Final = "\x1f"
"""Separates the parts of a sort key: it sorts before every character of a text."""


def normalized(text: str) -> str:
    """Return the text in NFC without White_Space at its ends; empty if it has no visible character.

    Control characters stay, so that a text that has only these is refused and not read as empty.
    """
    stripped = text.strip(WHITE_SPACE)
    if stripped.isascii():
        return stripped
    composed = unicodedata.normalize("NFC", stripped)
    return composed if is_visible(composed) or has_controls(composed) else ""


def is_visible(text: str) -> bool:
    """Whether a text has a visible character."""
    return any(
        unicodedata.category(character) not in INVISIBLE_CATEGORIES
        and not _INVISIBLE.match(character)
        and not _NONCHARACTERS.match(character)
        for character in text
    )


def has_controls(text: str) -> bool:
    """Whether a text has control characters or noncharacters, which are not allowed in an id."""
    return _CONTROLS.search(text) is not None or (
        not text.isascii() and _NONCHARACTERS.search(text) is not None
    )


def folded(text: str) -> str:
    """Return the text for comparison: full case folding, without the mark that only folding adds.

    `İ` is `i`, a final sigma is any sigma, and `ß` is `ss`.
    """
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", composed).replace(_DOTTED_I, "i")


def distinct(texts: Iterable[str]) -> list[str]:
    """Return the texts in their order, only the first of those that differ only in case."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(folded(text), text)
    return list(first.values())


def sort_key(*texts: str, most: int = 500) -> str:
    """Return the sort key for lists for people: letters without accents and case, then the texts.

    The databases compare it by code points.
    """
    given = [normalized(text).replace(_BETWEEN, " ") for text in texts]
    plain = [_plain(text) for text in given]
    return _BETWEEN.join([*plain, "", *given])[:most]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", folded(text))
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return letters.casefold().translate(_WITHOUT_DECOMPOSITION)
