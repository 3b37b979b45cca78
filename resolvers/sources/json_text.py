"""Files, and JSON as they have it, read strictly: where another reader guesses is an error here."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 64 * 1024 * 1024
MOST_DEPTH = 100
"""How deep a document may be nested; the sources' own are not ten deep."""


class Unreadable(Exception):
    """The file cannot be read as a document. The message says why, and where if that is known."""


def read_json(file: Path) -> Any:
    """The JSON value of a file; numbers with a fraction are Decimals. Raises: Unreadable."""
    return read_file(file, parse_json)


def read_file(file: Path, parse: Callable[[bytes], Any]) -> Any:
    """What is made of a file of at most 64 MiB. Raises: Unreadable."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror or error}") from None
    if len(text) > MOST_BYTES:
        raise Unreadable(f"{file}: is larger than {MOST_BYTES // 1024**2} MiB")
    try:
        return parse(text)
    except Unreadable as unreadable:
        raise Unreadable(f"{file}: {unreadable}") from None


def parse_json(text: bytes) -> Any:
    """Raises: Unreadable."""
    try:
        value = json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8: byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError:  # more digits than Python makes a number of
        raise Unreadable("has a number with too many digits") from None
    _require_shallow(value)
    return value


def _require_shallow(value: Any) -> None:
    """Raises: Unreadable, for what nobody could go through one call a level."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise Unreadable("is nested too deeply")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises: Unreadable, where a name stands twice: either value would be a guess."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"an object has the member {twice!r} twice")
    return members


def _no_constant(name: str) -> NoReturn:
    """Raises: Unreadable."""
    raise Unreadable(f"{name} is not JSON")
