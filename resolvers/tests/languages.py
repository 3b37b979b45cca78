"""The languages in which a test is delivered, as BCP 47 tags."""

import re
from collections.abc import Sequence

from resolvers import checks
from resolvers.refusals import Invalid, Refusal

LONGEST = 35
TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def language(value: str | None, *path: str) -> None:
    """Raises: Invalid."""
    if value is not None and (len(value) > LONGEST or not TAG.fullmatch(value)):
        raise Invalid(*path, rule="must be a BCP 47 language tag, such as en or en-GB")


def check_languages(values: Sequence[str] | None, default: str, *path: str) -> list[Refusal]:
    """What is wrong with a test's languages, of which the default is always one."""
    if values is None:
        return []
    return checks.violations(
        (checks.size, {default, *values}, *path, {"most": checks.PLAIN_LIST}),
        *((language, value, *path, str(n)) for n, value in enumerate(values)),
    )


def with_default(values: Sequence[str], default: str) -> list[str]:
    """The languages, each once, in their order; the default language is always one of them."""
    return list(dict.fromkeys((*values, default) if default in values else (default, *values)))
