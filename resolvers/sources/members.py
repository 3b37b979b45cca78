"""The members of a JSON object, read strictly: every wrong one is a refusal with its path."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from resolvers import checks
from resolvers.refusals import (
    InputRefusal,
    Invalid,
    InvalidDate,
    OutOfRange,
    Refusal,
    Required,
    ValidationErrors,
)
from resolvers.storage.columns import LAST_OF_ROWS
from resolvers.texts import normalized

Value = TypeVar("Value")

MOST_NUMBER: Final = 2**31 - 1
"""The largest number of an object of a source; a series, of 64 bits, can count on from it."""

MOST_AMOUNT: Final = 10**12
DECIMALS: Final = 4
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - wall times

NIL: Final = UUID(int=0)
INT32: Final = 2**31

FLAGS = {"true": True, "false": False}
DIGITS = re.compile(r"[0-9]{1,19}")
MOST_EXACT: Final = 10**19
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
WALL_TIME = {
    "T": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII),
    " ": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII),
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII)


class NotAnObject(InputRefusal):
    """An object is expected here."""


class Members:
    """An object's members, each taken once; what `close` finds left over nobody knows.

    Texts are in their normal form. A value that is missing or null, and an empty text that is
    optional, reads as None. So does a wrong one, which is refused. In form data (`form`) every
    value may be a text, so digits are numbers there and words are flags. With `tidy` an empty text
    is a value that is missing.
    """

    def __init__(
        self,
        value: Any,
        validation: ValidationErrors,
        *path: str,
        form: bool = False,
        tidy: bool = False,
    ) -> None:
        self._validation, self._path, self._form, self._tidy = validation, path, form, tidy
        self._is_object = isinstance(value, Mapping)
        self._left: dict[str, Any] = (
            {name: _normalized(v) for name, v in value.items()} if self._is_object else {}
        )
        if tidy:
            self._left = {name: None if v == "" else v for name, v in self._left.items()}
        if not self._is_object:
            self._complain(NotAnObject(*path))

    def has(self, name: str) -> bool:
        """Whether there is such a member that was not taken yet, be it null."""
        return name in self._left

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """A number of the source's: from 1 on."""
        return self._whole(self._take(name, required=required), name)

    def wholes(self, name: str, *, most: int, least: int = 0) -> tuple[int, ...] | None:
        """An array of numbers, required if there is a least number of them."""
        values = self._array(name, required=least > 0)
        if values is None:
            return None
        limits = {"least": least, "most": most}
        found = checks.violations((checks.size, values, *self._path, name, limits))
        if found:
            self._validation.refusals += found
            return None
        read = [self._whole(value, name, str(n)) for n, value in enumerate(values)]
        return tuple(number for number in read if number is not None)

    def text(self, name: str, *, most: int, least: int = 0, required: bool = False) -> str | None:
        value = self._text(name, required=required)
        limits = {"least": least, "most": most}
        found = checks.violations((checks.text, value, *self._path, name, limits))
        self._validation.refusals += found
        return None if found else value

    def code(self, name: str, *, required: bool = False) -> str | None:
        """An id or a reference, 1 to 50 characters."""
        value = self._text(name, required=required)
        found = checks.violations((checks.code, value, *self._path, name))
        self._validation.refusals += found
        return None if found else value

    def free_text(self, name: str) -> str | None:
        """A text of whatever length: who asks checks it."""
        return self._text(name)

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
        value = _exact(value)
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
        return self._in_range(read, name)

    def instant(self, name: str) -> datetime | None:
        """ISO 8601 with an offset or Z, to the microsecond; in UTC."""
        value = self._take(name)
        if value is None:
            return None
        if not (isinstance(value, str) and INSTANT.fullmatch(value)):
            self._wrong("must be YYYY-MM-DDTHH:MM:SS with an offset or Z", name)
            return None
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self._wrong("is no date or no time of day that there is", name)
            return None
        try:
            instant = read.astimezone(UTC)
        except OverflowError:
            instant = None
        if instant is None or instant.year < EARLIEST.year:
            rule = f"must be from {EARLIEST.year} to {LAST_OF_ROWS.year}"
            self._complain(OutOfRange(*self._path, name, rule=rule))
            return None
        return min(instant, LAST_OF_ROWS)

    def uuid(
        self, name: str, *, required: bool = False, nil_is_missing: bool = False
    ) -> UUID | None:
        """A UUID; `nil_is_missing` takes the nil one for none."""
        value = self._take(name, required=required)
        if value is None:
            return None
        try:
            read = UUID(value)
        except (TypeError, ValueError, AttributeError):
            self._wrong("must be a UUID", name)
            return None
        if not nil_is_missing or read != NIL:
            return read
        if required:
            self._complain(Required(*self._path, name))
        return None

    def day(self, name: str) -> date | None:
        """YYYY-MM-DD."""
        value = self._take(name)
        if value is None:
            return None
        try:
            if isinstance(value, str) and DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self._complain(InvalidDate(*self._path, name))
        return None

    def integer(self, name: str, *, digits: bool = False) -> int | None:
        """A whole number of 32 bits, negative ones too; with `digits` it may be a text of them."""
        value = self._take(name)
        if value is None:
            return None
        may_be_text = (self._form or digits) and isinstance(value, str)
        if may_be_text and DIGITS.fullmatch(value.removeprefix("-")):
            value = int(value)
        value = _exact(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong("must be a whole number", name)
            return None
        if -INT32 <= value < INT32:
            return value
        rule = f"must be from {-INT32} to {INT32 - 1}"
        self._complain(OutOfRange(*self._path, name, rule=rule))
        return None

    def number(self, name: str) -> float | None:
        """A number with or without a fraction."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong("must be a number", name)
            return None
        try:
            return float(value)
        except OverflowError:
            self._complain(OutOfRange(*self._path, name, rule="is too large"))
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
        found = checks.violations((checks.url, value, *self._path, name))
        self._validation.refusals += found
        return None if found else value

    def parsed(
        self, name: str, parse: Callable[[str], Value], rule: str, *, required: bool = False
    ) -> Value | None:
        """What `parse` makes of a text; where it raises ValueError, its text is the rule."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError:
                pass
        self._wrong(rule, name)
        return None

    def text_list(self, name: str) -> tuple[str, ...]:
        """An array of texts; empty where there is none."""
        values = self._array(name, required=False) or ()
        for n, value in enumerate(values):
            if not isinstance(value, str):
                self._wrong("must be a text", name, str(n))
        return tuple(value for value in values if isinstance(value, str))

    def members(self, name: str, *, required: bool = False) -> "Members | None":
        """An object inside this one; `close` it too."""
        value = self._take(name, required=required)
        if value is None:
            return None
        return self._inside(value, name)

    def several(self, name: str, *, most: int) -> "list[Members] | None":
        """The objects of an array inside this one; `close` them too."""
        values = self._array(name, required=False)
        if values is None:
            return None
        found = checks.violations((checks.size, values, *self._path, name, {"most": most}))
        if found:
            self._validation.refusals += found
            return None
        return [self._inside(value, name, str(n)) for n, value in enumerate(values)]

    def texts(self) -> dict[str, str]:
        """All that is left, where any name may stand, each with a text."""
        names = list(self._left)
        return {name: value for name in names if (value := self._text(name)) is not None}

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

    def _inside(self, value: Any, *names: str) -> "Members":
        path = (*self._path, *names)
        return Members(value, self._validation, *path, form=self._form, tidy=self._tidy)

    def _text(self, name: str, *, required: bool = False) -> str | None:
        value = self._take(name, required=required)
        if value is None or isinstance(value, str):
            return value
        self._wrong("must be a text", name)
        return None

    def _in_range(self, wall_time: datetime, name: str) -> datetime | None:
        if EARLIEST <= wall_time < LATEST:
            return wall_time
        rule = f"must be from {EARLIEST.year} to {LATEST.year - 1}"
        self._complain(OutOfRange(*self._path, name, rule=rule))
        return None

    def _take(self, name: str, *, required: bool = False) -> Any:
        value = self._left.pop(name, None)
        if value == "" and not required:
            return None
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
        value = _exact(value)
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
        self._validation.add(refusal)


def _normalized(value: Any) -> Any:
    """A text, or the texts of an array, in their normal form."""
    if isinstance(value, str):
        return normalized(value)
    if isinstance(value, list):
        return [normalized(one) if isinstance(one, str) else one for one in value]
    return value


def _exact(value: Any) -> Any:
    """A number without a fraction as the whole number that it is: 10.0 is 10."""
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < MOST_EXACT:
        return int(value) if value == value.to_integral_value() else value
    return value
