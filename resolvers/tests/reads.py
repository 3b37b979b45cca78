"""Reads of subjects, modules, tests and forms; they are open to the organization."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.links import SUBJECT_CENTRES, TEST_MODULES, children_of
from resolvers.reading import count_of, page_of, rows_by
from resolvers.searching import searching
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import Centre, Module, Subject, Test, TestForm, columns
from resolvers.viewer import Viewer

SUBJECTS_BY_NAME = Ordering("subjects", (Term("sort_key", str), Term("id", UUID)))
TESTS_BY_NAME = Ordering("tests", (Term("sort_key", str), Term("id", UUID)))


def subjects_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Subject]:
    return rows_by(Subject, "id", viewer, keys, UNRESTRICTED)


def subjects_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[Subject]:
    """A page of subjects that have the text in their name or reference.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(Subject, viewer, page, _subjects(search))


def subjects_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(Subject, viewer, _subjects(search))


def centres_of_subjects(viewer: Viewer, keys: Sequence[UUID]) -> Read[Centre]:
    return children_of(Centre, SUBJECT_CENTRES, viewer, keys, UNRESTRICTED)


def modules_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Module]:
    return rows_by(Module, "id", viewer, keys, UNRESTRICTED)


def tests_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Test]:
    return rows_by(Test, "id", viewer, keys, UNRESTRICTED)


def tests_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[Test]:
    """A page of tests that have the text in their name or reference.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(Test, viewer, page, _tests(search))


def tests_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(Test, viewer, _tests(search))


def modules_of_tests(viewer: Viewer, keys: Sequence[UUID]) -> Read[Module]:
    return children_of(Module, TEST_MODULES, viewer, keys, UNRESTRICTED)


def test_forms_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[TestForm]:
    return rows_by(TestForm, "id", viewer, keys, UNRESTRICTED)


def forms_of_tests(viewer: Viewer, keys: Sequence[UUID]) -> Read[TestForm]:
    """By code, each with its test's key as `test_id`."""
    return rows_by(TestForm, "test_id", viewer, keys, UNRESTRICTED, order="code_folded")


def _subjects(search: str | None) -> Narrowing:
    return searching(search, within=(columns(Subject).search_text,))


def _tests(search: str | None) -> Narrowing:
    return searching(search, within=(columns(Test).search_text,))
