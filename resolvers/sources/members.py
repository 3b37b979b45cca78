"""The members of a JSON object, read strictly: every wrong one is a complaint with its path."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from resolvers import checks
from resolvers.refusals import (
    Complaints,
    InputRefusal,
    Invalid,
    OutOfRange,
    Refusal,
    Required,
)

Value = TypeVar("Value")

MOST_NUMBER: Final = 2**31 - 2
"""The largest number that a source may give an object: series of ours count on from it."""

MOST_AMOUNT: Final = 10**12
DECIMALS: Final = 4
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - wall times

FLAGS = {"true": True, "false": False}
DIGITS = re.compile(r"[0-9]{1,19}")
WALL_TIME = {
    "T": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII),
    " ": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII),
}


class NotAnObject(InputRefusal):
    """An object is expected here."""


class Members:
    """An object's members, each taken once; what `close` finds left over nobody knows.

    A value that is missing or null reads as None. So does a wrong one, which is a complaint. In
    form data (`form`) every value may be a text, so digits are numbers there and words are flags.
    """

    def __init__(self, value: Any, complaints: Complaints, *path: str, form: bool = False) -> None:
        self._complaints, self._path, self._form = complaints, path, form
        self._is_object = isinstance(value, Mapping)
        self._left: dict[str, Any] = dict(value) if self._is_object else {}
        if not self._is_object:
            self._complain(NotAnObject(*path))

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """A number of the source's: from 1 on."""
        return self._whole(self._take(name, required=required), name)

    def wholes(self, name: str, *, most: int, least: int = 0) -> tuple[int, ...] | None:
        """An array of numbers, required if there is a least number of them."""
        values = self._array(name, required=least > 0)
        if values is None:
            return None
        limits = {"least": least, "most": most}
        found = checks.complaints((checks.size, values, *self._path, name, limits))
        if found:
            self._complaints.refusals += found
            return None
        read = [self._whole(value, name, str(n)) for n, value in enumerate(values)]
        return tuple(number for number in read if number is not None)

    def text(self, name: str, *, most: int, least: int = 0, required: bool = False) -> str | None:
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong("must be a text", name)
            return None
        limits = {"least": least, "most": most}
        found = checks.complaints((checks.text, value, *self._path, name, limits))
        self._complaints.refusals += found
        return None if found else value

    def flag(self, name: str) -> bool | None:
        value = self._take(name)
        if self._form and isinstance(value, str) and value in FLAGS:
            return FLAGS[value]
        if value is None or isinstance(value, bool):
            return value
        self._wrong("must be true or false", name)
        return None

    def word(
        self, name: str, words: Mapping[Any, Value], *, required: bool = False
    ) -> Value | None:
        """What one of these words, or numbers, means."""
        value = self._take(name, required=required)
        if value is None:
            return None
        known = isinstance(value, str | int) and not isinstance(value, bool) and value in words
        if known:
            return words[value]
        self._wrong(f"must be one of {', '.join(map(str, words))}", name)
        return None

    def wall_time(
        self, name: str, *, separator: str = "T", required: bool = False
    ) -> datetime | None:
        """YYYY-MM-DDTHH:MM:SS, or with another separator; without a zone."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not (isinstance(value, str) and WALL_TIME[separator].fullmatch(value)):
            self._wrong(f"must be YYYY-MM-DD{separator}HH:MM:SS", name)
            return None
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self._wrong("is no date or no time of day that there is", name)
            return None
        if EARLIEST <= read < LATEST:
            return read
        rule = f"must be from {EARLIEST.year} to {LATEST.year - 1}"
        self._complain(OutOfRange(*self._path, name, rule=rule))
        return None

    def uuid(self, name: str) -> UUID | None:
        value = self._take(name)
        if value is None:
            return None
        try:
            return UUID(value)
        except (TypeError, ValueError, AttributeError):
            self._wrong("must be a UUID", name)
            return None

    def amount(self, name: str) -> Decimal | None:
        """An amount of money, exactly."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong("must be a number", name)
            return None
        exact = Decimal(value)
        if 0 <= exact < MOST_AMOUNT and exact == round(exact, DECIMALS):
            return exact
        rule = f"must be from 0 to {MOST_AMOUNT}, with at most {DECIMALS} decimals"
        self._complain(OutOfRange(*self._path, name, rule=rule))
        return None

    def url(self, name: str) -> str | None:
        value = self.text(name, most=2000)
        found = checks.complaints((checks.url, value, *self._path, name))
        self._complaints.refusals += found
        return None if found else value

    def members(self, name: str, *, required: bool = False) -> "Members | None":
        """An object inside this one; `close` it too."""
        value = self._take(name, required=required)
        if value is None:
            return None
        return Members(value, self._complaints, *self._path, name, form=self._form)

    def none(self, name: str) -> None:
        """A member that there may be, without a value."""
        if self._take(name) is not None:
            self._wrong("must be null here", name)

    def ignore(self, *names: str) -> None:
        """Members that there may be, and that mean nothing here."""
        for name in names:
            self._left.pop(name, None)

    def refuse(self, name: str, rule: str) -> None:
        """A complaint about a member that was read."""
        self._complain(Invalid(*self._path, name, rule=rule))

    def close(self) -> None:
        """Whatever was not taken is a complaint."""
        for name in self._left:
            self._complain(Invalid(*self._path, name, rule="is not a member of this document"))
        self._left = {}

    def _take(self, name: str, *, required: bool = False) -> Any:
        value = self._left.pop(name, None)
        if value is None and required and self._is_object:
            self._complain(Required(*self._path, name))
        return value

    def _array(self, name: str, *, required: bool) -> list[Any] | None:
        value = self._take(name, required=required)
        if value is None or isinstance(value, list):
            return value
        self._wrong("must be an array", name)
        return None

    def _whole(self, value: Any, *names: str) -> int | None:
        if value is None and len(names) == 1:
            return None
        if self._form and isinstance(value, str) and DIGITS.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong("must be a whole number", *names)
            return None
        if 1 <= value <= MOST_NUMBER:
            return value
        rule = f"must be from 1 to {MOST_NUMBER}"
        self._complain(OutOfRange(*self._path, *names, rule=rule))
        return None

    def _wrong(self, rule: str, *names: str) -> None:
        self._complain(Invalid(*self._path, *names, rule=rule))

    def _complain(self, refusal: Refusal) -> None:
        self._complaints.add(refusal)
