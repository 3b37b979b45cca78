"""Which form of a test is sat. Pure."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from resolvers.refusals import Invalid
from resolvers.storage.tables import Test, TestForm


def require_form(test: Test, form: TestForm) -> None:
    """Raises: Invalid."""
    if form.test_id != test.id:
        raise Invalid("test_form", rule="is not a form of the test")
    if not form.published:
        raise Invalid("test_form", rule="is not published")


def automatic_form(
    forms: Iterable[TestForm], language: str, used: Counter[UUID]
) -> TestForm | None:
    """Of the published forms in a language the one that a candidate had least often, then by code.

    A form that names no language is in every one. None where there is no such form.
    """
    possible = [
        form
        for form in forms
        if form.published
        and (form.language is None or form.language.casefold() == language.casefold())
    ]
    return min(possible, key=lambda form: (used[form.id], form.code), default=None)
