"""Reads of centres and rooms; they are visible to the whole organization."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.links import CENTRE_SUBJECTS, children_of
from resolvers.reading import count_of, page_of, rows_by
from resolvers.searching import searching
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import Centre, Room, Subject, columns
from resolvers.viewer import Viewer

CENTRES_BY_NAME = Ordering("centres", (Term("sort_key", str), Term("id", UUID)))


def centres_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Centre]:
    return rows_by(Centre, "id", viewer, keys, UNRESTRICTED)


def centres_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[Centre]:
    """Return a page of centres with the text in their name or reference.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(Centre, viewer, page, _centres(search))


def centres_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(Centre, viewer, _centres(search))


def rooms_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Room]:
    return rows_by(Room, "id", viewer, keys, UNRESTRICTED)


def rooms_of_centres(viewer: Viewer, keys: Sequence[UUID]) -> Read[Room]:
    """Return the rooms, each with its centre's key as `centre_id`."""
    return rows_by(Room, "centre_id", viewer, keys, UNRESTRICTED, order="sort_key")


def subjects_of_centres(viewer: Viewer, keys: Sequence[UUID]) -> Read[Subject]:
    return children_of(Subject, CENTRE_SUBJECTS, viewer, keys, UNRESTRICTED)


def _centres(search: str | None) -> Narrowing:
    return searching(search, within=(columns(Centre).search_text,))
